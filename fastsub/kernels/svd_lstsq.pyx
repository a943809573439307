"""Least squares of a small matrix by its singular values.

Where bounds leave the rank open, or they are asked for:

    A = U diag(sigma) V^H,    x = V_r diag(sigma_r)^-1 U_r^H b                  of minimum norm

by the parts of an SVD in svd.pyx.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.5.3.
"""

from libc.math cimport ldexp
from libc.stdlib cimport free, malloc

from fastsub.kernels.blas cimport blas_int, complex64, complex128, gemm, scalar
from fastsub.kernels.layout cimport copy
from fastsub.kernels.scalars cimport abs2, scaled
from fastsub.kernels.small cimport Small
from fastsub.kernels.small_lstsq cimport Problem, unscale
from fastsub.kernels.svd cimport Bidiagonal, sigma, vectors
from fastsub.kernels.undecided cimport NO_MEMORY, by_svd


cdef blas_int project(Problem* P, Py_ssize_t r, Bidiagonal* B, scalar* V, scalar* C,
                      scalar* Y) noexcept nogil:
    """x and squares; V (m or n, r), C (m, k), Y (r, k)"""
    cdef blas_int m = <blas_int>P.m, n = <blas_int>P.n, k = <blas_int>P.k, info
    cdef blas_int rank = <blas_int>r
    cdef Py_ssize_t i, j
    cdef scalar one = 1, minus = -1, zero = 0
    copy(<const scalar*>P.b, P.m, P.k, P.rs, P.cs, ldexp(1.0, -P.exponent), False, C, P.m)
    info = vectors(B, False, 0, r, V)
    if info != 0:
        return info
    # Y = U_r^H C; what is left of C is the residual, where the rank is n.
    gemm(c'C', c'N', rank, k, m, one, V, m, C, m, zero, Y, max(rank, 1))
    gemm(c'N', c'N', m, k, rank, minus, V, m, Y, max(rank, 1), one, C, m)
    for j in range(k):
        P.squares[j] = 0
        for i in range(m):
            P.squares[j] += abs2(C[i + j * m])
        for i in range(r):
            Y[i + j * r] = scaled(Y[i + j * r], 1 / sigma(B, i, V))
    info = vectors(B, True, 0, r, V)
    gemm(c'N', c'N', n, k, rank, one, V, n, Y, max(rank, 1), zero, <scalar*>P.x, n)
    return info


cdef blas_int solve(Problem* P, Small* S, double* sigmas, const scalar* like) noexcept nogil:
    cdef Bidiagonal B
    cdef Py_ssize_t i, r
    cdef scalar* memory
    cdef blas_int info = by_svd(S, True, -1, &B)
    if info != 0:
        return info
    r = S.rank
    memory = <scalar*>malloc((max(P.m, P.n) * r + P.m * P.k + r * P.k) * sizeof(scalar))
    info = NO_MEMORY
    if memory != NULL:
        info = project(P, r, &B, memory, memory + max(P.m, P.n) * r,
                       memory + max(P.m, P.n) * r + P.m * P.k)
        unscale(P, S, P.exponent - S.exponent)
        for i in range(min(P.m, P.n) if sigmas != NULL else 0):
            sigmas[i] = ldexp(sigma(&B, i, like), S.exponent)
    free(memory)
    free(B.memory)
    return info


cdef blas_int solve_by_svd(Problem* P, Small* S, double* sigmas) noexcept nogil:
    """x := the solution, S what was decided, sigmas (min(m, n)), if any; info, or NO_MEMORY

    S is A or A^H, finite.
    """
    if S.K.parts == 1:
        if S.K.size == sizeof(double):
            return solve[double](P, S, sigmas, NULL)
        return solve[float](P, S, sigmas, NULL)
    if S.K.size == sizeof(complex128):
        return solve[complex128](P, S, sigmas, NULL)
    return solve[complex64](P, S, sigmas, NULL)
