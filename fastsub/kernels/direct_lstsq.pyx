"""From Python objects to the least-squares solution of a small problem in one compiled call.

As direct.pyx has it: whatever is not plain is left to others, and the answer is None. Small.pyx and
small_lstsq.pyx do the rest.
"""

cimport numpy as cnp

from fastsub.kernels.direct cimport ask, tolerance
from fastsub.kernels.small cimport DECIDED, SCRATCH, UNDECIDED, Small, begin, finish
from fastsub.kernels.small_lstsq cimport Problem, solve_any, solve_full, weigh_rhs

cnp.import_array()

cdef enum:
    HAND_OVER = 1024


cdef int solve(Problem* P, Small* S, cnp.ndarray A, char* scratch) noexcept:
    """Solve by the first of the two that does; S is begun and finished here."""
    cdef int status
    cdef bint wide = P.m < P.n
    if ask(A, wide, S) == NULL or not begin(S, scratch):
        return -1
    if P.m * P.n < HAND_OVER:
        status = solve_full(P, S)
    else:
        with nogil:
            status = solve_full(P, S)
    if status != UNDECIDED:
        finish(S)
        return status
    if not wide:
        finish(S)
        if ask(A, True, S) == NULL or not begin(S, scratch):
            return -1
    S.clean = True
    with nogil:
        status = solve_any(P, S)
    finish(S)
    return status


cdef object ask_b(cnp.ndarray A, cnp.ndarray b, Problem* P, Py_ssize_t size):
    """Fill in where b is; False: not for the kernels"""
    cdef Py_ssize_t row, col = 0
    if (cnp.PyArray_TYPE(b) != cnp.PyArray_TYPE(A) or not cnp.PyArray_ISBEHAVED_RO(b)
            or not 1 <= cnp.PyArray_NDIM(b) <= 2):
        return False
    P.m, P.n, P.k = cnp.PyArray_DIM(A, 0), cnp.PyArray_DIM(A, 1), 1
    row = cnp.PyArray_STRIDE(b, 0)
    if cnp.PyArray_NDIM(b) == 2:
        P.k, col = cnp.PyArray_DIM(b, 1), cnp.PyArray_STRIDE(b, 1)
    if row % size or col % size or cnp.PyArray_DIM(b, 0) != P.m or P.k == 0:
        return False
    P.rs, P.cs, P.b = row // size, col // size, <const char*>cnp.PyArray_DATA(b)
    return True


def py_lstsq(object A, object b, object cond, Py_ssize_t entries, bint certify=False):
    """Return the solution, what is known of it, or None: not for this path.

    Parameters
    ----------
    A, b : object
        Answered if they are ndarrays of one of the four dtypes, 2-d and 1-d or 2-d, with whole
        strides, not empty, finite, and small.
    cond : object
        Answered if None or a float >= 0.
    entries : int
        How many entries A and b may have each.
    certify : bool
        Whether the numbers of a certificate are wanted, too.

    Returns
    -------
    x : ndarray, shape (n,) or (n, k)
    squares : ndarray, shape (k,), or None
        Squared norms of the residuals, if m > n and the rank is n.
    rank : int
    tol, sigma_r_lower, sigma_next_upper : float
        Only with `certify`.
    method : str
    """
    cdef char[SCRATCH] scratch
    cdef Small S
    cdef Problem P
    cdef int status
    cdef cnp.npy_intp[2] shape
    cdef cnp.ndarray a, rhs, x, squares
    S.rtol = S.tol = 0
    if not cnp.PyArray_CheckExact(A) or not cnp.PyArray_CheckExact(b):
        return None
    a, rhs = <cnp.ndarray>A, <cnp.ndarray>b
    if not tolerance(cond, &S.rtol) or ask(a, False, &S) == NULL:
        return None
    if not ask_b(a, rhs, &P, S.K.size):
        return None
    if not 0 < P.m * P.n <= entries or P.m * P.k > entries or P.n * P.k > entries:
        return None
    if not weigh_rhs(&P, &S):
        return None
    if cond is None:
        S.rtol = S.K.eps * max(P.m, P.n)
    S.clean, S.tight, S.iterate = False, certify, False
    shape[0], shape[1] = P.n, P.k
    x = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(rhs), shape, cnp.PyArray_TYPE(a), True)
    squares = cnp.PyArray_EMPTY(1, &shape[1], cnp.NPY_DOUBLE, False)
    P.x, P.squares = <char*>cnp.PyArray_DATA(x), <double*>cnp.PyArray_DATA(squares)
    status = solve(&P, &S, a, scratch)
    if status == -1:
        raise MemoryError("no memory for the workspace of a small matrix")
    if status != DECIDED:
        return None
    if not P.m > P.n == S.rank:
        squares = None
    if not certify:
        return x, squares, S.rank
    return (x, squares, S.rank, S.cutoff, S.lower, S.upper,
            "small qrcp" if S.pivoted else "small qr")
