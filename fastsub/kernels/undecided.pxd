"""Small matrices that bounds leave open: their singular values decide."""

from fastsub.kernels.blas cimport blas_int
from fastsub.kernels.small cimport Small
from fastsub.kernels.svd cimport Bidiagonal

cdef enum:
    NO_MEMORY = -1

cdef blas_int by_svd(Small* S, bint want_basis, Py_ssize_t rank, Bidiagonal* B) noexcept nogil
cdef blas_int svd_columns(const Small* S, Bidiagonal* B, Py_ssize_t start, Py_ssize_t count,
                          char* out) noexcept nogil
