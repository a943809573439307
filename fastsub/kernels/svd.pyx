"""Singular values, and the singular vectors of one side that are asked for.

LAPACK's gesdd or gesvd in their parts: bidiagonalisation, divide and conquer or QR iteration, and
the way back, which is walked only by the vectors that the caller wants: a null space of dimension 2
costs two columns instead of two square matrices (2 n^3 flops saved on each side).

References
----------
Demmel & Kahan, Accurate singular values of bidiagonal matrices, SIAM J. Sci. Stat. Comput. 11
    (1990).
Gu & Eisenstat, A divide-and-conquer algorithm for the bidiagonal SVD, SIAM J. Matrix Anal. Appl. 16
    (1995).
"""

from libc.stdlib cimport malloc
from libc.string cimport memset

from fastsub.kernels.blas cimport (
    bdsdc, bdsqr, blas_int, complex64, complex128, gebrd, ormbr, real, scalar,
)

cdef enum:
    # Entries up to which reflectors are applied one by one: blocks of them need a triangle times a
    # matrix, for which a BLAS wakes its threads however small these are, 1 ms where two of ours do.
    UNBLOCKED = 8192


cdef bint allocate(Bidiagonal* B, Py_ssize_t m, Py_ssize_t n, bint vectors,
                   const scalar* like) noexcept nogil:
    """Room for A (m, n), which the caller fills, and all else; free(B.memory); False: none left"""
    cdef Py_ssize_t k = min(m, n), size = sizeof(scalar), real_size = size
    if scalar is complex64 or scalar is complex128:
        real_size = size // 2
    cdef Py_ssize_t square = k * k if vectors else 0
    # gebrd in blocks of 32, ormbr in blocks of 64 with its triangle; bdsdc works in between.
    B.lwork = 64 * (m + n) + 65 * 64
    cdef Py_ssize_t work = max(B.lwork * size, (3 * square + 8 * k) * real_size)
    B.m, B.n = m, n
    B.memory = malloc((m * n + 2 * k) * size + (2 * k + 2 * square) * real_size + work
                      + 8 * k * sizeof(blas_int))
    if B.memory == NULL:
        return False
    B.A = B.memory
    B.tauq = <char*>B.A + m * n * size
    B.taup = <char*>B.tauq + k * size
    B.work = <char*>B.taup + k * size
    B.sigma = <char*>B.work + work
    B.U = <char*>B.sigma + 2 * k * real_size
    B.VT = <char*>B.U + square * real_size
    return True


cdef blas_int bidiagonal_values(Bidiagonal* B, bint vectors, bint iterate,
                                real* d) noexcept nogil:
    cdef blas_int k = <blas_int>min(B.m, B.n), i
    cdef char uplo = c'U' if B.m >= B.n else c'L'
    cdef Py_ssize_t square = k * <Py_ssize_t>k if vectors else 0
    cdef real* U = <real*>B.U
    cdef real* VT = <real*>B.VT
    cdef blas_int* iwork = <blas_int*>(VT + square)
    if not iterate:
        return bdsdc(uplo, c'I' if vectors else c'N', k, d, d + k, U, k, VT, k, <real*>B.work,
                     iwork)
    memset(U, 0, square * sizeof(real))
    memset(VT, 0, square * sizeof(real))
    for i in range(k if vectors else 0):
        U[i * (k + 1)] = VT[i * (k + 1)] = 1
    return bdsqr(uplo, k, k if vectors else 0, k if vectors else 0, d, d + k, VT, k, U, k,
                 <real*>B.work)


cdef blas_int values(Bidiagonal* B, bint vectors, bint iterate, const scalar* like) noexcept nogil:
    """Reduce A and find sigma (and U, VT of the bidiagonal); info > 0: no convergence

    By divide and conquer, as gesdd does, or iteration, as gesvd does.
    """
    cdef blas_int m = <blas_int>B.m, n = <blas_int>B.n, k = min(m, n), info
    cdef Py_ssize_t real_size = sizeof(scalar)
    if scalar is complex64 or scalar is complex128:
        real_size //= 2
    info = gebrd(m, n, <scalar*>B.A, m, B.sigma, <char*>B.sigma + k * real_size,
                 <scalar*>B.tauq, <scalar*>B.taup, <scalar*>B.work, <blas_int>B.lwork)
    if info != 0:
        return info
    if scalar is float or scalar is complex64:
        return bidiagonal_values(B, vectors, iterate, <float*>B.sigma)
    else:
        return bidiagonal_values(B, vectors, iterate, <double*>B.sigma)


cdef double sigma(const Bidiagonal* B, Py_ssize_t i, const scalar* like) noexcept nogil:
    if scalar is float or scalar is complex64:
        return (<const float*>B.sigma)[i]
    else:
        return (<const double*>B.sigma)[i]


cdef blas_int vectors(Bidiagonal* B, bint right, Py_ssize_t start, Py_ssize_t count,
                      scalar* out) noexcept nogil:
    """out (n or m, count) := right or left singular vectors start, start+1, ..., column-major"""
    cdef Py_ssize_t k = min(B.m, B.n), rows = B.n if right else B.m, i, j
    cdef Py_ssize_t lwork = B.lwork if rows * count > UNBLOCKED else count
    cdef scalar one = 1
    for i in range(rows * count):
        out[i] = 0
    for j in range(start, start + count):
        if j >= k:
            out[j + (j - start) * rows] = one
            continue
        for i in range(k):
            if scalar is float or scalar is complex64:
                out[i + (j - start) * rows] = ((<float*>B.VT)[j + i * k] if right
                                               else (<float*>B.U)[i + j * k])
            else:
                out[i + (j - start) * rows] = ((<double*>B.VT)[j + i * k] if right
                                               else (<double*>B.U)[i + j * k])
    if count == 0:
        return 0
    return ormbr(c'P' if right else c'Q', c'L', c'N', <blas_int>rows, <blas_int>count,
                 <blas_int>(B.m if right else B.n), <scalar*>B.A, <blas_int>B.m,
                 <scalar*>(B.taup if right else B.tauq), out, <blas_int>rows, <scalar*>B.work,
                 <blas_int>lwork)
