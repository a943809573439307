"""Gaussian elimination with partial pivoting, pivots in the leftmost independent columns.

    P W = L U,    L (m, r) unit lower trapezoidal, U (r, n) in row echelon form

      p_1   p_2   p_3         n       Both in the place of W: no column of U reaches below its
     +-----+-----+-----------+        diagonal, so that column i of L, without its unit entry, fits
     | u u | u u | u u u u u |        below that of column i <= p_i of W. Where all columns are
     | l 0 | u u | u u u u u |        independent this is the LU factorisation of LAPACK.
     | l l | 0 0 | u u u u u |
   m | l l   l 0 | 0 0 0 0 0 |        By recursive halves of the columns: every update is a gemm.
     +-----+-----+-----------+

Column w_j depends on the pivot columns before it when what is left of it, s, is at most

    rtol * ||(||w_j||, x_1 ||w_p1||, ..., x_k ||w_pk||)||_2,    U11 x = u_j.

As w_j - (w_p1 ... w_pk) x is P^T (0; s), this is the case exactly when perturbing these columns,
each relative to its norm, by no more than rtol in the Frobenius norm makes them dependent with
these coefficients (Rigal & Gaches 1967). Without the x_i it would be the norm of w_j alone, and
nearly parallel pivot columns would amplify rounding until it passed for rank; they are looked at
where s is small.

References
----------
Jeannerod, Pernet & Storjohann, Rank-profile revealing Gaussian elimination and the CUP matrix
    decomposition, J. Symbolic Comput. 56 (2013).
Rigal & Gaches, On the compatibility of a given solution with the data of a linear system,
    J. ACM 14 (1967).
Toledo, Locality of reference in LU decomposition with partial pivoting, SIAM J. Matrix Anal.
    Appl. 18 (1997).
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, gemm, scalar, trsm
from fastsub.kernels.scalars cimport abs2
from fastsub.kernels.vectors cimport axpy, long_sumsq

cdef enum:
    # Columns that are eliminated one by one.
    LEAF = 16
    # Columns after which a KeyboardInterrupt is honoured.
    SLAB = 1024

# What is left of a column, relative to its norm, from which its coefficients are not looked at:
# there they amplify rounding a hundred times at most.
cdef double DOUBTFUL = 1e-2


cdef void exchange_rows(blas_int n, blas_int first, blas_int last, const blas_int* rows,
                        scalar* W, Py_ssize_t ldw) noexcept nogil:
    """Exchange row i with row rows[i] of W (., n), for i = first, ..., last - 1"""
    cdef Py_ssize_t i, j
    cdef scalar t
    cdef scalar* w
    for j in range(n):
        w = W + j * ldw
        for i in range(first, last):
            t = w[i]
            w[i] = w[rows[i]]
            w[rows[i]] = t


cdef double size_of_dependence(Py_ssize_t j, Py_ssize_t r, const scalar* W, Py_ssize_t ldw,
                               const double* norms, const blas_int* pivots,
                               scalar* x) noexcept nogil:
    """||(||w_j||, x_i ||w_pi||)||_2 for the coefficients x (r) of column j of W"""
    cdef Py_ssize_t i
    cdef const scalar* u
    cdef double size = norms[j] * norms[j]
    for i in range(r):
        x[i] = W[i + j * ldw]
    for i in range(r - 1, -1, -1):
        u = W + pivots[i] * ldw
        x[i] = x[i] / u[i]
        axpy(i, -x[i], u, x)
        size += abs2(x[i]) * norms[pivots[i]] * norms[pivots[i]]
    return sqrt(size)


cdef Py_ssize_t largest(Py_ssize_t n, const scalar* x) noexcept nogil:
    """Index of the first entry of largest modulus"""
    cdef Py_ssize_t i, best = 0
    cdef double size, most = -1.0
    for i in range(n):
        size = abs2(x[i])
        if size > most:
            most = size
            best = i
    return best


cdef blas_int leaf(blas_int m, blas_int first, blas_int last, blas_int r, double rtol, scalar* W,
                   blas_int ldw, const double* norms, blas_int* pivots, blas_int* rows,
                   double* errors, scalar* x) noexcept nogil:
    """As `eliminate`, one column after the other"""
    cdef Py_ssize_t ld = ldw, i, j, c, start = r
    cdef double left, size
    cdef scalar* w
    cdef scalar* multipliers
    for j in range(first, last):
        w = W + j * ld
        left = sqrt(long_sumsq(m - r, w + r)) if r < m else 0.0
        size = norms[j]
        if rtol * size < left <= DOUBTFUL * size:
            size = size_of_dependence(j, r, W, ld, norms, pivots, x)
        if not left > rtol * size:  # NaN, where nobody checked, is no pivot
            errors[j] = left
            for i in range(r, m):
                w[i] = 0
            continue
        errors[j] = left / size
        i = r + largest(m - r, w + r)
        rows[r] = <blas_int>i
        pivots[r] = <blas_int>j
        exchange_rows(r - start, r, r + 1, rows, W + start * ld, ld)
        exchange_rows(last - j, r, r + 1, rows, w, ld)
        multipliers = W + r * ld
        for i in range(r + 1, m):
            multipliers[i] = w[i] / w[r]
        if j != r:
            for i in range(r + 1, m):
                w[i] = 0
        for c in range(j + 1, last):
            axpy(m - r - 1, -W[r + c * ld], multipliers + r + 1, W + r + 1 + c * ld)
        r += 1
    return r


cdef void update(blas_int m, blas_int n, blas_int start, blas_int r, const scalar* W, blas_int ldw,
                 const blas_int* rows, scalar* C) noexcept nogil:
    """C (m, n) := L^-1 P C for the steps start, ..., r - 1, whose L stands in W"""
    cdef Py_ssize_t ld = ldw
    cdef scalar one = 1
    cdef scalar minus = -1
    cdef scalar* L = <scalar*>W + start * ld
    if r == start or n == 0:
        return
    exchange_rows(n, start, r, rows, C, ld)
    trsm(c'L', c'L', c'N', c'U', r - start, n, one, L + start, ldw, C + start, ldw)
    if m > r:
        gemm(c'N', c'N', m - r, n, r - start, minus, L + r, ldw, C + start, ldw, one, C + r, ldw)


cdef blas_int eliminate(blas_int m, blas_int first, blas_int last, blas_int r, double rtol,
                        scalar* W, blas_int ldw, const double* norms, blas_int* pivots,
                        blas_int* rows, double* errors, scalar* x) noexcept nogil:
    """Eliminate columns first, ..., last - 1 of W (m, .) after r pivots; return how many there are

    norms (last): of the columns of W as it was; pivots, rows (min(m, last)): the pivot columns, and
    the row that was exchanged with each row; errors (last): what is left of a dependent column, and
    of others relative to the size of its dependence, or to its norm if that is far from small;
    x (min(m, last)).
    Pivot rows are exchanged in these columns and in those of L that are made here.
    """
    cdef Py_ssize_t ld = ldw
    cdef blas_int half, middle
    if last - first <= LEAF:
        return leaf(m, first, last, r, rtol, W, ldw, norms, pivots, rows, errors, x)
    half = first + (last - first + 2 * LEAF - 1) / (2 * LEAF) * LEAF
    middle = eliminate(m, first, half, r, rtol, W, ldw, norms, pivots, rows, errors, x)
    update(m, last - half, r, middle, W, ldw, rows, W + half * ld)
    last = eliminate(m, half, last, middle, rtol, W, ldw, norms, pivots, rows, errors, x)
    exchange_rows(middle - r, middle, last, rows, W + r * ld, ld)
    return last


cdef double reduce(blas_int m, blas_int n, blas_int r, scalar* W, const blas_int* pivots,
                   const double* norms, double* errors, blas_int last, scalar* R) noexcept nogil:
    """R (m, n) := the reduced echelon form of U and rows r.. of W; return the largest |u_ij|

    errors (last): what is left of a dependent column becomes relative to its dependence, too.
    W (m, n), as `eliminate` leaves it, is destroyed: its first columns become U11, the pivot ones.
    The others of R are U11^-1 times those of U, gathered on the left of R, solved for and spread.
    """
    cdef Py_ssize_t ld = m, i, j, k = 0, free = 0
    cdef scalar one = 1
    cdef double most = 0, size
    for j in range(n):
        i = min(k + 1, r)
        if i:
            most = max(most, abs2(W[largest(i, W + j * ld) + j * ld]))
        if k < r and pivots[k] == j:
            for i in range(k + 1):
                W[i + k * ld] = W[i + j * ld]
            k += 1
            continue
        for i in range(k):
            R[i + free * ld] = W[i + j * ld]
        for i in range(k, r):
            R[i + free * ld] = 0
        for i in range(r, m):
            # Columns of L stand in the first r of W, and all of these end above row r.
            R[i + free * ld] = 0 if j < r else W[i + j * ld]
        free += 1
    if r and free:
        trsm(c'L', c'U', c'N', c'N', r, <blas_int>free, one, W, m, R, m)
    k = r - 1
    for j in range(n - 1, -1, -1):
        if k >= 0 and pivots[k] == j:
            for i in range(m):
                R[i + j * ld] = 0
            R[k + j * ld] = 1
            k -= 1
        else:
            free -= 1
            if free != j:
                for i in range(m):
                    R[i + j * ld] = R[i + free * ld]
            if j < last and errors[j] > 0:
                size = norms[j] * norms[j]
                for i in range(r):
                    size += abs2(R[i + j * ld]) * norms[pivots[i]] * norms[pivots[i]]
                errors[j] /= sqrt(size)
    return sqrt(most)


# ---- Python shims ----

def py_eliminate(scalar[::1, :] W, Py_ssize_t columns, double rtol, double[::1] norms,
                 blas_int[::1] pivots, blas_int[::1] rows, double[::1] errors, scalar[::1] x):
    """Eliminate the first `columns` columns of W (m, n) in place, update the others; return r.

    norms, errors (columns); pivots, rows, x (min(m, columns)). See `eliminate`.
    """
    cdef blas_int m = <blas_int>W.shape[0], n = <blas_int>W.shape[1], most = <blas_int>columns
    cdef blas_int first = 0, last = 0, r = 0, start
    if not 0 <= columns <= n:
        raise ValueError("columns must be between 0 and n")
    if norms.shape[0] < most or errors.shape[0] < most:
        raise ValueError("norms or errors too short")
    if pivots.shape[0] < min(m, most) or min(rows.shape[0], x.shape[0]) < min(m, most):
        raise ValueError("pivots, rows or x too short")
    while first < most and m:
        with nogil:
            last = min(first + SLAB, most)
            start = r
            r = eliminate(m, first, last, r, rtol, &W[0, 0], m, &norms[0], &pivots[0], &rows[0],
                          &errors[0], &x[0])
            if last < n:
                update(m, n - last, start, r, &W[0, 0], m, &rows[0], &W[0, last])
            first = last
        PyErr_CheckSignals()
    return r


def py_reduce(scalar[::1, :] W, blas_int[::1] pivots, double[::1] norms, double[::1] errors,
              Py_ssize_t rank, scalar[::1, :] R):
    """R (m, n) := the reduced echelon form of what `py_eliminate` left in W; return max |u_ij|.

    W is destroyed; the rest as `py_eliminate` left it. See `reduce`.
    """
    cdef double most
    cdef blas_int last = <blas_int>errors.shape[0]
    cdef blas_int m = <blas_int>W.shape[0], n = <blas_int>W.shape[1], r = <blas_int>rank
    if R.shape[0] != m or R.shape[1] != n or not 0 <= r <= min(m, n, pivots.shape[0]):
        raise ValueError("R must have the shape of W, which bounds the rank")
    if norms.shape[0] < last or last > n:
        raise ValueError("norms too short, or errors too long")
    if m == 0 or last == 0:
        R[:, :] = W
        return 0.0
    with nogil:
        most = reduce(m, n, r, &W[0, 0], &pivots[0] if r else NULL, &norms[0], &errors[0],
                      last, &R[0, 0])
    return most
