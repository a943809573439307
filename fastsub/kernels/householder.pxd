"""Blocked Householder QR in compact WY form: factor, apply, form columns of Q."""

from fastsub.kernels.blas cimport blas_int, scalar

cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t nb) noexcept nogil
cdef blas_int qr_step(blas_int m, blas_int n, blas_int j, blas_int nb, scalar* A, blas_int lda,
                      scalar* T, scalar* work) noexcept nogil
cdef void block_t(blas_int m, blas_int k, blas_int nb, scalar* A, blas_int lda, scalar* tau,
                  scalar* T, scalar* work) noexcept nogil
cdef void apply_step(char trans, blas_int m, blas_int n, blas_int j, blas_int nb, scalar* A,
                     blas_int lda, scalar* T, blas_int ldt, scalar* C, blas_int ldc,
                     scalar* work) noexcept nogil
cdef blas_int invert_gram(blas_int k, blas_int nb, scalar* T, scalar* full,
                          blas_int ldf) noexcept nogil
cdef blas_int full_t(blas_int m, blas_int k, blas_int nb, scalar* A, blas_int lda, scalar* T,
                     scalar* full, blas_int ldf, scalar* work) noexcept nogil
cdef void complement(blas_int m, blas_int k, blas_int start, blas_int count, scalar* A,
                     blas_int lda, scalar* full, blas_int ldf, scalar* C,
                     blas_int ldc) noexcept nogil
