"""Integer combinations of rows, by sparse rows of coefficients."""

from libc.stdint cimport int64_t

cdef Py_ssize_t substitute(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start,
                           const Py_ssize_t* index, const int64_t* value,
                           const Py_ssize_t* target, int64_t* N, double* size) noexcept nogil
cdef int annihilates(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start,
                     const Py_ssize_t* index, const int64_t* value, const int64_t* N,
                     int64_t* work) noexcept nogil
