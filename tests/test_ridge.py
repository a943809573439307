"""Ridge: every alpha against the augmented least-squares problem, limits, cross-validation."""

import itertools
import pickle

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.models.spectral import gram_path, svd_path
from fastsub.testing.spectrum import times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(1, 1), (9, 4), (4, 9), (7, 7), (120, 30), (30, 120)]
ALPHAS = np.array([1e-5, 1e-2, 1.0, 30.0])


def by_augmentation(A, b, alpha):
    """Least squares of (A; sqrt(alpha) I): no square of A is formed."""
    n = A.shape[1]
    wide = np.result_type(A, float)
    K = np.vstack([A.astype(wide), np.sqrt(alpha) * np.eye(n)])
    return scipy.linalg.lstsq(K, np.vstack([b.astype(wide), np.zeros((n, b.shape[1]))]))[0]


def hat_trace(A, alpha):
    K = A.conj().T @ A + alpha * np.eye(A.shape[1])
    return np.trace(A @ np.linalg.solve(K, A.conj().T)).real


def sides(A, k, seed):
    rng = np.random.default_rng(seed)
    b = rng.standard_normal((len(A), k))
    return (b + 1j * rng.standard_normal(b.shape) if A.dtype.kind == "c" else b).astype(A.dtype)


@dtypes
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", "CF")
def test_a_path(dtype, shape, order):
    A = ft.with_singular_values(np.geomspace(10, 0.1, min(shape)), *shape, 1701, dtype)
    A, b = np.array(A, order=order), sides(A, 2, 1709)
    eps = float(np.finfo(dtype).eps)
    fit = fastsub.ridge(A, b, ALPHAS)
    assert fit.coefficients.shape == (4, shape[1], 2)
    assert fit.coefficients.dtype == A.dtype
    for i, alpha in enumerate(ALPHAS):
        wanted = by_augmentation(A, b, alpha)
        size = np.linalg.norm(wanted)
        assert np.linalg.norm(fit.coefficients[i] - wanted) <= 1e4 * eps * size
        dof = hat_trace(A.astype(np.result_type(A, float)), alpha)
        assert fit.effective_dof[i] == pytest.approx(dof, rel=1e3 * eps, abs=1e3 * eps)
        rss = np.sum(np.abs(b - A @ wanted) ** 2, axis=0)
        m = shape[0]
        if m - dof > 1e-3:
            np.testing.assert_allclose(
                fit.gcv[i], m * rss / (m - dof) ** 2, rtol=1e5 * eps / min(1, (m - dof))
            )
        single = fastsub.ridge(A, b[:, 0], alpha)
        assert single.coefficients.shape == (shape[1],)
        assert np.linalg.norm(single.coefficients - wanted[:, 0]) <= 1e4 * eps * size


@pytest.mark.parametrize("shape", [(60, 12), (12, 60), (20, 20)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_both_paths_agree_up_to_the_condition_that_the_gram_matrix_takes(shape, dtype):
    """And refinement leaves the error of a backward stable method, not that of the Gram matrix."""
    methods = set()
    for power in range(10):
        sigma = np.geomspace(1, 10.0**-power, min(shape))
        A = ft.with_singular_values(sigma, *shape, 1721, dtype)
        b = sides(A, 1, 1723)
        alphas = np.array([0.01, 1.0, 100.0]) * sigma[-1] ** 2
        one, other = gram_path(A, b, alphas), svd_path(A, b, alphas, lambda s: s)
        methods.add(one is None)
        if one is not None:
            for x, y in zip(one.X, other.X, strict=True):
                kappa = 10.0**power
                assert np.linalg.norm(x - y) <= 200 * np.finfo(float).eps * kappa * np.linalg.norm(
                    y
                )
            np.testing.assert_allclose(one.rss, other.rss, rtol=1e-9, atol=1e-20)
        assert (one is not None) == (power <= 5) or power in (6, 7)
    assert methods == {True, False}


@pytest.mark.parametrize("power", [2, 5, 8])
def test_no_less_accurate_than_cholesky(power):
    """What scikit-learn does for a dense matrix: Cholesky of the Gram matrix plus alpha."""
    sigma = np.geomspace(1, 10.0**-power, 20)
    A = ft.with_singular_values(sigma, 200, 20, 1733)
    b = A @ np.ones((20, 1)) + 1e-3 * sides(A, 1, 1741)
    for alpha in (1e-6, 1e-10, 1e-14):
        exact = by_augmentation(A, b, alpha)
        G = A.T @ A + alpha * np.eye(20)
        peer = scipy.linalg.solve(G, A.T @ b, assume_a="pos")
        errors = [
            np.linalg.norm(x - exact) for x in (fastsub.ridge(A, b, alpha).coefficients, peer)
        ]
        assert errors[0] <= 2 * errors[1] + 1e-13 * 10.0**power * np.linalg.norm(exact) / 30


@dtypes
@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (7, 7), (40, 12), (12, 40)])
def test_the_limit_is_the_solution_of_least_norm(dtype, shape):
    for r in {1, min(shape) // 2, min(shape)}:
        A = ft.with_singular_values(np.geomspace(10, 1, r), *shape, 1747, dtype)
        b = sides(A, 2, 1753)
        wanted, _, rank, _ = fastsub.lstsq(A, b)
        assert rank == r
        eps = float(np.finfo(dtype).eps)
        size = np.linalg.norm(wanted)
        zero = fastsub.ridge(A, b, 0)
        assert zero.rank == r
        assert np.linalg.norm(zero.coefficients - wanted) <= 2e3 * eps * size
        alphas = np.append(10.0 ** np.arange(0, -31, -5), 0)
        path = fastsub.ridge(A, b, alphas).coefficients
        for alpha, x in zip(alphas, path, strict=True):
            # x(alpha) - x(0) is at most alpha / (s^2 + alpha) of x(0), s the least that counts.
            assert np.linalg.norm(x - wanted) <= (alpha / (1 + alpha) * 1.01 + 2e3 * eps) * size
        lengths = np.linalg.norm(path.reshape(len(alphas), -1), axis=1)
        assert np.all(np.diff(lengths) >= -1e3 * eps * size)


@pytest.mark.parametrize("shape", [(30, 6), (6, 30), (12, 12)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_intercept(shape, dtype):
    A = ft.with_singular_values(np.geomspace(10, 0.1, min(shape)), *shape, 1759, dtype) + 3
    b = sides(A, 2, 1777) - 5
    m, n = shape
    for fit in (
        fastsub.ridge(A, b, [0.1, 10], intercept=True),
        fastsub.ridge(A, np.hstack([b] * 40), [0.1, 10], intercept=True),
    ):
        for i, alpha in enumerate((0.1, 10)):
            K = np.zeros((m + n, n + 1), dtype)
            K[:m, :n], K[:m, n], K[m:, :n] = A, 1, np.sqrt(alpha) * np.eye(n)
            x = scipy.linalg.lstsq(K, np.vstack([b, np.zeros((n, 2))]))[0]
            np.testing.assert_allclose(fit.coefficients[i][:, :2], x[:n], atol=1e-11)
            np.testing.assert_allclose(fit.intercept[i][:2], x[n], atol=1e-10)
            hat = K[:m] @ np.linalg.solve(K.conj().T @ K, K[:m].conj().T)
            assert fit.effective_dof[i] == pytest.approx(np.trace(hat).real, rel=1e-8)
            rss = np.sum(np.abs(b - K[:m] @ x) ** 2, axis=0)
            wanted = m * rss / (m - np.trace(hat).real) ** 2
            np.testing.assert_allclose(fit.gcv[i][:2], wanted, rtol=1e-6)
    assert type(fastsub.ridge(A.real, b[:, 0].real, 1.0, intercept=True).intercept) is float


def test_cross_validation_finds_the_noise():
    """Its minimum is that of a fine grid by hand, and predicts better than least squares."""
    rng = np.random.default_rng(1783)
    A = ft.with_singular_values(np.geomspace(1, 1e-4, 30), 80, 30, 1787)
    truth = rng.standard_normal((30, 1))
    b = A @ truth + 1e-2 * rng.standard_normal((80, 1))
    fit = fastsub.ridge(A, b)
    assert fit.alphas.shape == fit.effective_dof.shape == (50,)
    sigma = np.linalg.svd(A, compute_uv=False)
    assert fit.alphas[0] == pytest.approx(sigma[-1] ** 2 / 100)
    assert fit.alphas[-1] == pytest.approx(sigma[0] ** 2 * 100)
    by_hand = [
        80 * np.sum((b - A @ by_augmentation(A, b, a)) ** 2) / (80 - hat_trace(A, a)) ** 2
        for a in fit.alphas
    ]
    np.testing.assert_allclose(fit.gcv[:, 0], by_hand, rtol=1e-6)
    assert fit.alpha == fit.alphas[np.argmin(by_hand)]
    assert 0 < np.argmin(by_hand) < 49
    errors = [np.linalg.norm(x - truth) for x in (fit.coefficients, fastsub.lstsq(A, b)[0])]
    assert errors[0] < errors[1] / 10
    given = fastsub.ridge(A, b, "gcv", alphas=fit.alphas[::-1])
    np.testing.assert_allclose(given.coefficients, fit.coefficients, rtol=1e-7)
    # Many right-hand sides share one alpha.
    both = fastsub.ridge(A, np.hstack([b, 3 * b, -b]))
    assert both.alpha == fit.alpha
    assert both.gcv.shape == (50, 3)


@dtypes
@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (6, 6)])
def test_scaled_by_powers_of_two(dtype, shape):
    A = ft.with_singular_values(np.geomspace(10, 1, 4), *shape, 1789, dtype)
    b = sides(A, 2, 1801)
    plain = fastsub.ridge(A, b, 0.5)
    top = 50 if dtype in ("float32", "complex64") else 500
    for p, q in itertools.product((-top, top), repeat=2):
        C, c = (times_power_of_two(M, e).astype(dtype) for M, e in ((A, p), (b, q)))
        fit = fastsub.ridge(C, c, 2.0 ** (2 * p - 1))
        got = times_power_of_two(fit.coefficients, p - q)
        np.testing.assert_allclose(got, plain.coefficients, rtol=300 * np.finfo(dtype).eps)
        assert fit.effective_dof == pytest.approx(plain.effective_dof, rel=1e-5)


def test_the_choice_of_alpha_knows_no_unit_of_b():
    """Not even where squares of b leave the range."""
    A = ft.with_singular_values(np.geomspace(10, 0.1, 6), 40, 6, 1811)
    b = A @ np.ones(6) + np.random.default_rng(1823).standard_normal(40)
    plain = fastsub.ridge(A, b)
    assert 0 < np.argmin(plain.gcv) < 49
    for power in (-900, -500, 500, 900):
        fit = fastsub.ridge(A, times_power_of_two(b, power))
        assert fit.alpha == plain.alpha
        got = times_power_of_two(fit.coefficients, -power)
        np.testing.assert_allclose(got, plain.coefficients, rtol=1e-12)
        # What is too large or too small to be said is not said.
        assert (fit.gcv == (np.inf if power > 0 else 0)).all() or abs(power) < 900
    many = np.column_stack([b, -2 * b])
    assert fastsub.ridge(A, many * 2.0**600).alpha == plain.alpha
    # Alphas for squares that are out of range: no warning, and an answer.
    for scale in (1e200, 1e-200):
        assert np.isfinite(fastsub.ridge(A * scale, b).coefficients).all()


@settings(max_examples=50)
@given(
    st.integers(1, 9), st.integers(1, 9), st.floats(0, 1), st.floats(0, 100), st.integers(2, 10**6)
)
def test_the_gradient_vanishes(m, n, share, alpha, seed):
    A = ft.integers_of_rank(m, n, round(share * min(m, n)), seed).astype(float)
    b = np.random.default_rng(seed).standard_normal(m)
    fit = fastsub.ridge(A, b, alpha)
    x = fit.coefficients
    gradient = A.T @ (A @ x - b) + alpha * x
    scale = np.linalg.norm(A) * (np.linalg.norm(A) * np.linalg.norm(x) + np.linalg.norm(b))
    # Singular values that are noise are left out: they move a gradient by as much.
    assert np.linalg.norm(gradient) <= 1e-12 * (scale + alpha * np.linalg.norm(x))
    assert -1e-9 <= fit.effective_dof[0] <= fit.rank + 1e-9


def test_zero_and_empty():
    fit = fastsub.ridge(np.zeros((4, 3)), np.ones(4))
    assert not fit.coefficients.any()
    assert fit.rank == 0
    for shape in ((0, 3), (3, 0), (0, 0)):
        fit = fastsub.ridge(np.zeros(shape), np.ones(shape[0]), [1, 2])
        assert fit.coefficients.shape == (2, shape[1])
        assert not fit.coefficients.any()
    assert fastsub.ridge(np.ones((3, 2)), np.zeros((3, 0)), 1).coefficients.shape == (2, 0)


def test_it_unpacks_prints_and_travels():
    A = ft.random_rank(9, 4, 4, 1811)
    fit = fastsub.ridge(A, np.ones(9), [1, 2], intercept=True)
    x, c = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(x, fit.coefficients)
    np.testing.assert_array_equal(c, fit.intercept)
    assert repr(fit) == "<Ridge of 4 columns: 2 alphas, rank 4>"
    assert repr(fastsub.ridge(A, np.ones(9), 0.5)) == "<Ridge of 4 columns: alpha 0.5, rank 4>"


def test_bad_input():
    A, b = np.eye(3), np.ones(3)
    for says, arguments, options in (
        ("A must be a matrix", (b, b), {}),
        ("3 rows", (A, b[:2]), {}),
        ("A must be finite", (A * np.nan, b), {}),
        ("b must be finite", (A, b * np.inf), {}),
        ("alpha must be nonnegative", (A, b, -1), {}),
        ("alpha must be nonnegative", (A, b, [1, np.nan]), {}),
        ("alpha must be nonnegative", (A, b, [[1]]), {}),
        ("alpha must hold", (A, b, []), {}),
        ("gcv", (A, b, "loo"), {}),
        ("alphas is the grid", (A, b, 1), {"alphas": [1]}),
        ("alphas must be nonnegative", (A, b), {"alphas": [-1]}),
    ):
        with pytest.raises(ValueError, match=says):
            fastsub.ridge(*arguments, **options)
