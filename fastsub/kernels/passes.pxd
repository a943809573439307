"""One pass over a tall matrix: its products with small ones, and their Gram matrices."""

from fastsub.kernels.blas cimport real

cdef struct Shape:
    Py_ssize_t parts, n, r, k       # numbers an entry; columns of A, X and N
    Py_ssize_t pr, pk               # panels of X and N
    Py_ssize_t lanes

cdef void multiply(Shape s, Py_ssize_t m, const real* A, Py_ssize_t row, Py_ssize_t col,
                   const int* place, const real* X, const real* N, real* Q, real* sums,
                   real* work) noexcept nogil
