"""Compact WY: factor, apply, columns of Q, all against the explicit product of reflectors."""

import numpy as np
import pytest
import reference

from fastsub import testing as ft
from fastsub.kernels import householder

SHAPES = [(1, 1), (1, 5), (5, 1), (7, 4), (4, 7), (6, 6), (45, 33)]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))


def blocks(k):
    """Block sizes from 1 to more than k."""
    return sorted({1, 2, 3, k - 1, k, k + 2} - {-1, 0})


def eps(A):
    return float(np.finfo(A.dtype).eps)


def factor(A, nb):
    r"""V\R and T (nb, k) of A; what is not part of them holds NaN."""
    m, n = A.shape
    W, T = np.array(A, order="F"), np.full((nb, min(m, n)), np.nan, A.dtype, order="F")
    householder.py_qr(W, T, workspace(m, n, nb, A.dtype))
    return W, T


def workspace(m, n, nb, dtype):
    return np.full(householder.py_work_size(m, n, nb), np.nan, dtype)


def scalars(T):
    """tau, the diagonals of the block triangles."""
    index = np.arange(T.shape[1])
    return T[index % T.shape[0], index]


def check_blocks(W, T):
    """Each block of T is the triangle of its reflectors: H_1 H_2 ... = I - V T V^H."""
    nb, k = T.shape
    wide = np.result_type(W, np.longdouble)
    V, tau = np.tril(W[:, :k], -1).astype(wide) + np.eye(len(W), k), scalars(T)
    for j in range(0, k, nb):
        block = slice(j, min(j + nb, k))
        wanted = reference.compact_wy(V[:, block], tau[block].astype(wide))
        error = np.abs(np.triu(T[: len(wanted), block]) - wanted).max()
        assert error <= 20 * eps(W) * max(1, np.abs(wanted).max())


def check_qr(A, W, T, explicit_q):
    """A = Q R; return Q, (m, m)."""
    k = min(A.shape)
    Q = explicit_q(W, scalars(T))
    ft.check_orthonormal(Q)
    ft.check_rrqr(A, (Q[:, :k], np.triu(W[:k]), np.arange(A.shape[1])))
    return Q


def check_equal(got, wanted):
    """The same product of the same reflectors: ||got - wanted|| <= 20 u ||wanted||."""
    error, size = np.linalg.norm(got - wanted, 2), np.linalg.norm(wanted, 2)
    assert error <= 20 * eps(got) * size, (
        f"got {error:.2e}, want at most {20 * eps(got) * size:.2e}"
    )


def degenerate(dtype):
    """Matrices some of whose reflectors are the identity (tau = 0), and how many at least."""
    rng = np.random.default_rng(401)
    A = ft.random_rank(7, 5, 5, 409, dtype)
    triangle = np.triu(A)
    np.fill_diagonal(triangle, rng.standard_normal(5))
    gaps = A.copy()
    gaps[:, [1, 3]] = 0
    return {
        "zero": (np.zeros((7, 5), dtype), 5),
        "identity": (np.eye(7, 5, dtype=dtype), 5),
        "triangular": (triangle, 5),
        "triangular, wide": (triangle[:4], 4),
        "zero columns": (gaps, 2),
        "zero rows": (np.vstack([A[:2], np.zeros((3, 5), dtype)]), 3),
        "ends in one entry": (A[:1].real.astype(dtype), 1),
    }


class TestFactor:
    @shapes
    def test_qr(self, dtype, normal, explicit_q, shape):
        A = normal(dtype, 419, *shape)
        for nb in blocks(min(shape)):
            W, T = factor(A, nb)
            check_blocks(W, T)
            check_qr(A, W, T, explicit_q)

    @pytest.mark.parametrize("name", degenerate("float32"))
    def test_reflectors_that_are_the_identity(self, dtype, explicit_q, name):
        A, zeros = degenerate(dtype)[name]
        for nb in blocks(min(A.shape)):
            W, T = factor(A, nb)
            assert np.count_nonzero(scalars(T) == 0) >= zeros
            check_blocks(W, T)
            check_qr(A, W, T, explicit_q)

    def test_at_every_rank(self, dtype, explicit_q):
        for r in range(7):
            A = ft.random_rank(9, 6, r, 421 + r, dtype)
            check_qr(A, *factor(A, 4), explicit_q)

    @shapes
    def test_block_t(self, dtype, normal, shape):
        W, single = factor(normal(dtype, 431, *shape), 1)
        m, tau = shape[0], scalars(single).copy()
        tau[len(tau) // 2] = 0
        for k in {1, len(tau) // 2, len(tau)} - {0}:
            for nb in blocks(k):
                T = np.full((nb, k), np.nan, dtype, order="F")
                householder.py_block_t(W, tau, T, workspace(m, 0, nb, dtype))
                check_blocks(W, T)
                assert np.array_equal(scalars(T), tau[:k])
                for start in range(nb, k, nb):
                    half = T.copy(order="F")
                    half[:, start:] = np.nan
                    householder.py_block_t(W, tau, half, workspace(m, 0, nb, dtype), start)
                    np.testing.assert_array_equal(half, T)
        nothing = np.zeros((1, 0), dtype, order="F")
        householder.py_block_t(W, tau, nothing, workspace(m, 0, 1, dtype))

    def test_honours_an_interrupt(self, interrupt):
        A, T = np.ones((1500, 1500), order="F"), np.zeros((4, 1500), order="F")
        work = workspace(1500, 1500, 4, A.dtype)
        with pytest.raises(KeyboardInterrupt), interrupt(0.01):
            householder.py_qr(A, T, work)


class TestApply:
    @pytest.mark.parametrize("adjoint", [False, True])
    @shapes
    def test_product(self, dtype, normal, explicit_q, shape, adjoint):
        m = shape[0]
        for nb in blocks(min(shape)):
            W, T = factor(normal(dtype, 433, *shape), nb)
            Q = explicit_q(W, scalars(T))
            for count in (0, 1, 3, m):
                C = normal(dtype, 439, m, count)
                got = C.copy(order="F")
                householder.py_apply(W, T, got, workspace(m, count, nb, dtype), adjoint)
                if count:
                    check_equal(got, (Q.conj().T if adjoint else Q) @ C)

    @pytest.mark.parametrize("adjoint", [False, True])
    def test_to_columns_of_the_identity(self, dtype, normal, explicit_q, adjoint):
        for shape in SHAPES[:-1]:
            m = shape[0]
            for nb in blocks(min(shape)):
                W, T = factor(normal(dtype, 443, *shape), nb)
                Q = explicit_q(W, scalars(T))
                Q = Q.conj().T if adjoint else Q
                for start in range(m):
                    for stop in {start + 1, m}:
                        C = np.eye(m, dtype=dtype, order="F")[:, start:stop].copy(order="F")
                        work = workspace(m, stop - start, nb, dtype)
                        householder.py_apply(W, T, C, work, adjoint, start)
                        check_equal(C, Q[:, start:stop])

    def test_of_no_reflectors(self, dtype, normal):
        A, C = normal(dtype, 449, 5, 2), normal(dtype, 457, 5, 3)
        got = C.copy(order="F")
        householder.py_apply(A, A[:1, :0], got, workspace(5, 3, 1, dtype))
        assert np.array_equal(got, C)

    @pytest.mark.parametrize("name", degenerate("float32"))
    def test_reflectors_that_are_the_identity(self, dtype, name):
        A, _ = degenerate(dtype)[name]
        W, T = factor(A, 2)
        QR = np.array(np.triu(W), order="F")
        householder.py_apply(W, T, QR, workspace(*A.shape, 2, dtype))
        assert np.linalg.norm(QR - A, 2) <= 20 * eps(A) * np.linalg.norm(A, 2)


class TestComplement:
    @pytest.mark.parametrize("shape", [(2, 1), (7, 4), (9, 6), (45, 33), (60, 7)])
    def test_columns(self, dtype, normal, explicit_q, shape):
        for nb in blocks(shape[1]):
            W, T = factor(normal(dtype, 461, *shape), nb)
            self.check_columns(W, T, explicit_q)

    @pytest.mark.parametrize("name", degenerate("float32"))
    def test_reflectors_that_are_the_identity(self, dtype, explicit_q, name):
        A, _ = degenerate(dtype)[name]
        A = A[:, : max(1, len(A) - 2)]
        if len(A) > A.shape[1]:
            for nb in blocks(A.shape[1]):
                self.check_columns(*factor(A, nb), explicit_q)

    @staticmethod
    def check_columns(W, T, explicit_q):
        m, k = len(W), T.shape[1]
        Q = explicit_q(W, scalars(T))
        for start in {k, k + 1, m - 1} - {m}:
            for count in {1, m - start}:
                C = np.full((m, count), np.nan, W.dtype, order="F")
                full = np.full((k, k), np.nan, W.dtype, order="F")
                work = np.full(m * len(T), np.nan, W.dtype)
                assert householder.py_complement(W, T, full, C, start, work) == 0
                again, head = np.full_like(C, np.nan), W.copy(order="F")
                assert householder.py_complement(head, T, head[:k, :k], again, start, work) == 0
                np.testing.assert_array_equal(again, C)  # in the place of R
                ft.check_orthonormal(C)
                check_equal(C, Q[:, start : start + count])
                V = np.tril(W[:, :k], -1) + np.eye(m, k)
                wide = np.result_type(W, np.longdouble)
                wanted = reference.compact_wy(V.astype(wide), scalars(T).astype(wide))
                check_equal(np.triu(full), wanted.astype(W.dtype))


class TestRefusals:
    def test_small_workspaces(self):
        A, T = np.ones((5, 3), order="F"), np.ones((2, 3), order="F")
        work = np.zeros(householder.py_work_size(5, 3, 2))
        with pytest.raises(ValueError, match="too small"):
            householder.py_qr(A, T[:, :2], work)
        with pytest.raises(ValueError, match="too small"):
            householder.py_qr(A, T, work[1:])
        with pytest.raises(ValueError, match="rows of A"):
            householder.py_apply(A, T, np.ones((4, 3), order="F"), work)
        with pytest.raises(ValueError, match="rows of A"):
            householder.py_apply(A, T, A.copy(order="F"), work[1:])
        with pytest.raises(ValueError, match="multiple of the block"):
            householder.py_block_t(A, np.zeros(3), T, work, 1)
        for start, size in ((2, 10), (3, 9)):
            with pytest.raises(ValueError, match="at least k"):
                householder.py_complement(
                    A, T, np.eye(3, order="F"), A[:, :2].copy(order="F"), start, np.zeros(size)
                )
