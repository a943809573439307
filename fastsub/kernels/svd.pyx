"""Singular values, and the singular vectors of one side that are asked for.

LAPACK's gesdd or gesvd in their parts: bidiagonalisation, divide and conquer or QR iteration, and
the way back, which is walked only by the vectors that the caller wants: a null space of dimension 2
costs two columns instead of two square matrices (2 n^3 flops saved on each side).

A long matrix is made a triangle first, from 11/6 as long as wide, as in gesdd: fewer flops, and
reflectors as long as the matrix in one factorisation only, whose blocks keep their orthogonality.

References
----------
Chan, An improved algorithm for computing the singular value decomposition, ACM TOMS 8 (1982).
Demmel & Kahan, Accurate singular values of bidiagonal matrices, SIAM J. Sci. Stat. Comput. 11
    (1990).
Gu & Eisenstat, A divide-and-conquer algorithm for the bidiagonal SVD, SIAM J. Matrix Anal. Appl. 16
    (1995).
"""

from libc.stdlib cimport malloc
from libc.string cimport memset

from fastsub.kernels.blas cimport (
    bdsdc, bdsqr, blas_int, complex64, complex128, gebrd, gelqf, geqrf, ormbr, real, scalar,
)

cdef enum:
    # Entries up to which reflectors are applied one by one: blocks of them need a triangle times a
    # matrix, for which a BLAS wakes its threads however small these are, 1 ms where two of ours do.
    UNBLOCKED = 8192
    # Entries of the longer side up to which a triangle first saves nothing.
    SHORT = 96


cdef bint allocate(Bidiagonal* B, Py_ssize_t m, Py_ssize_t n, bint vectors,
                   const scalar* like) noexcept nogil:
    """Room for A (m, n), which the caller fills, and all else; free(B.memory); False: none left"""
    cdef Py_ssize_t k = min(m, n), size = sizeof(scalar), real_size = size
    if scalar is complex64 or scalar is complex128:
        real_size = size // 2
    cdef Py_ssize_t square = k * k if vectors else 0
    # gebrd in blocks of 32, ormbr in blocks of 64 with its triangle; bdsdc works in between.
    B.lwork = 64 * (m + n) + 65 * 64
    B.is_long = max(m, n) > SHORT and 6 * max(m, n) >= 11 * k
    cdef Py_ssize_t core = k * k + k if B.is_long else 0
    cdef Py_ssize_t work = max(B.lwork * size, (3 * square + 8 * k) * real_size)
    B.m, B.n = m, n
    B.memory = malloc((m * n + 2 * k + core) * size + (2 * k + 2 * square) * real_size + work
                      + 8 * k * sizeof(blas_int))
    if B.memory == NULL:
        return False
    B.A = B.memory
    B.tauq = <char*>B.A + m * n * size
    B.taup = <char*>B.tauq + k * size
    B.core = <char*>B.taup + k * size
    B.tau = <char*>B.core + (core - k) * size if B.is_long else B.core
    B.work = <char*>B.core + core * size
    if not B.is_long:
        B.core = B.A
    B.sigma = <char*>B.work + work
    B.U = <char*>B.sigma + 2 * k * real_size
    B.VT = <char*>B.U + square * real_size
    return True


cdef blas_int bidiagonal_values(Bidiagonal* B, bint vectors, bint iterate,
                                real* d) noexcept nogil:
    cdef blas_int k = <blas_int>min(B.m, B.n), i
    cdef char uplo = c'U' if B.is_long or B.m >= B.n else c'L'
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


cdef blas_int to_core(Bidiagonal* B, const scalar* like) noexcept nogil:
    """The triangle of a long A, zeros beside it"""
    cdef Py_ssize_t m = B.m, k = min(B.m, B.n), i, j
    cdef blas_int info
    cdef scalar* A = <scalar*>B.A
    cdef scalar* core = <scalar*>B.core
    cdef bint tall = B.m >= B.n
    if tall:
        info = geqrf(<blas_int>m, <blas_int>B.n, A, <blas_int>m, <scalar*>B.tau, <scalar*>B.work,
                     <blas_int>B.lwork)
    else:
        info = gelqf(<blas_int>m, <blas_int>B.n, A, <blas_int>m, <scalar*>B.tau, <scalar*>B.work,
                     <blas_int>B.lwork)
    for j in range(k):
        for i in range(k):
            core[i + j * k] = 0
        for i in range(0 if tall else j, j + 1 if tall else k):
            core[i + j * k] = A[i + j * m]
    return info


cdef blas_int values(Bidiagonal* B, bint vectors, bint iterate, const scalar* like) noexcept nogil:
    """Reduce A and find sigma (and U, VT of the bidiagonal); info > 0: no convergence

    By divide and conquer, as gesdd does, or iteration, as gesvd does.
    """
    cdef blas_int m = <blas_int>B.m, n = <blas_int>B.n, k = min(m, n), info
    cdef Py_ssize_t real_size = sizeof(scalar)
    if scalar is complex64 or scalar is complex128:
        real_size //= 2
    if B.is_long:
        info = to_core(B, like)
        if info != 0:
            return info
        m = n = k
    info = gebrd(m, n, <scalar*>B.core, m, B.sigma, <char*>B.sigma + k * real_size,
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
    cdef Py_ssize_t m = B.m, n = B.n, inner = count
    cdef blas_int info
    if B.is_long:
        m = n = k
        inner = max(0, min(count, k - start))
    if inner > 0:
        info = ormbr(c'P' if right else c'Q', c'L', c'N', <blas_int>(n if right else m),
                     <blas_int>inner, <blas_int>(m if right else n), <scalar*>B.core, <blas_int>m,
                     <scalar*>(B.taup if right else B.tauq), out, <blas_int>rows, <scalar*>B.work,
                     <blas_int>lwork)
        if info != 0:
            return info
    if rows == k or not B.is_long:
        return 0
    return ormbr(c'P' if right else c'Q', c'L', c'N', <blas_int>rows, <blas_int>count, <blas_int>k,
                 <scalar*>B.A, <blas_int>B.m, <scalar*>B.tau, out, <blas_int>rows, <scalar*>B.work,
                 <blas_int>lwork)
