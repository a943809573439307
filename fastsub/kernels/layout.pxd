"""Reading user arrays of any layout into the column-major arrays of the kernels."""

from fastsub.kernels.blas cimport scalar

cdef double magnitude(const scalar* A, Py_ssize_t m, Py_ssize_t n,
                      Py_ssize_t row, Py_ssize_t col) noexcept nogil
cdef void copy(const scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
               double scale, bint conjugate, scalar* B, Py_ssize_t ldb) noexcept nogil
cdef void upper(const scalar* A, Py_ssize_t k, Py_ssize_t n, Py_ssize_t lda,
                scalar* R) noexcept nogil
