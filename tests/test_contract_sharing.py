"""Same bits every time, from many threads too; nothing leaks; every object travels and prints."""

import copy
import gc
import os
import pickle
import re
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from contract import FUNCTIONS, assert_same_bits, every_function

import fastsub
from fastsub import testing as ft

SIZES = [(9, 6, 4), (40, 64, 30), (230, 210, 190)]


@every_function
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_same_input_same_bits(function, size, dtype):
    A = ft.random_rank(*size, 433, dtype)
    first = function.call(A)
    function.call(ft.random_rank(*size, 439, dtype))
    assert_same_bits(function.call(A), first)


@pytest.mark.parametrize("size", SIZES)
def test_many_threads_at_once(size):
    matrices = [ft.random_rank(*size, seed, dtype) for seed, dtype in ((443, "d"), (449, "F"))]
    tasks = [(function, A) for A in matrices for function in FUNCTIONS]
    alone = [function.call(A) for function, A in tasks]
    workers = 8
    barrier = threading.Barrier(workers)

    def all_of_them(shift):
        barrier.wait()
        order = [*range(shift, len(tasks)), *range(shift)]
        return {i: tasks[i][0].call(tasks[i][1]) for i in order}

    with ThreadPoolExecutor(workers) as pool:
        for answers in pool.map(all_of_them, range(workers)):
            for i, answer in answers.items():
                assert_same_bits(answer, alone[i])


def test_one_object_shared_by_threads():
    F = fastsub.COD(ft.random_rank(50, 40, 30, 457))
    G = fastsub.rrqr(ft.random_rank(50, 40, 30, 461))

    def ask(_):
        return F.null_space(), F.column_space(), F.row_space(), F.left_null_space(), *G, G.rank

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(ask, range(16))
    for other in others:
        assert_same_bits(other, first)


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def old_objects_apart():
    """What the suite has piled up is not searched by every collection of garbage."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("old_objects_apart")
@every_function
def test_no_leak(function):
    """Neither Python objects, nor references to the input, nor memory that Python does not see."""
    A = ft.random_rank(64, 48, 40, 463)
    bad = A.copy()
    bad[3, 3] = np.nan

    def calls(count):
        for _ in range(count):
            function.call(A)
            with pytest.raises(ValueError, match="finite"):
                function.call(bad)
        gc.collect()

    calls(30)
    references = sys.getrefcount(A)
    linux = os.path.exists("/proc/self/statm")
    resident = resident_bytes() if linux else 0
    calls(60)
    if linux:
        # One lost copy of A a call would be 1.5 MB.
        assert resident_bytes() - resident < 1_200_000
    assert sys.getrefcount(A) == references
    tracemalloc.start()
    calls(5)
    grown = []
    for _ in range(2):
        # A leak shows in both; NumPy's store of small buffers fills up once.
        before = tracemalloc.get_traced_memory()[0]
        calls(25)
        grown.append(tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    assert min(grown) < 25 * 200


A = ft.random_rank(6, 5, 3, 467)
STACK = np.stack([ft.random_rank(6, 5, 3, seed) for seed in range(470, 500)])
OBJECTS = {
    "Certificate": fastsub.null_space(A, full_output=True)[1],
    "Certificate of a stack": fastsub.null_space(STACK, full_output=True)[1],
    "RRQR": fastsub.rrqr(A),
    "RRQR rank=": fastsub.rrqr(A, rank=2),
    "COD": fastsub.COD(A),
    "Subspace": fastsub.Subspace.kernel(A),
    "FundamentalSubspaces": fastsub.fundamental_subspaces(A),
    "Identifiability": fastsub.identifiability(A),
    "Interpolative": fastsub.interpolative(A, rank=2),
    "LowRank": fastsub.low_rank(A, rank=2),
    "SolutionSet": fastsub.solutions(A, np.arange(6.0)),
    "RankDeficientError": fastsub.RankDeficientError("singular, rank 3 of 5", 3),
    "ConvergenceError": fastsub.ConvergenceError("no convergence", None),
}
every_object = pytest.mark.parametrize("name", OBJECTS)


def content(thing):
    """What an object can say, as arrays."""
    if isinstance(thing, fastsub.Certificate):
        return [getattr(thing, field.name) for field in fields(thing)]
    if isinstance(thing, fastsub.RRQR):
        return [*thing, thing.rank, *content(thing.certificate)]
    if isinstance(thing, fastsub.COD):
        bases = thing.null_space(), thing.row_space(), thing.column_space()
        return [*bases, thing.rank, thing.condition, *content(thing.certificate)]
    if isinstance(thing, fastsub.Subspace):
        halves = thing.basis, thing.complement().basis
        return [*halves, thing.dim, thing.tol, *content(thing.certificate)]
    if isinstance(thing, fastsub.FundamentalSubspaces):
        return [x for V in thing for x in content(V)] + [thing.pseudoinverse()]
    if isinstance(thing, fastsub.Identifiability):
        return [thing.report(), thing.vif, thing.identified, *content(thing.flat_directions)]
    if isinstance(thing, (fastsub.Interpolative, fastsub.LowRank)):
        return [*thing, thing.rank, *content(thing.certificate)]
    if isinstance(thing, fastsub.SolutionSet):
        return [thing.particular, *content(thing.directions), thing.basic(), thing.residual_norm]
    return [str(thing), thing.rank]


@every_object
@pytest.mark.parametrize(
    "travel",
    [
        copy.copy,
        copy.deepcopy,
        *(
            lambda x, p=p: pickle.loads(pickle.dumps(x, p))
            for p in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_copies_and_pickles(name, travel):
    thing = OBJECTS[name]
    other = travel(thing)
    assert type(other) is type(thing)
    assert_same_bits(content(other), content(thing))


@every_object
def test_pickles_before_anything_was_asked(name):
    if name in ("RRQR", "COD"):
        fresh = getattr(fastsub, name)(A)
        other = pickle.loads(pickle.dumps(fresh))
        assert_same_bits(content(other), content(OBJECTS[name]))


@every_object
def test_repr_is_one_short_line_that_says_something(name):
    text = repr(OBJECTS[name])
    assert "\n" not in text
    assert len(text) <= 300
    assert not re.search(r"\bat 0x[0-9a-f]+", text), text


@pytest.mark.parametrize("name", ["RRQR", "Certificate", "Certificate of a stack"])
def test_str_of_the_explanation(name):
    thing = OBJECTS[name]
    text = (thing.certificate if name == "RRQR" else thing).explain()
    assert "\n" not in text
    assert "3" in text


def test_errors_are_linalg_errors_with_a_rank():
    for name in ("RankDeficientError", "ConvergenceError"):
        error = OBJECTS[name]
        assert isinstance(error, np.linalg.LinAlgError)
        assert isinstance(error, fastsub.RankDeficientError)
    assert OBJECTS["RankDeficientError"].rank == 3


def test_certificate_is_frozen():
    with pytest.raises(AttributeError):
        OBJECTS["Certificate"].rank = 4
