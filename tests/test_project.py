"""Projection on lines and column spaces, projectors, orthogonality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft

some = settings(max_examples=50)
vectors = st.lists(st.integers(-9, 9), min_size=1, max_size=6).filter(any)


class TestLine:
    """p = a (a^T b) / (a^T a), P = a a^T / a^T a, e = b - p is orthogonal to a."""

    @some
    @given(vectors, st.integers(2, 10**6))
    def test_formula(self, a, seed):
        a = np.array(a, float)
        b = np.random.default_rng(seed).standard_normal(a.size)
        p = fastsub.project(a, b)
        np.testing.assert_allclose(p, a * (a @ b) / (a @ a), rtol=0, atol=1e-13)
        P = fastsub.projector(a).to_matrix()
        np.testing.assert_allclose(P, np.outer(a, a) / (a @ a), rtol=0, atol=1e-14)
        assert fastsub.is_projector(P)
        assert fastsub.is_orthogonal(a, b - p, tol=1e-9)

    def test_zero_vector_and_complex(self):
        np.testing.assert_array_equal(fastsub.project([0, 0], [1, 2]), [0, 0])
        a, b = np.array([1, 1j]), np.array([2.0, 3.0])
        np.testing.assert_allclose(fastsub.project(a, b), a * (a.conj() @ b) / 2)
        np.testing.assert_allclose(fastsub.projector(a).to_matrix(), np.outer(a, a.conj()) / 2)


class TestColumnSpace:
    def test_special_cases(self):
        A = ft.random_rank(7, 4, 3, 859)
        inside = A @ np.arange(4.0)
        np.testing.assert_allclose(fastsub.project(A, inside), inside, atol=1e-13)
        outside = fastsub.left_null_space(A)
        np.testing.assert_allclose(fastsub.project(A, outside), 0, atol=1e-15)
        invertible = ft.random_rank(5, 5, 5, 863)
        np.testing.assert_array_equal(fastsub.projector(invertible).to_matrix(), np.eye(5))

    @pytest.mark.parametrize(
        ("m", "n", "r"), [(8, 5, 5), (8, 5, 2), (5, 8, 4), (6, 6, 0), (90, 5, 3)]
    )
    def test_formulas(self, dtype, m, n, r, normal):
        A = ft.random_rank(m, n, r, 877, dtype) if r else np.zeros((m, n), dtype)
        eps = float(np.finfo(dtype).eps)
        P = fastsub.projector(A)
        assert P.shape == (m, m)
        assert P.dtype == dtype
        matrix = P.to_matrix()
        assert fastsub.is_projector(matrix)
        np.testing.assert_array_equal(matrix, matrix.conj().T)
        np.testing.assert_allclose(matrix, A @ np.linalg.pinv(A, rcond=1e-4), atol=100 * eps)
        B = normal(dtype, 881, m, 3)
        np.testing.assert_allclose(P @ B, matrix @ B, atol=50 * eps)
        np.testing.assert_allclose(fastsub.project(A, B), matrix @ B, atol=50 * eps)
        np.testing.assert_allclose(P @ B[:, 0], P.subspace.project(B[:, 0]))
        np.testing.assert_allclose(P.T @ B, matrix.T @ B, atol=50 * eps)

    def test_normal_equations_are_always_consistent(self):
        for r in (1, 3):
            A, b = ft.random_rank(6, 3, r, 883), np.arange(6.0)
            S = fastsub.solutions(A.T @ A, A.T @ b)
            assert S.kind == ("unique" if r == 3 else "infinite")
            np.testing.assert_allclose(A @ S.sample(), fastsub.project(A, b), atol=1e-12)

    def test_cutoff(self):
        A, b = np.diag([1.0, 1e-6]), [1.0, 1.0]
        np.testing.assert_array_equal(fastsub.project(A, b), b)
        np.testing.assert_array_equal(fastsub.project(A, b, rcond=1e-3), [1, 0])
        np.testing.assert_array_equal(fastsub.projector(A, rcond=1e-3) @ b, [1, 0])


class TestIsProjector:
    def test_definition(self):
        assert fastsub.is_projector(np.eye(4))
        assert fastsub.is_projector(np.zeros((4, 4)))
        assert fastsub.is_projector(np.zeros((0, 0)))
        assert not fastsub.is_projector(2 * np.eye(4))
        assert not fastsub.is_projector([[1, 1], [0, 0]])  # oblique: P^2 = P alone
        assert not fastsub.is_projector([[0, 1], [1, 0]])  # a reflection: P^H = P alone
        assert not fastsub.is_projector(1e200 * np.eye(4))
        assert fastsub.is_projector([[0.5, 0.5j], [-0.5j, 0.5]])
        assert not fastsub.is_projector([[0.5, 0.5j], [0.5j, 0.5]])

    def test_tolerance(self):
        P = np.diag([1, 1, 0]) + 1e-6
        assert not fastsub.is_projector(P)
        assert fastsub.is_projector(P, tol=1e-4)
        assert fastsub.is_projector(
            np.float32(fastsub.projector(np.float32([1, 2, 3])).to_matrix())
        )

    def test_bad_input(self):
        with pytest.raises(ValueError, match=r"^P must be a square"):
            fastsub.is_projector(np.ones((2, 3)))
        with pytest.raises(ValueError, match=r"^P must be finite"):
            fastsub.is_projector([[np.nan]])
        with pytest.raises(ValueError, match=r"^tol must"):
            fastsub.is_projector(np.eye(2), tol=-1)


class TestIsOrthogonal:
    @some
    @given(vectors, vectors)
    def test_of_integers(self, x, y):
        k = min(len(x), len(y))
        x, y = np.array(x[:k]), np.array(y[:k])
        assert fastsub.is_orthogonal(x, y) == (x @ y == 0)
        assert fastsub.is_orthogonal(x * 1e300, y * 1e-300) == (x @ y == 0)

    def test_subspaces_by_their_spanning_columns(self):
        A = ft.integers_of_rank(7, 5, 3, 887)
        assert fastsub.is_orthogonal(A, fastsub.left_null_space(A))
        assert not fastsub.is_orthogonal(A, A)
        assert fastsub.is_orthogonal(np.zeros((3, 0)), np.eye(3))
        assert not fastsub.is_orthogonal([1, 1j], [1, 1j])  # yHx, not yTx
        assert fastsub.is_orthogonal([1, 1e-9], [0, 1], tol=1e-6)
        assert not fastsub.is_orthogonal([1, 1e-9], [0, 1])

    def test_bad_input(self):
        with pytest.raises(ValueError, match=r"^x and y must have the same number"):
            fastsub.is_orthogonal([1, 2], [1, 2, 3])
        with pytest.raises(ValueError, match=r"^y must be a vector"):
            fastsub.is_orthogonal([1, 2], 1.0)
        with pytest.raises(ValueError, match=r"^x must be finite"):
            fastsub.is_orthogonal([1, np.inf], [1, 2])


def test_what_projector_returns_is_a_projector():
    for A in ([1.0, 2, 2], [[1, 2], [0, 1], [2, 2]], np.eye(2), np.zeros((3, 1))):
        P = fastsub.projector(A)
        assert fastsub.is_projector(P)
        assert fastsub.is_projector(P.to_matrix())
