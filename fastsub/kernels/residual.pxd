"""How far a product is from a matrix of any layout."""

from fastsub.kernels.blas cimport scalar

cdef Py_ssize_t panel_width(Py_ssize_t length, const scalar* _) noexcept nogil
cdef double subtract(const scalar* A, Py_ssize_t m, Py_ssize_t w, Py_ssize_t row, Py_ssize_t col,
                     char trans, Py_ssize_t k, scalar* X, Py_ssize_t ldx, scalar* Y,
                     Py_ssize_t ldy, scalar* P) noexcept nogil
