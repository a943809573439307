"""Matrices of residues modulo an odd prime, and their products."""

from libc.stdint cimport int64_t, uint64_t

ctypedef fused residue:
    double
    int64_t

cdef struct Field:
    int64_t p
    double modulus, inverse  # p and 1/p
    int s, t                 # pieces of a left and of a right factor
    int a_bits, b_bits       # bits of such a piece
    Py_ssize_t depth         # terms that are summed before a reduction
    int bits                 # of p
    uint64_t barrett         # floor(2^(63 + bits) / p)
    uint64_t shift           # 2^a_bits mod p
    uint64_t shoup           # and its quotient

cdef void set_field(int64_t p, Field* F) noexcept nogil
cdef Py_ssize_t product_size(const Field* F, Py_ssize_t m, Py_ssize_t n,
                             Py_ssize_t k) noexcept nogil
cdef void multiply(const Field* F, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, int sign,
                   const residue* A, Py_ssize_t lda, const residue* B, Py_ssize_t ldb, bint add,
                   residue* C, Py_ssize_t ldc, bint lazy, double* work) noexcept nogil
cdef void reduce_rows(const Field* F, Py_ssize_t m, Py_ssize_t n, residue* A,
                      Py_ssize_t lda) noexcept nogil
cdef int64_t inverse(int64_t x, int64_t p) noexcept nogil
cdef Py_ssize_t row_stride(const residue[:, :] A) except -1
