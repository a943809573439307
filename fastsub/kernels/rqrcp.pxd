"""QR with column pivoting by a random sketch."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t b, Py_ssize_t d) noexcept nogil
cdef void order_columns(Py_ssize_t d, Py_ssize_t w, scalar* B, blas_int* order,
                        double* norms) noexcept nogil
cdef void choose_pivots(Py_ssize_t n, Py_ssize_t k, Py_ssize_t w, Py_ssize_t d, const scalar* S,
                        double* norms, blas_int* ipiv, scalar* work) noexcept nogil
cdef void bring(blas_int m, blas_int n, blas_int k, blas_int w, blas_int d, scalar* A,
                blas_int lda, scalar* S, blas_int* jpvt, blas_int* order) noexcept nogil
cdef bint downdate_sketch(blas_int n, blas_int k, blas_int w, blas_int d, scalar* A, blas_int lda,
                          scalar* S, scalar* work) noexcept nogil
