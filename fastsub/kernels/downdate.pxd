"""A row taken out of a triangular factor."""

from fastsub.kernels.blas cimport scalar

cdef void downdate(Py_ssize_t width, Py_ssize_t n, scalar* M, const scalar* q, double alpha,
                   scalar* x) noexcept nogil
