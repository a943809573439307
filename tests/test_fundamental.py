"""The four subspaces as objects, from one factorisation."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft

some = settings(max_examples=50)
# Small, blocked, tall and wide enough for a sketch.
SHAPES = [(1, 1), (4, 7), (7, 4), (6, 6), (120, 80), (80, 120), (400, 30), (30, 400)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank(dtype, shape):
    m, n = shape
    full = min(m, n)
    for r in {0, 1, full // 2, full - 1, full}:
        A = ft.random_rank(m, n, r, 907, dtype) if r else np.zeros(shape, dtype)
        F = fastsub.fundamental_subspaces(A)
        assert (F.rank, F.nullity, F.shape, F.dtype) == (r, n - r, shape, dtype)
        C, N, R, L = F
        assert [V.dim for V in (C, N, R, L)] == [r, n - r, r, m - r]
        assert R.is_orthogonal_to(N)
        assert C.is_orthogonal_to(L)
        assert L.complement() + L == C + L
        for V in F:
            assert V.basis.dtype == dtype
            ft.check_orthonormal(V.basis)
            assert V.certificate is F.certificate
        ft.check_annihilates(A, N.basis)
        ft.check_annihilates(A.conj().T, L.basis)
        assert A in C
        assert A.conj().T in R
        ft.check_certificate(A, F.certificate)
        assert F.is_injective == (r == n)
        assert F.is_surjective == (r == m)
        assert F.is_bijective == (m == n == r)


@pytest.mark.parametrize("shape", SHAPES)
def test_solving(dtype, shape, normal):
    m, n = shape
    r = max(1, min(shape) - 1)
    eps = float(np.finfo(dtype).eps)
    A = ft.random_rank(m, n, r, 911, dtype)
    F = fastsub.fundamental_subspaces(A)
    double = A.astype(np.result_type(dtype, float))
    X = np.linalg.pinv(double, rcond=1e-5)
    norm = np.linalg.norm(X, 2)
    close = {"rtol": 0, "atol": 30 * eps * norm * norm * np.linalg.norm(double, 2)}
    np.testing.assert_allclose(F.pseudoinverse(), X, **close)
    B = normal(dtype, 919, m, 3)
    np.testing.assert_allclose(F.solve(B), X @ B, rtol=0, atol=close["atol"] * np.linalg.norm(B))
    np.testing.assert_array_equal(F.solve(B[:, 0]).shape, (n,))
    x = normal(dtype, 929, n)
    S = F.fibre(x)
    assert S.kind == ("unique" if F.is_injective else "infinite")
    assert x in S
    assert S.closest_to(x) in S
    y = S.sample()
    np.testing.assert_allclose(A @ y, A @ x, rtol=0, atol=1e3 * eps * np.linalg.norm(A))


@some
@given(st.integers(1, 7), st.integers(1, 7), st.floats(0, 1), st.integers(2, 10**6))
def test_maps_of_integers(m, n, share, seed):
    """Fibres are translated null spaces; every output is in the column space."""
    A = ft.integers_of_rank(m, n, round(share * min(m, n)), seed)
    F = fastsub.fundamental_subspaces(A)
    assert F.rank + F.null_space.dim == n
    assert F.rank + F.left_null_space.dim == m
    x = np.random.default_rng(seed).integers(-3, 4, n)
    S = F.fibre(x)
    assert S.directions == F.null_space
    assert A @ x in F.column_space
    y = S.sample()
    assert fastsub.Subspace.kernel(A).distance(y - x) <= 1e-9 * (1 + np.linalg.norm(x))
    assert F.row_space.distance(S.particular) <= 1e-9 * (1 + np.linalg.norm(x))


def test_complex_vectors_beside_a_real_matrix():
    A = ft.random_rank(5, 7, 3, 937)
    F = fastsub.fundamental_subspaces(A)
    b = np.arange(5) * (1 + 2j)
    np.testing.assert_allclose(F.solve(b), np.linalg.pinv(A) @ b, atol=1e-12)
    assert 1j * np.arange(7) in F.fibre(1j * np.arange(7))
    assert F.solve(np.float32([1, 2, 3, 4, 5])).dtype == np.float64


def test_near_the_ends_of_the_range():
    A, b = ft.random_rank(8, 6, 4, 941), np.arange(8.0)
    F = fastsub.fundamental_subspaces(A)
    for e in (-900, 900):
        G = fastsub.fundamental_subspaces(A * 2.0**e)
        assert G.rank == 4
        assert G.null_space == F.null_space
        np.testing.assert_allclose(G.solve(b) * 2.0**e, F.solve(b), atol=1e-12)


@pytest.mark.parametrize("condition", [1e2, 1e8, 1e12, 1e15])
def test_projection_annihilates_at_every_condition(condition):
    """Of a tall matrix: an implicit A P R^-1 would be orthonormal to eps times the condition."""
    m, n = 4000, 25
    A = ft.with_singular_values(np.geomspace(1, 1 / condition, n), m, n, 1049)
    F = fastsub.fundamental_subspaces(A, 1e-17)
    assert F.rank == n
    x = np.random.default_rng(1051).standard_normal(m)
    p = F.left_null_space.project(x)
    assert np.linalg.norm(A.T @ p) <= 1e-15 * np.linalg.norm(x)
    assert p in F.left_null_space
    assert F.left_null_space.distance(A @ np.ones(n)) == pytest.approx(np.linalg.norm(A.sum(1)))


def test_kahan_where_columns_alone_would_mislead():
    A = ft.kahan(60)
    F = fastsub.fundamental_subspaces(A)
    assert F.rank == np.linalg.matrix_rank(A)
    for V in F:
        ft.check_orthonormal(V.basis)


def test_print_travel_and_tolerance():
    F = fastsub.fundamental_subspaces([[1, 2], [3, 6], [4, 8]])
    assert repr(F) == "<FundamentalSubspaces of 3 x 2 float64: rank 1, nullity 1>"
    assert F.equations() == {
        "column_space": ["4x₁ - x₃ = 0", "4x₂ - 3x₃ = 0"],
        "null_space": ["x₁ + 2x₂ = 0"],
        "row_space": ["2x₁ - x₂ = 0"],
        "left_null_space": ["x₁ + 3x₂ + 4x₃ = 0"],
    }
    again = fastsub.fundamental_subspaces([[1, 2], [3, 6], [4, 8]])
    for G in (pickle.loads(pickle.dumps(F)), pickle.loads(pickle.dumps(again)), again):
        for V, W in zip(F, G, strict=True):
            assert np.array_equal(V.basis, W.basis)
    assert fastsub.fundamental_subspaces(np.diag([1, 1e-6]), 1e-3).rank == 1
    with pytest.raises(ValueError, match=r"^rtol must"):
        fastsub.fundamental_subspaces(np.eye(2), -1)
    with pytest.raises(ValueError, match=r"^x must have shape"):
        F.fibre([1, 2, 3])
    with pytest.raises(ValueError, match=r"^b must have shape"):
        F.solve([1, 2])
