"""Conjugate gradients for sparse least squares: as good as Householder QR, or nothing."""

import numpy as np
import pytest
from scipy import sparse
from test_least_squares_accuracy import karlson_walden

import fastsub
from fastsub.factor.sparse import solve as sparse_solve
from fastsub.factor.sparse.conjugate import conjugate_gradients

pytestmark = pytest.mark.usefixtures("elimination")


def design(rng, m, n, dtype="float64"):
    """Two-way layout with a covariate: its columns add up to one another, rank n - 1."""
    rows, half = np.arange(m), (n - 1) // 2
    levels = [rng.integers(0, half, m), half + rng.integers(0, n - 1 - half, m)]
    A = sparse.csr_array(
        (np.ones(2 * m), (np.r_[rows, rows], np.concatenate(levels))), shape=(m, n), dtype=dtype
    ).tolil()
    A[:, [n - 1]] = rng.standard_normal((m, 1))
    return sparse.csr_array(A)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("shape", [(600, 41), (60, 60)])
def test_as_accurate_as_a_dense_factorisation(shape, dtype, k):
    rng = np.random.default_rng(2203)
    A = design(rng, *shape, dtype)
    b = rng.standard_normal((shape[0], k)).astype(dtype)
    sigma = np.linalg.svd(A.toarray(), compute_uv=False)
    X, near = conjugate_gradients(A, b, 100 / sigma[min(shape) - 2] ** 2)
    np.testing.assert_allclose(near, b - A @ X, atol=1e-13 * np.linalg.norm(b))
    wanted = fastsub.lstsq(A.toarray(), b)[0]
    condition = sigma[0] / sigma[min(shape) - 2]
    np.testing.assert_allclose(X, wanted, atol=1e-15 * condition**2 * np.abs(wanted).max())
    for j in range(k):
        error = karlson_walden(A.toarray(), b[:, j], X[:, j])
        assert error <= 10 * max(karlson_walden(A.toarray(), b[:, j], wanted[:, j]), 2e-17)


def test_what_the_rank_does_not_count_is_not_resolved():
    """A singular value of 1e-13 would bring u^H b / 1e-13 into x."""
    rng = np.random.default_rng(2207)
    A = design(rng, 500, 31).tolil()
    A[:, [3]] = A[:, [3]].toarray() + 1e-13 * rng.standard_normal((500, 1))
    A, b = sparse.csr_array(A), rng.standard_normal(500)
    x, _, rank, _ = fastsub.lstsq(A, b)
    wanted = np.linalg.lstsq(A.toarray(), b)[0]
    assert rank == 30
    np.testing.assert_allclose(x, wanted, atol=1e-9)


def test_ill_conditioned_and_impatient(monkeypatch):
    """Then elimination answers, as it does where there is no hope."""
    rng = np.random.default_rng(2213)
    A = sparse.random_array((700, 60), density=0.1, rng=rng, format="csr")
    A = sparse.csr_array(A @ sparse.diags_array(np.geomspace(1, 1e-9, 60)))
    b = rng.standard_normal(700)
    assert conjugate_gradients(A, b[:, None], np.inf) is None
    x, certificate = fastsub.lstsq(A, b, full_output=True)
    assert karlson_walden(A.toarray(), b, x[0]) <= 2e-16
    assert certificate.backward_error <= 1e-15
    B = design(rng, 300, 20)
    first = fastsub.lstsq(B, b[:300])[0]
    monkeypatch.setattr(sparse_solve, "conjugate_gradients", lambda *_: None)
    np.testing.assert_allclose(first, fastsub.lstsq(B, b[:300])[0], atol=1e-12)
    zero = np.zeros((300, 2))
    np.testing.assert_array_equal(conjugate_gradients(B, zero, np.inf)[0], np.zeros((20, 2)))


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_noise_is_not_followed(dtype):
    """Of tiny matrices a gradient may be all rounding, and a pass that goes on would diverge."""
    answered = []
    for seed in range(3001, 3201):
        rng = np.random.default_rng(seed)
        A = rng.standard_normal((11, 3)) * (rng.random((11, 3)) < 0.3)
        b = rng.integers(-2, 2, 11).astype(float)[:, None]
        if np.linalg.matrix_rank(A) == 3:
            found = conjugate_gradients(sparse.csr_array(A.astype(dtype)), b.astype(dtype), np.inf)
            answered.append(found is not None)
            if found is not None:
                np.testing.assert_allclose(found[0], np.linalg.lstsq(A, b)[0], atol=1e-12)
    # Of the others elimination has the last word.
    assert np.mean(answered) > 0.6
