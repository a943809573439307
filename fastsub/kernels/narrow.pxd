"""QR of a narrow panel, in strips of eight columns."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n) noexcept nogil
cdef void reflect(blas_int m, blas_int n, blas_int k, scalar* A, blas_int lda, scalar* T,
                  blas_int ldt, scalar* C, blas_int ldc, scalar* work) noexcept nogil
cdef blas_int narrow_qr(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* T, blas_int ldt,
                        scalar* work) noexcept nogil
