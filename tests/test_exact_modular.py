"""fastsub.exact modulo a prime: what it reads, the four subspaces, and its errors."""

import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from test_modular import by_hand, of_rank, primes

from fastsub import exact
from fastsub.errors import RankDeficientError
from fastsub.exact import modular


def multiply(A, B, p):
    """A B modulo p in Python's integers."""
    return np.asarray(A).astype(object) @ np.asarray(B).astype(object) % p


@primes
def test_the_four_subspaces(p):
    rng = np.random.default_rng(613)
    for m, n, r in ((6, 9, 4), (9, 6, 6), (7, 7, 0), (1, 5, 1), (5, 1, 1), (40, 33, 20)):
        A = of_rank(rng, m, n, r, p)
        r = modular.rank(A, p)
        R, pivots = modular.rref(A, p)
        expected, columns = by_hand(A, p)
        assert list(pivots) == columns
        assert R.tolist() == expected + [[0] * n] * (m - r)
        N, L = modular.null_space(A, p), modular.left_null_space(A, p)
        C, rows = modular.column_space(A, p), modular.row_space(A, p)
        assert (N.shape, L.shape, C.shape, rows.shape) == ((n, n - r), (m, m - r), (m, r), (n, r))
        assert not multiply(A, N, p).any()
        assert not multiply(L.T, A, p).any()
        assert modular.rank(N, p) == n - r
        assert modular.rank(L, p) == m - r
        assert modular.rank(C, p) == modular.rank(np.hstack([A, C]), p) == r
        assert not multiply(rows.T, N, p).any()
        free = [j for j in range(n) if j not in pivots]
        assert N[free].tolist() == np.eye(n - r).tolist()


@primes
def test_solutions(p):
    rng = np.random.default_rng(614)
    for m, n, r in ((6, 9, 4), (9, 6, 6), (5, 5, 0)):
        A = of_rank(rng, m, n, r, p)
        b = multiply(A, rng.integers(0, p, (n, 3)), p).astype(np.int64)
        x = modular.solve(A, b, p)
        assert x.shape == (n, 3)
        assert (multiply(A, x, p) == b).all()
        assert modular.solve(A, b[:, 0], p).tolist() == x[:, 0].tolist()
        L = modular.left_null_space(A, p)
        if L.shape[1]:
            b[np.flatnonzero(L[:, 0])[0], 1] ^= 1  # outside of what A reaches
            if multiply(L.T, b, p).any():
                with pytest.raises(RankDeficientError, match="no solution") as caught:
                    modular.solve(A, b, p)
                assert caught.value.rank == modular.rank(A, p)


@primes
def test_square_matrices(p):
    rng = np.random.default_rng(615)
    B = rng.integers(0, p, (5, 5))
    B[np.triu_indices(5)] = 0
    B += np.eye(5, dtype=np.int64)
    assert multiply(B, modular.inverse(B, p), p).tolist() == np.eye(5).tolist()
    assert modular.det(B, p) == 1
    assert modular.det(B[[1, 0, 2, 3, 4]], p) == p - 1
    assert modular.det(np.ones((2, 2), int), p) == 0
    with pytest.raises(RankDeficientError, match="rank 1 of 2"):
        modular.inverse(np.ones((2, 2), int), p)
    with pytest.raises(ValueError, match="square"):
        modular.det(np.ones((2, 3), int), p)


@primes
def test_what_it_reads(p):
    least, largest = -(2**63), 2**63 - 1
    entries = [[least, largest, 1], [0, least + 1, -1], [7, largest - 1, largest]]
    R, pivots = by_hand(entries, p)

    def same(A):
        E = modular.rref(A, p)
        assert E.R[: E.rank].tolist() == R
        assert list(E.pivots) == pivots

    A = np.array(entries, np.int64)
    for form in (
        entries,
        A,
        np.asfortranarray(A),
        A.astype(object),
        A[::-1][::-1],
        A.astype(">i8"),
    ):
        same(form)
    same([[x + 10**40 * p for x in row] for row in entries])
    same([[Fraction(x * (p + 1), p + 1) for x in row] for row in entries])
    same(scipy.sparse.csr_array(A))
    same(scipy.sparse.coo_matrix(A))
    A.flags.writeable = False
    same(A)
    unsigned = np.array([[2**64 - 1, 2**63], [1, 2**63 + 1]], np.uint64)
    R, pivots = by_hand(unsigned.tolist(), p)
    same(unsigned)
    for dtype in (bool, np.int8, np.uint8, np.int16, np.uint32, np.float32, np.float64):
        B = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]]).astype(dtype)
        R, pivots = by_hand(B, p)
        same(B)


def test_duplicates_of_a_sparse_matrix_are_added_without_overflow():
    i, j = [0, 0, 0, 1], [0, 0, 0, 1]
    A = scipy.sparse.coo_array(([2**62, 2**62, 2**62, 5], (i, j)), shape=(2, 2))
    p = 2**63 - 25
    assert modular.det(A, p) == 3 * 2**62 * 5 % p


def test_signed_bytes_are_bits():
    A = np.array([[-1, 1], [-128, 127]], np.int8)
    assert modular.rref(A, 2).R.tolist() == [[1, 0], [0, 1]]
    assert modular.rref(A, 2).R.dtype == np.uint8


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
@pytest.mark.parametrize("p", [2, 7, 2**61 - 1])
def test_empty(shape, p):
    m, n = shape
    A = np.zeros(shape, int)
    E = modular.rref(A, p)
    assert (E.R.shape, E.pivots, modular.rank(A, p)) == (shape, (), 0)
    assert modular.null_space(A, p).tolist() == np.eye(n).tolist()
    assert modular.left_null_space(A, p).shape == (m, m)
    assert modular.column_space(A, p).shape == (m, 0)
    assert modular.row_space(A, p).shape == (n, 0)
    assert modular.solve(A, np.zeros(m, int), p).tolist() == [0] * n
    if m == n:
        assert modular.det(A, p) == 1
        assert modular.inverse(A, p).shape == (0, 0)


def test_textbook():
    assert modular.null_space([[1, 2], [3, 6], [4, 8]], 101).tolist() == [[99], [1]]
    assert modular.rank([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 101) == 2
    # The Hamming code of length 7: its check matrix has the numbers 1..7 as columns.
    H = [[0, 0, 0, 1, 1, 1, 1], [0, 1, 1, 0, 0, 1, 1], [1, 0, 1, 0, 1, 0, 1]]
    words = modular.null_space(H, 2)
    assert words.shape == (7, 4)
    combinations = (np.indices((2,) * 4).reshape(4, -1).T @ words.T) % 2
    assert sorted({int(word.sum()) for word in combinations}) == [0, 3, 4, 7]


def test_objects():
    E = modular.rref([[1, 2, 3], [3, 4, 5]], 7)
    assert repr(E) == "<ResidueEchelon 2×3 modulo 7, rank 2>"
    assert (E.rank, E.p, E.shape, E.pivots, E.free) == (2, 7, (2, 3), (0, 1), (2,))
    assert pickle.loads(pickle.dumps(E)) == E
    assert modular.rref([[1, 2, 3], [3, 4, 6]], 7) != E
    assert modular.rref([[1, 0, 6], [0, 1, 2]], 11) != E
    assert E != 7


def test_bits_and_texts_of_every_kind():
    A = np.array([[1, 0, 1], [1, 1, 0]])
    for form in (scipy.sparse.csr_array(A > 0), A.astype(str), A.astype(np.float16)):
        for p in (2, 7):
            assert modular.rref(form, p) == modular.rref(A, p)


@pytest.mark.parametrize("p", [0, 1, -7, 4, 561, 2**62, 2**63 - 1, 2**64 + 13, 3215031751])
def test_composite_moduli(p):
    for function in (modular.rref, modular.rank, modular.null_space, modular.det, modular.inverse):
        with pytest.raises(ValueError, match=r"mod must be a prime below 2\*\*63, got"):
            function(np.eye(2, dtype=int), p)


@pytest.mark.parametrize("p", [7.0, "7", None])
def test_moduli_of_another_type(p):
    with pytest.raises(TypeError, match="mod must be an integer"):
        modular.rank(np.eye(2, dtype=int), p)


@pytest.mark.parametrize(
    ("A", "error", "match"),
    [
        ([[0.5]], ValueError, "whole numbers, got 0.5"),
        (np.array([[1.0, np.nan]]), ValueError, "whole numbers, got nan"),
        ([[Fraction(1, 7)]], ValueError, "denominator is zero modulo 7"),
        ([["x"]], ValueError, "must hold rational numbers, got 'x'"),
        ([[None]], TypeError, "rational numbers .*got NoneType"),
        ([[None]], TypeError, "got NoneType"),
        ([[1j]], TypeError, "got complex"),
        (np.array([[1j]]), TypeError, "dtype complex128"),
        ([1, 2], ValueError, "must be a matrix"),
        (np.zeros((2, 2, 2), int), ValueError, "got 3-d"),
        ([[1, 2], [3]], ValueError, "rectangular"),
        (np.ma.masked_array([[1, 2]], mask=[[0, 1]]), TypeError, "masked"),
    ],
)
def test_bad_matrices(A, error, match):
    with pytest.raises(error, match=match):
        modular.rref(A, 7)


def test_right_hand_sides_of_another_length():
    with pytest.raises(ValueError, match="A has 2 rows, b has 3"):
        modular.solve(np.eye(2, dtype=int), [1, 2, 3], 7)


def test_decimals_are_quotients_modulo_p():
    tenths = np.array([[0.1, 0.2], [0.3, 0.5]])
    integers = [[1, 2], [3, 5]]
    for p in (7, 65521, 2**61 - 1):
        tenth = pow(10, -1, p)
        assert exact.det(tenths, mod=p, decimals=True) == -tenth * tenth % p
        np.testing.assert_array_equal(
            exact.solve(tenths, [0.1, 0.4], mod=p, decimals=True),
            exact.solve(integers, [1, 4], mod=p),
        )
        for sparse in (np.asarray, scipy.sparse.csr_array):
            R, pivots = exact.rref(sparse([[0.5, 1.0, 0.25]]), mod=p, decimals=True)
            np.testing.assert_array_equal(R, [[1, 2, pow(2, -1, p)]])
            assert pivots == (0,)
    assert exact.rank([["0.1", "1/3"], [Decimal("0.3"), 1]], mod=11) == 1
    with pytest.raises(ValueError, match="denominator is zero modulo 5"):
        exact.rank(tenths, mod=5, decimals=True)
    with pytest.raises(ValueError, match="decimals=True"):
        exact.rank(tenths, mod=7)


@pytest.mark.parametrize("p", [2, 5, 65521])
def test_row_space_holds_rows(p):
    A = np.array([[1, 2, 3], [2, 4, 6], [0, 1, 1]])
    np.testing.assert_array_equal(exact.row_space(A, mod=p), (A[[0, 2]] % p).T)
    np.testing.assert_array_equal(exact.row_space(A), A[[0, 2]].T)
