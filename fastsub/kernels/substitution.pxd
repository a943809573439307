"""Sparse triangular substitution on many right-hand sides."""

from fastsub.kernels.blas cimport scalar

cdef void gather(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start, const int* index,
                 const scalar* value, const int* target, const scalar* diagonal, bint conjugate,
                 bint backward, scalar* X) noexcept nogil
cdef void scatter(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start, const int* index,
                  const scalar* value, const int* target, const scalar* diagonal, bint conjugate,
                  bint backward, scalar* X) noexcept nogil
