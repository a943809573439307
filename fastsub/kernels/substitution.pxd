"""Sparse triangular substitution on many right-hand sides."""

from fastsub.kernels.blas cimport scalar

cdef void gather(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start, const int* index,
                 const scalar* value, const int* target, const scalar* diagonal, bint conjugate,
                 bint backward, scalar* X) noexcept nogil
cdef void scatter(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start, const int* index,
                  const scalar* value, const int* target, const scalar* diagonal, bint conjugate,
                  bint backward, scalar* X) noexcept nogil
cdef Py_ssize_t combine(Py_ssize_t k, Py_ssize_t first, const Py_ssize_t* start, const int* index,
                        const scalar* value, const int* target, const scalar* diagonal,
                        Py_ssize_t* row, int* length, int* column, scalar* X, Py_ssize_t capacity,
                        Py_ssize_t* used, scalar* total, double* size, int* mark,
                        int* found) noexcept nogil
