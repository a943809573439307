"""Elimination modulo an odd prime."""

from libc.stdint cimport int64_t

from fastsub.kernels.residues cimport Field, residue

cdef Py_ssize_t eliminate_panel(const Field* F, Py_ssize_t m, Py_ssize_t n, Py_ssize_t w,
                                residue* A, Py_ssize_t lda, Py_ssize_t* swaps, Py_ssize_t* cols,
                                int64_t* values, residue* T, Py_ssize_t* pending, residue* work,
                                double* pack) noexcept nogil
