"""Products of a tall matrix of any layout with a small one, panel by panel."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef char order(Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col) noexcept nogil
cdef void times(const scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                scalar* N, blas_int k, scalar* C, scalar* copied) noexcept nogil
cdef void precondition(const scalar* A, Py_ssize_t m, Py_ssize_t row, Py_ssize_t col,
                       const int* p, blas_int r, scalar* X, scalar* Q, blas_int ldq,
                       bint by_rows, Py_ssize_t most, Py_ssize_t* held, scalar* G,
                       scalar* work) noexcept nogil
