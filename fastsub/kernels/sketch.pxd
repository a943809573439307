"""Sparse-sign sketch of a tall matrix, in one pass over it."""

from fastsub.kernels.blas cimport scalar

cdef Py_ssize_t work_size(Py_ssize_t d, Py_ssize_t n, const scalar* _) noexcept nogil
cdef double sketch(const scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                   Py_ssize_t first, unsigned long long seed, Py_ssize_t d, scalar* Y,
                   int* counts, scalar* work) noexcept nogil
