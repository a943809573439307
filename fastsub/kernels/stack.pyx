"""Ranks and bases of a stack of small matrices: the loop over it, compiled, without the GIL.

A stack is an array of any strides and a list of places, entries from its first one, where matrices
begin: broadcasting, slices and selections cost nothing. Each matrix is decided as a single one is:

        by_bounds (small.pyx)   one at a time, with pivots where need be
        by_svd (undecided.pyx)  its singular values, where bounds leave it open

so that the answer for a matrix never depends on its neighbours.
"""

cimport numpy as cnp
from libc.stdlib cimport free

from fastsub.kernels.blas cimport blas_int
from fastsub.kernels.direct cimport shorter, strips_for
from fastsub.kernels.small cimport (
    DECIDED, NOT_FINITE, ROUGH, SCRATCH, Small, begin, by_bounds, columns, finish,
)
from fastsub.kernels.svd cimport Bidiagonal
from fastsub.kernels.undecided cimport NO_MEMORY, by_svd, svd_columns

cnp.import_array()

cdef enum How:
    # Who decided: bounds, by a QR without pivots or with them, the basis by an SVD; the SVD; nobody
    PLAIN = 0
    PIVOTED = 1
    REFINED = 2
    BY_SVD = 3
    NOBODY = 4


cdef int one(Small* S, bint complement, Py_ssize_t width, char* out) noexcept nogil:
    """Decide about one matrix; out (m, width) := its basis, if it has that width; How, NO_MEMORY

    width < 0: no basis is wanted.
    """
    cdef Bidiagonal B
    cdef Py_ssize_t start, count
    cdef blas_int info
    cdef int status = by_bounds(S)
    if status == NOT_FINITE:
        return NOBODY
    if status != DECIDED:
        info = by_svd(S, width >= 0, S.rank if status == ROUGH else -1, &B)
        if info != 0:
            return NO_MEMORY if info == NO_MEMORY else NOBODY
    start = S.rank if complement else 0
    count = S.m - S.rank if complement else S.rank
    if status == DECIDED:
        if count == width and count > 0:
            columns(S, start, count, out)
        return PIVOTED if S.pivoted else PLAIN
    info = svd_columns(S, &B, start, count, out) if count == width else 0
    free(B.memory)
    if info != 0:
        return NOBODY
    return REFINED if status == ROUGH else BY_SVD


def py_spaces(cnp.ndarray A, const Py_ssize_t[::1] at, Py_ssize_t first, Py_ssize_t last,
              bint row_side, bint complement, cnp.ndarray basis, const double[:] rtol,
              const double[:] tol, bint tight, Py_ssize_t[::1] ranks, double[:, ::1] bounds,
              signed char[::1] how):
    """Decide the ranks of matrices first, ..., last - 1 and span one of their subspaces.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, whole strides, no empty matrices.
    at : ndarray of intp, shape (N,)
        Where each matrix begins, in entries from A[0, ..., 0].
    row_side, complement : bool
        Whether the basis lies in the space of rows, and is the orthogonal complement there.
    basis : ndarray, shape (N, width, rows), or None
        Out, C-contiguous: transposed bases of matrices whose bases have that width.
    rtol, tol : ndarray, shape (N,)
        Cutoffs relative to sigma_1, and absolute (< 0: none).
    tight : bool
        Whether cutoffs are wanted as near as cheap bounds bring them.
    ranks : ndarray of intp, shape (N,)
        Out.
    bounds : ndarray, shape (N, 3)
        Out: tol, sigma_r_lower, sigma_next_upper.
    how : ndarray of int8, shape (N,)
        Out: 0, 1, 2 bounds, by a QR without pivots or with them, the basis of the third by an SVD;
        3 an SVD; 4 nobody: not finite, or an SVD that failed.
    """
    cdef char[SCRATCH] scratch
    cdef Small S
    cdef Py_ssize_t i, width = -1, step = 0, axis = cnp.PyArray_NDIM(A) - 2
    cdef const char* data = <const char*>cnp.PyArray_DATA(A)
    cdef char* out = NULL
    cdef int answer = 0
    S.K = strips_for(cnp.PyArray_TYPE(A))
    if S.K == NULL or axis < 0 or not cnp.PyArray_ISBEHAVED_RO(A):
        raise ValueError("A must be a stack of matrices of one of the four dtypes")
    S.m, S.n = cnp.PyArray_DIM(A, <int>axis), cnp.PyArray_DIM(A, <int>axis + 1)
    S.rs = cnp.PyArray_STRIDE(A, <int>axis) // S.K.size
    S.cs = cnp.PyArray_STRIDE(A, <int>axis + 1) // S.K.size
    S.conjugate = S.flipped = row_side
    if row_side:
        S.m, S.n, S.rs, S.cs = S.n, S.m, S.cs, S.rs
    S.clean, S.tight, S.rank = basis is not None, tight, 0
    if basis is None:
        shorter(&S)
    else:
        width, out = cnp.PyArray_DIM(basis, 1), <char*>cnp.PyArray_DATA(basis)
        step = width * S.m * S.K.size
    if not 0 <= first <= last <= min(at.shape[0], ranks.shape[0]):
        raise ValueError("first and last must lie within the stack")
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    with nogil:
        for i in range(first, last):
            S.A = data + at[i] * S.K.size
            S.rtol, S.tol = rtol[i], tol[i]
            answer = one(&S, complement, width, out + i * step)
            if answer == NO_MEMORY:
                break
            ranks[i] = S.rank
            bounds[i, 0], bounds[i, 1], bounds[i, 2] = S.cutoff, S.lower, S.upper
            how[i] = answer
        finish(&S)
    if answer == NO_MEMORY:
        raise MemoryError("no memory for the workspace of a small matrix")
