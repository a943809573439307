"""Echelon form modulo an odd prime: block elimination whose every flop is in a product.

                  panel                      The leftmost independent columns of a panel are found,
        +---------+----+-----------+         and rows that make them so, which are brought up. With
        | I  U  U | U  |     U     |         P those k rows of these k columns,
        |    I  U | U  |     U     |
      r |       +-+----+-----------+             U := P^-1 (P  A12),   A22 := A22 - A21 U,
        |    0    | P  |    A12    |
        |    0    |A21 |    A22    |         where A21 is the panel as it stood: nothing below P is
        +---------+----+-----------+         touched to find P, if the first rows suffice.

At the end U has identities where its pivots are, so that the way back, which makes it reduced, is

    F_i := F_i - U_ij F_j,   j = last .. 1,   i < j                (F: the columns without pivots).

P and its inverse come from modular_pivots.pyx.

References
----------
Dumas, Giorgi & Pernet, Dense linear algebra over word-size prime fields: the FFLAS and FFPACK
    packages, ACM TOMS 35 (2008), sections 4 and 5.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastsub.kernels.modular_pivots cimport (
    copy_rows, find_pivots, gather, pivot_size, swap_rows,
)
from fastsub.kernels.residues cimport (
    Field, multiply, product_size, reduce_rows, residue, row_stride, set_field,
)

cdef extern from "residues.h":
    int fastsub_all_below(Py_ssize_t n, const int64_t* x, int64_t p) noexcept nogil
    void fastsub_from_int(Py_ssize_t n, const int64_t* x, double* y, double p) noexcept nogil
    void fastsub_to_int(Py_ssize_t n, const double* x, int64_t* y, int64_t p) noexcept nogil


cdef Py_ssize_t eliminate_panel(const Field* F, Py_ssize_t m, Py_ssize_t n, Py_ssize_t w,
                                residue* A, Py_ssize_t lda, Py_ssize_t* swaps, Py_ssize_t* cols,
                                int64_t* values, residue* T, Py_ssize_t* pending, residue* work,
                                double* pack) noexcept nogil:
    """Eliminate the first w columns of A (m, n); return their rank k

    The first k rows become those of U, the others have their columns w .. n-1 updated; `pending`
    terms have been added to these since they were reduced. T (w, w).
    """
    cdef Py_ssize_t i, k = 0, rows = min(m, w)
    cdef residue* U = A + w
    if pending[0]:
        reduce_rows(F, m, w, A, lda)
    while True:
        copy_rows(rows, w, A, lda, work, w)
        k = find_pivots(F, rows, w, work, w, swaps, cols, values, T, w, work + rows * w, pack)
        if k == w or rows == m:
            break
        rows = m
    swap_rows(k, swaps, n, A, lda)
    if pending[0]:
        reduce_rows(F, k, n - w, U, lda)
    copy_rows(k, n, A, lda, work, n)
    multiply(F, k, n, k, 1, T, w, work, n, False, A, lda, False, pack)
    if residue is double:
        if pending[0] + k > F.depth:
            reduce_rows(F, m - k, n - w, U + k * lda, lda)
            pending[0] = 0
        pending[0] += k
    gather(m - k, k, cols, A + k * lda, lda, work, k)
    multiply(F, m - k, n - w, k, -1, work, k, U, lda, True, U + k * lda, lda, True, pack)
    if k < w:  # the way back reads columns without pivots
        for i in range(k, m):
            memset(A + i * lda, 0, w * sizeof(residue))
    return k


cdef void substitute_back(const Field* F, Py_ssize_t blocks, const Py_ssize_t* starts,
                          Py_ssize_t n, const residue* A, Py_ssize_t lda, const Py_ssize_t* cols,
                          residue* X, Py_ssize_t ldx, residue* work, double* pack) noexcept nogil:
    """X (r, n) := U^-1 X, where U = A[:, cols] has identities in its diagonal blocks

    The rows of block i are starts[i] .. starts[i + 1] - 1; r = starts[blocks].
    """
    cdef Py_ssize_t i, k, first, pending = 0
    for i in range(blocks - 1, 0, -1):
        first = starts[i]
        k = starts[i + 1] - first
        if pending:
            reduce_rows(F, k, n, X + first * ldx, ldx)
        if pending + k > F.depth:
            reduce_rows(F, first, n, X, ldx)
            pending = 0
        gather(first, k, cols + first, A, lda, work, k)
        multiply(F, first, n, k, -1, work, k, X + first * ldx, ldx, True, X, ldx, True, pack)
        if residue is double:
            pending += k
    if pending and blocks:
        reduce_rows(F, starts[1], n, X, ldx)


cdef bint is_zero(Py_ssize_t m, Py_ssize_t n, const residue* A, Py_ssize_t lda) noexcept nogil:
    """Whether A (m, n), reduced, is zero"""
    cdef Py_ssize_t i, j
    for i in range(m):
        for j in range(n):
            if A[i * lda + j] != 0:
                return False
    return True


# ---- Python shims ----

def py_work_size(int64_t p, Py_ssize_t m, Py_ssize_t n, Py_ssize_t w):
    """Return the elements of workspace of `py_eliminate`, and of packing."""
    cdef Field F
    set_field(p, &F)
    return (max(m * w + pivot_size(m, w), w * n),
            product_size(&F, max(m, w), max(n, w), w) + 1)


def py_encode(const int64_t[:, :] A, int64_t p, residue[:, :] W):
    """W := residues of A, any integers; the rows of both are contiguous."""
    cdef Py_ssize_t j, n = A.shape[1], lda = row_stride(A), ldw = row_stride(W)
    cdef int64_t r
    cdef const int64_t* a
    cdef residue* w
    if W.shape[0] < A.shape[0] or W.shape[1] < n:
        raise ValueError("W must have the shape of A")
    if A.shape[0] == 0 or n == 0:
        return
    a, w = &A[0, 0], &W[0, 0]
    with nogil:
        for _ in range(A.shape[0]):
            if fastsub_all_below(n, a, p):
                if residue is double:
                    fastsub_from_int(n, a, w, <double>p)
                else:
                    memcpy(w, a, n * sizeof(int64_t))
            else:
                for j in range(n):
                    r = a[j] % p  # with the sign of A, as C divides
                    if residue is double:
                        r += p if r < -(p // 2) else 0
                        w[j] = <double>(r - p if r > p // 2 else r)
                    else:
                        w[j] = r + p if r < 0 else r
            a += lda
            w += ldw


def py_decode(const residue[:, :] W, int64_t p, int64_t[:, :] A):
    """A := the integers in 0..p-1 of the residues W; the rows of both are contiguous."""
    cdef Py_ssize_t i, n = A.shape[1], lda = row_stride(A), ldw = row_stride(W)
    if W.shape[0] < A.shape[0] or W.shape[1] < n:
        raise ValueError("W must have the shape of A")
    if A.shape[0] == 0 or n == 0:
        return
    with nogil:
        for i in range(A.shape[0]):
            if residue is double:
                fastsub_to_int(n, &W[0, 0] + i * ldw, &A[0, 0] + i * lda, p)
            else:
                memcpy(&A[0, 0] + i * lda, &W[0, 0] + i * ldw, n * sizeof(int64_t))


def py_take(const residue[:, ::1] A, const Py_ssize_t[::1] cols, residue[:, ::1] B):
    """B := A[:, cols], cols ascending."""
    cdef Py_ssize_t m = A.shape[0], k = cols.shape[0]
    if B.shape[0] < m or B.shape[1] != k:
        raise ValueError("B must have the shape of A[:, cols]")
    if m and k:
        with nogil:
            gather(m, k, &cols[0], &A[0, 0], A.shape[1], &B[0, 0], k)


def py_is_zero(const residue[:, :] A):
    """Return whether A, reduced, is zero; its rows are contiguous."""
    cdef Py_ssize_t lda = row_stride(A)
    return A.shape[0] == 0 or A.shape[1] == 0 or is_zero(A.shape[0], A.shape[1], &A[0, 0], lda)


def py_eliminate(int64_t p, residue[:, ::1] A, Py_ssize_t w, Py_ssize_t[::1] rows,
                 Py_ssize_t[::1] cols, Py_ssize_t[::1] starts, int64_t[::1] values,
                 Py_ssize_t[::1] swaps, residue[::1] T, residue[::1] work, double[::1] pack):
    """Bring A to U by panels of w columns; return (rank, blocks, whether the rows' order is odd).

    rows (m), a permutation, is permuted as the rows of A are; cols (rank) are the pivots, values
    their values; block i of U has the rows starts[i] .. starts[i + 1] - 1. swaps (w), T (w, w),
    work and pack as `py_work_size`. A KeyboardInterrupt is honoured between panels.
    """
    cdef Field F
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], j, k, i, r = 0, blocks = 0, pending = 0
    cdef bint odd = False, done = False
    set_field(p, &F)
    if (rows.shape[0] < m or cols.shape[0] < min(m, n) or values.shape[0] < min(m, n)
            or starts.shape[0] < min(m, n) + 1 or swaps.shape[0] < w or T.shape[0] < w * w
            or w > F.depth or pack.shape[0] < product_size(&F, max(m, w), max(n, w), w)
            or work.shape[0] < max(m * w + pivot_size(m, w), w * n)):
        raise ValueError("workspace too small")
    starts[0] = 0
    j = 0
    while j < n and r < m and not done:
        with nogil:
            k = eliminate_panel(&F, m - r, n - j, min(w, n - j), &A[r, j], n, &swaps[0], &cols[r],
                                &values[r], &T[0], &pending, &work[0], &pack[0])
            for i in range(k):
                cols[r + i] += j
                rows[r + i], rows[r + swaps[i]] = rows[r + swaps[i]], rows[r + i]
                odd ^= swaps[i] != i
            r += k
            if k:
                blocks += 1
                starts[blocks] = r
            if k < min(w, n - j) and r < m and j + w < n:
                # Dependent columns: perhaps nothing is left.
                if pending:
                    reduce_rows(&F, m - r, n - j - w, &A[r, j + w], n)
                    pending = 0
                done = is_zero(m - r, n - j - w, &A[r, j + w], n)
        j += w
        PyErr_CheckSignals()
    return r, blocks, odd


def py_substitute(int64_t p, residue[:, ::1] A, Py_ssize_t blocks, Py_ssize_t[::1] starts,
                  Py_ssize_t[::1] cols, residue[:, :] X, residue[::1] work, double[::1] pack):
    """X := U^-1 X with U as `py_eliminate` leaves it in A; the same workspace.

    X may be columns of A.
    """
    cdef Field F
    cdef Py_ssize_t r, w = 0, i, ldx = row_stride(X)
    set_field(p, &F)
    if blocks < 2 or X.shape[1] == 0:
        return
    r = starts[blocks]
    for i in range(blocks):
        w = max(w, starts[i + 1] - starts[i])
    if (X.shape[0] < r or work.shape[0] < r * w
            or pack.shape[0] < product_size(&F, r, X.shape[1], w)):
        raise ValueError("workspace too small")
    with nogil:
        substitute_back(&F, blocks, &starts[0], X.shape[1], &A[0, 0], A.shape[1], &cols[0],
                        &X[0, 0], ldx, &work[0], &pack[0])
