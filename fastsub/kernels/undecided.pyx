"""Small matrices that bounds leave open: their singular values decide.

By LAPACK's divide and conquer, or QR iteration (svd.pyx), on a scaled copy of A itself, as SciPy
does: then even a tie is broken alike in most cases.

References
----------
Gu & Eisenstat, A divide-and-conquer algorithm for the bidiagonal SVD, SIAM J. Matrix Anal. Appl. 16
    (1995).
"""

from libc.math cimport INFINITY, frexp, ldexp, sqrt
from libc.stdlib cimport free

from fastsub.kernels.blas cimport blas_int, complex64, complex128, scalar
from fastsub.kernels.layout cimport copy
from fastsub.kernels.small cimport Small, report
from fastsub.kernels.svd cimport Bidiagonal, allocate, sigma, values, vectors


cdef blas_int decide(Small* S, bint want_basis, Py_ssize_t rank, Bidiagonal* B,
                     const scalar* like) noexcept nogil:
    cdef Py_ssize_t i, k = min(S.m, S.n), m = S.m, n = S.n, rs = S.rs, cs = S.cs
    cdef blas_int info
    cdef double largest, tol, total = 0, margin, low
    if S.flipped:
        m, n, rs, cs = n, m, cs, rs
    largest = S.K.magnitude(n, m, S.A, cs, rs)
    S.exponent = 0
    if largest > 0:
        frexp(largest, &S.exponent)
        if -S.K.safe < S.exponent < S.K.safe:
            S.exponent = 0
        S.exponent = max(S.K.lowest, min(-S.K.lowest, S.exponent))
    if not allocate(B, m, n, want_basis, like):
        return NO_MEMORY
    copy(<const scalar*>S.A, m, n, rs, cs, ldexp(1.0, -S.exponent), False, <scalar*>B.A, m)
    info = values(B, want_basis, S.iterate, like)
    if info != 0:
        free(B.memory)
        return info
    if rank >= 0:
        return 0
    for i in range(k):
        total += sigma(B, i, like) * sigma(B, i, like)
    margin = (sqrt(<double>max(m, n)) * S.K.spread + 1) * S.K.eps * sqrt(total)
    tol = ldexp(S.tol, -S.exponent) + S.rtol * sigma(B, 0, like)
    rank = 0
    while rank < k and sigma(B, rank, like) > tol:
        rank += 1
    low = max(0.0, sigma(B, rank - 1, like) - margin) if rank else INFINITY
    report(S, rank, tol, low, sigma(B, rank, like) + margin if rank < k else 0.0)
    return 0


cdef blas_int by_svd(Small* S, bint want_basis, Py_ssize_t rank, Bidiagonal* B) noexcept nogil:
    """Decide by singular values, or keep a rank >= 0 that bounds proved; info, or NO_MEMORY

    With info 0 the caller owns free(B.memory).
    """
    if S.K.parts == 1:
        if S.K.size == sizeof(double):
            return decide[double](S, want_basis, rank, B, NULL)
        return decide[float](S, want_basis, rank, B, NULL)
    if S.K.size == sizeof(complex128):
        return decide[complex128](S, want_basis, rank, B, NULL)
    return decide[complex64](S, want_basis, rank, B, NULL)


cdef blas_int svd_columns(const Small* S, Bidiagonal* B, Py_ssize_t start, Py_ssize_t count,
                          char* out) noexcept nogil:
    """out (S.m, count) := singular vectors start, start+1, ..., column-major"""
    if S.K.parts == 1:
        if S.K.size == sizeof(double):
            return vectors(B, S.flipped, start, count, <double*>out)
        return vectors(B, S.flipped, start, count, <float*>out)
    if S.K.size == sizeof(complex128):
        return vectors(B, S.flipped, start, count, <complex128*>out)
    return vectors(B, S.flipped, start, count, <complex64*>out)
