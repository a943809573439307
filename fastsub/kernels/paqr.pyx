"""QR that avoids pivoting: only columns that depend on those before them are put off.

               k  k+nb   scanned   n         A column whose remaining norm is at most `limit` adds
        +------+---+--------+------+         no direction: it is put off, and a later one that does
        | R  R |R  |   R    |  R   |         takes its place. All others are taken as they come, by
      k |  V   +---+--------+------+         panels, without norms of the rest and with every flop
        |      |   |  put   | not  |         in a gemm. What is put off is left to QR with column
        |      |   |  off   | seen |         pivoting, if it is more than rounding.
      m +------+---+--------+------+

A column may also depend on others of its own panel. The panel is then restored, these are put off,
and it is factored again; unless they are the last of it, when what precedes them can stay.

Where all but n - r columns are independent this is an unpivoted QR. It promises no rank (a Kahan
matrix passes unchanged): bounds of the triangle do, or the caller pivots after all.

References
----------
Sid-Lakhdar, Cayrols, Bielich, Abdelfattah, Luszczek, Gates, Tomov, Johansen, Williams-Young, Davis,
    Dongarra & Anzt, PAQR: pivoting avoiding QR factorization, IPDPS (2023).
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, scalar, swap
from fastsub.kernels.narrow cimport narrow_qr, reflect, work_size as panel_size
from fastsub.kernels.scalars cimport abs2
from fastsub.kernels.vectors cimport long_sumsq


cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t nb) noexcept nogil:
    """Elements of workspace: a panel as it was (m, nb), and what unpivoted QR wants without V."""
    return m * nb + max((n + nb) * nb, panel_size(m, nb))


cdef inline void exchange(blas_int m, Py_ssize_t i, Py_ssize_t j, scalar* A, blas_int lda,
                          blas_int* jpvt) noexcept nogil:
    """Exchange columns i and j of A (m, .)"""
    cdef blas_int pivot
    if i != j:
        swap(m, A + i * lda, 1, A + j * lda, 1)
        pivot = jpvt[i]
        jpvt[i] = jpvt[j]
        jpvt[j] = pivot


cdef void copy_panel(Py_ssize_t m, Py_ssize_t n, const scalar* A, Py_ssize_t lda, scalar* B,
                     Py_ssize_t ldb) noexcept nogil:
    """B (m, n) := A"""
    cdef Py_ssize_t i, j
    for j in range(n):
        for i in range(m):
            B[i + j * ldb] = A[i + j * lda]


cdef blas_int gather(blas_int m, blas_int n, blas_int k, blas_int nb, double limit, scalar* A,
                     blas_int lda, blas_int* jpvt, blas_int* scanned) noexcept nogil:
    """Bring nb columns of norm above `limit` in rows k.. to k, k+1, ...; return how many there were

    Columns k .. scanned-1 are put off, those from there on not seen yet.
    """
    cdef blas_int c = k, s = scanned[0]
    while c < k + nb and s < n:
        if not sqrt(long_sumsq(m - k, A + k + s * <Py_ssize_t>lda)) <= limit:
            exchange(m, c, s, A, lda, jpvt)
            c += 1
        s += 1
    scanned[0] = s
    return c - k


cdef blas_int step(blas_int m, blas_int n, blas_int k, blas_int nb, double limit, scalar* A,
                   blas_int lda, blas_int* jpvt, blas_int* scanned, scalar* T,
                   scalar* work) noexcept nogil:
    """Factor at most nb columns from k on and update the rest; return how many, 0 at the end

    A (m, n); T as in householder.pyx, its blocks beginning where the steps do; work as said.
    """
    cdef Py_ssize_t ld = lda, j
    cdef blas_int rows = m - k, width, kept, off
    cdef scalar* saved = work
    cdef scalar* panel = A + k + k * ld
    width = gather(m, n, k, min(nb, rows), limit, A, lda, jpvt, scanned)
    while width:
        copy_panel(rows, width, panel, ld, saved, rows)
        narrow_qr(rows, width, panel, lda, T + k * <Py_ssize_t>nb, nb,
                  work + <Py_ssize_t>rows * nb)
        kept = 0
        while kept < width and not sqrt(abs2(panel[kept + kept * ld])) <= limit:
            kept += 1
        off = kept
        for j in range(kept, width):
            off += not sqrt(abs2(panel[j + j * ld])) <= limit
        if off == kept:  # those to be put off are the last ones, if any
            copy_panel(rows, width - kept, saved + kept * <Py_ssize_t>rows, rows,
                       panel + kept * ld, ld)
            width = kept
            break
        off = width
        for j in range(width - 1, -1, -1):
            kept = not sqrt(abs2(panel[j + j * ld])) <= limit
            copy_panel(rows, 1, saved + j * rows, rows, panel + j * ld, ld)
            if not kept:
                off -= 1
                exchange(m, k + j, k + off, A, lda, jpvt)
        width = off
    if width:
        reflect(rows, n - k - width, width, panel, lda, T + k * <Py_ssize_t>nb, nb,
                panel + width * ld, lda, work)
    return width


# ---- Python shims ----

def py_work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t nb):
    """Return the elements of workspace of `py_paqr`."""
    return work_size(m, n, nb)


def py_paqr(scalar[::1, :] A, blas_int[::1] jpvt, scalar[::1, :] T, scalar[::1] tau,
            double limit, scalar[::1] work, Py_ssize_t start=0):
    """Factor A in place, but for columns of remaining norm at most `limit` (< 0: all of them).

    The first `start` columns are taken as done.

    jpvt (n) is permuted, T (nb, min(m, n)) gives the block size, tau (min(m, n)), work as
    `py_work_size`. Return (columns done, ||what is left||_F, aligned): the blocks of T begin at
    multiples of nb for the first `aligned` columns. A KeyboardInterrupt is honoured between steps.
    """
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], nb = <blas_int>T.shape[0]
    cdef blas_int k = start, scanned = start, width = 1
    cdef Py_ssize_t j, aligned = start
    cdef double left = 0
    if (jpvt.shape[0] < n or T.shape[1] < min(m, n) or tau.shape[0] < min(m, n)
            or work.shape[0] < work_size(m, n, nb)):
        raise ValueError("workspace too small")
    while k < min(m, n) and width:
        with nogil:
            width = step(m, n, k, nb, limit, &A[0, 0], m, &jpvt[0], &scanned, &T[0, 0], &work[0])
            for j in range(width):
                tau[k + j] = T[j, k + j]
            if k == aligned and k % nb == 0:
                aligned = k + width
            k += width
        PyErr_CheckSignals()
    if k < min(m, n):
        with nogil:
            for j in range(k, n):
                left += long_sumsq(m - k, &A[k, j])
    return k, sqrt(left), aligned
