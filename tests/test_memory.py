"""No needless memory: at most 1.2 times the input beyond input and output, and a megabyte.

Traced: what NumPy allocates, in this process. Resident: what the system counts, in a process of its
own (peaks.py); it shows the peers' too, and that nothing of ours hides from the trace.
"""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import peaks
import pytest

import fastsub
from fastsub.bench.memory import peak_beyond_output

MB = 1_000_000


def every(orders, names=peaks.FUNCTIONS):
    """Return the parameters (name, (m, n), order) as a parametrisation."""
    return [
        pytest.param(name, (m, n), order, id=f"{name} {m}x{n} {order}".rstrip())
        for name in names
        for m, n in peaks.SHAPES
        for order in orders
    ]


@pytest.mark.parametrize(("name", "shape", "order"), every("CF"))
def test_contract(name, shape, order):
    full = min(shape)
    for r in (full * 9 // 10, full):
        A = peaks.product(*shape, r, order)
        call = getattr(fastsub, name)
        assert call(A, full_output=True)[1].decided_by == "bounds"
        peak = peak_beyond_output(call, A)
        factor = (peak - MB) / A.nbytes
        assert factor <= 1.2, f"rank {r}: {factor:.2f} x input, and 1 MB"


@pytest.fixture(scope="module")
def resident():
    """Return the peaks of peaks.py: "null_space 800x800 C" and "peer null_space 800x800"."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux says how much memory a process had at most")
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    environment["PYTHONPATH"] = str(Path(fastsub.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, peaks.__file__],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "PermissionError" in ran.stderr:
        pytest.skip("this system does not let a process reset its peak of memory")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize(("name", "shape", "order"), every([""], ["null_space", "orth"]))
def test_never_above_scipys(resident, name, shape, order):
    m, n = shape
    # SciPy's null_space of 20000 x 200 would hold an (m, m) U: not called.
    peer = resident.get(f"peer {name} {m}x{n}", 8 * m * m)
    for order in ("C", "F"):
        ours = resident[f"{name} {m}x{n} {order}"]
        assert ours <= peer + MB, f"{order}: {ours / MB:.1f} MB, SciPy {peer / MB:.1f}"


@pytest.mark.parametrize(("name", "shape", "order"), every("CF"))
def test_nothing_hides_from_the_trace(resident, name, shape, order):
    A = peaks.product(*shape, min(shape) * 9 // 10, order)
    traced = peak_beyond_output(getattr(fastsub, name), A)
    m, n = shape
    assert resident[f"{name} {m}x{n} {order}"] <= traced + 0.1 * A.nbytes + MB


def test_overwriting_saves_the_working_copy():
    A = peaks.product(10_000, 200, 150, "F")

    def call(A):
        return fastsub.null_space(A, overwrite_a=True)

    assert peak_beyond_output(call, A) <= 0.5 * A.nbytes


SIDES = [(560, 640), (640, 560), (400, 760), (400, 1400), (600, 600)]
SHARES = (0.01, 0.1, 0.5, 0.9, 0.999, 1)
# What the suite can afford of these minutes; the rest is slow.
SOME = [((640, 560), "float64", share) for share in (0.1, 0.9)]


@pytest.mark.parametrize(
    ("m", "n", "dtype", "share"),
    [
        pytest.param(*sides, *how, marks=[] if (sides, *how) in SOME else pytest.mark.slow)
        for sides in SIDES
        for how in itertools.product(("float64", "complex128"), SHARES)
    ],
)
def test_every_rank_of_what_is_not_sketched(m, n, dtype, share):
    """Nearly square matrices are factored so that one side suffices, wide ones are transposed."""
    r = int(share * min(m, n))
    A = peaks.product(m, n, r, "C").astype(dtype)
    for name in ("null_space", "row_space", "orth", "left_null_space"):
        call = getattr(fastsub, name)
        certificate = call(A, full_output=True)[1]
        assert (certificate.rank, certificate.decided_by) == (r, "bounds")
        factor = (peak_beyond_output(call, A) - MB) / A.nbytes
        assert factor <= 1.2, f"{name} rank {r}: {factor:.2f} x input, and 1 MB"


def test_no_square_of_the_long_side():
    """SciPy takes a 20000 x 20000 U, 3.2 GB, for the same answer."""
    A = peaks.product(20_000, 500, 450, "C")
    peak = peak_beyond_output(fastsub.null_space, A)
    assert peak <= 1.4 * A.nbytes + MB


def test_the_measure_itself():
    A = np.ones(3 * MB)
    assert peak_beyond_output(lambda A: A + 1, A) < 10_000

    def with_a_copy(A):
        B = A + 1
        return A * B, np.ones(5)

    assert peak_beyond_output(with_a_copy, A) == pytest.approx(A.nbytes, rel=1e-3)
