"""Gram matrix G = A^H A and its Cholesky factor: half the flops of a QR, half its digits.

    A (m, n) column-major        G (n, n), upper triangle, zeros below

The computed G is that of A + E up to ||dG||_2 <= gamma_m ||A||_F^2 (Higham 2002, section 10.1), so
sigma_min(A)^2 >= lambda_min(G) - ||dG||: a proof of full rank whenever kappa(A) is below u^-1/2.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 10.1 and 20.4.
"""

from fastsub.kernels.blas cimport blas_int, herk, potrf, scalar


cdef void gram(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* G) noexcept nogil:
    """G (n, n) := upper triangle of A^H A, zeros below; m*n^2 flops (half of gemm's)."""
    cdef Py_ssize_t i
    for i in range(<Py_ssize_t>n * n):
        G[i] = 0
    if m > 0:
        herk(c'U', c'C', n, m, 1.0, A, lda, 0.0, G, max(1, n))


cdef blas_int cholesky(blas_int n, scalar* G) noexcept nogil:
    """G (n, n) := upper triangular R with R^H R = G; info > 0: not numerically positive definite"""
    return potrf(c'U', n, G, max(1, n))


# ---- Python shims ----

def py_gram(scalar[::1, :] A, scalar[::1, :] G):
    """G := upper triangle of A^H A, zeros below."""
    cdef Py_ssize_t n = A.shape[1]
    if G.shape[0] != n or G.shape[1] != n:
        raise ValueError("G must be n x n")
    if n == 0:
        return
    with nogil:
        gram(<blas_int>A.shape[0], <blas_int>n, &A[0, 0], <blas_int>max(1, A.shape[0]), &G[0, 0])


def py_cholesky(scalar[::1, :] G):
    """G := its upper Cholesky factor, in place; return info."""
    cdef blas_int info = 0
    if G.shape[0]:
        with nogil:
            info = cholesky(<blas_int>G.shape[0], &G[0, 0])
    return info
