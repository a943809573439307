"""Fraction-free elimination of small integer matrices."""

from libc.stdint cimport int64_t

cdef bint minors_fit(Py_ssize_t m, Py_ssize_t n, const int64_t* Z) noexcept nogil
cdef Py_ssize_t bareiss(Py_ssize_t m, Py_ssize_t n, const int64_t* Z, int64_t* R,
                        Py_ssize_t* pivots, int64_t* d) noexcept nogil
