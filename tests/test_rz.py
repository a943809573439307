"""[R11 R12] = [L 0] Z^H at every rank: both bases orthonormal, whatever R11's condition."""

import numpy as np
import pytest

from fastsub import testing as ft
from fastsub.kernels import rz

SHAPES = [(1, 2), (1, 9), (5, 6), (6, 13), (40, 65), (33, 34)]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def blocks(r):
    """Block sizes from 1 to more than r."""
    return sorted({1, 2, 3, r, r + 2})


def trapezoid(R, r, dtype):
    """Hide the first r rows of triu(R) in an array of more rows, with NaN below the diagonal."""
    k, n = len(R) + 2, R.shape[1]
    below = np.tril(np.ones((k, n), bool), -1) | (np.arange(k)[:, None] >= r)
    stored = np.where(below, np.nan, np.vstack([R, np.zeros((2, n))])).astype(dtype)
    return np.asfortranarray(stored)


def factor(R, r, nb, dtype):
    """U, B, T of the first r rows."""
    n = R.shape[1]
    U, B, T = (np.full(shape, np.nan, dtype, order="F") for shape in ((r, r), (n - r, r), (nb, r)))
    rz.py_rz(trapezoid(R, r, dtype), U, B, T, np.full(nb * r, np.nan, dtype))
    return U, B, T


def columns(B, T, rows, start, stop):
    """Columns start .. stop-1 of diag(J, I) Z, row i put at rows[i]."""
    n, count = len(rows), stop - start
    C = np.full((n, count), np.nan, B.dtype, order="F")
    work = np.full(max(len(T) * count, n), np.nan, B.dtype)
    rz.py_rz_columns(B, T, rows, C, start, work)
    return C


def check_bases(R, U, row_space, null_space):
    """R = L V1^H with L = J U^H J, [V1 V2] unitary: so R V2 = 0, and V1 spans the row space."""
    r = len(U)
    ft.check_orthonormal(row_space)
    ft.check_orthonormal(null_space)
    ft.check_complementary(row_space, null_space)
    assert not np.any(np.tril(U, -1)), "U has nonzeros below its diagonal"
    limit = 20 * np.finfo(U.dtype).eps * np.linalg.norm(R, 2)
    L = U[::-1, ::-1].conj().T  # (r, r), lower triangular
    # The first r columns of diag(J, I) Z come in reverse: V1 = row_space J.
    assert np.linalg.norm(R[:r] - L @ row_space[:, ::-1].conj().T, 2) <= limit
    ft.check_annihilates(R[:r], null_space, tol=limit)


class TestEveryRank:
    @shapes
    def test_bases(self, dtype, normal, shape):
        m, n = shape
        R = np.triu(normal(dtype, 503, m, n))
        identity = np.arange(n, dtype=np.intc)
        for r in {1, 2, m // 2, m - 1, m} & set(range(1, n)) & set(range(1, m + 1)):
            for nb in blocks(r):
                U, B, T = factor(R, r, nb, dtype)
                check_bases(R[:r], U, columns(B, T, identity, 0, r), columns(B, T, identity, r, n))

    @pytest.mark.parametrize("exponent", [4, 12, 30])
    def test_ill_conditioned(self, dtype, normal, exponent):
        R = np.triu(normal(dtype, 509, 12, 20))
        R *= np.logspace(0, -exponent, 12)[:, None]
        U, B, T = factor(R, 12, 5, dtype)
        identity = np.arange(20, dtype=np.intc)
        check_bases(R, U, columns(B, T, identity, 0, 12), columns(B, T, identity, 12, 20))

    def test_of_a_diagonal(self, dtype):
        """Nothing to eliminate, also where the triangle is singular."""
        R = np.diag([3.0, 0, 2]).astype(dtype) @ np.eye(3, 5, dtype=dtype)
        U, B, T = factor(R, 3, 2, dtype)
        identity = np.arange(5, dtype=np.intc)
        check_bases(R, U, columns(B, T, identity, 0, 3), columns(B, T, identity, 3, 5))


class TestColumns:
    def test_rows_are_permuted(self, dtype, normal):
        A = np.triu(normal(dtype, 521, 6, 11))
        p = np.random.default_rng(523).permutation(11).astype(np.intc)
        _, B, T = factor(A, 6, 4, dtype)
        N = columns(B, T, p, 6, 11)
        back = np.empty_like(A)
        back[:, p] = A  # A = back[:, p], so N annihilates `back`
        ft.check_annihilates(back, N)
        assert np.array_equal(N[p], columns(B, T, np.arange(11, dtype=np.intc), 6, 11))

    def test_any_range(self, dtype, normal):
        _, B, T = factor(np.triu(normal(dtype, 541, 5, 9)), 5, 2, dtype)
        identity = np.arange(9, dtype=np.intc)
        whole = columns(B, T, identity, 0, 9)
        ft.check_orthonormal(whole)
        limit = 20 * np.finfo(dtype).eps
        for start in range(9):
            for stop in range(start + 1, 10):
                part = columns(B, T, identity, start, stop)
                assert np.linalg.norm(part - whole[:, start:stop], 2) <= limit


class TestRefusals:
    def test_shapes(self):
        R, U, B, T = (np.ones(s, order="F") for s in ((4, 7), (4, 4), (3, 4), (2, 4)))
        with pytest.raises(ValueError, match="workspace nb"):
            rz.py_rz(R, U, B, T, np.zeros(7))
        for wrong in (B[:2].copy(order="F"), B[:, :3]):
            with pytest.raises(ValueError, match="B must be"):
                rz.py_rz(R, U, wrong, T, np.zeros(8))
        rows, C = np.arange(7, dtype=np.intc), np.zeros((7, 3), order="F")
        for arguments in (
            (rows[:6], C, np.zeros(7)),
            (rows, C[:6].copy(order="F"), np.zeros(7)),
            (rows, C, np.zeros(6)),
        ):
            rows_, C_, work = arguments
            with pytest.raises(ValueError, match="r \\+ p rows"):
                rz.py_rz_columns(B, T, rows_, C_, 4, work)


class TestComplement:
    @shapes
    def test_equals_the_columns(self, dtype, normal, shape):
        r, n = shape
        R = np.triu(normal(dtype, 641, r, n))
        R[r // 2, r // 2 :] = 0  # a reflector that is the identity
        rows = np.random.default_rng(643).permutation(n).astype(np.intc)
        for nb in blocks(r):
            _, B, T = factor(R, r, nb, dtype)
            wanted = columns(B, T, rows, r, n)
            C, full = (np.full(s, np.nan, dtype, order="F") for s in ((n, n - r), (r, r)))
            assert rz.py_rz_complement(B, T, rows, C, full, np.full(n, np.nan, dtype)) == 0
            assert np.isnan(full[np.tril_indices(r, -1)]).all()
            np.testing.assert_allclose(C, wanted, atol=30 * np.finfo(dtype).eps)
            ft.check_orthonormal(C)


class TestBelow:
    """U^T, and B where there is room, below the diagonal of R: the same to the last bit."""

    @shapes
    @pytest.mark.parametrize("rows", ["r", "n", "more"])
    def test_is_the_same(self, dtype, normal, shape, rows):
        r, n = shape
        R = np.triu(normal(dtype, 647, r, n))
        for nb in blocks(r):
            U, B, T = factor(R, r, nb, dtype)
            stored = np.full(({"r": r, "n": n, "more": n + 3}[rows], n), np.nan, dtype, order="F")
            stored[:r][np.triu_indices(r, 0, n)] = R[np.triu_indices(r, 0, n)]
            B2 = np.empty_like(B) if rows == "r" else stored[r:n, :r]
            T2, diagonal = np.empty_like(T), np.full(r, np.nan, dtype)
            rz.py_rz_below(stored, diagonal, B2, T2, np.full(nb * r, np.nan, dtype))
            np.testing.assert_array_equal(np.triu(stored[:r]), R)
            np.testing.assert_array_equal(np.tril(stored[:r, :r], -1), np.triu(U, 1).T)
            np.testing.assert_array_equal(diagonal, np.diagonal(U))
            np.testing.assert_array_equal(B2, B)
            used = np.triu(np.ones((nb, r), bool), 0) if r <= nb else ~np.isnan(T)
            np.testing.assert_array_equal(T2[used & ~np.isnan(T)], T[used & ~np.isnan(T)])
            identity = np.arange(n, dtype=np.intc)
            np.testing.assert_array_equal(
                columns(B2, T2, identity, 0, n), columns(B, T, identity, 0, n)
            )

    def test_refusals(self):
        R, B, T, work = (np.ones(s, order="F") for s in ((4, 7), (3, 4), (2, 4), 8))
        with pytest.raises(ValueError, match="B must be"):
            rz.py_rz_below(R, np.ones(3), B, T, work)
        with pytest.raises(ValueError, match="B must be"):
            rz.py_rz_below(R[:3].copy(order="F"), np.ones(4), B, T, work)
        with pytest.raises(ValueError, match="columns must be contiguous"):
            rz.py_rz_below(R, np.ones(4), np.ascontiguousarray(B), T, work)


class TestApply:
    @shapes
    def test_adjoint_is_the_inverse(self, dtype, normal, shape):
        r, n = shape
        R = np.triu(normal(dtype, 653, r, n))
        C = normal(dtype, 659, n, 3)
        for nb in blocks(r):
            _, B, T = factor(R, r, nb, dtype)
            Z = columns(B, T, np.arange(n, dtype=np.intc), 0, n)
            Z[:r] = Z[:r][::-1].copy()
            for adjoint, wanted in ((False, Z @ C), (True, Z.conj().T @ C)):
                D = C.copy(order="F")
                rz.py_rz_apply(B, T, D, np.full(3 * nb, np.nan, dtype), adjoint)
                np.testing.assert_allclose(D, wanted, atol=30 * n * np.finfo(dtype).eps)

    def test_refusals(self):
        B, T = np.ones((3, 4), order="F"), np.ones((2, 4), order="F")
        for C, work in ((np.ones((6, 2), order="F"), 4), (np.ones((7, 2), order="F"), 3)):
            with pytest.raises(ValueError, match="r \\+ p rows"):
                rz.py_rz_apply(B, T, C, np.ones(work))
