"""What every public function accepts, and that it never writes to what it was given."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from contract import FUNCTIONS, assert_same_bits, every_function, those_with

import fastsub
from fastsub import testing as ft

A53 = np.array([[1, 2, 3], [2, 4, 6], [0, 1, 1], [5, 3, 8], [1, 0, 1]])
"""Rank 2, exact in every dtype; not square, so that the layout cannot choose the path."""
FULL = A53 + np.eye(5, 3, dtype=int)
"""The same of rank 3."""


class _Wrapped:
    """Not an array, but one can be had."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


def _record_field(A):
    record = np.zeros(A.shape, dtype=[("flag", "i1"), ("value", A.dtype)])
    record["value"] = A
    return record["value"]


def _read_only(A):
    A = A.copy(order="K")
    A.flags.writeable = False
    return A


def _inside(A, rows, columns):
    """A as a strided view of a larger array that is NaN elsewhere."""
    big = np.full((A.shape[0] * abs(rows) + 2, A.shape[1] * abs(columns) + 2), np.nan, A.dtype)
    view = big[1:-1, 1:-1][::rows, ::columns]
    view[...] = A
    return view


def _swapped(A):
    return A.astype(A.dtype.newbyteorder())


LAYOUTS = {
    "c-order": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "read-only": _read_only,
    "every other row": lambda A: _inside(A, 2, 1),
    "every third column": lambda A: _inside(A, 1, 3),
    "strided": lambda A: _inside(A, 3, 2),
    "reversed": lambda A: _inside(A, -1, -2),
    "transposed view": lambda A: _inside(A.T, 2, 2).T,
    "byte-swapped": _swapped,
    "byte-swapped view": lambda A: _inside(_swapped(A), -2, 2),
    "field of a record": _record_field,
    "unmasked masked array": lambda A: np.ma.masked_array(A, mask=np.zeros(A.shape, bool)),
    "middle of three dimensions": lambda A: np.stack([A + 1, A, A - 1], axis=1)[:, 1],
}

WRAPPINGS = {
    "list": (lambda A: A.tolist(), "float64"),
    "tuple": (lambda A: tuple(map(tuple, A.tolist())), "float64"),
    "list of arrays": (list, "float64"),
    "has __array__": (_Wrapped, "float64"),
    "int8": (lambda A: A.astype(np.int8), "float64"),
    "uint16": (lambda A: A.astype(np.uint16), "float64"),
    "int64": (lambda A: A.astype(np.int64), "float64"),
    "float16": (lambda A: A.astype(np.float16), "float32"),
    "longdouble": (lambda A: A.astype(np.longdouble), "float64"),
    "clongdouble": (lambda A: A.astype(np.clongdouble), "complex128"),
    "Fractions": (lambda A: np.vectorize(Fraction)(A), "float64"),
    "Decimals": (lambda A: [[Decimal(int(x)) for x in row] for row in A], "float64"),
    "Python ints": (lambda A: A.astype(object), "float64"),
    "Python complex": (lambda A: np.vectorize(complex, otypes=[object])(A), "complex128"),
    "mixed list": (lambda A: [[1, 2.0, 3], *A[1:].tolist()], "float64"),
}


@every_function
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_layouts(function, layout, dtype):
    for matrix in (A53, FULL, A53.T, FULL.T):
        plain = matrix * np.array(1 + 2j if np.dtype(dtype).kind == "c" else 1)
        plain = plain.astype(dtype)
        given = LAYOUTS[layout](plain)
        answer = function.call(given)
        assert_same_bits(answer, function.call(plain))
        assert np.array_equal(given, plain)
        for part in answer:
            assert not isinstance(part, np.ma.MaskedArray)
            if isinstance(part, np.ndarray) and part.dtype.kind in "fc":
                assert part.dtype.isnative
                assert not np.may_share_memory(part, given)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_a_right_hand_side(layout):
    b = np.arange(10.0).reshape(5, 2)
    wanted = fastsub.lstsq(FULL, b)
    assert_same_bits(fastsub.lstsq(FULL, LAYOUTS[layout](b)), wanted)
    (x, *_), certificate = fastsub.lstsq(LAYOUTS[layout](FULL.astype(float)), b, full_output=True)
    assert_same_bits((x,), wanted[:1])
    assert certificate.rank == 3


@every_function
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_wrappings(function, wrapping):
    wrap, dtype = WRAPPINGS[wrapping]
    answer = function.call(wrap(A53))
    assert_same_bits(answer, function.call(A53.astype(dtype)))


@every_function
def test_bool(function):
    B = A53 > 1
    assert_same_bits(function.call(B), function.call(B.astype(float)))


@every_function
def test_integers_beyond_int64(function):
    assert_same_bits(
        function.call([[int(x) << 80 for x in row] for row in A53]),
        function.call(A53.astype(float) * 2.0**80),
    )


@every_function
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_matrix_subclass_gives_arrays(function):
    answer = function.call(np.matrix(A53))
    assert_same_bits(answer, function.call(A53))
    assert not any(isinstance(part, np.matrix) for part in answer)


@every_function
@pytest.mark.parametrize(
    "broadcast",
    [
        np.broadcast_to(np.array([1.0, 2.0, 3.0]), (5, 3)),
        np.broadcast_to(np.array([[1.0], [2.0], [4.0], [0.0], [1.0]]), (5, 3)),
        np.broadcast_to(np.array(2.5), (4, 6)),
    ],
    ids=["row", "column", "number"],
)
def test_zero_strides(function, broadcast):
    assert_same_bits(function.call(broadcast), function.call(broadcast.copy()))


@every_function
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1)])
def test_single_row_and_column_in_odd_strides(function, shape):
    plain = np.arange(1.0, 7.0)[: shape[0] * shape[1]].reshape(shape)
    odd = np.lib.stride_tricks.as_strided(
        np.repeat(plain.ravel(), 2), shape, (16 if shape[0] > 1 else 24, 16)
    )
    assert_same_bits(function.call(odd), function.call(plain))


def expected_when_empty(name, m, n):
    """Shapes and values of the answer for an (m, n) matrix without entries."""
    k = 0
    return {
        "null_space": [(n, n)],
        "orth": [(m, 0)],
        "column_space": [(m, 0)],
        "row_space": [(n, 0)],
        "left_null_space": [(m, m)],
        "matrix_rank": [()],
        "lstsq": [(n,), () if n == 0 else (0,), (), None],
        "pinv": [(n, m)],
        "rrqr": [(m, k), (k, n), (n,)],
        "rref": [(m, n), (n, n), (0,)],
        "qr": [(m, m), (m, n)],
        "qr-pivoted": [(m, m), (m, n), (n,)],
        "fundamental_subspaces": [(m, 0), (n, n), (n, 0), (m, m), (), (n,), (n, m)],
        "solutions": [(n,), (m,), (n,), (n,), (n,), ()],
        "Subspace.kernel": [(n, n), (n, 0), (n, n), ()],
        "subspace_angles": [(0,)],
        "identifiability": [(n,), (n,), (n, n), (), ()],
        "interpolative": [(k,), (k, n)],
        "low_rank": [(m, k), (k, n)],
        "COD": [(m, 0), (n, 0), (n, n), (m, m), ()],
        "factorize": [(n,), (m,), ()],
        "ridge": [(n,), (n,), (2,), ()],
        "LeastSquares": [(n,), (m,), (), (n,)],
    }[name]


@every_function
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_empty(function, shape, dtype):
    answer = function.call(np.zeros(shape, dtype))
    shapes = [None if part is None else np.shape(part) for part in answer]
    assert shapes == expected_when_empty(function.name, *shape)
    for part in answer:
        if isinstance(part, np.ndarray) and part.dtype.kind in "fc":
            # Least squares: b is double, and so are x and the residues.
            wanted = np.result_type(dtype, float) if part.ndim == 1 else np.dtype(dtype)
            assert part.dtype in (wanted, wanted.type(0).real.dtype)
            if part.ndim == 2 and part.shape[0] == part.shape[1]:
                ft.check_orthonormal(part)


@those_with("full_output")
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
def test_certificate_of_an_empty_matrix(function, shape):
    A = np.zeros(shape)
    if function.name == "lstsq":
        certificate = fastsub.lstsq(A, np.zeros(shape[0]), full_output=True)[1]
    else:
        certificate = function.call(A, full_output=True)[0][1]
    assert (certificate.rank, certificate.decided_by) == (0, "bounds")
    ft.check_certificate(A, certificate)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 3, 4), (0, 4, 3), (3, 0, 0, 0)])
def test_stacks_of_no_matrices(shape):
    *stack, m, n = shape
    A = np.zeros(shape, np.float32)
    for function, rows in (
        (fastsub.null_space, n),
        (fastsub.row_space, n),
        (fastsub.orth, m),
        (fastsub.left_null_space, m),
    ):
        basis, certificate = function(A, full_output=True)
        assert basis.shape[:-1] == (*stack, rows)
        assert basis.dtype == np.float32
        assert certificate.rank.shape == tuple(stack)
        assert function(A, ragged=True) == []
    rank = fastsub.matrix_rank(A)
    assert rank.shape == tuple(stack)
    assert rank.dtype == np.intp


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.stacks], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_a_stack_is_its_matrices(function, dtype):
    # Of rank 3 in any precision, whatever b is in; full for QR, which else has columns of noise.
    r = 4 if function.name.startswith("qr") else 3
    stack = np.stack([ft.integers_of_rank(5, 4, r, s) for s in range(401, 407)]).astype(dtype)
    for A in (stack.reshape(2, 3, 5, 4), stack[::-2][None], np.asfortranarray(stack)):
        answer = function.call(A)
        for index in np.ndindex(A.shape[:-2]):
            alone = function.call(A[index].copy())
            for part, whole in zip(alone, answer, strict=True):
                if part is None:
                    assert whole is None
                elif np.size(part):
                    tol = 30 * np.finfo(dtype).eps
                    np.testing.assert_allclose(np.asarray(whole)[index], part, tol, tol)


def expected_widths(name, m, n, r):
    return {"null_space": (n, n - r), "orth": (m, r), "row_space": (n, r)}.get(name, (m, m - r))


@pytest.mark.parametrize("name", ["null_space", "orth", "row_space", "left_null_space"])
@pytest.mark.parametrize(("m", "n"), [(3, 3), (5, 3), (3, 5), (4, 0), (0, 4), (0, 0)])
def test_stacks_of_extreme_rank(name, m, n):
    """Bases without columns, or without rows, are answers like any other."""
    for r in {0, min(m, n)}:
        stack = np.zeros((2, 3, m, n))
        stack[..., :r, :r] = np.eye(r)
        basis = getattr(fastsub, name)(stack)
        assert basis.shape == (2, 3, *expected_widths(name, m, n, r))


@pytest.mark.parametrize(("m", "n"), [(4, 0), (0, 4), (0, 0)])
def test_stacks_of_empty_matrices(m, n):
    stack = np.zeros((2, 3, m, n))
    assert fastsub.matrix_rank(stack).tolist() == [[0, 0, 0], [0, 0, 0]]
    Q, R = fastsub.qr(stack)
    assert (Q.shape, R.shape) == ((2, 3, m, m), (2, 3, m, n))
    x, _, rank, _ = fastsub.lstsq(stack, np.zeros((2, 3, m, 2)))
    assert (x.shape, rank.shape) == ((2, 3, n, 2), (2, 3))


@those_with("overwrite_a")
@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (80, 60), (230, 210)])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_overwriting_changes_no_answer(function, shape, dtype):
    m, n = shape
    for order in "CF":
        A = np.array(ft.random_rank(m, n, min(shape) - 2, 419, dtype), order=order)
        assert_same_bits(function.call(A.copy(order), overwrite_a=True), function.call(A))
        read_only = _read_only(A)
        assert_same_bits(function.call(read_only, overwrite_a=True), function.call(A))
        assert np.array_equal(read_only, A)


@every_function
@pytest.mark.parametrize("shape", [(6, 5), (5, 6), (70, 50), (210, 240)])
def test_input_is_left_alone(function, shape):
    for order in "CF":
        A = np.array(ft.random_rank(*shape, 4, 421), order=order)
        before = A.tobytes(order="A")
        function.call(A)
        assert A.tobytes(order="A") == before
