"""A whole rank decision and an orthonormal basis for a matrix of small order, without the BLAS."""

from fastsub.kernels.blas cimport scalar

cdef Py_ssize_t factor(Py_ssize_t m, Py_ssize_t n, double stop, scalar* W, scalar* d, scalar* tau,
                       Py_ssize_t* p, double* partial, double* exact, double* left) noexcept nogil
cdef double inverse_norm(Py_ssize_t m, Py_ssize_t r, const scalar* W, const scalar* d,
                         scalar* x) noexcept nogil
cdef void columns(Py_ssize_t m, Py_ssize_t k, Py_ssize_t start, Py_ssize_t count,
                  const scalar* W, const scalar* tau, scalar* C) noexcept nogil
