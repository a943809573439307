"""Bad input gets one clear error that names the argument, and nothing is modified."""

import re
import time

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from contract import FUNCTIONS, every_function, those_with

import fastsub
from fastsub.functions import sources

GOOD = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0], [5.0, 3.0, 8.0]])


def message_of(error, function, given, **options):
    with pytest.raises(error) as caught:
        function.call(given, **options)
    return str(caught.value)


def names_argument(message, function):
    return re.search(rf"(^|[ `'])(the )?{function.argument}\b", message) is not None


@every_function
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [(0, 0), (3, 2), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_not_finite(function, bad, where, dtype):
    for A in (GOOD, np.pad(GOOD, ((0, 220), (0, 220)))):
        given = np.array(A, dtype)
        given[where] = 1j * bad if given.dtype.kind == "c" else bad
        before = given.copy()
        message = message_of(ValueError, function, given)
        assert names_argument(message, function)
        assert "finite" in message
        assert str(where) in message
        np.testing.assert_array_equal(given, before)


@every_function
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_in_any_layout(function, bad):
    A = np.pad(GOOD, ((0, 0), (0, 2)))
    for where in np.ndindex(A.shape):
        given = A.copy()
        given[where] = bad
        wide = np.repeat(np.repeat(given, 2, axis=0), 3, axis=1)
        for view in (given, np.asfortranarray(given), wide[::2, ::3], wide[::-2, ::-3]):
            assert "finite" in message_of(ValueError, function, view)


def test_not_finite_right_hand_side():
    for b in ([1, 2, 3, np.nan], [[1, np.inf]] * 4):
        with pytest.raises(ValueError, match=r"^b must be finite"):
            fastsub.lstsq(GOOD, b)


@those_with("check_finite")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (5, 5), (60, 50), (210, 205)])
def test_unchecked_nan_neither_hangs_nor_crashes(function, bad, shape):
    """Whatever comes back means nothing; an error must be one that says what is wrong."""
    rng = np.random.default_rng(431)
    for dtype in ("float32", "complex128"):
        A = rng.standard_normal(shape).astype(dtype)
        for entries in ((slice(1, 2), slice(1, 2)), (slice(None), slice(0, 1)), (slice(None),) * 2):
            given = A.copy()
            given[entries] = bad
            with np.errstate(all="ignore"):
                try:
                    function.call(given, check_finite=False)
                except (ValueError, np.linalg.LinAlgError) as error:
                    assert re.search("(?i)nan|inf|finite|converge|svd", str(error))  # noqa: PT017


@every_function
def test_wrong_number_of_dimensions(function):
    for given in (3.0, [1.0, 2.0], np.zeros(0)):
        if function.name == "matrix_rank":
            continue
        if function.name == "lstsq":
            with pytest.raises(ValueError, match=r"^a must be a matrix"):
                fastsub.lstsq(given, [1.0, 2.0])
        else:
            assert names_argument(message_of(ValueError, function, given), function)
    if not function.stacks:
        assert "3-d" in message_of(ValueError, function, np.zeros((2, 4, 3)))


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ((4, 3), (3,), "4 and 3"),
        ((4, 3), (3, 4), "4 and 3"),
        ((4, 3), (), "b must be"),
        ((4, 3), (0,), "4 and 0"),
        ((2, 4, 3), (2, 3, 1), "4 and 3"),
        ((2, 4, 3), (5, 4, 1), "broadcast"),
    ],
)
def test_mismatched_shapes(a, b, says):
    with pytest.raises(ValueError, match=says):
        fastsub.lstsq(np.ones(a), np.ones(b))


class _Opaque:
    pass


NOT_NUMBERS = {
    "string": "abc",
    "strings": [["1", "2"], ["3", "4"]],
    "bytes": np.array([[b"1", b"2"]]),
    "None": None,
    "list with None": [[1.0, None], [2.0, 3.0]],
    "dict": {"a": 1},
    "object": _Opaque(),
    "objects": [[_Opaque(), 1], [2, 3]],
    "string among objects": np.array([["1", 2], [3, 4]], dtype=object),
    "dates": np.array([["2020-01-01", "2021-01-01"]], dtype="datetime64[D]"),
    "durations": np.array([[1, 2]], dtype="timedelta64[s]"),
    "records": np.zeros((2, 2), dtype=[("x", "f8")]),
    "masked": np.ma.masked_array(GOOD, mask=GOOD > 7),
}


@every_function
@pytest.mark.parametrize("kind", NOT_NUMBERS)
def test_not_numbers(function, kind):
    given = NOT_NUMBERS[kind]
    if function.name == "lstsq":
        with pytest.raises(TypeError, match=r"^a "):
            fastsub.lstsq(given, [1.0, 2.0])
        with pytest.raises(TypeError, match=r"^b "):
            fastsub.lstsq(np.eye(2), given)
    else:
        assert names_argument(message_of(TypeError, function, given), function)


@every_function
def test_ragged_list_and_too_large_integers(function):
    if function.name != "lstsq":
        assert names_argument(message_of(ValueError, function, [[1, 2], [3]]), function)
    assert names_argument(message_of(ValueError, function, [[10**400, 2], [3, 4]]), function)


class _OwnOperator(scipy.sparse.linalg.LinearOperator):
    """A map known by its products, as users write them."""

    def __init__(self):
        super().__init__(np.float64, GOOD.shape)

    def _matvec(self, x):
        return GOOD @ x


def _dask_array():
    """Stand-in for one: dask is not needed to run the tests."""
    return type("Array", (), {"__module__": "dask.array.core", "compute": lambda self: GOOD})()


LAZY = {
    "csr_array": lambda: scipy.sparse.csr_array(GOOD),
    "coo_matrix": lambda: scipy.sparse.coo_matrix(GOOD),
    "dia_array": lambda: scipy.sparse.dia_array(GOOD),
    "aslinearoperator": lambda: scipy.sparse.linalg.aslinearoperator(GOOD),
    "own LinearOperator": _OwnOperator,
    "dask": _dask_array,
}


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.name != "lstsq"], ids=repr)
@pytest.mark.parametrize("kind", LAZY)
def test_sparse_and_lazy_input_is_shown_a_way_out(function, kind):
    given = LAZY[kind]()
    answered = sources.answered(sources.kind_of(given))
    name = "orth" if function.name == "column_space" else function.name
    if name in answered and kind != "own LinearOperator":  # that one has no adjoint
        return
    message = message_of(TypeError, function, given)
    assert names_argument(message, function)
    assert re.search("pass|use|compute", message), message
    methods = re.findall(rf"\b{function.argument}\.(\w+)\(", message)
    assert all(hasattr(given, method) for method in methods), message


@every_function
@pytest.mark.parametrize("value", [np.nan, -1e-3, -np.inf, "small", 1j, [1e-3, 1e-4]])
def test_tolerances(function, value):
    for name in function.tolerances:
        for given in (GOOD, GOOD[0]) if function.name == "matrix_rank" else (GOOD,):
            assert name in message_of(ValueError, function, given, **{name: value})


def test_both_tolerances():
    with pytest.raises(ValueError, match="tol or rtol"):
        fastsub.matrix_rank(GOOD, 1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="rank or rtol"):
        fastsub.rrqr(GOOD, rank=1, rtol=1e-3)


@pytest.mark.parametrize("rank", [-1, 4, 100])
def test_impossible_rank(rank):
    with pytest.raises(ValueError, match="rank must be between 0 and min"):
        fastsub.rrqr(GOOD, rank=rank)


def test_unknown_options():
    with pytest.raises(ValueError, match=r"lapack_driver must be one of .*gesdd"):
        fastsub.null_space(GOOD, lapack_driver="gesddd")
    with pytest.raises(ValueError, match=r"lapack_driver must be one of .*gelsd"):
        fastsub.lstsq(GOOD, np.ones(4), lapack_driver="gesdd")
    with pytest.raises(ValueError, match=r"mode must be one of .*economic"):
        fastsub.qr(GOOD, mode="reduced")
    with pytest.raises(ValueError, match="square"):
        fastsub.matrix_rank(GOOD, hermitian=True)


@pytest.mark.parametrize("name", ["null_space", "orth", "row_space", "left_null_space"])
def test_ragged_stack_names_ranks_and_way_out(name):
    stack = np.stack([np.eye(3), np.diag([1.0, 0.0, 0.0]), np.diag([1.0, 1.0, 0.0])])
    function = getattr(fastsub, name)
    with pytest.raises(ValueError, match=r"different ranks.*\b1 and 3\b.*ragged=True"):
        function(stack)
    bases = function(stack, ragged=True)
    widths = [3, 1, 2] if name in ("orth", "row_space") else [0, 2, 1]
    assert [basis.shape for basis in bases] == [(3, width) for width in widths]


@pytest.mark.parametrize(
    ("function", "shape", "fill"),
    [
        (fastsub.left_null_space, (3_000_000, 1), 1.0),
        (fastsub.left_null_space, (3_000_000, 1), 0.0),
        (fastsub.left_null_space, (3_000_000, 0), 0.0),
        (fastsub.null_space, (1, 3_000_000), 1.0),
        (fastsub.null_space, (0, 3_000_000), 0.0),
        (fastsub.qr, (3_000_000, 1), 1.0),
    ],
)
def test_result_that_cannot_fit(function, shape, fill):
    given = np.broadcast_to(np.float64(fill), shape)
    started = time.perf_counter()
    with pytest.raises(
        MemoryError, match=r"3000000, \d+.*7\d,\d{3},\d{3},\d{3},\d{3} bytes.*; \w+"
    ):
        function(given)
    assert time.perf_counter() - started < 20
