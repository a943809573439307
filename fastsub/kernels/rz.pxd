"""RZ factorisation: the second half of a complete orthogonal decomposition."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef void rz(blas_int r, blas_int n, const scalar* R, blas_int ldr, blas_int nb, scalar* U,
             scalar* B, scalar* T, scalar* work) noexcept nogil
cdef void rz_in_place(blas_int r, blas_int n, scalar* R, blas_int ldr, blas_int nb, scalar* B,
                      scalar* T, scalar* work) noexcept nogil
cdef void rz_apply(blas_int r, blas_int p, blas_int n, blas_int nb, scalar* B, scalar* T,
                   scalar* top, scalar* bottom, blas_int ldc, scalar* work) noexcept nogil
cdef blas_int rz_complement(blas_int r, blas_int p, blas_int nb, scalar* B, scalar* T,
                            const blas_int* rows, scalar* full, scalar* Y, scalar* C,
                            scalar* work) noexcept nogil
