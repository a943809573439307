"""Least squares of a small matrix in one compiled call, without the BLAS: QR, proof, solution.

    m >= n:   A = Q R,   x = R^-1 (Q^H b)[:n],    ||b - A x|| = ||(Q^H b)[n:]||
    m < n:    A^H = Q R, x = Q (R^-H b; 0)                                  of minimum norm

if the columns, taken in their order, are proved to be independent as in small.pyx. If not, that
finds the rank and an orthonormal basis of the rows, A = B Q1^H with B := A Q1 (m, r) of full rank:

    B = Q2 R2,   x = Q1 R2^-1 (Q2^H b)[:r]                                  of minimum norm

the complete orthogonal decomposition in its order of use. Strips are those of strips.h, eight
right-hand sides a strip. Whatever is not plain is left to others: the answer is None.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections 5.3, 5.5 and 5.6.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), theorem 20.3: columnwise
    backward stability of the first.
"""

cimport numpy as cnp
from libc.math cimport ldexp, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fastsub.kernels.direct cimport ask, tolerance
from fastsub.kernels.small cimport (
    DECIDED, GO_ON, SCRATCH, UNDECIDED, Small, Weights, avoid_pivots, begin, by_bounds, finish,
    inverse_norm, reflect, weigh,
)

cnp.import_array()

cdef enum:
    LANES = 8
    HAND_OVER = 1024
    STEPS = 3           # of the power method, for a cutoff that is shown


cdef int full_rank(Small* S) noexcept nogil:
    """W = Q R, columns in their order; DECIDED if they are proved to be independent

    S.lower, S.cutoff as by_bounds leaves them.
    """
    cdef Weights w
    cdef Py_ssize_t m = S.m, n = S.n, rs = S.rs, cs = S.cs
    cdef double left, lower, sigma_1
    cdef int status = weigh(S, &w)
    if status != GO_ON:
        return status
    if S.exponent != 0 or avoid_pivots(S, 0.0, w.tol_high, 1.0, &left) != S.n:
        return UNDECIDED
    lower = 1 / inverse_norm(S, S.n) - 2 * w.margin
    if not lower > w.tol_high:
        return UNDECIDED
    S.rank, S.cutoff, S.lower, S.upper = S.n, w.tol_low, lower, 0
    if S.tight and w.tol < 0:
        if rs == 1:
            m, n, rs, cs = n, m, cs, rs
        sigma_1 = S.K.sigma_1(m, n, S.A, rs, cs, 1.0, STEPS, S.x, S.z)
        S.cutoff = S.rtol * max(w.low, sigma_1 * (1 - 4 * sqrt(<double>n) * S.K.eps))
    return DECIDED


cdef inline Py_ssize_t strip_of(const Problem* P, const Small* S, Py_ssize_t q,
                                char* C) noexcept nogil:
    """C (m, 8) := right-hand sides 8q, 8q+1, ...; return how many"""
    cdef Py_ssize_t count = min(<Py_ssize_t>LANES, P.k - q * LANES)
    S.K.load(P.m, count, P.b + q * LANES * P.cs * S.K.size, P.rs, P.cs, False, 1.0, C)
    return count


cdef void project(const Problem* P, Small* S, Py_ssize_t q, Py_ssize_t count,
                  char* C) noexcept nogil:
    """C (m, 8) := its coordinates R^-1 (Q^H C) in the first columns; squares := what is left"""
    cdef Py_ssize_t s, j
    cdef double[LANES] norms
    for s in range(S.strips):
        reflect(S, s, True, C)
    measure(S, C, norms)
    for j in range(count):
        P.squares[q * LANES + j] = norms[j]
    S.K.solve(S.n, S.R, S.height, False, C)


cdef void measure(Small* S, const char* C, double* norms) noexcept nogil:
    """norms (8) := sums of squares of the lanes of C from row n on"""
    cdef Py_ssize_t i, j, lanes = LANES * S.K.parts
    cdef const double* d
    cdef const float* f
    cdef double x
    for j in range(LANES):
        norms[j] = 0
    for i in range(S.n, S.m):
        for j in range(lanes):
            if S.K.size == 8 * S.K.parts:
                d = <const double*>C
                x = d[i * lanes + j]
            else:
                f = <const float*>C
                x = f[i * lanes + j]
            norms[j % LANES] += x * x


cdef void expand(Small* S, Py_ssize_t r, char* C) noexcept nogil:
    """C (m, 8) := Q times (its first r rows; 0)"""
    cdef Py_ssize_t s, row = LANES * S.K.size
    memset(C + r * row, 0, (S.m - r) * row)
    for s in range(S.strips - 1, -1, -1):
        reflect(S, s, False, C)


cdef void store(const Problem* P, const Small* S, Py_ssize_t q, Py_ssize_t count,
                const char* C) noexcept nogil:
    S.K.store(P.n, count, C, P.x + q * LANES * P.n * S.K.size)


cdef int solve_full(Problem* P, Small* S) noexcept nogil:
    """Solve where A, or if it is wide A^H, has independent columns."""
    cdef Py_ssize_t q, count
    cdef int status = full_rank(S)
    if status == DECIDED and S.rank == 0:
        memset(P.x, 0, P.n * P.k * S.K.size)
    if status != DECIDED or S.rank == 0:
        return status
    for q in range((P.k + LANES - 1) // LANES):
        count = strip_of(P, S, q, S.C)
        if S.flipped:
            S.K.solve(S.n, S.R, S.height, True, S.C)
            expand(S, S.n, S.C)
        else:
            project(P, S, q, count, S.C)
        store(P, S, q, count, S.C)
    return DECIDED


cdef int solve_any(Problem* P, Small* S) noexcept nogil:
    """Solve at any rank that bounds decide; S is A^H; -1: no memory"""
    cdef char[SCRATCH] scratch
    cdef Small B
    cdef Py_ssize_t q, count, s, m = S.n, size = S.K.size, row = LANES * S.K.size
    cdef char* memory
    cdef int status = by_bounds(S)
    if status != DECIDED or S.exponent != 0:
        return UNDECIDED if status == DECIDED else status
    # B^H = Q1^H A^H, all of Q^H A^H of which the first rows count.
    memory = <char*>malloc(S.m * m * size)
    if memory == NULL:
        return -1
    for q in range((m + LANES - 1) // LANES):
        count = min(<Py_ssize_t>LANES, m - q * LANES)
        S.K.load(S.m, count, <const char*>S.A + q * LANES * S.cs * size, S.rs, S.cs, S.conjugate,
                 1.0, S.C)
        for s in range(S.strips):
            reflect(S, s, True, S.C)
        S.K.store(S.m, count, S.C, memory + q * LANES * S.m * size)
    B.K, B.A, B.m, B.n, B.rs, B.cs = S.K, memory, m, S.rank, S.m, 1
    B.conjugate, B.flipped, B.clean, B.tight = True, False, False, False
    B.rtol, B.tol = 0, 0
    if not begin(&B, scratch):
        free(memory)
        return -1
    status = full_rank(&B)
    if status == DECIDED:
        for q in range((P.k + LANES - 1) // LANES):
            count = strip_of(P, &B, q, B.C)
            project(P, &B, q, count, B.C)
            memcpy(S.C, B.C, S.rank * row)
            expand(S, S.rank, S.C)
            store(P, S, q, count, S.C)
    finish(&B)
    free(memory)
    return status


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


cdef bint can_square(const Problem* P, const Small* S) noexcept nogil:
    """Whether b is finite and of a magnitude that can be squared, or zero."""
    cdef double widest, limit = ldexp(1.0, 2 * S.K.safe)
    cdef double total = S.K.sumsq(P.m, P.k, P.b, P.rs, P.cs, 1.0, &widest)
    return 1 / limit < total < limit or (
        total == 0 and S.K.magnitude(P.m, P.k, P.b, P.rs, P.cs) == 0)


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
        strides, not empty, finite, of a magnitude that can be squared, and small.
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
    S.rtol = S.tol = -1
    if not cnp.PyArray_CheckExact(A) or not cnp.PyArray_CheckExact(b):
        return None
    a, rhs = <cnp.ndarray>A, <cnp.ndarray>b
    if not tolerance(cond, &S.rtol) or ask(a, False, &S) == NULL:
        return None
    if not ask_b(a, rhs, &P, S.K.size):
        return None
    if not 0 < P.m * P.n <= entries or P.m * P.k > entries or P.n * P.k > entries:
        return None
    if not can_square(&P, &S):
        return None
    if cond is None:
        S.rtol = S.K.eps * max(P.m, P.n)
    S.clean, S.tight = False, certify
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
