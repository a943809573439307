"""Norms of a triangular factor and of its inverse: what the certificate is made of."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef void row_sumsq(blas_int k, blas_int n, const scalar* R, blas_int ldr,
                    double* out) noexcept nogil
cdef double sigma_max_lower(char uplo, blas_int k, blas_int n, scalar* R, blas_int ldr, int steps,
                            scalar* work) noexcept nogil
cdef double sigma_min_upper(char uplo, blas_int k, scalar* R, blas_int ldr, int steps,
                            scalar* work) noexcept nogil
cdef double gram_norm(char uplo, blas_int m, blas_int n, scalar* R, blas_int ldr, blas_int nb,
                      scalar* work) noexcept nogil
cdef blas_int inverse(blas_int r, const scalar* R, blas_int ldr, scalar* X,
                      double* frobenius) noexcept nogil
cdef blas_int inverse_lower(blas_int r, scalar* L, blas_int ldl,
                            double* frobenius) noexcept nogil
cdef blas_int inverse_below(blas_int r, scalar* R, blas_int ldr, scalar* diagonal,
                            double* frobenius) noexcept nogil
