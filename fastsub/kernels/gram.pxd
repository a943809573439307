"""Gram matrix and Cholesky factor."""

from fastsub.kernels.blas cimport blas_int, real, scalar

cdef void gram(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* G) noexcept nogil
cdef Py_ssize_t gram_work_size(Py_ssize_t n, const scalar* _) noexcept nogil
cdef void gram_with(Py_ssize_t m, Py_ssize_t n, const scalar* A, Py_ssize_t row, Py_ssize_t col,
                    Py_ssize_t k, const scalar* B, Py_ssize_t row_b, Py_ssize_t col_b, scalar* G,
                    scalar* work) noexcept nogil
cdef void unfold(Py_ssize_t n, const real* F, Py_ssize_t ld, scalar* G) noexcept nogil
cdef blas_int cholesky(blas_int n, scalar* G) noexcept nogil
