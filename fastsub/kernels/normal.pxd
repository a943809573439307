"""Normal equations and their refinement: products with A where it lies."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef void residual(scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                   const scalar* B, scalar* X, blas_int k, scalar* R) noexcept nogil
cdef void adjoint(scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                  scalar* R, blas_int k, scalar* G) noexcept nogil
cdef void half(char trans, blas_int n, scalar* R, blas_int ldr, scalar* G,
               blas_int k) noexcept nogil
