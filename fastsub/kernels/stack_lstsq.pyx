"""Least squares of a stack of small matrices: the loop over it, compiled, without the GIL.

The stack lies as in stack.pyx. Each matrix is solved as a single one is: by QR where its columns,
or if it is wide its rows, are proved to be independent; at any other proved rank by the complete
orthogonal decomposition (direct_lstsq.pyx).
"""

cimport numpy as cnp

from fastsub.kernels.direct cimport strips_for
from fastsub.kernels.direct_lstsq cimport Problem, can_square, solve_any, solve_full
from fastsub.kernels.small cimport DECIDED, SCRATCH, UNDECIDED, Small, begin, finish

cnp.import_array()

cdef enum:
    # As in stack.pyx
    PLAIN = 0
    PIVOTED = 1
    NOBODY = 4


cdef int one(Problem* P, Small* S, Small* wide) noexcept nogil:
    """Solve one problem; S is of A, or A^H if that has more rows, `wide` of A^H; -1: no memory"""
    cdef int status
    if not can_square(P, S):
        return NOBODY
    status = solve_full(P, S)
    if status == UNDECIDED:
        status = solve_any(P, wide)
        S.rank, S.cutoff, S.lower, S.upper = wide.rank, wide.cutoff, wide.lower, wide.upper
        S.pivoted = wide.pivoted
    if status == -1:
        return -1
    if status != DECIDED:
        return NOBODY
    return PIVOTED if S.pivoted else PLAIN


def py_solve(cnp.ndarray A, const Py_ssize_t[::1] at, cnp.ndarray B, const Py_ssize_t[::1] at_b,
             Py_ssize_t first, Py_ssize_t last, cnp.ndarray X, double[:, ::1] squares, double rtol,
             bint tight, Py_ssize_t[::1] ranks, double[:, ::1] bounds, signed char[::1] how):
    """Solve A X = B, in the sense of least squares and norms, for matrices first, ..., last - 1.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, whole strides, no empty matrices.
    at, at_b : ndarray of intp, shape (N,)
        Where matrices and right-hand sides begin, in entries from the first.
    B : ndarray, shape (..., m, k)
        The same dtype, whole strides, k > 0.
    X : ndarray, shape (N, k, n)
        Out, C-contiguous: transposed solutions.
    squares : ndarray, shape (N, k)
        Out: squared norms of residuals where m > n and the rank is n; else undefined.
    rtol : float
        Cutoff relative to sigma_1.
    tight : bool
        Whether cutoffs are wanted as near as cheap bounds bring them.
    ranks, bounds, how
        Out, as for `stack.py_spaces`; nobody: undecided, not finite, or not to be squared.
    """
    cdef char[SCRATCH] scratch, more
    cdef Small S, wide
    cdef Problem P
    cdef Py_ssize_t i, rs, cs
    cdef int a = cnp.PyArray_NDIM(A) - 2, b = cnp.PyArray_NDIM(B) - 2, answer = 0
    cdef const char* data = <const char*>cnp.PyArray_DATA(A)
    cdef const char* rhs = <const char*>cnp.PyArray_DATA(B)
    cdef char* x = <char*>cnp.PyArray_DATA(X)
    S.K = wide.K = strips_for(cnp.PyArray_TYPE(A))
    if (S.K == NULL or a < 0 or b < 0 or cnp.PyArray_TYPE(B) != cnp.PyArray_TYPE(A)
            or not cnp.PyArray_ISBEHAVED_RO(A) or not cnp.PyArray_ISBEHAVED_RO(B)):
        raise ValueError("A and B must be stacks of matrices of one of the four dtypes")
    P.m, P.n, P.k = cnp.PyArray_DIM(A, a), cnp.PyArray_DIM(A, a + 1), cnp.PyArray_DIM(B, b + 1)
    if cnp.PyArray_DIM(B, b) != P.m or not 0 <= first <= last <= min(at.shape[0], at_b.shape[0]):
        raise ValueError("A and B must have the same number of rows, and hold first and last")
    rs, cs = cnp.PyArray_STRIDE(A, a) // S.K.size, cnp.PyArray_STRIDE(A, a + 1) // S.K.size
    P.rs, P.cs = cnp.PyArray_STRIDE(B, b) // S.K.size, cnp.PyArray_STRIDE(B, b + 1) // S.K.size
    wide.m, wide.n, wide.rs, wide.cs = P.n, P.m, cs, rs
    wide.conjugate = wide.flipped = wide.clean = True
    S.m, S.n, S.rs, S.cs = P.m, P.n, rs, cs
    S.conjugate = S.flipped = P.m < P.n
    if P.m < P.n:
        S.m, S.n, S.rs, S.cs = P.n, P.m, cs, rs
    S.clean, S.rank = False, 0
    S.tight = wide.tight = tight
    S.rtol = wide.rtol = rtol
    S.tol = wide.tol = -1
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    if not begin(&wide, more):
        finish(&S)
        raise MemoryError("no memory for the workspace of a small matrix")
    with nogil:
        for i in range(first, last):
            S.A = wide.A = data + at[i] * S.K.size
            P.b = rhs + at_b[i] * S.K.size
            P.x, P.squares = x + i * P.k * P.n * S.K.size, &squares[i, 0]
            answer = one(&P, &S, &wide)
            if answer == -1:
                break
            ranks[i] = S.rank
            bounds[i, 0], bounds[i, 1], bounds[i, 2] = S.cutoff, S.lower, S.upper
            how[i] = answer
        finish(&S)
        finish(&wide)
    if answer == -1:
        raise MemoryError("no memory for the workspace of a small matrix")
