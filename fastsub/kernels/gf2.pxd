"""Elimination over GF(2)."""

from libc.stdint cimport uint64_t

cdef Py_ssize_t table_size(Py_ssize_t n) noexcept nogil
cdef int eliminate_word(Py_ssize_t m, Py_ssize_t n, Py_ssize_t c, Py_ssize_t r, uint64_t* A,
                        Py_ssize_t* rows, Py_ssize_t* cols, uint64_t* v,
                        uint64_t* tables) noexcept nogil
