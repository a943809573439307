"""The explicit normal equations: weights, constraints, and what they say about lost digits."""

import warnings

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
numbers = st.integers(-9, 9)


def problem(m, n, seed, dtype=float, k=()):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((m, n)), rng.standard_normal((m, *k))
    if np.dtype(dtype).kind == "c":
        A, b = A + 1j * rng.standard_normal(A.shape), b + 1j * rng.standard_normal(b.shape)
    return A.astype(dtype), b.astype(dtype)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6).filter(lambda p: any(p)))
def test_one_column_is_a_quotient(pairs):
    a, b = np.array(pairs, float).T
    if not a.any():
        with pytest.raises(fastsub.RankDeficientError, match="rank 0 of 1"):
            fastsub.normal_equations(a, b)
        return
    x = fastsub.normal_equations(a, b)
    assert np.shape(x) == ()
    assert x == pytest.approx(a @ b / (a @ a), abs=1e-14)
    both = fastsub.normal_equations(a, np.column_stack([b, 2 * b]))
    np.testing.assert_allclose(both, [x, 2 * x], atol=1e-13)


def test_the_textbook():
    for b in ([1, 2, 2], [0, 3, 1], [29, 0, 0]):
        x = fastsub.normal_equations([2, 3, 4], b)
        assert x == pytest.approx((2 * b[0] + 3 * b[1] + 4 * b[2]) / 29)
    a = np.array([1, 2j])
    assert fastsub.normal_equations(a, [1, 1]) == pytest.approx((1 - 2j) / 5)


@dtypes
@pytest.mark.parametrize("k", [(), (3,), (0,)])
@pytest.mark.parametrize("order", "CF")
def test_the_minimiser(dtype, k, order):
    A, b = problem(40, 6, 1501, dtype, k)
    A = np.array(A, order=order)
    x = fastsub.normal_equations(A, b)
    assert x.dtype == A.dtype
    np.testing.assert_allclose(x, fastsub.lstsq(A, b)[0], atol=200 * np.finfo(dtype).eps)
    w = np.random.default_rng(1511).uniform(0, 3, 40)
    root = np.sqrt(w)
    wanted = fastsub.lstsq(root[:, None] * A, (root * b.T).T)[0]
    got = fastsub.normal_equations(A, b, weights=w)
    np.testing.assert_allclose(got, wanted, atol=300 * np.finfo(dtype).eps)
    # Only ratios of weights matter, and those of any size.
    got = fastsub.normal_equations(A, b, weights=w * 1e200)
    np.testing.assert_allclose(got, wanted, atol=300 * np.finfo(dtype).eps)


@dtypes
def test_constraints(dtype):
    A, b = problem(30, 5, 1523, dtype, (2,))
    C, d = problem(3, 5, 1531, dtype, (2,))
    C, d = np.vstack([C, C[0] + C[1]]), np.vstack([d, d[0] + d[1]])  # dependent, and consistent
    x = fastsub.normal_equations(A, b, constraints=(C, d))
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(C @ x, d, atol=300 * eps)
    # Lagrange: A^H A x + C^H y = A^H b.
    K = np.block([[A.conj().T @ A, C[:3].conj().T], [C[:3], np.zeros((3, 3))]]).astype("D")
    wanted = np.linalg.solve(K, np.vstack([A.conj().T @ b, d[:3]]))[:5]
    np.testing.assert_allclose(x, wanted, atol=2e3 * eps)
    np.testing.assert_array_equal(
        fastsub.normal_equations(A, b, constraints=(C[0], d[0, 0])).shape, (5, 2)
    )


def test_constraints_that_leave_nothing():
    A, b = problem(6, 3, 1543)
    C = np.diag([1.0, 2.0, 4.0])
    x = fastsub.normal_equations(A, b, constraints=(C, [1, 2, 3]))
    np.testing.assert_allclose(x, [1, 1, 0.75])
    # None at all.
    none = fastsub.normal_equations(A, b, constraints=(np.zeros((0, 3)), np.zeros(0)))
    np.testing.assert_allclose(none, fastsub.normal_equations(A, b), rtol=1e-12)
    # They may make a deficient A unique.
    A[:, 2] = A[:, 0]
    x = fastsub.normal_equations(A, b, constraints=([1, 0, -1], 0))
    assert x[0] == pytest.approx(x[2])
    np.testing.assert_allclose(x, fastsub.lstsq(A, b)[0], rtol=1e-12)


@settings(max_examples=40)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(2, 10**6))
def test_constraints_on_integers(n, p, seed):
    """Either they hold, or they contradict one another, and SciPy's rank says so too."""
    rng = np.random.default_rng(seed)
    C, d = rng.integers(-2, 3, (p, n)).astype(float), rng.integers(-2, 3, p).astype(float)
    A, b = np.vstack([np.eye(n), rng.standard_normal((2, n))]), rng.standard_normal(n + 2)
    rank = np.linalg.matrix_rank(C)
    if np.linalg.matrix_rank(np.column_stack([C, d])) == rank:
        x = fastsub.normal_equations(A, b, constraints=(C, d))
        np.testing.assert_allclose(C @ x, d, atol=1e-12)
        # Stationary on the null space of C.
        N = scipy.linalg.null_space(C)
        np.testing.assert_allclose(N.T @ A.T @ (A @ x - b), 0, atol=1e-11)
    else:
        with pytest.raises(fastsub.InconsistentError, match="contradict") as caught:
            fastsub.normal_equations(A, b, constraints=(C, d))
        assert caught.value.rank == rank
        assert isinstance(caught.value, np.linalg.LinAlgError)


def test_the_warning_counts_digits():
    for power, lost in ((1, None), (3, None), (5, "10 of 16"), (7, "14 of 16")):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, 8), 40, 8, 1549)
        A /= np.linalg.norm(A, axis=0)
        kappa = np.linalg.cond(A)
        b = A @ np.ones(8)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            x = fastsub.normal_equations(A, b)
        assert np.linalg.norm(x - 1) <= 100 * np.finfo(float).eps * kappa**2
        if lost is None:
            assert not caught
        else:
            (warning,) = caught
            assert warning.category is fastsub.ConditionWarning
            assert issubclass(warning.category, scipy.linalg.LinAlgWarning)
            digits = 2 * np.log10(kappa)
            said = float(str(warning.message).split("so that ")[1].split(" of 16")[0])
            assert abs(said - digits) <= 1.2
            assert "lstsq" in str(warning.message)
            assert warning.filename == __file__


def test_scaled_columns_lose_nothing():
    A, b = problem(20, 4, 1553)
    x = fastsub.normal_equations(A, b)
    for powers in ([-80, 80, 3, -7], [-300, 0, 4, 8], [5, 5, 300, 5]):
        scale = 10.0 ** np.array(powers)
        np.testing.assert_allclose(fastsub.normal_equations(A * scale, b) * scale, x, rtol=1e-12)
    for size in (1e300, 1e-300):
        np.testing.assert_allclose(fastsub.normal_equations(A * size, b * size), x, rtol=1e-12)


def test_singular_equations_carry_the_rank():
    A, b = problem(20, 4, 1559)
    A[:, 3] = A[:, 0] + A[:, 1]
    with pytest.raises(fastsub.RankDeficientError, match=r"A has rank 3 of 4.*lstsq") as caught:
        fastsub.normal_equations(A, b)
    assert caught.value.rank == 3
    with pytest.raises(fastsub.RankDeficientError, match="rank 2 of 3"):
        fastsub.normal_equations(np.ones((2, 3)) + np.eye(2, 3), [1, 2])
    near = ft.with_singular_values(np.geomspace(1, 1e-10, 5), 30, 5, 1567)
    with pytest.raises(fastsub.RankDeficientError, match=r"full rank 5.*lstsq") as caught:
        fastsub.normal_equations(near, np.ones(30))
    assert caught.value.rank == 5
    # A Cholesky factorisation that fails tells no condition: a decomposition does.
    far = ft.with_singular_values(np.geomspace(1, 1e-13, 16), 40, 16, 1579)
    with pytest.raises(fastsub.RankDeficientError, match=r"of its \de\+1[0-4], is") as caught:
        fastsub.normal_equations(far, np.ones(40), weights=np.ones(40))
    assert "lstsq(A, b) with rows times sqrt(weights)" in str(caught.value)
    with pytest.raises(fastsub.RankDeficientError, match="on the null space of C"):
        fastsub.normal_equations(A, b, constraints=([0, 0, 1, 0], 0))


def test_bad_input():
    A, b = problem(6, 3, 1571)
    for says, arguments, options in (
        ("A must be a matrix", (3.0, b), {}),
        ("6 rows of A", (A, b[:5]), {}),
        ("A must be finite", (A * np.nan, b), {}),
        ("b must be finite", (A, b * np.inf), {}),
        ("weights must have shape", (A, b), {"weights": [1, 2]}),
        ("weights must be nonnegative", (A, b), {"weights": [1, 2, 3, 4, 5, -1]}),
        ("weights must be nonnegative", (A, b), {"weights": [1, 2, 3, 4, 5, np.nan]}),
        ("pair", (A, b), {"constraints": 3}),
        ("3 columns of A", (A, b), {"constraints": ([1, 2], 3)}),
        ("1 rows of C", (A, b), {"constraints": ([1, 2, 3], [3, 4])}),
        ("C must be finite", (A, b), {"constraints": ([1, 2, np.nan], 3)}),
    ):
        with pytest.raises(ValueError, match=says):
            fastsub.normal_equations(*arguments, **options)
    with pytest.raises(fastsub.RankDeficientError):
        fastsub.normal_equations(A, b, weights=np.zeros(6))
