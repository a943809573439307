"""Many right-hand sides by an explicit Q: backward errors of Householder QR, column by column."""

import numpy as np
import pytest
import reference
from test_least_squares_accuracy import householder_solution, karlson_walden

import fastsub
from fastsub import testing as ft
from fastsub.factor.least_squares.many import solve_many
from fastsub.factor.rank.decide import Cutoff

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
orders = pytest.mark.parametrize("order", ["C", "F"])


def sides(A, seed):
    """Columns inside the range, outside, nearly inside, small and zero; 5 each."""
    rng = np.random.default_rng(seed)
    m, n = A.shape
    inside = A @ rng.standard_normal((n, 5))
    outside = rng.standard_normal((m, 5))
    first = np.linalg.qr(A)[0][:, :5]
    B = np.hstack([inside, outside, inside + 1e-7 * outside, 1e-9 * first, np.zeros((m, 5))])
    return np.asfortranarray(B.astype(A.dtype))


def matrix(kappa, m, n, dtype, order, seed=1907):
    sigma = np.geomspace(1, 1 / kappa, n)
    return np.array(ft.with_singular_values(sigma, m, n, seed, dtype), order=order)


@dtypes
@orders
@pytest.mark.parametrize("kappa", [1, 1e1, 1e3, 1e6])
def test_backward_errors(dtype, order, kappa):
    eps = float(np.finfo(dtype).eps)
    kappa = min(kappa, 0.03 / np.sqrt(eps))
    A = matrix(kappa, 200, 20, dtype, order)
    B = sides(A, 1913)
    before = A.copy(), B.copy()
    answer = solve_many(A, B, Cutoff.of(A), honest=True)
    assert answer is not None
    assert answer.certificate.method == "normal equations, explicit Q"
    ft.check_certificate(A, answer.certificate)
    errors = []
    for j in range(20):
        peer = karlson_walden(A, B[:, j], householder_solution(A, B[:, j]))
        errors.append(karlson_walden(A, B[:, j], answer.X[:, j]))
        assert errors[-1] <= 10 * max(peer, eps / 2), j
    assert max(errors) / 4 <= answer.certificate.backward_error <= 4 * max(errors) + eps
    assert not answer.X[:, 20:].any()
    np.testing.assert_array_equal(A, before[0])
    np.testing.assert_array_equal(B, before[1])


@dtypes
@orders
def test_residues_are_those_of_the_solution(dtype, order):
    """By the difference of two squares where that is accurate, else from b - A x."""
    A = matrix(10, 300, 150, dtype, order)
    rng = np.random.default_rng(1931)
    outside = rng.standard_normal((300, 100)).astype(dtype)
    inside = (A @ rng.standard_normal((150, 100))).astype(dtype)
    size = np.geomspace(1e-6, 1e6, 100)
    B = (inside + size * outside).astype(dtype)
    for honest in (False, True):
        X, residues, rank, _ = fastsub.lstsq(A, B, full_output=honest)[0 if honest else slice(None)]
        assert rank == 150
        wanted = np.linalg.norm(B - A @ X, axis=0) ** 2
        eps = float(np.finfo(dtype).eps)
        size_of_b = np.linalg.norm(B, axis=0)
        limit = 100 * eps * wanted + (30 * eps * size_of_b) * (np.sqrt(wanted) + eps * size_of_b)
        assert (abs(residues - wanted) <= limit).all()
    np.testing.assert_allclose(X, reference.lstsq(A, B)[0], atol=3e3 * eps * abs(X).max())


def test_columns_are_scaled():
    scale = 10.0 ** np.random.default_rng(1933).uniform(-8, 8, 20)
    A = matrix(1e3, 200, 20, float, "C")
    B = sides(A, 1949)[:, :15]
    answer = solve_many(A * scale, B, Cutoff.of(A, 1e-30), honest=False)
    wanted = householder_solution(A, B) / scale[:, None]
    np.testing.assert_allclose(answer.X, wanted, rtol=1e-9, atol=1e-12 * abs(wanted).max())


@pytest.mark.parametrize("kappa", [1e8, 1e10, 1e11])
def test_others_answer_where_the_gram_matrix_does_not(kappa):
    A = matrix(kappa, 400, 20, float, "C")
    B = sides(A, 1951)
    assert solve_many(A, B, Cutoff.of(A), honest=False) is None
    X, _, rank, _ = fastsub.lstsq(np.vstack([A] * 6), np.vstack([B] * 6))
    assert rank == 20
    assert karlson_walden(A, B[:, 5], X[:, 5]) <= 10 * np.finfo(float).eps


def test_small_matrices_take_any_number_of_columns():
    A = ft.random_rank(100, 64, 32, 1973)
    B = np.random.default_rng(1979).standard_normal((100, 700))
    (x, _, rank, _), certificate = fastsub.lstsq(A, B, full_output=True)
    assert rank == 32
    assert certificate.method.startswith("small")
    np.testing.assert_allclose(x, reference.lstsq(A, B)[0], atol=1e-11)
