"""RZ factorisation: the second half of a complete orthogonal decomposition."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef void rz(blas_int r, blas_int n, const scalar* R, blas_int ldr, blas_int nb, scalar* U,
             Py_ssize_t rs, Py_ssize_t cs, scalar* B, blas_int ldb, scalar* T,
             scalar* work) noexcept nogil
cdef void rz_apply(char trans, blas_int r, blas_int p, blas_int count, blas_int nb, scalar* B,
                   blas_int ldb, scalar* T, scalar* C, blas_int ldc, Py_ssize_t identity_from,
                   scalar* work) noexcept nogil
cdef blas_int rz_complement(blas_int r, blas_int p, blas_int nb, scalar* B, blas_int ldb,
                            scalar* T, scalar* full, blas_int ldf, scalar* C,
                            blas_int ldc) noexcept nogil
cdef void put_rows(blas_int r, blas_int n, blas_int count, const blas_int* rows, scalar* C,
                   blas_int ldc, scalar* work) noexcept nogil
