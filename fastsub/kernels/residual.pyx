"""How far a product is from a matrix: ||A - Q R||_F, panel by panel, A of any layout only read.

    A (m, n), entry (i, j) at A[i*row + j*col],    Q (m, k), R (k, n)

            n                          A whose columns are contiguous goes by panels of columns; one
        +-----+---+------+             whose rows are, as its transpose A^T - R^T Q^T, by panels of
        |     | P |      |             rows; any other is gathered. A panel P is copied to a buffer
      m |     |   |      |             that fits a cache, and from there one gemm takes Q R.
        +-----+---+------+

References
----------
Eckart & Young, The approximation of one matrix by another of lower rank, Psychometrika 1 (1936):
    the norm bounds sigma_{k+1}(A), whatever Q and R are.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, gemm, scalar
from fastsub.kernels.layout cimport copy
from fastsub.kernels.scalars cimport whole_strides
from fastsub.kernels.vectors cimport long_sumsq


cdef Py_ssize_t panel_width(Py_ssize_t length, const scalar* _) noexcept nogil:
    """Columns of a panel of that length: a megabyte, at least 16."""
    return max(16, (1 << 20) // (max(1, length) * <Py_ssize_t>sizeof(scalar)))


cdef double subtract(const scalar* A, Py_ssize_t m, Py_ssize_t w, Py_ssize_t row, Py_ssize_t col,
                     char trans, Py_ssize_t k, scalar* X, Py_ssize_t ldx, scalar* Y,
                     Py_ssize_t ldy, scalar* P) noexcept nogil:
    """Return ||A - op(X) op(Y)||_F^2; A (m, w), op(X) (m, k), op(Y) (k, w), P (m, w) a buffer"""
    cdef scalar one = 1
    copy(A, m, w, row, col, 1.0, False, P, m)
    gemm(trans, trans, <blas_int>m, <blas_int>w, <blas_int>k, -one, X, <blas_int>ldx, Y,
         <blas_int>ldy, one, P, <blas_int>m)
    return long_sumsq(m * w, P)


# ---- Python shims ----

def py_work_size(const scalar[:, :] A):
    """Entries of the workspace of py_residual_norm."""
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1]
    if A.strides[1] == sizeof(scalar):
        m, n = n, m
    return m * min(n, panel_width(m, <const scalar*>NULL))


def py_residual_norm(const scalar[:, :] A, scalar[::1, :] Q, scalar[::1, :] R, scalar[::1] work):
    """Return ||A - Q R||_F; A (m, n) of any whole strides, Q (m, k), R (k, n), k > 0.

    work as `py_work_size`; a KeyboardInterrupt is honoured between panels.
    """
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], n = A.shape[1], k = Q.shape[1]
    cdef Py_ssize_t row = A.strides[0] // size, col = A.strides[1] // size, w, j, count
    cdef double total = 0
    if (Q.shape[0] != m or R.shape[0] != k or R.shape[1] != n or k == 0 or not whole_strides(A)
            or work.shape[0] < py_work_size(A)):
        raise ValueError("Q must be m x k, R k x n, strides whole elements, and work its size")
    if m == 0 or n == 0:
        return 0.0
    w = panel_width(n if col == 1 else m, <const scalar*>NULL)
    for j in range(0, m if col == 1 else n, w):
        with nogil:
            if col == 1:
                count = min(w, m - j)
                total += subtract(&A[j, 0], n, count, col, row, c'T', k, &R[0, 0], k, &Q[j, 0], m,
                                  &work[0])
            else:
                count = min(w, n - j)
                total += subtract(&A[0, j], m, count, row, col, c'N', k, &Q[0, 0], m, &R[0, j], k,
                                  &work[0])
        PyErr_CheckSignals()
    return sqrt(total)
