"""Elimination of small matrices modulo an odd prime."""

from libc.stdint cimport int64_t

from fastsub.kernels.residues cimport residue

cdef Py_ssize_t jordan(Py_ssize_t m, Py_ssize_t n, residue* A, Py_ssize_t lda, int64_t p,
                       Py_ssize_t* cols, Py_ssize_t* rows) noexcept nogil
cdef bint vanishes(Py_ssize_t m, Py_ssize_t r, const residue* R, Py_ssize_t lda, int64_t p,
                   const Py_ssize_t* cols, residue* A) noexcept nogil
