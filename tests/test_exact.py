"""Exact elimination over the rationals: every shape and rank against Gauss-Jordan in Fractions."""

import functools
import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from itertools import product as combinations

import exact_oracle
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import exact
from fastsub.errors import RankDeficientError
from fastsub.exact import eliminate
from fastsub.exact.bareiss import bareiss
from fastsub.exact.numbers import read
from fastsub.testing import check_echelon, incidence, ring_edges


def of_rank(rng, m, n, r, largest=9):
    """Integers of rank r at most, as objects."""
    left = rng.integers(-largest, largest + 1, (m, r)).astype(object)
    return left @ rng.integers(-largest, largest + 1, (r, n)).astype(object)


def check_null_space(A, N, nullity):
    """A N = 0 in Fractions, columns independent and primitive."""
    assert N.shape == (np.shape(A)[1], nullity)
    F = exact_oracle.fractions(A)
    assert not (F @ N.astype(object)).any()
    assert all(math.gcd(*(int(x) for x in column)) == 1 for column in N.T)
    assert len(exact_oracle.rref(N.astype(object))[1]) == nullity


def check_rref(A, E, expected=None):
    """The echelon form is the oracle's, over the least denominator."""
    R, pivots = expected or exact_oracle.rref(A)
    check_echelon(exact_oracle.fractions(A), E)
    assert E.pivots == pivots
    assert E.rank == len(pivots)
    assert np.array_equal(E.to_fractions(), R)
    assert E.denominator == math.lcm(*(x.denominator for x in R.flat))
    fits = all(abs(int(x)) < 2**63 for x in E.numerators.flat)
    assert E.numerators.dtype == (np.int64 if fits else object)


def check_everything(A):
    """All functions of one matrix."""
    A = np.array(A, dtype=object)
    m, n = A.shape
    E = exact.rref(A)
    check_rref(A, E)
    r = E.rank
    assert exact.rank(A) == exact.rank(A.T) == r
    check_null_space(A, exact.null_space(A), n - r)
    check_null_space(A.T, exact.left_null_space(A), m - r)
    for B, basis in ((A, exact.column_space(A)), (A.T, exact.row_space(A))):
        assert basis.shape == (len(B), r)
        assert len(exact_oracle.rref(basis)[1]) == r
        assert len(exact_oracle.rref(np.hstack([basis, B]))[1]) == r
    if m == n:
        assert exact.det(A) == exact_oracle.det(A)
        if r == n:
            X = exact.inverse(A).to_fractions()
            assert np.array_equal(exact_oracle.fractions(A) @ X, np.eye(n, dtype=int))
        else:
            with pytest.raises(RankDeficientError) as caught:
                exact.inverse(A)
            assert caught.value.rank == r


@pytest.fixture
def by_primes(monkeypatch):
    """No matrix is small: everything goes through primes and lifting."""
    monkeypatch.setattr(eliminate, "SMALL", 0)


@functools.cache
def every_rank_of_every_shape():
    """(A, (R, pivots)) for all shapes up to 12 x 12 and all their ranks, by the oracle."""
    rng = np.random.default_rng(2718)
    found = []
    for m, n in combinations(range(13), repeat=2):
        for r in range(min(m, n) + 1):
            pivots = None
            while pivots is None or len(pivots) < r:
                A = of_rank(rng, m, n, r, 2)
                R, pivots = exact_oracle.rref(A)
            found.append((A, (R, pivots)))
    return found


def test_every_rank_of_every_shape_up_to_twelve():
    for A, expected in every_rank_of_every_shape():
        check_rref(A, exact.rref(A), expected)


def test_every_rank_of_every_shape_by_primes(by_primes):
    for A, expected in every_rank_of_every_shape():
        check_rref(A, exact.rref(A), expected)


@pytest.mark.parametrize(("m", "n"), [(4, 4), (6, 9), (9, 6), (11, 11)])
def test_every_rank(m, n):
    rng = np.random.default_rng(m + 31 * n)
    for r in range(min(m, n) + 1):
        check_everything(of_rank(rng, m, n, r))


@pytest.mark.parametrize(("m", "n"), [(4, 4), (6, 9), (9, 6), (11, 11)])
def test_every_rank_by_primes(by_primes, m, n):
    rng = np.random.default_rng(m + 37 * n)
    for r in range(min(m, n) + 1):
        check_everything(of_rank(rng, m, n, r))


P1, P2 = (p for p, _ in zip(eliminate.primes(8), range(2), strict=False))
ADVERSARIAL = {
    "Hilbert": [[Fraction(1, i + j + 1) for j in range(8)] for i in range(8)],
    "Pascal": scipy.linalg.pascal(9),
    "Hadamard": scipy.linalg.hadamard(8),
    "ring": incidence(ring_edges(9)),
    "huge": [[10**200 + i * j, -(3**150) * i, j] for i, j in ((0, 1), (2, 3), (5, 7), (11, 13))],
    "huge and tiny": [[10**300, 1, 0], [1, 0, 1], [10**300 + 1, 1, 1]],
    "first pivot is the prime": [[P1, 1, 2], [3 * P1, 5, 7], [P1, 6, 11]],
    "all are multiples of the prime": [[P1 * i * j + P1 for j in range(8)] for i in range(8)],
    "rank drops modulo both primes": [[P1 * P2, 0, 1], [0, 1, 0], [0, 0, P1]],
    "a later pivot modulo the prime": [[P1, 1, 0, 1], [0, 0, 1, 1]],
    "zero rows and columns": [[0, 0, 0, 0], [0, 2, 0, 4], [0, 0, 0, 0], [0, 1, 0, 3]],
    "zeros": np.zeros((4, 5), int),
    "one row": [[0, 6, -9, 0, 12]],
    "one column": [[0], [6], [-9]],
    "one entry": [[-7]],
    "largest int64": [[2**63 - 1, 1], [1, 2**63 - 1]],
    "smallest int64": np.array([[-(2**63), 1], [1, 1]]),
    "beyond int64": [[2**64, 2**65], [3, 7]],
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial(name):
    check_everything(ADVERSARIAL[name])


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial_by_primes(by_primes, name):
    check_everything(ADVERSARIAL[name])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_empty(shape):
    A = np.zeros(shape)
    m, n = shape
    assert exact.rref(A).numerators.shape == shape
    assert exact.null_space(A).tolist() == np.eye(n, dtype=int).tolist()
    assert exact.left_null_space(A).shape == (m, m)
    assert exact.column_space(A).shape == (m, 0)
    assert exact.row_space(A).shape == (n, 0)
    assert exact.rank(A) == 0
    assert exact.null_space(A).dtype == np.int64
    if m == n:
        assert exact.det(A) == 1
        assert exact.inverse(A).shape == (0, 0)


def test_textbook():
    assert exact.null_space([[1, 2], [3, 6], [4, 8]]).tolist() == [[-2], [1]]
    A = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert exact.rank(A) == 2
    assert exact.row_space(A).T.tolist() == [[1, 2, 3], [4, 5, 6]]
    R, pivots = exact.rref(A)
    assert (R.tolist(), pivots) == ([[1, 0, -1], [0, 1, 2], [0, 0, 0]], (0, 1))


def test_larger_ones_of_every_defect():
    """Orders beyond Python's elimination, checked by what must hold."""
    rng = np.random.default_rng(1618)
    for m, n, r, largest in (
        (40, 43, 40, 9),
        (70, 50, 45, 99),
        (90, 90, 90, 3),
        (33, 80, 20, 2**40),
    ):
        A = of_rank(rng, m, n, r, largest)
        N, L = exact.null_space(A), exact.left_null_space(A)
        assert exact.rank(A) == r
        assert N.shape == (n, n - r)
        assert L.shape == (m, m - r)
        assert not (A @ N.astype(object)).any()
        assert not (A.T @ L.astype(object)).any()
        E = exact.rref(A)
        B = A[:, list(E.pivots)]
        assert np.array_equal(B @ E.numerators[:r].astype(object), A * E.denominator)


def test_one_denominator_for_many():
    """Blocks with coprime denominators: a combination must find all, or be mended."""
    blocks = [[[q, 1], [0, 1]] for q in (2, 3, 5, 7, 11, 13, 4, 9, 25, 2, 2, 8, 16, 3, 6)]
    B = scipy.linalg.block_diag(*blocks)
    A = np.hstack([B, np.eye(len(B), dtype=int)])
    check_rref(A, exact.rref(A))
    assert np.array_equal(exact_oracle.fractions(B) @ exact.inverse(B).to_fractions(), np.eye(30))


@pytest.mark.parametrize("n", [7, 20, 45])
def test_determinants(n):
    rng = np.random.default_rng(n)
    A = rng.integers(-50, 51, (n, n))
    assert exact.det(A) == exact_oracle.det(A)
    assert exact.det(A.astype(object) * 10**25) == exact_oracle.det(A) * 10 ** (25 * n)
    A[:, 0] = A[:, 1:].sum(axis=1)
    assert exact.det(A) == 0
    triangle = np.triu(A, 1) + np.diag(np.full(n, 12))
    assert exact.det(triangle[::-1]) == 12**n * (-1) ** (n * (n - 1) // 2)


def test_solutions():
    rng = np.random.default_rng(577)
    for m, n, r in ((5, 5, 5), (9, 12, 7), (20, 11, 11), (30, 30, 28)):
        A = of_rank(rng, m, n, r)
        B = A @ rng.integers(-9, 10, (n, 3)).astype(object) * Fraction(1, 35)
        for b in (B, B[:, 0]):
            x = exact.solve(A, b)
            assert x.shape == (n, *b.shape[1:])
            assert np.array_equal(exact_oracle.fractions(A) @ x.to_fractions(), b)
        if r < m:
            outside = B[:, 0] + exact.left_null_space(A)[:, 0]
            with pytest.raises(RankDeficientError, match="column space") as caught:
                exact.solve(A, outside)
            assert caught.value.rank == r


def test_solutions_that_a_prime_hides():
    A = [[P1, 0], [0, 1]]
    assert exact.solve(A, [1, 1]).to_fractions().tolist() == [Fraction(1, P1), 1]
    assert exact.inverse(A).denominator == P1


def test_solutions_that_a_prime_hides_by_primes(by_primes):
    test_solutions_that_a_prime_hides()
    with pytest.raises(RankDeficientError):
        exact.solve([[P1, 0], [P1, 0]], [1, 2])


KINDS = {
    "int32": lambda A: A.astype(np.int32),
    "uint64": lambda A: (A + 9).astype(np.uint64) - np.uint64(9) if (A >= 0).all() else A,
    "float16": lambda A: A.astype(np.float16),
    "float64": lambda A: A.astype(float),
    "list": lambda A: A.tolist(),
    "Fraction": lambda A: [[Fraction(int(x)) for x in row] for row in A],
    "Decimal": lambda A: [[Decimal(int(x)) for x in row] for row in A],
    "str": lambda A: [[str(x) for x in row] for row in A],
    "str array": lambda A: A.astype(str),
    "mixed": lambda A: [[float(row[0]), *map(int, row[1:])] for row in A],
    "fortran": np.asfortranarray,
    "strided": lambda A: np.repeat(A, 2, axis=1)[:, ::2],
    "sparse array": scipy.sparse.csr_array,
    "sparse matrix": scipy.sparse.csc_matrix,
    "sparse floats": lambda A: scipy.sparse.coo_array(A.astype(float)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_numbers(kind):
    A = np.random.default_rng(331).integers(-3, 4, (5, 7))
    wanted = exact.rref(A)
    assert exact.rref(KINDS[kind](A)) == wanted
    N = exact.null_space(KINDS[kind](A))
    check_null_space(A, N, 7 - wanted.rank)
    assert "sparse" in kind or np.array_equal(N, exact.null_space(A))


def test_floats_are_binary_fractions_unless_decimals_are_asked_for():
    A = [[0.1, 0.3], [1, 3]]
    assert exact.rank(A) == 2
    assert exact.rank(A, decimals=True) == 1
    assert exact.rank(np.array(A, np.float32), decimals=True) == 1
    assert exact.null_space(A, decimals=True).tolist() == [[-3], [1]]
    assert exact.det(np.diag([0.1, 1e-300])) == Fraction(0.1) * Fraction(1e-300)
    assert exact.rank(scipy.sparse.csr_array(A), decimals=True) == 1
    # 1e23 is no integer power of ten in binary.
    assert exact.det([[1e23]]) == int(1e23)
    assert exact.det([[1e23]], decimals=True) == 10**23


def test_strings_and_duplicates():
    assert exact.det([["0.1", "1/3"], ["1e-2", 2]]) == Fraction(1, 5) - Fraction(1, 300)
    twice = scipy.sparse.coo_array(([0.1, 0.2, 5.0, -5.0], ([0, 0, 1, 1], [0, 0, 1, 1])))
    assert exact.rref(twice, decimals=True).pivots == (0,)
    assert exact.column_space(twice, decimals=True).tolist() == [[1], [0]]


@pytest.mark.parametrize(
    ("A", "error", "match"),
    [
        ([[1.0, math.nan]], ValueError, "finite"),
        ([[Fraction(1), math.inf]], ValueError, "finite"),
        ([[1j]], TypeError, "rational"),
        ([["x"]], ValueError, "'x'"),
        ([[None]], TypeError, "NoneType"),
        ([1, 2], ValueError, "2-d"),
        ([[[1]]], ValueError, "2-d"),
        ([[1, 2], [3]], ValueError, "rectangular|2-d"),
        (np.ma.masked_equal([[1, 2]], 2), TypeError, "masked"),
        ([[Decimal("NaN")]], ValueError, "NaN"),
        (scipy.sparse.coo_array(([1.0, math.nan], ([0, 1], [0, 2]))), ValueError, r"at \(1, 2\)"),
        ({1: 2}, TypeError, "array of numbers, got dict"),
        ("12", TypeError, "array of numbers, got str"),
        (5, ValueError, "0-d"),
        (fastsub.stream([np.eye(2)]), TypeError, "entries in memory"),
    ],
)
def test_bad_input(A, error, match):
    for function in (exact.rref, exact.null_space, exact.rank, exact.det):
        with pytest.raises(error, match=match):
            function(A)


def test_dask_arrays_are_to_be_computed_first():
    arrays = pytest.importorskip("dask.array")
    A = arrays.ones((2, 2), dtype=int)
    for mod in (None, 7):
        for function in (exact.rref, exact.null_space, exact.rank, exact.det):
            with pytest.raises(TypeError, match=r"in memory; compute it first: A\.compute\(\)"):
                function(A, mod=mod)
        with pytest.raises(TypeError, match=r"compute it first: b\.compute\(\)"):
            exact.solve(np.eye(2, dtype=int), A[0], mod=mod)


@pytest.mark.parametrize(
    ("b", "error", "match"),
    [
        ([[1], [2, 3]], ValueError, "b must be a rectangular array"),
        ([1, 1j], TypeError, "b must hold rational numbers .*got complex"),
        ([1, None], TypeError, "got NoneType"),
        ([1, math.inf], ValueError, "b must"),
        (np.ma.masked_equal([1, 2], 2), TypeError, "b has masked entries"),
        (np.zeros((2, 1, 1)), ValueError, "b must"),
    ],
)
def test_bad_right_hand_sides(b, error, match):
    for mod in (None, 7):
        with pytest.raises(error, match=match):
            exact.solve([[1, 2], [3, 4]], b, mod=mod)


def test_sparse_right_hand_sides():
    A, b = [[1, 2], [3, 5]], np.array([3, 4])
    for mod in (None, 7):
        x = exact.solve(A, b, mod=mod)
        for right, shape in ((b, (2,)), (b[:, None], (2, 1))):
            found = exact.solve(A, scipy.sparse.coo_array(right), mod=mod)
            np.testing.assert_array_equal(np.asarray(found), np.asarray(x).reshape(shape))


def test_what_has_no_room_for_its_zeros_says_so():
    A = scipy.sparse.coo_array(([1, 2], ([0, 10**7], [0, 10**7])))
    with pytest.raises(MemoryError, match="without the zeros"):
        exact.rref(A)
    with pytest.raises(MemoryError, match="as dense ones"):
        exact.rref(A, mod=7)


def test_matrices_of_flint():
    flint = pytest.importorskip("flint")
    A = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for M in (flint.fmpz_mat(A), flint.fmpq_mat(flint.fmpz_mat(A))):
        assert exact.rref(M) == exact.rref(A)
        assert exact.rref(M, mod=7) == exact.rref(A, mod=7)


def test_bad_shapes():
    with pytest.raises(ValueError, match="square"):
        exact.det([[1, 2]])
    with pytest.raises(ValueError, match="2 rows"):
        exact.solve([[1, 2], [3, 4]], [1, 2, 3])


def test_inputs_are_not_written():
    A = np.array([[4, 6], [2, 3]])
    A.flags.writeable = False
    for function in (exact.rref, exact.null_space, exact.rank, exact.column_space, exact.det):
        function(A)
    assert A.tolist() == [[4, 6], [2, 3]]


def test_answers_convert_compare_and_pickle():
    sympy = pytest.importorskip("sympy")
    E = exact.rref([[2, 1, 0], [0, 3, 1]])
    assert E.to_sympy() == sympy.Matrix([[2, 1, 0], [0, 3, 1]]).rref()[0]
    assert exact.to_sympy([2, 3]).shape == (2, 1)
    assert pickle.loads(pickle.dumps(E)) == E
    assert exact.rref([[2, 1, 0], [0, 3, 2]]) != E
    assert exact.inverse([[2]]) != E
    np.testing.assert_allclose(np.asarray(E), E.to_fractions().astype(float))
    assert "rank 2" in repr(E)
    assert exact.to_fractions([[1]], 3)[0, 0] == Fraction(1, 3)


def test_the_two_eliminations_agree():
    rng = np.random.default_rng(739)
    for _ in range(30):
        m, n = rng.integers(1, 8, 2)
        A = rng.integers(-4, 5, (m, n))
        one, other = exact.rref(A), bareiss(A)
        assert np.array_equal(one.numerators, other.rows(m))
        assert one.denominator == other.d


@given(st.data())
@settings(max_examples=60)
def test_any_fractions(data):
    m, n = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    entry = st.one_of(
        st.just(0), st.integers(-3, 3), st.fractions(max_denominator=50), st.integers()
    )
    rows = data.draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=m, max_size=m))
    check_rref(rows, exact.rref(rows))
    check_null_space(rows, exact.null_space(rows), n - exact.rank(rows))


def test_reading_scales_the_side_that_stays_smaller():
    tall = read([["0.001", 1, 1], ["0.002", 1, 1]])
    assert tall.columns is not None
    wide = read([["0.001", "0.002", "0.003"], [1, 1, 1]])
    assert wide.rows is not None


def test_many_threads_get_one_answer():
    A = of_rank(np.random.default_rng(409), 40, 42, 37)
    wanted = exact.rref(A)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(exact.rref, [A] * 8):
            assert found == wanted
