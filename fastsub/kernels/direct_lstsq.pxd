"""Least squares of a small matrix in one compiled call."""

from fastsub.kernels.small cimport Small

cdef struct Problem:
    # b (m, k), entry (i, j) at b[i*rs + j*cs]; x (n, k) column-major; squares (k) of residuals
    const char* b
    Py_ssize_t m, n, k, rs, cs
    char* x
    double* squares

cdef bint can_square(const Problem* P, const Small* S) noexcept nogil
cdef int solve_full(Problem* P, Small* S) noexcept nogil
cdef int solve_any(Problem* P, Small* S) noexcept nogil
