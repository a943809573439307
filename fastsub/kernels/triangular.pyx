"""Norms of a triangular factor and of its inverse: what the certificate is made of.

    R (k, n), k <= n, upper trapezoidal in the upper part of an array that holds something else
    (Householder vectors) below its diagonal:

        r r r r r
        v r r r r
        v v r r r

References
----------
Du Croz & Higham, Stability of methods for matrix inversion, IMA J. Numer. Anal. 12 (1992).
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 2.3.
"""

from libc.math cimport INFINITY, sqrt

from fastsub.kernels.blas cimport blas_int, gemv, scal, scalar, trmv, trtri
from fastsub.kernels.scalars cimport abs2, sumsq


cdef void row_sumsq(blas_int k, blas_int n, const scalar* R, blas_int ldr,
                    double* out) noexcept nogil:
    """out[i] := ||R[i, i:]||_2^2, i < k"""
    cdef Py_ssize_t i, j, ld = ldr
    for i in range(k):
        out[i] = 0
    for j in range(n):
        for i in range(min(j + 1, <Py_ssize_t>k)):
            out[i] += abs2(R[i + j * ld])


cdef double sigma_max_lower(blas_int k, blas_int n, scalar* R, blas_int ldr, int steps,
                            scalar* work) noexcept nogil:
    """A lower bound of sigma_1(R): ||R^H y|| / ||y|| after `steps` steps of the power method

    The start is a fixed pseudo-random y; work (k + n). Every quotient is a lower bound
    (Rayleigh-Ritz), so luck can make it loose and never wrong.
    """
    cdef scalar one = 1, zero = 0
    cdef scalar* y = work           # (k)
    cdef scalar* x = work + k       # (n)
    cdef unsigned long long state = 20260412
    cdef double norm, best = 0
    cdef Py_ssize_t i, ld = ldr
    cdef int _step
    for i in range(k):
        state = state * 6364136223846793005ULL + 1442695040888963407ULL
        y[i] = <scalar>(0.5 + <double>(state >> 40) / <double>(1 << 24))
        if (state >> 33) & 1:
            y[i] = -y[i]
    norm = sqrt(sumsq(k, y))
    for _step in range(steps):
        if norm == 0 or norm != norm:
            break
        scal(k, <scalar>(1 / norm), y, 1)
        # x := R^H y
        for i in range(k):
            x[i] = y[i]
        trmv(c'U', c'C', c'N', k, R, ldr, x, 1)
        if n > k:
            gemv(c'C', k, n - k, one, R + k * ld, ldr, y, 1, zero, x + k, 1)
        norm = sqrt(sumsq(n, x))
        best = max(best, norm)
        if norm == 0:
            break
        scal(n, <scalar>(1 / norm), x, 1)
        # y := R x
        for i in range(k):
            y[i] = x[i]
        trmv(c'U', c'N', c'N', k, R, ldr, y, 1)
        if n > k:
            gemv(c'N', k, n - k, one, R + k * ld, ldr, x + k, 1, one, y, 1)
        norm = sqrt(sumsq(k, y))
        best = max(best, norm)
    return best


cdef blas_int inverse(blas_int r, const scalar* R, blas_int ldr, scalar* X,
                      double* frobenius) noexcept nogil:
    """X (r, r) := R^-1 with zeros below the diagonal, frobenius := ||X||_F; info as trtri's

    The left residual is small, |X R - I| <= gamma_r |X| |R| (Du Croz & Higham 1992, section 2), so
    R^-1 = X + F R^-1 with ||F||_2 <= d f, f = ||X||_F, d = gamma_r ||R||_F. Hence ||R^-1||_2 <=
    f / (1 - d f): that is, sigma_min(R) >= 1/f - d. The caller subtracts d.
    """
    cdef Py_ssize_t i, j, ld = ldr
    cdef blas_int info
    cdef double total = 0
    for j in range(r):
        for i in range(j + 1):
            X[i + j * r] = R[i + j * ld]
        for i in range(j + 1, r):
            X[i + j * r] = 0
    info = trtri(c'U', c'N', r, X, max(1, r))
    if info == 0:
        for j in range(r):
            total += sumsq(j + 1, X + j * r)
    # NaN: the inverse overflowed.
    frobenius[0] = sqrt(total) if info == 0 and total == total else INFINITY
    return info


# ---- Python shims ----

def py_row_sumsq(const scalar[::1, :] R, Py_ssize_t k, double[::1] out):
    """out[i] := ||R[i, i:]||^2 for the k rows of the upper trapezoid of R."""
    if R.shape[1] and k:
        row_sumsq(<blas_int>k, <blas_int>R.shape[1], &R[0, 0], <blas_int>R.shape[0], &out[0])


def py_sigma_max_lower(scalar[::1, :] R, Py_ssize_t k, scalar[::1] work, int steps=5):
    """Return a lower bound of the norm of the k x n upper trapezoid of R; work (k + n)."""
    cdef double bound
    with nogil:
        bound = sigma_max_lower(<blas_int>k, <blas_int>R.shape[1], &R[0, 0],
                                <blas_int>R.shape[0], steps, &work[0])
    return bound


def py_inverse(const scalar[::1, :] R, scalar[::1, :] X):
    """X := inverse of the leading triangle of R, as large as X; return ||X||_F, inf if singular."""
    cdef double frobenius
    with nogil:
        inverse(<blas_int>X.shape[0], &R[0, 0], <blas_int>R.shape[0], &X[0, 0], &frobenius)
    return frobenius
