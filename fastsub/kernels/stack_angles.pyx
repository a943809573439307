"""Principal angles of a stack of pairs of subspaces: the loop over it, compiled, without the GIL.

As subspace/angles.py has them: for orthonormal X (n, p) and Y (n, q), p >= q, the cosines are the
singular values of C = X^H Y, the sines those of Y - X C, and each angle is taken from that of the
two which is below sqrt(1/2).

References
----------
Knyazev & Argentati, Principal angles between subspaces in an A-based scalar product, SIAM J. Sci.
    Comput. 23 (2002), algorithm 3.1.
"""

cimport numpy as cnp
from libc.math cimport acos, asin
from libc.stdlib cimport free
from libc.string cimport memcpy

from fastsub.kernels.blas cimport blas_int, complex64, complex128, scalar
from fastsub.kernels.svd cimport Bidiagonal, allocate, sigma, values
from fastsub.kernels.vectors cimport axpy, dot

cnp.import_array()

cdef enum:
    NO_MEMORY = -1


cdef blas_int one(Py_ssize_t n, Py_ssize_t p, Py_ssize_t q, const scalar* X, const scalar* Y,
                  double* angles) noexcept nogil:
    """angles (min(p, q)), descending, of X (n, p) and Y (n, q); info, or NO_MEMORY"""
    cdef Bidiagonal B
    cdef Py_ssize_t i, j
    cdef blas_int info
    cdef const scalar* swapped = X
    cdef scalar* S
    cdef double cosine, limit = 0.5
    if p < q:
        X, Y = Y, swapped
        p, q = q, p
    if q == 0:
        return 0
    if not allocate(&B, p, q, False, X):
        return NO_MEMORY
    for j in range(q):
        for i in range(p):
            (<scalar*>B.A)[i + j * p] = dot(n, X + i * n, Y + j * n)
    info = values(&B, False, False, X)
    for i in range(q):
        angles[i] = sigma(&B, q - 1 - i, X)
    free(B.memory)
    cosine = angles[q - 1]
    if info != 0 or not cosine * cosine >= limit:
        for i in range(q):
            angles[i] = acos(min(angles[i], 1.0))
        return info
    if not allocate(&B, n, q, False, X):
        return NO_MEMORY
    S = <scalar*>B.A
    memcpy(S, Y, n * q * sizeof(scalar))
    for j in range(q):
        for i in range(p):
            axpy(n, -dot(n, X + i * n, Y + j * n), X + i * n, S + j * n)
    info = values(&B, False, False, X)
    for i in range(q):
        if angles[i] * angles[i] >= limit:
            angles[i] = asin(min(sigma(&B, i, X), 1.0))
        else:
            angles[i] = acos(angles[i])
    free(B.memory)
    return info


cdef blas_int loop(Py_ssize_t n, const scalar* X, Py_ssize_t p, const scalar* Y, Py_ssize_t q,
                   const Py_ssize_t[::1] x, const Py_ssize_t[::1] y, const Py_ssize_t[::1] ranks_x,
                   const Py_ssize_t[::1] ranks_y, Py_ssize_t first, Py_ssize_t last,
                   double[:, ::1] angles) noexcept nogil:
    cdef Py_ssize_t i
    cdef blas_int info = 0
    for i in range(first, last):
        info = one(n, ranks_x[x[i]], ranks_y[y[i]], X + x[i] * p * n, Y + y[i] * q * n,
                   &angles[i, 0])
        if info != 0:
            break
    return info


# ---- Python shim ----

def py_angles(cnp.ndarray X, cnp.ndarray Y, const Py_ssize_t[::1] x, const Py_ssize_t[::1] y,
              const Py_ssize_t[::1] ranks_x, const Py_ssize_t[::1] ranks_y, Py_ssize_t first,
              Py_ssize_t last, double[:, ::1] angles):
    """Find the angles of pairs first, ..., last - 1; return 0, or LAPACK's info of an SVD.

    Parameters
    ----------
    X, Y : ndarray, shape (., p, n) and (., q, n)
        One of the four dtypes, C-contiguous: transposed bases, whose first `ranks_x` and `ranks_y`
        rows count.
    x, y : ndarray of intp, shape (N,)
        Which of X and Y make a pair.
    ranks_x, ranks_y : ndarray of intp
        One for each of X and Y.
    angles : ndarray, shape (N, k)
        Out: descending; k > 0 is the smaller rank of every pair.
    """
    cdef int dtype = cnp.PyArray_TYPE(X)
    cdef Py_ssize_t n, p, q, i
    cdef blas_int info
    cdef const void* a = cnp.PyArray_DATA(X)
    cdef const void* b = cnp.PyArray_DATA(Y)
    if (cnp.PyArray_NDIM(X) != 3 or cnp.PyArray_NDIM(Y) != 3 or cnp.PyArray_TYPE(Y) != dtype
            or cnp.PyArray_DIM(X, 2) != cnp.PyArray_DIM(Y, 2)
            or not cnp.PyArray_IS_C_CONTIGUOUS(X) or not cnp.PyArray_IS_C_CONTIGUOUS(Y)):
        raise ValueError("X and Y must be C-contiguous stacks of bases of one space")
    if not 0 <= first <= last <= min(x.shape[0], y.shape[0], angles.shape[0]):
        raise ValueError("first and last must lie within the stack")
    p, q, n = cnp.PyArray_DIM(X, 1), cnp.PyArray_DIM(Y, 1), cnp.PyArray_DIM(X, 2)
    for i in range(first, last):
        if not (0 <= x[i] < min(ranks_x.shape[0], cnp.PyArray_DIM(X, 0))
                and 0 <= y[i] < min(ranks_y.shape[0], cnp.PyArray_DIM(Y, 0))
                and ranks_x[x[i]] <= p and ranks_y[y[i]] <= q
                and min(ranks_x[x[i]], ranks_y[y[i]]) == angles.shape[1]):
            raise ValueError("every pair must have as many angles as there is room for")
    with nogil:
        if dtype == cnp.NPY_DOUBLE:
            info = loop(n, <const double*>a, p, <const double*>b, q, x, y, ranks_x, ranks_y, first,
                        last, angles)
        elif dtype == cnp.NPY_FLOAT:
            info = loop(n, <const float*>a, p, <const float*>b, q, x, y, ranks_x, ranks_y, first,
                        last, angles)
        elif dtype == cnp.NPY_CDOUBLE:
            info = loop(n, <const complex128*>a, p, <const complex128*>b, q, x, y, ranks_x,
                        ranks_y, first, last, angles)
        else:
            info = loop(n, <const complex64*>a, p, <const complex64*>b, q, x, y, ranks_x, ranks_y,
                        first, last, angles)
    if info == NO_MEMORY:
        raise MemoryError("no memory for the workspace of a small matrix")
    return info
