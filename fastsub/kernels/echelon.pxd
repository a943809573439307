"""Gaussian elimination with partial pivoting on the leftmost independent columns."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef blas_int eliminate(blas_int m, blas_int first, blas_int last, blas_int r, double rtol,
                        scalar* W, blas_int ldw, const double* norms, blas_int* pivots,
                        blas_int* rows, double* errors, scalar* x) noexcept nogil
