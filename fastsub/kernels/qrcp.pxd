"""QR with column pivoting, panel by panel, with early stop."""

from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, scalar

cdef Py_ssize_t work_size(Py_ssize_t n, Py_ssize_t nb) noexcept nogil
cdef double column_norms(blas_int m, blas_int n, const scalar* A, blas_int lda,
                         double* partial, double* exact) noexcept nogil
cdef blas_int panel(blas_int m, blas_int n, blas_int k, blas_int nb, double stop, scalar* A,
                    blas_int lda, blas_int* jpvt, scalar* tau, double* partial, double* exact,
                    scalar* work) noexcept nogil


cdef inline bint downdate(blas_int j, double entry, double* partial, double* exact,
                          double safe) noexcept nogil:
    """Take the new entry of row k out of the norm of column j; False if cancellation forbids it."""
    cdef double t, ratio
    if partial[j] == 0:
        return True
    t = entry / partial[j]
    t = max(0.0, (1 + t) * (1 - t))
    ratio = partial[j] / exact[j]
    if t * ratio * ratio <= safe:
        return False
    partial[j] *= sqrt(t)
    return True
