"""Singular values, and the singular vectors of one side that are asked for."""

from fastsub.kernels.blas cimport blas_int, real, scalar

cdef struct Bidiagonal:
    # A = Q B P^H, B = U diag(sigma) VT; where long, A = Q1 R or L Q1 first, and core = R or L for A
    Py_ssize_t m, n
    bint is_long
    void* A
    void* core   # (min, min)
    void* tau    # (min), of Q1
    void* sigma  # (min), real
    void* U      # (min, min), real
    void* VT
    void* tauq
    void* taup
    void* work   # entries
    Py_ssize_t lwork
    void* memory

cdef bint allocate(Bidiagonal* B, Py_ssize_t m, Py_ssize_t n, bint vectors,
                   const scalar* like) noexcept nogil
cdef blas_int values(Bidiagonal* B, bint vectors, bint iterate, const scalar* like) noexcept nogil
cdef double sigma(const Bidiagonal* B, Py_ssize_t i, const scalar* like) noexcept nogil
cdef blas_int vectors(Bidiagonal* B, bint right, Py_ssize_t start, Py_ssize_t count,
                      scalar* out) noexcept nogil
