"""Normal equations and their refinement: everything that reads A where it lies, in place.

    A (m, n), entry (i, j) at A[i*row + j*col], rows or columns contiguous
    B, R (m, k), X, G (n, k) column-major

    residual        R := B - A X
    adjoint         G := A^H R
    seminormal      G := (R^H R)^-1 G, R the Cholesky factor

One step of refinement is residual, adjoint, seminormal, X += G (Bjorck 1987: the corrected
seminormal equations). A C-ordered A is the transpose W of a column-major array: A^H R is then
conj(W conj(R)). Few right-hand sides go through gemv, which reads A at the speed of the memory.

References
----------
Bjorck, Stability analysis of the method of seminormal equations for linear least squares problems,
    Linear Algebra Appl. 88/89 (1987), section 3.
"""

from libc.string cimport memcpy

from fastsub.kernels.blas cimport blas_int, gemm, gemv, scalar, trsm, trsv
from fastsub.kernels.panels cimport order
from fastsub.kernels.scalars cimport conj_vector, whole_strides

cdef enum:
    FEW = 4     # right-hand sides that gemv serves better than gemm


cdef void residual(scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                   const scalar* B, scalar* X, blas_int k, scalar* R) noexcept nogil:
    """R (m, k) := B - A X"""
    cdef scalar one = 1, minus = -1
    cdef Py_ssize_t j
    cdef char trans = order(m, n, row, col)
    cdef blas_int ld = <blas_int>(col if trans == c'N' else row)
    cdef blas_int rows = <blas_int>(m if trans == c'N' else n)
    cdef blas_int columns = <blas_int>(n if trans == c'N' else m)
    memcpy(R, B, m * k * sizeof(scalar))
    if k > FEW:
        gemm(trans, c'N', <blas_int>m, k, <blas_int>n, minus, A, ld, X, <blas_int>n, one, R,
             <blas_int>m)
        return
    for j in range(k):
        gemv(trans, rows, columns, minus, A, ld, X + j * n, 1, one, R + j * m, 1)


cdef void adjoint(scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                  scalar* R, blas_int k, scalar* G) noexcept nogil:
    """G (n, k) := A^H R; R is conjugated and back on the way, where A is C-ordered and complex"""
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t j
    cdef char trans = order(m, n, row, col)
    cdef blas_int ld = <blas_int>(col if trans == c'N' else row)
    if trans == c'N':
        if k > FEW:
            gemm(c'C', c'N', <blas_int>n, k, <blas_int>m, one, A, ld, R, <blas_int>m, zero, G,
                 <blas_int>n)
            return
        for j in range(k):
            gemv(c'C', <blas_int>m, <blas_int>n, one, A, ld, R + j * m, 1, zero, G + j * n, 1)
        return
    for j in range(k):
        conj_vector(<blas_int>m, R + j * m, 1)
    if k > FEW:
        gemm(c'N', c'N', <blas_int>n, k, <blas_int>m, one, A, ld, R, <blas_int>m, zero, G,
             <blas_int>n)
    else:
        for j in range(k):
            gemv(c'N', <blas_int>n, <blas_int>m, one, A, ld, R + j * m, 1, zero, G + j * n, 1)
    for j in range(k):
        conj_vector(<blas_int>m, R + j * m, 1)
        conj_vector(<blas_int>n, G + j * n, 1)


cdef void half(char trans, blas_int n, scalar* R, blas_int ldr, scalar* G,
               blas_int k) noexcept nogil:
    """G (n, k) := R^-1 G, or (trans C) R^-H G; R upper triangular"""
    cdef scalar one = 1
    cdef Py_ssize_t j
    if k > FEW:
        trsm(c'L', c'U', trans, c'N', n, k, one, R, ldr, G, n)
        return
    for j in range(k):
        trsv(c'U', trans, c'N', n, R, ldr, G + j * n, 1)


# ---- Python shims ----

def py_reads(const scalar[:, :] A):
    """Whether A is read where it lies: rows or columns contiguous, no dimension beyond LAPACK's."""
    cdef Py_ssize_t size = sizeof(scalar), limit = (<Py_ssize_t>1 << 31) - 1
    return (whole_strides(A) and 0 < A.shape[0] <= limit and 0 < A.shape[1] <= limit
            and order(A.shape[0], A.shape[1], A.strides[0] // size, A.strides[1] // size) != 0)


def py_residual(const scalar[:, :] A, const scalar[::1, :] B, scalar[::1, :] X,
                scalar[::1, :] R):
    """R := B - A X; A such as py_reads says."""
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], n = A.shape[1], k = B.shape[1]
    if not py_reads(A) or B.shape[0] != m or X.shape[0] != n or X.shape[1] != k:
        raise ValueError("A must have contiguous rows or columns; B must be m x k and X n x k")
    if R.shape[0] != m or R.shape[1] != k:
        raise ValueError("R must be m x k")
    if k:
        with nogil:
            residual(<scalar*>&A[0, 0], m, n, A.strides[0] // size, A.strides[1] // size,
                     &B[0, 0], &X[0, 0], <blas_int>k, &R[0, 0])


def py_adjoint(const scalar[:, :] A, scalar[::1, :] R, scalar[::1, :] G):
    """G := A^H R; A such as py_reads says."""
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], n = A.shape[1], k = R.shape[1]
    if not py_reads(A) or R.shape[0] != m or G.shape[0] != n or G.shape[1] != k:
        raise ValueError("A must have contiguous rows or columns; R must be m x k and G n x k")
    if k:
        with nogil:
            adjoint(<scalar*>&A[0, 0], m, n, A.strides[0] // size, A.strides[1] // size,
                    &R[0, 0], <blas_int>k, &G[0, 0])


def py_half(scalar[::1, :] R, scalar[::1, :] G, bint adjoint=True):
    """G := R^-H G, or R^-1 G; R (n, n) upper triangular."""
    cdef Py_ssize_t n = R.shape[0], k = G.shape[1]
    if R.shape[1] != n or G.shape[0] != n:
        raise ValueError("R must be n x n and G n x k")
    if n and k:
        with nogil:
            half(c'C' if adjoint else c'N', <blas_int>n, &R[0, 0], <blas_int>n, &G[0, 0],
                 <blas_int>k)
