"""LU factorisation and the inverses of its triangles."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef void norms(Py_ssize_t n, const scalar* W, Py_ssize_t ldw, double* lower,
                double* upper) noexcept nogil
cdef void permutation(Py_ssize_t n, const blas_int* ipiv, blas_int* p) noexcept nogil
cdef void apply(char trans, bint inverted, blas_int n, scalar* W, scalar* X,
                blas_int k) noexcept nogil
