"""What a first course says about a matrix, read off the functions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft

COLLINEAR = np.array([[1, 2], [3, 6], [4, 8]])
COUNTING = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])

matrices = st.builds(
    lambda m, n, share, seed: ft.integers_of_rank(m, n, round(share * min(m, n)), seed).astype(
        float
    ),
    st.integers(1, 9),
    st.integers(1, 9),
    st.floats(0, 1),
    st.integers(2, 10**6),
)
some = settings(max_examples=50)
CLOSE = {"rtol": 0, "atol": 1e-9}


def projector(basis):
    return basis @ basis.conj().T


class TestTwoQuestions:
    """1. What a map destroys, and what it can produce."""

    def test_a_rank_one_map_of_the_plane_crushes_a_line_and_lands_on_a_line(self):
        a = np.outer([1.0, 3.0], [2.0, 1.0])
        crushed, line = fastsub.null_space(a), fastsub.column_space(a)
        assert crushed.shape == line.shape == (2, 1)
        np.testing.assert_allclose(a @ crushed, 0, **CLOSE)
        assert np.cross([*line[:, 0], 0], [1, 3, 0])[2] == pytest.approx(0)

    @some
    @given(matrices, st.integers(2, 10**6))
    def test_a_fibre_shares_one_output(self, A, seed):
        rng = np.random.default_rng(seed)
        N = fastsub.null_space(A)
        x = rng.standard_normal(A.shape[1])
        y = x + N @ rng.standard_normal(N.shape[1])
        np.testing.assert_allclose(A @ x, A @ y, **CLOSE)

    @some
    @given(matrices, st.integers(2, 10**6))
    def test_every_output_is_in_the_column_space(self, A, seed):
        b = A @ np.random.default_rng(seed).standard_normal(A.shape[1])
        np.testing.assert_allclose(projector(fastsub.orth(A)) @ b, b, **CLOSE)


class TestTwoMembershipTests:
    """2. Whether b is reachable and the null space trivial: four cases, and independent."""

    @pytest.mark.parametrize(
        ("A", "b", "reachable", "unique"),
        [
            ([[1, 0], [0, 1], [0, 0]], [3, 4, 0], True, True),
            ([[1, 2], [3, 6], [4, 8]], [1, 3, 4], True, False),
            ([[1, 0], [0, 1], [0, 0]], [3, 4, 5], False, True),
            ([[1, 2], [3, 6], [4, 8]], [4, 3, -1], False, False),
        ],
    )
    def test_four_cases(self, A, b, reachable, unique):
        A, b = np.array(A, float), np.array(b, float)
        x = fastsub.lstsq(A, b)[0]
        assert bool(np.allclose(A @ x, b)) is reachable
        assert bool(np.allclose(projector(fastsub.orth(A)) @ b, b)) is reachable
        assert (fastsub.null_space(A).shape[1] == 0) is unique

    def test_all_solutions_are_one_and_the_null_space(self):
        b = COUNTING @ [1.0, 1.0, 1.0]
        x, N = fastsub.lstsq(COUNTING, b)[0], fastsub.null_space(COUNTING)
        np.testing.assert_allclose(COUNTING @ (x[:, None] + 7 * N), b[:, None], **CLOSE)
        # The shortest of them has no part in the null space.
        np.testing.assert_allclose(N.T @ x, 0, **CLOSE)
        np.testing.assert_allclose(x, [1, 1, 1], **CLOSE)


class TestRankNullity:
    """3. Each input dimension is transmitted or annihilated."""

    @some
    @given(matrices)
    def test_rank_and_nullity_add_up(self, A):
        m, n = A.shape
        rank = fastsub.matrix_rank(A)
        assert rank + fastsub.null_space(A).shape[1] == n
        assert rank + fastsub.left_null_space(A).shape[1] == m
        assert rank == fastsub.rrqr(A).rank == fastsub.lstsq(A, np.ones(m))[2]

    @pytest.mark.parametrize(("m", "n"), [(2, 5), (5, 2), (4, 4)])
    def test_wide_destroys_tall_misses(self, m, n):
        A = ft.random_rank(m, n, min(m, n), 997)
        assert (fastsub.null_space(A).shape[1] > 0) == (n > m)
        assert (fastsub.left_null_space(A).shape[1] > 0) == (m > n)


class TestFourSubspaces:
    """4. Two pairs, each orthogonal, each filling its space."""

    @some
    @given(matrices)
    def test_pairs(self, A):
        ft.check_complementary(fastsub.orth(A), fastsub.left_null_space(A), atol=1e-10)
        ft.check_complementary(fastsub.row_space(A), fastsub.null_space(A), atol=1e-10)

    @some
    @given(matrices)
    def test_row_rank_is_column_rank(self, A):
        assert fastsub.orth(A).shape[1] == fastsub.row_space(A).shape[1]
        assert fastsub.matrix_rank(A) == fastsub.matrix_rank(A.T)

    @some
    @given(matrices)
    def test_the_rows_of_the_transpose(self, A):
        for one, other in (
            (fastsub.row_space(A), fastsub.orth(A.T)),
            (fastsub.left_null_space(A), fastsub.null_space(A.T)),
        ):
            ft.check_same_subspace(one, other, atol=1e-10)

    def test_an_invertible_matrix_destroys_nothing_and_reaches_everything(self):
        A = np.array([[2.0, 1.0], [1.0, 1.0]])
        # The zero vector alone: a basis without columns, not the empty set.
        assert fastsub.null_space(A).shape == (2, 0)
        assert fastsub.left_null_space(A).shape == (2, 0)
        np.testing.assert_allclose(projector(fastsub.column_space(A)), np.eye(2), **CLOSE)


class TestOrthogonality:
    """5. Every vector of one against every vector of the other; conjugated when complex."""

    def test_complex(self):
        A = np.array([[1, 1j], [1j, -1]])
        N, V = fastsub.null_space(A), fastsub.row_space(A)
        np.testing.assert_allclose(A @ N, 0, **CLOSE)
        np.testing.assert_allclose(V.conj().T @ N, 0, **CLOSE)
        U = fastsub.left_null_space(A)
        np.testing.assert_allclose(U.conj().T @ A, 0, **CLOSE)


class TestProjection:
    """6. p = a (a.b / a.a) on a line; p = A x on the column space, P P = P = P^T."""

    def test_on_a_line(self):
        a, b = np.array([[2.0], [3.0], [4.0]]), np.array([1.0, 2.0, 2.0])
        P = projector(fastsub.orth(a))
        np.testing.assert_allclose(P, a @ a.T / 29, **CLOSE)
        x = fastsub.lstsq(a, b)[0]
        np.testing.assert_allclose(x, (a.T @ b) / (a.T @ a)[0], **CLOSE)
        np.testing.assert_allclose(a @ x, P @ b, **CLOSE)

    @some
    @given(matrices, st.integers(2, 10**6))
    def test_on_the_column_space(self, A, seed):
        b = np.random.default_rng(seed).standard_normal(len(A))
        P = projector(fastsub.orth(A))
        np.testing.assert_allclose(P @ P, P, **CLOSE)
        np.testing.assert_allclose(P, P.T, **CLOSE)
        x = fastsub.lstsq(A, b)[0]
        np.testing.assert_allclose(A @ x, P @ b, **CLOSE)
        # The normal equations are always consistent.
        np.testing.assert_allclose(A.T @ A @ x, A.T @ b, rtol=0, atol=1e-7)

    def test_special_cases(self):
        A = ft.random_rank(6, 3, 3, 1009)
        inside = A @ [1.0, 2.0, 3.0]
        outside = fastsub.left_null_space(A)[:, 0]
        np.testing.assert_allclose(A @ fastsub.lstsq(A, inside)[0], inside, **CLOSE)
        np.testing.assert_allclose(fastsub.lstsq(A, outside)[0], 0, **CLOSE)
        invertible = A[:3]
        np.testing.assert_allclose(projector(fastsub.orth(invertible)), np.eye(3), **CLOSE)


class TestLeastSquares:
    """7. The sum of squares is least, and the residual lies in the left null space."""

    @given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3))
    @some
    def test_one_unknown_three_equations(self, b):
        x = fastsub.lstsq([[2], [3], [4]], b)[0]
        np.testing.assert_allclose(x, (2 * b[0] + 3 * b[1] + 4 * b[2]) / 29, **CLOSE)

    @some
    @given(matrices, st.integers(2, 10**6))
    def test_residual_is_orthogonal_and_least(self, A, seed):
        rng = np.random.default_rng(seed)
        b = rng.standard_normal(len(A))
        x = fastsub.lstsq(A, b)[0]
        e = b - A @ x
        np.testing.assert_allclose(projector(fastsub.left_null_space(A)) @ b, e, **CLOSE)
        for _ in range(3):
            worse = b - A @ (x + 0.1 * rng.standard_normal(len(x)))
            assert np.linalg.norm(worse) >= np.linalg.norm(e) - 1e-12


class TestTextbook:
    def test_collinear(self):
        N = fastsub.null_space(COLLINEAR)
        np.testing.assert_allclose(N / N[1], [[-2], [1]], **CLOSE)
        ft.check_same_subspace(
            fastsub.orth(COLLINEAR), np.array([[1.0], [3.0], [4.0]]) / np.sqrt(26), atol=1e-14
        )

    def test_counting(self):
        assert fastsub.matrix_rank(COUNTING) == 2
        spanned = np.linalg.qr(COUNTING[:2].T.astype(float))[0]
        ft.check_same_subspace(fastsub.row_space(COUNTING), spanned, atol=1e-14)
        N = fastsub.null_space(COUNTING)
        np.testing.assert_allclose(N / N[0], [[1], [-2], [1]], **CLOSE)

    def test_cycles_of_a_graph(self):
        edges = np.array([[0, 1], [1, 2], [2, 0], [2, 3], [4, 5]])
        A = np.zeros((5, 6))
        A[np.arange(5), edges[:, 0]], A[np.arange(5), edges[:, 1]] = -1, 1
        # One cycle makes one equation redundant; one constant for each component.
        y = fastsub.left_null_space(A)
        np.testing.assert_allclose(y / y[0], [[1], [1], [1], [0], [0]], **CLOSE)
        assert fastsub.null_space(A).shape[1] == 2
