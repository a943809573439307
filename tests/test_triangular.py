"""Norms of a triangle and of its inverse: bounds that must never be wrong."""

import math

import numpy as np
import pytest
from scipy.linalg import hilbert

from fastsub import testing as ft
from fastsub.kernels import triangular

SHAPES = [(1, 1), (1, 6), (2, 2), (5, 9), (8, 8), (33, 60), (70, 70)]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def hidden(R, dtype):
    """triu(R) as a factorisation leaves it: something else below the diagonal, more rows."""
    R = np.vstack([R, np.zeros((3, R.shape[1]))]).astype(dtype)
    below = np.tril(np.ones(R.shape, bool), -1)
    return np.asfortranarray(np.where(below, np.nan, R).astype(dtype))


def wide(A):
    return A.astype(np.result_type(A, np.longdouble))


def mul(A, B):
    """A B, in extended precision where that is not slow."""
    if len(A) > 100:
        A, B = (X.astype(complex if X.dtype.kind == "c" else float) for X in (A, B))
    return A @ B


def sigma_max_lower(R, k, steps):
    work = np.full(k + R.shape[1], np.nan, R.dtype)
    return triangular.py_sigma_max_lower(R, k, work, steps)


def inverse(R, r):
    X = np.full((r, r), np.nan, R.dtype, order="F")
    return X, triangular.py_inverse(R, X)


class TestRowSumsq:
    @shapes
    def test_every_k(self, dtype, normal, shape):
        m, n = shape
        R = np.triu(normal(dtype, 601, m, n))
        stored = hidden(R, dtype)
        wanted = np.sum(np.abs(wide(R)) ** 2, axis=1).astype(float)
        for k in range(m + 1):
            out = np.full(m, np.nan)
            triangular.py_row_sumsq(stored, k, out)
            np.testing.assert_allclose(out[:k], wanted[:k], rtol=1e-14 * n)
            assert np.all(np.isnan(out[k:]))

    def test_of_no_columns(self, dtype):
        out = np.full(1, np.nan)
        triangular.py_row_sumsq(np.zeros((3, 0), dtype, order="F"), 0, out)
        assert np.isnan(out[0])


class TestSigmaMaxLower:
    @shapes
    def test_is_a_lower_bound_that_grows(self, dtype, normal, shape):
        m, n = shape
        R = np.triu(normal(dtype, 607, m, n))
        stored = hidden(R, dtype)
        for k in {1, 2, m // 2, m} - {0} & set(range(m + 1)):
            sigma_1 = np.linalg.norm(R[:k].astype(np.result_type(R, float)), 2)
            # The quotient itself is rounded.
            limit = sigma_1 * (1 + 4 * np.sqrt(n) * np.finfo(dtype).eps)
            bounds = [sigma_max_lower(stored, k, steps) for steps in (1, 2, 5, 200)]
            assert sorted(bounds) == bounds
            assert bounds[-1] <= limit
            assert bounds[2] >= 0.7 * sigma_1
            assert bounds[-1] >= 0.99 * sigma_1

    @pytest.mark.parametrize(
        "R",
        [ft.kahan(60), np.linalg.qr(hilbert(20))[1], np.eye(30), np.triu(np.ones((40, 40)))],
        ids=["kahan", "hilbert", "identity", "ones"],
    )
    def test_of_special_triangles(self, dtype, R):
        stored, k = hidden(R, dtype), len(R)
        sigma_1 = np.linalg.norm(R.astype(dtype).astype(np.result_type(dtype, float)), 2)
        bound = sigma_max_lower(stored, k, 5)
        assert 0.5 * sigma_1 <= bound <= sigma_1 * (1 + 4 * np.sqrt(k) * np.finfo(dtype).eps)

    def test_of_rank_one_is_sharp(self, dtype):
        R = np.zeros((6, 9))
        R[0] = np.arange(1, 10)
        bound, limit = sigma_max_lower(hidden(R, dtype), 6, 5), 20 * float(np.finfo(dtype).eps)
        assert bound == pytest.approx(np.linalg.norm(R), rel=limit)

    def test_of_zero(self, dtype):
        assert sigma_max_lower(np.zeros((4, 6), dtype, order="F"), 4, 5) == 0

    @pytest.mark.parametrize("exponent", [-39, 39])
    def test_scales(self, dtype, normal, exponent):
        R = hidden(np.triu(normal(dtype, 613, 7, 7)), dtype)
        expected = math.ldexp(sigma_max_lower(R, 7, 5), exponent)
        R *= np.array(2.0**exponent, dtype)
        assert sigma_max_lower(R, 7, 5) == pytest.approx(expected, rel=1e-5)


class TestInverse:
    @shapes
    def test_residual(self, dtype, normal, shape):
        m, n = shape
        R = np.triu(normal(dtype, 617, m, n)) / n
        R[np.arange(m), np.arange(m)] += 1
        for r in {1, 2, m // 2, m} - {0} & set(range(m + 1)):
            self.check_inverse(R[:r, :r], *inverse(hidden(R, dtype), r))

    @pytest.mark.parametrize(
        "R",
        [
            ft.kahan(60),
            ft.gu_eisenstat(50),
            np.triu(np.random.default_rng(619).standard_normal((40, 40))),
            np.diag(np.logspace(0, -15, 30)) @ np.triu(np.ones((30, 30))),
            np.triu(-np.ones((30, 30)), 1) + np.eye(30),
        ],
        ids=["kahan", "gu_eisenstat", "normal", "graded", "wilkinson"],
    )
    def test_of_ill_conditioned_triangles(self, dtype, R):
        R = R.astype(dtype)
        self.check_inverse(R, *inverse(hidden(R, dtype), len(R)))

    @pytest.mark.parametrize("n", [130, 300])
    def test_larger(self, dtype, normal, n):
        R = np.triu(normal(dtype, 631, n, n)) / np.sqrt(n) + np.eye(n, dtype=dtype)
        self.check_inverse(R, *inverse(np.asfortranarray(R), n))

    @staticmethod
    def check_inverse(R, X, frobenius):
        """Each row solves a system close by: |X R - I| <= gamma_r |X| |R|, entry by entry.

        That is the guarantee of LAPACK's trtri (Du Croz and Higham 1992, method 2); R X can be
        much further from I. The proof of full rank stands on it: no factor of safety, but the
        complex one (Higham 2002, lemma 3.5).
        """
        r = len(R)
        assert not np.any(np.tril(X, -1))
        assert frobenius == pytest.approx(float(np.linalg.norm(wide(X))))
        residual = np.abs(mul(wide(X), wide(R)) - np.eye(r))
        gamma = (np.sqrt(8) if X.dtype.kind == "c" else 1) * (r + 1) * np.finfo(X.dtype).eps
        assert np.all(residual <= gamma * mul(np.abs(wide(X)), np.abs(wide(R))))

    def test_of_a_singular_triangle(self, dtype, normal):
        for j in range(5):
            R = np.triu(normal(dtype, 641, 5, 5))
            R[j, j] = 0
            assert inverse(np.asfortranarray(R), 5)[1] == math.inf
            if j:
                assert inverse(np.asfortranarray(R), j)[1] < math.inf


def gram_norm(R, k, nb=3, *, lower=False):
    work = np.full(max(R.shape[1], k) * nb, np.nan, R.dtype)
    return triangular.py_gram_norm(R, k, work, lower)


def gram_slack(sumsq, size, dtype):
    """What the bound adds for the rounding of products; that of the sums is in double."""
    return (4 * (size + 2) * np.finfo(dtype).eps + 1e-14) * sumsq


class TestGramNorm:
    @pytest.mark.parametrize("nb", [1, 3, 32, 100])
    @pytest.mark.parametrize("lower", [False, True])
    @pytest.mark.parametrize("n", [1, 2, 8, 33, 70])
    def test_of_a_triangle(self, dtype, normal, n, lower, nb):
        R = normal(dtype, 643, n, n)
        triangle = np.tril(R) if lower else np.triu(R)
        stored = np.asfortranarray(np.where(triangle == 0, np.nan, R).astype(dtype))
        self.assert_tight_above(triangle, gram_norm(stored, n, nb, lower=lower))
        np.testing.assert_array_equal(np.isnan(stored), triangle == 0)

    @staticmethod
    def assert_tight_above(triangle, bound):
        """From above, and no looser than rounding in the dtype of the triangle."""
        dtype = triangle.dtype
        triangle = triangle.astype(np.result_type(triangle, np.longdouble))
        exact = np.linalg.norm((triangle @ triangle.conj().T).astype(complex))
        sumsq, size = float(np.sum(np.abs(triangle) ** 2)), max(triangle.shape)
        assert exact <= bound * (1 + 1e-14)
        assert bound <= exact + gram_slack(sumsq, size, dtype)

    @pytest.mark.parametrize("lower", [False, True])
    def test_of_a_leading_triangle(self, dtype, normal, lower):
        """Rows below and columns to the right of it are not read."""
        for k in range(1, 9):
            R = normal(dtype, 647, 11, 8 if lower else k)
            triangle = np.tril(R[:k, :k]) if lower else np.triu(R[:k])
            R[k:] = np.nan
            R[:, k:] = np.nan
            self.assert_tight_above(triangle, gram_norm(R, k, lower=lower))

    @pytest.mark.parametrize("nb", [1, 3, 100])
    @pytest.mark.parametrize("shape", [(1, 6), (5, 9), (8, 9), (33, 60), (30, 200)])
    def test_of_a_trapezoid(self, dtype, normal, shape, nb):
        """Between the norm and the sum of those of the triangle and of what is right of it."""
        k, n = shape
        R = np.triu(normal(dtype, 653, k, n))
        bound = gram_norm(hidden(R, dtype), k, nb)
        R = R.astype(np.result_type(R, float))
        parts = [np.linalg.norm(X @ X.conj().T) for X in (R, R[:, :k], R[:, k:])]
        assert parts[0] <= bound * (1 + 1e-13)
        slack = gram_slack(np.linalg.norm(R) ** 2, n, dtype)
        assert bound <= (parts[1] + parts[2] + slack) * (1 + 1e-13)

    def test_of_identity_and_zero(self, dtype):
        n = 9
        for matrix, wanted in ((np.eye(n), 3), (np.zeros((n, n)), 0), (np.diag([7] + 8 * [0]), 49)):
            R = np.asfortranarray(matrix, dtype)
            for lower in (False, True):
                limit = 40 * n * float(np.finfo(dtype).eps)
                bound = gram_norm(R, n, lower=lower)
                assert wanted <= bound <= wanted * (1 + limit)

    @pytest.mark.parametrize("lower", [False, True])
    def test_is_an_upper_bound_where_rounding_is_all_one_way(self, dtype, lower):
        """Equal entries: every product of every sum is rounded to the same side."""
        for x in (1 / 3, 0.1, 0.7, 1 - 2**-12):
            R = np.asfortranarray(np.full((60, 60), x), dtype)
            if dtype.kind == "c":
                R *= 1 - 1j
            triangle = np.tril(R) if lower else np.triu(R)
            self.assert_tight_above(triangle, gram_norm(R, 60, 32, lower=lower))

    def test_refuses_a_small_workspace(self, dtype):
        R = np.eye(5, 8, dtype=dtype, order="F")
        for k, size in ((5, 7), (5, 0)):
            with pytest.raises(ValueError, match="too small"):
                triangular.py_gram_norm(R, k, np.empty(size, dtype))


class TestInverseBelow:
    @shapes
    def test_residual(self, dtype, normal, shape):
        m, n = shape
        R = normal(dtype, 617, m, n) / n
        R[np.arange(m), np.arange(m)] += 1
        for r in {1, 2, m // 2, m} - {0} & set(range(m + 1)):
            self.assert_inverse(R, r)

    @pytest.mark.parametrize(
        "R",
        [
            ft.kahan(60),
            ft.gu_eisenstat(50),
            np.random.default_rng(619).standard_normal((40, 40)),
            np.diag(np.logspace(0, -15, 30)) @ np.triu(np.ones((30, 30))),
            np.triu(-np.ones((30, 30)), 1) + np.eye(30),
        ],
        ids=["kahan", "gu_eisenstat", "normal", "graded", "wilkinson"],
    )
    def test_of_ill_conditioned_triangles(self, dtype, R):
        self.assert_inverse(np.array(R, dtype, order="F"), len(R))

    @pytest.mark.parametrize("n", [31, 32, 33, 64, 65, 130, 300])
    def test_past_every_block(self, dtype, normal, n):
        R = normal(dtype, 659, n, n) / np.sqrt(n) + np.eye(n, dtype=dtype)
        self.assert_inverse(np.asfortranarray(R), n)

    @staticmethod
    def assert_inverse(R, r):
        """X, whose transpose is put below: |R X - I| <= gamma_r |R| |X|, entry by entry."""
        before, diagonal = R.copy(), np.full(r, np.nan, R.dtype)
        frobenius = triangular.py_inverse_below(R, diagonal)
        np.testing.assert_array_equal(diagonal, np.diagonal(before)[:r])
        written = np.zeros(R.shape, bool)
        written[:r, :r] = np.tri(r, dtype=bool)
        np.testing.assert_array_equal(R[~written], before[~written])
        X, T = np.tril(R[:r, :r]).T, np.triu(before[:r, :r])
        assert frobenius == pytest.approx(float(np.linalg.norm(wide(X))))
        residual = np.abs(mul(wide(T), wide(X)) - np.eye(r))
        gamma = (np.sqrt(8) if X.dtype.kind == "c" else 1) * (r + 1) * np.finfo(X.dtype).eps
        assert np.all(residual <= gamma * mul(np.abs(wide(T)), np.abs(wide(X))))

    def test_of_a_singular_triangle(self, dtype, normal):
        for j in range(5):
            R = normal(dtype, 641, 5, 5)
            R[j, j] = 0
            before, diagonal = R.copy(), np.empty(5, dtype)
            assert triangular.py_inverse_below(R, diagonal) == math.inf
            np.testing.assert_array_equal(diagonal, np.diagonal(before))
            np.testing.assert_array_equal(np.triu(R, 1), np.triu(before, 1))

    @pytest.mark.parametrize("n", [1, 9, 70])
    def test_power_method_on_the_lower_triangle(self, dtype, normal, n):
        R = normal(dtype, 661, n, n)
        exact = np.linalg.norm(np.tril(R).astype(np.result_type(R, float)), 2)
        R[~np.tri(n, dtype=bool)] = np.nan
        work = np.full(2 * n, np.nan, dtype)
        bound = triangular.py_sigma_max_lower(R, n, work, 60, True)
        assert 0.99 * exact <= bound <= exact * (1 + 4 * np.sqrt(n) * np.finfo(dtype).eps)

    @pytest.mark.parametrize("n", [1, 5, 64, 90])
    def test_of_the_lower_triangle(self, dtype, normal, n):
        """In its own place, and sigma_min estimated from above."""
        L = normal(dtype, 673, n, n) / math.sqrt(n) + 2 * np.eye(n, dtype=dtype)
        double = np.tril(L).astype(np.result_type(L, np.float64))
        exact = np.linalg.svd(double, compute_uv=False)[-1]
        stored = L.copy(order="F")
        stored[~np.tri(n, dtype=bool)] = np.nan
        estimate = triangular.py_sigma_min_upper(stored, np.empty(n, dtype), 9, True)
        assert exact * (1 - 1e-5) <= estimate <= 2 * exact
        frobenius = triangular.py_inverse_lower(stored, n)
        X = np.tril(stored)
        assert frobenius == pytest.approx(float(np.linalg.norm(wide(X))))
        limit = 20 * n * np.finfo(dtype).eps
        np.testing.assert_allclose(mul(wide(np.tril(L)), wide(X)), np.eye(n), atol=limit)
        assert np.isnan(stored[~np.tri(n, dtype=bool)]).all()
        L[n // 2, n // 2] = 0
        assert triangular.py_inverse_lower(np.asfortranarray(L), n) == math.inf
