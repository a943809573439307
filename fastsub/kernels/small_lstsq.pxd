"""Least squares of a small matrix without the BLAS."""

from fastsub.kernels.small cimport Small

cdef struct Problem:
    # b (m, k), entry (i, j) at b[i*rs + j*cs], solved for b / 2^exponent; x (n, k) column-major;
    # squares (k) of residuals
    const char* b
    Py_ssize_t m, n, k, rs, cs
    char* x
    double* squares
    int exponent

cdef bint weigh_rhs(Problem* P, const Small* S) noexcept nogil
cdef void unscale(const Problem* P, const Small* S, int exponent) noexcept nogil
cdef int solve_full(Problem* P, Small* S) noexcept nogil
cdef int solve_any(Problem* P, Small* S) noexcept nogil
