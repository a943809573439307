"""Reduced echelon form modulo an odd prime, row by row in one call: for small matrices.

    A (m, n) by rows  ->  R (m, n) by rows, pivots, and the order of the rows

Gauss-Jordan elimination in the residues of `residues`: balanced doubles for p < 2^26, where sums of
four products and more are exact and wait to be reduced, integers in 0..p-1 for all others.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 14.4.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastsub.kernels.residues cimport inverse, residue

cdef extern from "residues.h":
    uint64_t fastsub_shoup(uint64_t f, uint64_t p) noexcept nogil
    uint64_t fastsub_mulmod(uint64_t x, uint64_t f, uint64_t g, uint64_t p) noexcept nogil
    void fastsub_scale(Py_ssize_t n, double f, const double* x, double* y, double p,
                       double inv) noexcept nogil
    void fastsub_reduce(Py_ssize_t n, double* x, double p, double inv) noexcept nogil
    void fastsub_reduce_column(Py_ssize_t m, double* x, Py_ssize_t lda, double p,
                               double inv) noexcept nogil
    void fastsub_clear_column(Py_ssize_t m, Py_ssize_t n, Py_ssize_t j, const double* y, double* A,
                              Py_ssize_t lda) noexcept nogil
    void fastsub_clear_column_wide(Py_ssize_t m, Py_ssize_t n, Py_ssize_t j, const int64_t* y,
                                   int64_t* A, Py_ssize_t lda, int64_t p) noexcept nogil
    int fastsub_all_below(Py_ssize_t n, const int64_t* x, int64_t p) noexcept nogil
    void fastsub_from_int(Py_ssize_t n, const int64_t* x, double* y, double p) noexcept nogil
    void fastsub_to_int(Py_ssize_t n, const double* x, int64_t* y, int64_t p) noexcept nogil

cdef enum:
    LINE = 8  # rows of doubles are padded by zeros to a multiple of it
    DOUBLE_BITS = 26

cdef double TWO54 = 18014398509481984.0


cdef void encode(Py_ssize_t n, const char* x, Py_ssize_t stride, int64_t p,
                 residue* w) noexcept nogil:
    """w (n) := residues of the integers x, `stride` bytes apart"""
    cdef Py_ssize_t j
    cdef int64_t r, half = p >> 1
    cdef bint reduced = stride == sizeof(int64_t) and fastsub_all_below(n, <const int64_t*>x, p)
    if residue is double and reduced:
        fastsub_from_int(n, <const int64_t*>x, w, <double>p)
        return
    for j in range(n):
        r = (<const int64_t*>(x + j * stride))[0]
        if not reduced:
            r %= p  # with the sign of x, as C divides
            r += p if r < 0 else 0
        if residue is double:
            w[j] = <double>(r - p if r > half else r)
        else:
            w[j] = r


cdef Py_ssize_t clear_column(Py_ssize_t m, Py_ssize_t n, Py_ssize_t j, const residue* y,
                             residue* A, Py_ssize_t lda, int64_t p,
                             Py_ssize_t pending) noexcept nogil:
    """Rows of A (m, n) but y itself := row - A[i, j] y, where y[j] = 1 and column j is reduced

    To the other columns `pending` products have been added since they were reduced; return how
    many it are now.
    """
    if residue is double:
        # Products of two residues are below p^2 / 4: so many of them and one more stay exact.
        if pending + 1 > <Py_ssize_t>(TWO54 / (<double>p * <double>p)):
            fastsub_reduce(m * lda, A, <double>p, 1.0 / <double>p)
            pending = 0
        fastsub_clear_column(m, n, j, y, A, lda)
        return pending + 1
    else:
        fastsub_clear_column_wide(m, n, j, y, A, lda, p)
        return 0


cdef void reduce_column(Py_ssize_t m, residue* x, Py_ssize_t lda, int64_t p) noexcept nogil:
    """Every lda-th of m numbers x := x mod p"""
    if residue is double:
        fastsub_reduce_column(m, x, lda, <double>p, 1.0 / <double>p)


cdef Py_ssize_t jordan(Py_ssize_t m, Py_ssize_t n, residue* A, Py_ssize_t lda, int64_t p,
                       Py_ssize_t* cols, Py_ssize_t* rows) noexcept nogil:
    """A (m, n) := its reduced echelon form; return the rank

    cols (rank) are the pivots; rows (m), a permutation, is permuted as the rows of A are.
    """
    cdef Py_ssize_t i, j, c, r = 0, pending = 0
    cdef int64_t f
    cdef uint64_t g
    cdef residue* y
    for j in range(n):
        if r == m:
            break
        reduce_column(m, A + j, lda, p)
        i = r
        while i < m and A[i * lda + j] == 0:
            i += 1
        if i == m:
            continue
        y = A + r * lda
        if i != r:
            for c in range(j, n):
                y[c], A[i * lda + c] = A[i * lda + c], y[c]
            rows[r], rows[i] = rows[i], rows[r]
        f = inverse(<int64_t>y[j], p)
        if residue is double:
            f -= p if f > p // 2 else 0
            fastsub_reduce(lda, y, <double>p, 1.0 / <double>p)
            fastsub_scale(lda, <double>f, y, y, <double>p, 1.0 / <double>p)
        else:
            g = fastsub_shoup(<uint64_t>f, <uint64_t>p)
            for c in range(j, n):
                y[c] = <int64_t>fastsub_mulmod(<uint64_t>y[c], <uint64_t>f, g, <uint64_t>p)
        pending = clear_column(m, lda, j, y, A, lda, p, pending)
        cols[r] = j
        r += 1
    reduce_column(m * lda, A, 1, p)
    return r


cdef bint vanishes(Py_ssize_t m, Py_ssize_t r, const residue* R, Py_ssize_t lda, int64_t p,
                   const Py_ssize_t* cols, residue* A) noexcept nogil:
    """Whether all rows of A (m, .), destroyed, are sums of the rows of R (r, .) with pivots cols"""
    cdef Py_ssize_t k, pending = 0
    for k in range(r):
        reduce_column(m, A + cols[k], lda, p)
        pending = clear_column(m, lda, cols[k], R + k * lda, A, lda, p, pending)
    reduce_column(m * lda, A, 1, p)
    for k in range(m * lda):
        if A[k] != 0:
            return False
    return True


# ---- Python shims ----

cdef Py_ssize_t padded(Py_ssize_t n) noexcept nogil:
    return (n + LINE - 1) // LINE * LINE


cdef double* encoded(const int64_t[:, :] A, int64_t p) except NULL:
    """Return the residues of A in new memory, doubles or integers, its rows padded by zeros."""
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], lda = padded(n), i
    cdef double* W = <double*>calloc(max(m * lda, 1), sizeof(double))
    if W == NULL:
        raise MemoryError()
    for i in range(m if n else 0):
        if p >> DOUBLE_BITS == 0:
            encode[double](n, <const char*>&A[i, 0], A.strides[1], p, W + i * lda)
        else:
            encode[int64_t](n, <const char*>&A[i, 0], A.strides[1], p, <int64_t*>W + i * lda)
    return W


def py_jordan(const int64_t[:, :] A, int64_t p, int64_t[:, ::1] R, Py_ssize_t[::1] cols,
              Py_ssize_t[::1] rows):
    """R := the reduced echelon form of any integers A modulo an odd prime; return its rank.

    cols (min(m, n)) takes the pivots; rows (m), a permutation, is permuted as the rows of A are.
    """
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], lda = padded(n), i, r
    cdef double* W
    if R.shape[0] != m or R.shape[1] != n or cols.shape[0] < min(m, n) or rows.shape[0] < m:
        raise ValueError("R must have the shape of A, cols min(m, n) and rows m entries")
    if m == 0 or n == 0:
        return 0
    W = encoded(A, p)
    with nogil:
        if p >> DOUBLE_BITS == 0:
            r = jordan(m, n, W, lda, p, &cols[0], &rows[0])
            for i in range(m):
                fastsub_to_int(n, W + i * lda, &R[i, 0], p)
        else:
            r = jordan(m, n, <int64_t*>W, lda, p, &cols[0], &rows[0])
            for i in range(m):
                memcpy(&R[i, 0], <int64_t*>W + i * lda, n * sizeof(int64_t))
    free(W)
    return r


def py_spans(const int64_t[:, ::1] R, const Py_ssize_t[::1] cols, int64_t p,
             const int64_t[:, :] A):
    """Return whether all rows of A are sums of the first rows of R, whose pivots are cols."""
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], r = cols.shape[0], k
    cdef bint found
    cdef double* X
    cdef double* W
    if R.shape[0] < r or R.shape[1] != n:
        raise ValueError("R must have the columns of A and a row for each pivot")
    for k in range(r):
        if not 0 <= cols[k] < n:
            raise ValueError("cols must be columns of R")
    X = encoded(R[:r], p)
    try:
        W = encoded(A, p)
    except MemoryError:
        free(X)
        raise
    with nogil:
        if p >> DOUBLE_BITS == 0:
            found = vanishes(m, r, X, padded(n), p, &cols[0] if r else NULL, W)
        else:
            found = vanishes(m, r, <int64_t*>X, padded(n), p, &cols[0] if r else NULL,
                             <int64_t*>W)
    free(X)
    free(W)
    return found
