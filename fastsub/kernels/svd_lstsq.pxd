"""Least squares of a small matrix by its singular values."""

from fastsub.kernels.blas cimport blas_int
from fastsub.kernels.small cimport Small
from fastsub.kernels.small_lstsq cimport Problem

cdef blas_int solve_by_svd(Problem* P, Small* S, double* sigmas) noexcept nogil
