"""Every BLAS wrapper against NumPy: dtype × trans, side, uplo, diag × order × shape × scalars.

What a routine must not read holds NaN: the other triangle, a unit diagonal, C where beta = 0.
"""

from itertools import product

import numpy as np
import pytest
import reference

from fastsub import testing as ft
from fastsub.kernels import blas

OP = {"N": lambda A: A, "T": lambda A: A.T, "C": lambda A: A.conj().T}
SIZES = [1, 2, 5, 37]
SHAPES = [(1, 1, 1), (1, 5, 3), (7, 1, 2), (19, 40, 33)]

orders = pytest.mark.parametrize("order", ["F", "C"])


def letters(*sets):
    return pytest.mark.parametrize("letters", ["".join(choice) for choice in product(*sets)])


def check_close(got, wanted, magnitude, length):
    """|got - wanted| <= 4 (length + 2) u magnitude, entry by entry (Higham 2002, section 3.5)."""
    limit = 4 * (length + 2) * np.finfo(got.dtype).eps * magnitude
    excess = np.max(np.abs(got - wanted) - limit, initial=0)
    assert excess <= 0, f"got an entry {excess:.2e} beyond the bound of its rounding errors"


def wide(A):
    return A.astype(np.result_type(A, np.float64))


def mul(A, B):
    """A B without a BLAS: NumPy's has a thread pool of its own, and two pools fight."""
    return np.einsum("ij,j...->i...", A, B)


def scalars(dtype):
    """(alpha, beta), first the defaults."""
    i = 1j if dtype.kind == "c" else 0
    return [(1, 0), (0, 1), (-2, 1), (0.5 - 2 * i, 3 + i)]


def triangle(A, uplo, diag):
    """Store the triangle of A with NaN all around it; return that and the explicit matrix."""
    n = len(A)
    A = A / n + 2 * np.eye(n, dtype=A.dtype)
    keep = np.triu if uplo == "U" else np.tril
    inside = keep(np.ones((n, n), bool), (1 if uplo == "U" else -1) * (diag == "U"))
    explicit = np.where(inside, A, 0) + (np.eye(n) if diag == "U" else 0)
    return np.asfortranarray(np.where(inside, A, np.nan).astype(A.dtype)), wide(explicit)


class TestVectors:
    @pytest.mark.parametrize("n", SIZES)
    def test_swap_and_scal(self, dtype, normal, n):
        x, y = normal(dtype, 101, n), normal(dtype, 103, n)
        got = x.copy(), y.copy()
        blas.py_swap(*got)
        assert np.array_equal(got, (y, x))
        for alpha, _ in scalars(dtype):
            got = x.copy()
            blas.py_scal(got, alpha)
            check_close(got, alpha * wide(x), abs(alpha * wide(x)), 1)


class TestMatrixVector:
    @orders
    @pytest.mark.parametrize("trans", "NTC")
    def test_gemv(self, dtype, normal, order, trans):
        for m, n in product(SIZES, SIZES):
            A = normal(dtype, 109, m, n, order=order)
            x = normal(dtype, 113, OP[trans](A).shape[1])
            y = normal(dtype, 127, OP[trans](A).shape[0])
            opA = OP[trans](wide(A))
            for alpha, beta in scalars(dtype):
                got = y.copy() if beta else np.full_like(y, np.nan)
                blas.py_gemv(trans, A, x, got, alpha, beta)
                wanted = alpha * mul(opA, wide(x)) + beta * wide(y)
                check_close(got, wanted, abs(alpha) * mul(abs(opA), abs(x)) + abs(beta * y), len(x))

    @orders
    @letters("UL", "NTC", "NU")
    def test_trmv(self, dtype, normal, order, letters):
        uplo, trans, diag = letters
        for n in SIZES:
            A, explicit = triangle(normal(dtype, 131, n, n, order=order), uplo, diag)
            x = normal(dtype, 137, n)
            opA = OP[trans](explicit)
            got = x.copy()
            blas.py_trmv(uplo, trans, diag, A, got)
            check_close(got, mul(opA, wide(x)), mul(abs(opA), abs(x)), n)

    @orders
    @letters("UL", "NTC", "NU")
    def test_trsv(self, dtype, normal, order, letters):
        uplo, trans, diag = letters
        for n in SIZES:
            A, explicit = triangle(normal(dtype, 131, n, n, order=order), uplo, diag)
            x = normal(dtype, 137, n)
            opA = OP[trans](explicit)
            got = x.copy()
            blas.py_trsv(uplo, trans, diag, A, got)
            bound = mul(abs(opA), abs(wide(got)))
            check_close(mul(opA, wide(got)).astype(dtype), wide(x), bound, n)


class TestMatrixMatrix:
    @orders
    @letters("NTC", "NTC")
    def test_gemm(self, dtype, normal, order, letters):
        transa, transb = letters
        for m, n, k in SHAPES:
            A = normal(dtype, 139, *((m, k) if transa == "N" else (k, m)), order=order)
            B = normal(dtype, 149, *((k, n) if transb == "N" else (n, k)), order=order)
            C = normal(dtype, 151, m, n, order=order)
            opA, opB = OP[transa](wide(A)), OP[transb](wide(B))
            for alpha, beta in scalars(dtype):
                got = C.copy(order="F") if beta else np.full_like(C, np.nan)
                blas.py_gemm(transa, transb, A, B, got, alpha, beta)
                wanted = alpha * mul(opA, opB) + beta * wide(C)
                check_close(got, wanted, abs(alpha) * mul(abs(opA), abs(opB)) + abs(beta * C), k)

    def test_gemm_with_nothing_to_sum(self, dtype):
        empty = np.zeros((2, 0), dtype, order="F")
        blas.py_gemm("N", "N", empty, np.zeros((0, 0), dtype, order="F"), empty)
        for start, beta, wanted in ((np.nan, 0, 0), (1, 1, 1), (1, 2, 2)):
            C = np.full((2, 2), start, dtype, order="F")
            blas.py_gemm("N", "N", empty, empty.T, C, 1, beta)
            assert np.array_equal(C, np.full((2, 2), wanted))

    @orders
    @letters("LR", "UL", "NTC", "NU")
    def test_trmm_and_trsm(self, dtype, normal, order, letters):
        side, uplo, trans, diag = letters
        for m, n, _ in SHAPES:
            order_of_A = m if side == "L" else n
            A = normal(dtype, 157, order_of_A, order_of_A, order=order)
            A, explicit = triangle(A, uplo, diag)
            opA = OP[trans](explicit)
            B = normal(dtype, 163, m, n, order=order)

            def times(X, opA=opA, side=side):
                return mul(opA, X) if side == "L" else mul(X, opA)

            for alpha, _ in scalars(dtype)[::3]:
                got = B.copy(order="F")
                blas.py_trmm(side, uplo, trans, diag, A, got, alpha)
                magnitude = abs(alpha) * times(abs(B), abs(opA))
                check_close(got, alpha * times(wide(B)), magnitude, order_of_A)
                X = B.copy(order="F")
                blas.py_trsm(side, uplo, trans, diag, A, X, alpha)
                # Small residual: the solution solves a system close by.
                residual = times(wide(X)) - alpha * wide(B)
                magnitude = times(abs(X), abs(opA)) + abs(alpha * B)
                check_close(residual.astype(dtype), 0, magnitude, order_of_A)

    @pytest.mark.parametrize("n", [0, 3])
    def test_trsm_of_nothing(self, dtype, n):
        B = np.zeros((n, 3 - n), dtype, order="F")
        A = np.eye(n, dtype=dtype, order="F")
        assert blas.py_trsm("L", "U", "N", "N", A, B) is None
        assert np.array_equal(A, np.eye(n))

    @orders
    @letters("UL", "NC")
    def test_herk(self, dtype, normal, order, letters):
        uplo, trans = letters
        for n, _, k in SHAPES:
            A = normal(dtype, 167, *((n, k) if trans == "N" else (k, n)), order=order)
            opA = OP[trans](wide(A))
            C = normal(dtype, 173, n, n, order=order)
            C = np.asfortranarray(C + C.conj().T)
            inside = (np.triu if uplo == "U" else np.tril)(np.ones((n, n), bool))
            for alpha, beta in [(1, 0), (-2.5, 1), (0, 3)]:
                got = np.asfortranarray(np.where(inside & (beta != 0), C, np.nan).astype(dtype))
                blas.py_herk(uplo, trans, A, got, alpha, beta)
                gram = mul(opA, opA.conj().T)
                wanted = (alpha * gram + beta * wide(C))[inside]
                magnitude = abs(alpha) * mul(abs(opA), abs(opA.T)) + abs(beta * C)
                check_close(got[inside], wanted, magnitude[inside], k)
                assert np.all(np.isnan(got[~inside])), "the other triangle was written"
                assert not np.any(np.imag(np.diagonal(got)))


class TestTriangularFactors:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (7, 4), (4, 7), (40, 33)])
    def test_getrf(self, dtype, normal, shape):
        A, k = normal(dtype, 233, *shape), min(shape)
        LU, exchanges = A.copy(order="F"), np.zeros(k, np.intc)
        assert blas.py_getrf(LU, exchanges) == 0
        rows = np.arange(shape[0])
        for i, other in enumerate(exchanges - 1):  # counted from 1
            rows[[i, other]] = rows[[other, i]]
        L, U = np.tril(wide(LU[:, :k]), -1) + np.eye(shape[0], k), np.triu(wide(LU[:k]))
        check_close(mul(L, U).astype(dtype), A[rows], mul(abs(L), abs(U)), k)
        assert abs(LU[:, :k][np.tril_indices(shape[0], -1, k)]).max(initial=0) <= np.sqrt(2) + 1e-3
        assert blas.py_getrf(np.zeros_like(A), exchanges) == 1

    @pytest.mark.parametrize("uplo", "UL")
    def test_potrf(self, dtype, normal, uplo):
        for n in SIZES:
            A = normal(dtype, 191, 2 * n, n)
            A = mul(wide(A).conj().T, wide(A)).astype(dtype)
            keep = np.triu if uplo == "U" else np.tril
            inside = keep(np.ones((n, n), bool))
            F = np.asfortranarray(np.where(inside, A, np.nan).astype(dtype))
            assert blas.py_potrf(uplo, F) == 0
            assert np.all(np.isnan(F[~inside])), "the other triangle was written"
            R = keep(wide(F)) if uplo == "U" else keep(wide(F)).conj().T
            check_close(mul(R.conj().T, R).astype(dtype), A, mul(abs(R.T), abs(R)), n)

    @pytest.mark.parametrize("uplo", "UL")
    def test_potrf_names_the_minor_that_is_not_positive(self, dtype, uplo):
        for n, j in [(1, 0), (5, 0), (5, 2), (5, 4), (130, 77)]:
            A = np.asfortranarray(np.diag(np.r_[np.ones(j), -np.ones(n - j)]).astype(dtype))
            assert blas.py_potrf(uplo, A) == j + 1

    @letters("UL", "NU")
    def test_trtri(self, dtype, normal, letters):
        uplo, diag = letters
        for n in SIZES:
            A, explicit = triangle(normal(dtype, 193, n, n), uplo, diag)
            X = A.copy(order="F")
            assert blas.py_trtri(uplo, diag, X) == 0
            inside = ~np.isnan(A)
            assert np.array_equal(np.isnan(X), ~inside)
            X = np.where(inside, wide(X), 0) + (np.eye(n) if diag == "U" else 0)
            residual = mul(explicit, X) - np.eye(n)
            check_close(residual.astype(dtype), 0, mul(abs(explicit), abs(X)), n)

    @pytest.mark.parametrize("uplo", "UL")
    def test_trtri_names_the_first_zero(self, dtype, normal, uplo):
        for n, j in [(1, 0), (5, 0), (5, 2), (5, 4), (130, 77)]:
            A, _ = triangle(normal(dtype, 197, n, n), uplo, "N")
            A[j, j] = A[-1, -1] = 0
            before = A.copy()
            assert blas.py_trtri(uplo, "N", A) == j + 1
            np.testing.assert_array_equal(A, before)


class TestReflectors:
    @pytest.mark.parametrize("n", SIZES)
    def test_larfg(self, dtype, normal, n):
        x = normal(dtype, 199, n)
        for scale in (1, np.r_[1, np.zeros(n - 1)], np.r_[0, np.ones(n - 1)], 0):
            before = (x * scale).astype(dtype)
            got, tau = before.copy(), np.full(1, np.nan, dtype)
            blas.py_larfg(got, tau)
            v, expected_tau, beta = reference.householder(wide(before))
            limit = 10 * np.finfo(dtype).eps
            assert np.imag(got[0]) == 0
            np.testing.assert_allclose(got[0], beta, rtol=limit)
            np.testing.assert_allclose(got[1:], v[1:], rtol=limit, atol=limit)
            np.testing.assert_allclose(tau[0], expected_tau, rtol=limit, atol=limit)

    def test_larft(self, dtype):
        for m, k in [(1, 1), (5, 1), (5, 3), (6, 6), (70, 33)]:
            V, tau = reference.pivoted_qr(ft.random_rank(m, k, k, 211, dtype))[2:]
            tau[k // 2] = 0
            V, tau = np.asfortranarray(V.astype(dtype)), tau.astype(dtype)
            T = np.full((k, k), np.nan, dtype, order="F")
            blas.py_larft(V, tau, T)
            error = np.linalg.norm(np.triu(T) - reference.compact_wy(wide(V), wide(tau)))
            assert error <= 20 * np.finfo(dtype).eps * np.linalg.norm(tau)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (7, 5), (5, 7), (40, 35)])
    def test_geqrt(self, dtype, normal, explicit_q, shape):
        m, n = shape
        k = min(shape)
        A = normal(dtype, 223, m, n)
        for nb in {1, 2, 3, k} & set(range(1, k + 1)):
            W, T = A.copy(order="F"), np.full((nb, k), np.nan, dtype, order="F")
            assert blas.py_geqrt(W, T, np.empty(nb * n, dtype)) == 0
            tau = T[np.arange(k) % nb, np.arange(k)]
            ft.check_rrqr(A, (explicit_q(W, tau)[:, :k], np.triu(W[:k]), np.arange(n)))
            V = np.tril(wide(W[:, :k]), -1) + np.eye(m, k)
            for j in range(0, k, nb):
                block = slice(j, min(j + nb, k))
                wanted = reference.compact_wy(V[:, block], wide(tau[block]))
                error = np.linalg.norm(np.triu(T[: wanted.shape[0], block]) - wanted)
                assert error <= 20 * np.finfo(dtype).eps * np.linalg.norm(tau[block])


class TestRefusals:
    def test_layout_and_dtype(self, dtype, normal):
        A = normal(dtype, 179, 3, 2)
        C = np.zeros((2, 2), dtype, order="F")
        with pytest.raises(ValueError, match="contiguous"):
            blas.py_gemm("T", "N", np.ascontiguousarray(A), A, C)
        other = normal("float64" if dtype == "float32" else "float32", 181, 3, 2)
        with pytest.raises(ValueError, match="dtype"):
            blas.py_gemm("T", "N", A, other, C)
        with pytest.raises(TypeError, match="signature"):
            blas.py_gemm("T", "N", np.ones((3, 2), int, order="F"), A, C)
        A.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            blas.py_scal(A[:, 0], 2)
