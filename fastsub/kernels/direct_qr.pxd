"""QR with column pivoting of a small matrix in one compiled call."""

cimport numpy as cnp

from fastsub.kernels.blas cimport blas_int, scalar

cdef void pivoted(blas_int m, blas_int n, scalar* A, cnp.npy_intp* p, scalar* tau,
                  double* norms) noexcept nogil
