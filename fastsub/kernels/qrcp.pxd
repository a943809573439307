"""QR with column pivoting, panel by panel, with early stop."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef Py_ssize_t work_size(Py_ssize_t n, Py_ssize_t nb) noexcept nogil
cdef double column_norms(blas_int m, blas_int n, const scalar* A, blas_int lda,
                         double* partial, double* exact) noexcept nogil
cdef blas_int panel(blas_int m, blas_int n, blas_int k, blas_int nb, double stop, scalar* A,
                    blas_int lda, blas_int* jpvt, scalar* tau, double* partial, double* exact,
                    scalar* work) noexcept nogil
