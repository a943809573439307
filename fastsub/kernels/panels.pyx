"""Products of a tall matrix of any layout with a small one, panel by panel: A is read once.

    A (m, n), entry (i, j) at A[i*row + j*col], in panels of some thousand rows

    times           ||A N||_F^2 by columns, N (n, k): the product itself is never kept
    precondition    Q := A P1 X, X (r, r) upper triangular, and G := Q^H Q while the panel is warm

A panel whose rows or columns are contiguous goes to gemm where it lies; any other is copied first.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 1.2.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 4.3.
"""

from cpython.exc cimport PyErr_CheckSignals

from fastsub.kernels.blas cimport blas_int, gemm, herk, scalar, trmm
from fastsub.kernels.layout cimport copy
from fastsub.kernels.scalars cimport conj, sumsq, whole_strides

cdef enum:
    LARGEST = 1 << 30       # of a leading dimension that is surely a LAPACK integer


cdef inline Py_ssize_t panel_rows(Py_ssize_t k, const scalar* _) noexcept nogil:
    """Rows of a panel: a product of a megabyte, at least 512."""
    return max(512, (1 << 20) // (max(1, k) * <Py_ssize_t>sizeof(scalar)))


cdef inline Py_ssize_t tall_panel_rows(Py_ssize_t r, const scalar* _) noexcept nogil:
    """Rows of a panel of Q: whole products of `summands`."""
    cdef Py_ssize_t few = summands(r)
    return max(1, panel_rows(r, _) // few) * few


cdef char order(Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col) noexcept nogil:
    """How gemm can read A (m, n): as it is (N), as its transpose (T), or not where it lies (0)."""
    if row == 1 and max(1, m) <= col <= LARGEST:
        return c'N'
    if col == 1 and max(1, n) <= row <= LARGEST:
        return c'T'
    return 0


cdef void times(const scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                scalar* N, blas_int k, scalar* C, scalar* copied) noexcept nogil:
    """C (m, k) := A N; copied (m, n), where gemm cannot read A as it lies"""
    cdef scalar one = 1, zero = 0
    cdef char trans = order(m, n, row, col)
    cdef blas_int lda = <blas_int>(col if trans == c'N' else row)
    cdef scalar* a = <scalar*>A     # gemm reads it; its C signature knows no const
    if trans == 0:
        copy(A, m, n, row, col, 1.0, False, copied, m)
        trans, lda, a = c'N', <blas_int>m, copied
    gemm(trans, c'N', <blas_int>m, k, <blas_int>n, one, a, lda, N, <blas_int>n, zero, C,
         <blas_int>m)


cdef inline void add(Py_ssize_t count, const scalar* x, scalar* total,
                     scalar* lost) noexcept nogil:
    """total += x, with what rounding loses kept for the next time (Kahan)."""
    cdef Py_ssize_t i
    cdef scalar y, z
    for i in range(count):
        y = x[i] - lost[i]
        z = total[i] + y
        lost[i] = (z - total[i]) - y
        total[i] = z


cdef void gather(const scalar* A, Py_ssize_t m, Py_ssize_t row, Py_ssize_t col, const int* p,
                 Py_ssize_t r, scalar* Q, Py_ssize_t ld, bint by_rows) noexcept nogil:
    """Q (m, r) := A[:, p[:r]], column-major or by_rows"""
    cdef Py_ssize_t i, j, b
    cdef const scalar* a
    cdef scalar* q
    if by_rows:
        for i in range(m):
            a, q = A + i * row, Q + i * ld
            for j in range(r):
                q[j] = a[p[j] * col]
        return
    # Strips of 32 rows: both sides stay in the cache, whichever is contiguous.
    for b in range((m + 31) // 32):
        for j in range(r):
            a = A + p[j] * col
            for i in range(32 * b, min(32 * b + 32, m)):
                Q[i + j * ld] = a[i * row]


cdef inline Py_ssize_t summands(Py_ssize_t r) noexcept nogil:
    """Rows of a product, which is a sum of so many."""
    return 128 if r <= 64 else 256 if r <= 256 else 1024


cdef void precondition(const scalar* A, Py_ssize_t m, Py_ssize_t row, Py_ssize_t col,
                       const int* p, blas_int r, scalar* X, scalar* Q, blas_int ldq,
                       bint by_rows, Py_ssize_t most, Py_ssize_t* held, scalar* G,
                       scalar* work) noexcept nogil:
    """Q (m, r) := A[:, p[:r]] X, G (r, r) += Q^H Q in its upper triangle; m a panel

    Q column-major; or by_rows, and then G is conjugate.
    work (2 r^2): the sum of `held` products, `most` of them at the most, and what the sum of sums
    lost. With `most` the square root of all the products the error of G, and with it that of
    orthogonality, hardly grows with the rows of A.
    """
    cdef scalar one = 1
    cdef Py_ssize_t b, rows, square = <Py_ssize_t>r * r, few = summands(r)
    cdef double sofar
    gather(A, m, row, col, p, r, Q, ldq, by_rows)
    if by_rows:
        trmm(c'L', c'U', c'T', c'N', r, <blas_int>m, one, X, r, Q, ldq)
    else:
        trmm(c'R', c'U', c'N', c'N', <blas_int>m, r, one, X, r, Q, ldq)
    for b in range((m + few - 1) // few):
        rows = min(few, m - b * few)
        sofar = 1 if held[0] else 0
        if by_rows:
            herk(c'U', c'N', r, <blas_int>rows, 1.0, Q + b * few * ldq, ldq, sofar, work, r)
        else:
            herk(c'U', c'C', r, <blas_int>rows, 1.0, Q + b * few, ldq, sofar, work, r)
        held[0] += 1
        if held[0] == most:
            add(square, work, G, work + square)
            held[0] = 0


# ---- Python shims ----

def py_panel_rows(const scalar[:, :] A, Py_ssize_t k):
    """Rows of a panel of py_precondition, of k columns."""
    return min(tall_panel_rows(k, <const scalar*>NULL), A.shape[0])


def py_work_size(const scalar[:, :] A, Py_ssize_t k):
    """Entries of the workspace of py_product_sumsq: a panel of the product, and one of A."""
    cdef Py_ssize_t rows = min(panel_rows(k, <const scalar*>NULL), A.shape[0])
    cdef Py_ssize_t size = sizeof(scalar)
    cdef char trans = order(A.shape[0], A.shape[1], A.strides[0] // size, A.strides[1] // size)
    return rows * (k + (0 if trans else A.shape[1]))


def py_product_sumsq(const scalar[:, :] A, scalar[::1, :] N, double[::1] out, scalar[::1, :] G,
                     scalar[::1] work):
    """out := the squared norms of the columns of A N, G (k', k') := the Gram matrix of the first k'

    in its upper triangle; k' may be 0.
    """
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], n = A.shape[1], k = N.shape[1]
    cdef Py_ssize_t rows = panel_rows(k, <const scalar*>NULL), b, j, count
    cdef Py_ssize_t first = G.shape[0]
    cdef scalar* C
    if G.shape[1] != first or first > k:
        raise ValueError("G must be square, and no larger than N is wide")
    if N.shape[0] != n or out.shape[0] != k or not whole_strides(A):
        raise ValueError("N must be n x k and out k, and strides whole elements")
    if work.shape[0] < py_work_size(A, k):
        raise ValueError("work is too small")
    out[:] = 0
    G[:, :] = 0
    if m == 0 or n == 0 or k == 0:
        return
    C = &work[0]
    for b in range((m + rows - 1) // rows):
        count = min(rows, m - b * rows)
        with nogil:
            times(&A[b * rows, 0], count, n, A.strides[0] // size, A.strides[1] // size,
                  &N[0, 0], <blas_int>k, C, C + count * k)
            for j in range(k):
                out[j] += sumsq(count, C + j * count)
            if first:
                herk(c'U', c'C', <blas_int>first, <blas_int>count, 1.0, C, <blas_int>count, 1.0,
                     &G[0, 0], <blas_int>first)
        PyErr_CheckSignals()


def py_precondition(const scalar[:, :] A, int[::1] p, scalar[::1, :] X, scalar[:, :] Q,
                    scalar[::1, :] G, scalar[::1] work):
    """Q := A[:, p[:r]] X, X (r, r) upper triangular; G := the upper triangle of Q^H Q.

    Q has contiguous columns or rows. Where G alone is wanted, it may have the rows of one panel: it
    holds one after the other. work must hold 2 r^2 entries.
    """
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], r = X.shape[0], i, j
    cdef Py_ssize_t rows = min(tall_panel_rows(r, <const scalar*>NULL), m), b, count
    cdef Py_ssize_t down = Q.strides[0] // size, across = Q.strides[1] // size
    cdef Py_ssize_t most = 1, held = 0
    cdef char trans = order(Q.shape[0], r, down, across)
    cdef bint keep = Q.shape[0] == m, by_rows = trans == c'T'
    if Q.shape[1] != r or X.shape[1] != r or p.shape[0] < r:
        raise ValueError("X must be r x r, Q as wide and p at least r")
    if not keep and Q.shape[0] != rows:
        raise ValueError("Q must have the rows of A, or those of a panel")
    if G.shape[0] != r or G.shape[1] != r or not whole_strides(A):
        raise ValueError("G must be r x r, and strides whole elements")
    if work.shape[0] < 2 * r * r:
        raise ValueError("work is too small")
    G[:, :] = 0
    work[:] = 0
    if m == 0 or r == 0:
        return
    if trans == 0:
        raise ValueError("Q must have contiguous columns or rows")
    while most * most * summands(r) < m:
        most += 1
    for b in range((m + rows - 1) // rows):
        count = min(rows, m - b * rows)
        with nogil:
            precondition(&A[b * rows, 0], count, A.strides[0] // size, A.strides[1] // size,
                         &p[0], <blas_int>r, &X[0, 0], &Q[b * rows if keep else 0, 0],
                         <blas_int>(down if by_rows else across), by_rows, most, &held, &G[0, 0],
                         &work[0])
        PyErr_CheckSignals()
    if held:
        add(r * r, &work[0], &G[0, 0], &work[r * r])
    if by_rows:
        for j in range(r):
            for i in range(j):
                G[i, j] = conj(G[i, j])
