# cython: language_level=3, freethreading_compatible=True
"""An extension that is no part of fastsub: Cholesky QR out of three of its kernels."""

from fastsub.kernels.blas cimport blas_int, trsm
from fastsub.kernels.gram cimport cholesky, gram


def cholesky_qr(double[::1, :] A, double[::1, :] R):
    """A (m, n) := Q and R (n, n) of A = Q R, for A far from dependent columns; return info."""
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], info
    with nogil:
        gram(m, n, &A[0, 0], m, &R[0, 0])
        info = cholesky(n, &R[0, 0])
        if info == 0:
            # Q := A R^-1
            trsm(c'R', c'U', c'N', c'N', m, n, 1.0, &R[0, 0], n, &A[0, 0], m)
    return info
