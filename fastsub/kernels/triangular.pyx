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
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 3.5.
"""

from libc.math cimport INFINITY, sqrt

from fastsub.kernels.blas cimport blas_int, gemm, gemv, scal, scalar, trmm, trmv, trsv, trtri
from fastsub.kernels.scalars cimport abs2, conj, eps, sumsq


cdef void row_sumsq(blas_int k, blas_int n, const scalar* R, blas_int ldr,
                    double* out) noexcept nogil:
    """out[i] := ||R[i, i:]||_2^2, i < k"""
    cdef Py_ssize_t i, j, ld = ldr
    for i in range(k):
        out[i] = 0
    for j in range(n):
        for i in range(min(j + 1, <Py_ssize_t>k)):
            out[i] += abs2(R[i + j * ld])


cdef double sigma_max_lower(char uplo, blas_int k, blas_int n, scalar* R, blas_int ldr, int steps,
                            scalar* work) noexcept nogil:
    """A lower bound of sigma_1(R): ||R^H y|| / ||y|| after `steps` steps of the power method

    R is the upper trapezoid (k, n) of its array, or (uplo L) the lower triangle (k, k), n = k.
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
        trmv(uplo, c'C', c'N', k, R, ldr, x, 1)
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
        trmv(uplo, c'N', c'N', k, R, ldr, y, 1)
        if n > k:
            gemv(c'N', k, n - k, one, R + k * ld, ldr, x + k, 1, one, y, 1)
        norm = sqrt(sumsq(k, y))
        best = max(best, norm)
    return best


cdef double sigma_min_upper(char uplo, blas_int k, scalar* R, blas_int ldr, int steps,
                            scalar* work) noexcept nogil:
    """An estimate of sigma_min of a triangle from above by inverse iteration; 0 if singular

    work (k). It proves nothing, and it costs O(k^2): a look before an inverse that would prove as
    little.
    """
    cdef Py_ssize_t i, ld = ldr
    cdef double norm, best = INFINITY
    cdef int _step
    for i in range(k):
        if R[i + i * ld] == 0:
            return 0
        work[i] = 1
    for _step in range(steps):
        norm = sqrt(sumsq(k, work))
        if not 0 < norm < INFINITY:
            break
        scal(k, <scalar>(1 / norm), work, 1)
        trsv(uplo, c'C', c'N', k, R, ldr, work, 1)
        norm = sqrt(sumsq(k, work))
        if not 0 < norm < INFINITY:
            break
        best = min(best, 1 / norm)
        scal(k, <scalar>(1 / norm), work, 1)
        trsv(uplo, c'N', c'N', k, R, ldr, work, 1)
        norm = sqrt(sumsq(k, work))
        if 0 < norm < INFINITY:
            best = min(best, 1 / norm)
    return best


cdef double gram_norm(char uplo, blas_int m, blas_int n, scalar* R, blas_int ldr, blas_int nb,
                      scalar* work) noexcept nogil:
    """An upper bound of ||G||_F, G the Gram matrix of a triangle or (uplo G) of a general (m, n)

    Its root is the Schatten 4-norm (sum sigma_i^4)^(1/4): between sigma_1 and the geometric mean of
    sigma_1 and ||R||_F, where the Frobenius norm itself may be sqrt(n) too large. G is made
    nb columns at a time, work (max(m, n) * nb); n^3/3 flops for a triangle.

    |fl(G) - G| <= gamma_m |R|^H |R| (Higham 2002, section 3.5; a complex product counts for 4),
    whose Frobenius norm is at most gamma_m ||R||_F^2.
    """
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t i, j, b, ld = ldr, order = n
    cdef blas_int width, rows
    cdef double total = 0, squares = 0
    if uplo == c'G':
        order = min(m, n)
    for b in range((order + nb - 1) // nb):
        j = b * nb
        width = <blas_int>min(<Py_ssize_t>nb, order - j)
        rows = <blas_int>(j + width)
        # work (rows, width) := G[:rows, j:rows]
        if uplo == c'G' and n <= m:
            gemm(c'C', c'N', rows, width, m, one, R, ldr, R + j * ld, ldr, zero, work, rows)
        elif uplo == c'G':
            gemm(c'N', c'C', rows, width, n, one, R, ldr, R + j, ldr, zero, work, rows)
        elif uplo == c'U':
            for j in range(width):
                for i in range(rows):
                    work[i + j * rows] = R[i + (rows - width + j) * ld] if (
                        i <= rows - width + j) else zero
            trmm(c'L', c'U', c'C', c'N', rows, width, one, R, ldr, work, rows)
        else:
            for i in range(rows):
                for j in range(width):
                    work[i + j * rows] = conj(R[rows - width + j + i * ld]) if (
                        i <= rows - width + j) else zero
            trmm(c'L', c'L', c'N', c'N', rows, width, one, R, ldr, work, rows)
        for j in range(width):
            total += 2 * sumsq(rows - width, work + j * rows)
            total += sumsq(width, work + j * rows + rows - width)
            squares += sqrt(abs2(work[j * rows + rows - width + j]))
    return sqrt(total) + 2 * (max(m, n) + 2) * eps(R) * squares


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


cdef blas_int inverse_lower(blas_int r, scalar* L, blas_int ldl,
                            double* frobenius) noexcept nogil:
    """The same of a lower triangle, in its place"""
    cdef Py_ssize_t j, ld = ldl
    cdef double total = 0
    cdef blas_int info = trtri(c'L', c'N', r, L, ldl)
    if info == 0:
        for j in range(r):
            total += sumsq(r - j, L + j + j * ld)
    frobenius[0] = sqrt(total) if info == 0 and total == total else INFINITY
    return info


cdef blas_int inverse_below(blas_int r, scalar* R, blas_int ldr, scalar* diagonal,
                            double* frobenius) noexcept nogil:
    """The same without memory: the transpose of R^-1 into the lower triangle of R's own array

    The diagonal of R goes to `diagonal` (r); whoever needs R again puts it back.
    """
    cdef Py_ssize_t i, j, i0, j0, ld = ldr
    for j0 in range(0, r, 32):
        for i0 in range(0, j0 + 1, 32):
            for j in range(j0, min(j0 + 32, <Py_ssize_t>r)):
                for i in range(i0, min(i0 + 32, j)):
                    R[j + i * ld] = R[i + j * ld]
    for j in range(r):
        diagonal[j] = R[j + j * ld]
    return inverse_lower(r, R, ldr, frobenius)


# ---- Python shims ----

def py_row_sumsq(const scalar[::1, :] R, Py_ssize_t k, double[::1] out):
    """out[i] := ||R[i, i:]||^2 for the k rows of the upper trapezoid of R."""
    if R.shape[1] and k:
        with nogil:
            row_sumsq(<blas_int>k, <blas_int>R.shape[1], &R[0, 0], <blas_int>R.shape[0], &out[0])


def py_sigma_max_lower(scalar[::1, :] R, Py_ssize_t k, scalar[::1] work, int steps=5,
                       bint lower=False):
    """Return a lower bound of the norm of the k x n upper trapezoid of R; work (k + n).

    lower=True: of the k x k lower triangle.
    """
    cdef double bound
    cdef blas_int n = <blas_int>(k if lower else R.shape[1])
    with nogil:
        bound = sigma_max_lower(c'L' if lower else c'U', <blas_int>k, n, &R[0, 0],
                                <blas_int>R.shape[0], steps, &work[0])
    return bound


def py_sigma_min_upper(scalar[::1, :] R, scalar[::1] work, int steps=2, bint lower=False):
    """Estimate the smallest singular value of the leading triangle of R from above.

    Its order is the length of work; lower=True: of the lower triangle.
    """
    cdef double estimate
    with nogil:
        estimate = sigma_min_upper(c'L' if lower else c'U', <blas_int>work.shape[0], &R[0, 0],
                                   <blas_int>R.shape[0], steps, &work[0])
    return estimate


def py_gram_norm(scalar[::1, :] R, Py_ssize_t k, scalar[::1] work, bint lower=False):
    """Return an upper bound of ||R1 R1^H||_F for the k x n upper trapezoid R1 of R.

    lower=True: of the k x k lower triangle. work must hold a multiple of max(k, n) elements.
    """
    cdef blas_int n = <blas_int>R.shape[1], order = <blas_int>k, ld = <blas_int>R.shape[0]
    cdef blas_int nb = <blas_int>(work.shape[0] // max(R.shape[1], k, 1))
    cdef double bound
    if nb < 1:
        raise ValueError("workspace too small")
    with nogil:
        bound = gram_norm(c'L' if lower else c'U', order, order, &R[0, 0], ld, nb, &work[0])
        if n > order and not lower:
            # ||G1 + G2||_F <= ||G1||_F + ||G2||_F
            bound += gram_norm(c'G', order, n - order, &R[0, order], ld, nb, &work[0])
    return bound


def py_inverse(const scalar[::1, :] R, scalar[::1, :] X):
    """X := inverse of the leading triangle of R, as large as X; return ||X||_F, inf if singular."""
    cdef double frobenius
    with nogil:
        inverse(<blas_int>X.shape[0], &R[0, 0], <blas_int>R.shape[0], &X[0, 0], &frobenius)
    return frobenius


def py_inverse_below(scalar[::1, :] R, scalar[::1] diagonal):
    """Put the inverse's transpose below the diagonal, and on it; return ||X||_F, inf if singular.

    The order is the length of `diagonal`, which takes the diagonal of R.
    """
    cdef double frobenius
    with nogil:
        inverse_below(<blas_int>diagonal.shape[0], &R[0, 0], <blas_int>R.shape[0], &diagonal[0],
                      &frobenius)
    return frobenius


def py_inverse_lower(scalar[::1, :] L, Py_ssize_t r):
    """Invert the leading lower triangle of order r in place; return its norm, inf if singular."""
    cdef double frobenius
    with nogil:
        inverse_lower(<blas_int>r, &L[0, 0], <blas_int>L.shape[0], &frobenius)
    return frobenius
