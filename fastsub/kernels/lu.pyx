"""LU factorisation, the inverses of its triangles in their place, and what they tell.

    W (n, n):   L strictly below the diagonal, its own diagonal is 1; U above and on it
    P W = L U   row i of P W is row p[i] of W

The inverses take no memory, and their norms bound the condition: 1 / (||L^-1|| ||U^-1||) is at
most sigma_min. What they solve is less accurate than substitution, and good for a refinement.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 3.4.
"""

from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, getrf, scalar, trmm, trmv, trsm, trsv, trtri
from fastsub.kernels.scalars cimport sumsq

cdef enum:
    FEW = 4     # right-hand sides that level 2 serves better than level 3


cdef void norms(Py_ssize_t n, const scalar* W, Py_ssize_t ldw, double* lower,
                double* upper) noexcept nogil:
    """lower := ||L||_F, upper := ||U||_F"""
    cdef Py_ssize_t j
    cdef double below = <double>n, above = 0
    for j in range(n):
        above += sumsq(j + 1, W + j * ldw)
        below += sumsq(n - j - 1, W + j * ldw + j + 1)
    lower[0] = sqrt(below)
    upper[0] = sqrt(above)


cdef void permutation(Py_ssize_t n, const blas_int* ipiv, blas_int* p) noexcept nogil:
    """p: row i of P A is row p[i] of A; ipiv as getrf leaves it: row i swapped with ipiv[i]-1"""
    cdef Py_ssize_t i, j
    for i in range(n):
        p[i] = <blas_int>i
    for i in range(n):
        j = ipiv[i] - 1
        p[i], p[j] = p[j], p[i]


cdef void apply(char trans, bint inverted, blas_int n, scalar* W, scalar* X,
                blas_int k) noexcept nogil:
    """X (n, k) := U^-1 L^-1 X, or (trans T) L^-T U^-T X; `inverted`: W holds the inverses"""
    cdef scalar one = 1
    cdef Py_ssize_t j
    cdef int turn
    cdef char uplo, diag
    for turn in range(2):
        uplo = c'L' if (trans == c'N') == (turn == 0) else c'U'
        diag = c'U' if uplo == c'L' else c'N'
        if k > FEW and inverted:
            trmm(c'L', uplo, trans, diag, n, k, one, W, n, X, n)
        elif k > FEW:
            trsm(c'L', uplo, trans, diag, n, k, one, W, n, X, n)
        else:
            for j in range(k):
                if inverted:
                    trmv(uplo, trans, diag, n, W, n, X + j * n, 1)
                else:
                    trsv(uplo, trans, diag, n, W, n, X + j * n, 1)


# ---- Python shims ----

def py_factor(scalar[::1, :] W, blas_int[::1] p):
    """W := L and U, p the permutation; return info, > 0 if U is singular."""
    cdef Py_ssize_t n = W.shape[0]
    cdef blas_int info = 0
    if W.shape[1] != n or p.shape[0] != 2 * n:
        raise ValueError("W must be square, n x n, and p hold 2 n integers")
    if n:
        with nogil:
            info = getrf(<blas_int>n, <blas_int>n, &W[0, 0], <blas_int>n, &p[n])
            permutation(n, &p[n], &p[0])
    return info


def py_invert(scalar[::1, :] W, bint lower):
    """L := L^-1, or U := U^-1, in place; return info."""
    cdef Py_ssize_t n = W.shape[0]
    cdef blas_int info = 0
    if n:
        with nogil:
            info = trtri(c'L' if lower else c'U', c'U' if lower else c'N', <blas_int>n, &W[0, 0],
                         <blas_int>n)
    return info


def py_apply(scalar[::1, :] W, scalar[::1, :] X, bint transposed, bint inverted):
    """X := U^-1 L^-1 X, or L^-T U^-T X; inverted: W holds the inverses."""
    cdef Py_ssize_t n = W.shape[0], k = X.shape[1]
    if W.shape[1] != n or X.shape[0] != n:
        raise ValueError("W must be n x n and X n x k")
    if n and k:
        with nogil:
            apply(c'T' if transposed else c'N', inverted, <blas_int>n, &W[0, 0], &X[0, 0],
                  <blas_int>k)


def py_norms(const scalar[::1, :] W):
    """Return ||L||_F and ||U||_F."""
    cdef double lower = 0, upper = 0
    if W.shape[0] != W.shape[1]:
        raise ValueError("W must be square")
    if W.shape[0]:
        with nogil:
            norms(W.shape[0], &W[0, 0], W.shape[0], &lower, &upper)
    return lower, upper
