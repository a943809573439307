"""Gram matrix and Cholesky factor."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef void gram(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* G) noexcept nogil
cdef blas_int cholesky(blas_int n, scalar* G) noexcept nogil
