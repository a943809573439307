"""Pivots of a panel modulo an odd prime."""

from libc.stdint cimport int64_t

from fastsub.kernels.residues cimport Field, residue

cdef void copy_rows(Py_ssize_t m, Py_ssize_t n, const residue* A, Py_ssize_t lda, residue* B,
                    Py_ssize_t ldb) noexcept nogil
cdef void gather(Py_ssize_t m, Py_ssize_t k, const Py_ssize_t* cols, const residue* A,
                 Py_ssize_t lda, residue* B, Py_ssize_t ldb) noexcept nogil
cdef void swap_rows(Py_ssize_t k, const Py_ssize_t* swaps, Py_ssize_t n, residue* A,
                    Py_ssize_t lda) noexcept nogil
cdef Py_ssize_t pivot_size(Py_ssize_t m, Py_ssize_t w) noexcept nogil
cdef Py_ssize_t find_pivots(const Field* F, Py_ssize_t m, Py_ssize_t w, residue* W, Py_ssize_t ldw,
                            Py_ssize_t* swaps, Py_ssize_t* cols, int64_t* values, residue* T,
                            Py_ssize_t ldt, residue* work, double* pack) noexcept nogil
