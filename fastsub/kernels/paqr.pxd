"""QR that pivots only where it must: columns that add no direction are put off."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t nb) noexcept nogil
cdef blas_int step(blas_int m, blas_int n, blas_int k, blas_int nb, double limit, scalar* A,
                   blas_int lda, blas_int* jpvt, blas_int* scanned, scalar* T,
                   scalar* work) noexcept nogil
