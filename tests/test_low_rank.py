"""Few columns, or two thin factors, in place of a matrix: errors beside those of the SVD."""

import pickle

import numpy as np
import pytest

import fastsub
from fastsub import testing as ft

SHAPES = [(1, 1), (7, 5), (5, 7), (90, 70), (70, 90), (300, 40)]


def spectrum(m, n, decay, seed, dtype="d"):
    return ft.with_singular_values(decay ** np.arange(min(m, n)), m, n, seed, dtype=dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_interpolative(dtype, shape):
    m, n = shape
    eps = float(np.finfo(dtype).eps)
    for r in {0, 1, min(shape) // 2, min(shape)}:
        A = ft.random_rank(m, n, r, 997, dtype) if r else np.zeros(shape, dtype)
        F = fastsub.interpolative(A)
        columns, T = F
        assert columns.shape == (r,)
        assert T.shape == (r, n)
        assert T.dtype == dtype
        np.testing.assert_array_equal(T[:, columns], np.eye(r))
        np.testing.assert_allclose(A[:, columns] @ T, A, rtol=0, atol=300 * eps * np.abs(A).max())
        assert F.rank == r


@pytest.mark.parametrize("k", [1, 7, 30])
def test_interpolative_of_a_given_rank_proves_its_error(k):
    A = spectrum(60, 45, 0.7, 1009)
    F = fastsub.interpolative(A, rank=k)
    columns, T = F
    error = np.linalg.norm(A - A[:, columns] @ T, 2)
    best = 0.7**k
    assert best * (1 - 1e-12) <= error <= F.error_bound
    assert F.error_bound < 30 * best
    assert np.abs(T).max() < 10
    assert fastsub.interpolative(A, rtol=0.7 ** (k - 0.5)).rank == k


@pytest.mark.parametrize("shape", SHAPES)
def test_low_rank_is_exact_where_it_can_be(dtype, shape):
    m, n = shape
    eps = float(np.finfo(dtype).eps)
    for r in {0, 1, min(shape) // 3, min(shape)}:
        A = ft.random_rank(m, n, r, 1013, dtype) if r else np.zeros(shape, dtype)
        for options in ({}, {"rank": r}):
            F = fastsub.low_rank(A, **options)
            B, C = F
            assert (B.shape, C.shape, F.rank) == ((m, r), (r, n), r)
            assert B.dtype == C.dtype == dtype
            ft.check_orthonormal(B)
            norm = np.linalg.norm(A)
            np.testing.assert_allclose(B @ C, A, rtol=0, atol=100 * eps * norm)
            assert F.error_norm <= 100 * eps * norm
            sigma = np.linalg.svd(A.astype(np.result_type(dtype, float)), compute_uv=False)[:r]
            np.testing.assert_allclose(F.singular_values, sigma, rtol=0, atol=100 * eps * norm)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("k", [0, 1, 5, 40])
def test_low_rank_is_nearly_best(decay, k):
    A = spectrum(150, 120, decay, 1019)
    F = fastsub.low_rank(A, rank=k)
    sigma = decay ** np.arange(120)
    best = np.sqrt(np.sum(sigma[k:] ** 2))
    assert best * (1 - 1e-9) <= F.error_norm <= 1.05 * best + 1e-14
    assert F.error_norm == pytest.approx(np.linalg.norm(A - F.B @ F.C), rel=1e-6, abs=1e-15)
    if k:
        assert F.certificate.sigma_r_lower <= sigma[k - 1]
    assert F.certificate.sigma_next_upper >= sigma[k] * (1 - 1e-12)


def test_ceiling_of_an_update(normal):
    W, update = normal("d", 1021, 40, 30), normal("d", 1031, 40, 30)
    F = fastsub.low_rank(W, rank=4)
    inside = F.project_to_image(update)
    assert np.linalg.matrix_rank(inside) == 4
    np.testing.assert_allclose(inside, F.B @ (F.B.T @ update), atol=1e-13)
    assert inside in F.image
    assert F.project_to_image(update[:, 0]).shape == (40,)


@pytest.mark.parametrize("e", [-900, 900])
def test_near_the_ends_of_the_range(e):
    A = spectrum(40, 50, 0.6, 1033)
    F, G = fastsub.low_rank(A, rank=6), fastsub.low_rank(A * 2.0**e, rank=6)
    np.testing.assert_allclose(G.C * 2.0**-e, F.C, rtol=1e-12)
    assert G.error_norm * 2.0**-e == pytest.approx(F.error_norm)
    T = fastsub.interpolative(A * 2.0**e, rank=6).coefficients
    np.testing.assert_allclose(T, fastsub.interpolative(A, rank=6).coefficients, rtol=1e-12)


def test_print_travel_and_bad_input():
    A = spectrum(9, 8, 0.1, 1039)
    for F, name in (
        (fastsub.low_rank(A, rank=2), "LowRank"),
        (fastsub.interpolative(A, rank=2), "Interpolative"),
    ):
        assert repr(F) == f"<{name} of 9 x 8: rank 2>"
        for x, y in zip(pickle.loads(pickle.dumps(F)), F, strict=True):
            np.testing.assert_array_equal(x, y)
    for function in (fastsub.low_rank, fastsub.interpolative):
        with pytest.raises(ValueError, match="rank or rtol"):
            function(A, rank=1, rtol=0.1)
        for rank in (-1, 9):
            with pytest.raises(ValueError, match="rank must be between 0 and min"):
                function(A, rank=rank)
        with pytest.raises(ValueError, match=r"^A must be finite"):
            function(A * np.nan)
    with pytest.raises(ValueError, match="rank must be at most 1"):
        fastsub.interpolative(np.eye(3)[:, :1] @ np.ones((1, 3)), rank=2)
