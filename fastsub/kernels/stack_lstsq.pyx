"""Least squares of a stack of small matrices: the loop over it, compiled, without the GIL.

The stack lies as in stack.pyx. As many matrices at once as a vector has lanes are solved by QR
where their columns, or if they are wide their rows, are proved to be independent (lane_loops.h):

    m >= n:   (A b) = Q (R c),   x = R^-1 c[:n]
    m < n:    A^H = Q R,         x = Q (R^-H b; 0)

the others one at a time: as a single one is (small_lstsq.pyx) where bounds decide, else by
singular values (svd_lstsq.pyx).
"""

cimport numpy as cnp

from libc.math cimport INFINITY, NAN, isfinite, ldexp
from libc.string cimport memset

from fastsub.kernels.blas cimport blas_int
from fastsub.kernels.direct cimport strips_for
from fastsub.kernels.lanes cimport (
    FULL_RANK, MOST_LANES, Group, begin_group, finish_group, gather, lanes_of, prove, worthwhile,
)
from fastsub.kernels.small cimport (
    DECIDED, NOT_FINITE, SCRATCH, UNDECIDED, Small, begin, finish,
)
from fastsub.kernels.small_lstsq cimport Problem, solve_any, solve_full, weigh_rhs
from fastsub.kernels.stack cimport BY_SVD, FAILED, PIVOTED, PLAIN, UNKNOWN, cutoff
from fastsub.kernels.svd_lstsq cimport solve_by_svd
from fastsub.kernels.undecided cimport NO_MEMORY

cnp.import_array()


cdef int one(Problem* P, Small* S, Small* wide, double* sigmas) noexcept nogil:
    """Solve one problem; S is of A, or A^H if that has more rows, `wide` of A^H; How, NO_MEMORY

    sigmas (min(m, n)): if not NULL singular values are wanted, and decide.
    """
    cdef Py_ssize_t j
    cdef blas_int info
    cdef int status = UNDECIDED
    # Columns that are not finite have a solution that is not, and no other has.
    weigh_rhs(P, S)
    if sigmas == NULL:
        status = solve_full(P, S)
    elif not isfinite(S.K.magnitude(S.m, S.n, S.A, S.rs, S.cs)):
        status = NOT_FINITE
    if status == DECIDED:
        return PIVOTED if S.pivoted else PLAIN
    if status == UNDECIDED and sigmas == NULL:
        status = solve_any(P, wide)
    if status == -1:
        return NO_MEMORY
    if status == NOT_FINITE:
        # All bits set: a NaN of any dtype.
        memset(P.x, 0xFF, P.n * P.k * S.K.size)
        for j in range(P.k):
            P.squares[j] = NAN
        for j in range(S.n if sigmas != NULL else 0):
            sigmas[j] = NAN
        S.rank, S.cutoff, S.lower, S.upper = S.n, NAN, 0, INFINITY
        return UNKNOWN
    info = 0
    if status != DECIDED:
        info = solve_by_svd(P, wide, sigmas)
    S.rank, S.cutoff, S.lower, S.upper = wide.rank, wide.cutoff, wide.lower, wide.upper
    if info != 0:
        return NO_MEMORY if info == NO_MEMORY else FAILED
    if status != DECIDED:
        return BY_SVD
    return PIVOTED if wide.pivoted else PLAIN


cdef unsigned int squarable(Group* G, const Small* S, Py_ssize_t m, Py_ssize_t k,
                            const char* C) noexcept nogil:
    """Lanes of which the right-hand sides, m rows of C (G.m, k), can be squared, and are not zero

    None of a NaN.
    """
    cdef double limit = ldexp(1.0, 2 * S.K.safe)
    cdef double* squares = <double*>G.work
    cdef double[MOST_LANES] total
    cdef Py_ssize_t j, lane
    cdef unsigned int which = 0
    for lane in range(G.K.lanes):
        total[lane] = 0
    for j in range(k):
        G.K.sumsq(0, m, 1, C + j * G.m * G.K.size, squares)
        for lane in range(G.K.lanes):
            total[lane] += squares[lane]
    for lane in range(G.K.lanes):
        if 1 / limit < total[lane] < limit:
            which |= 1u << lane
    return which


cdef unsigned int group(Group* G, Small* S, Problem* P, const Py_ssize_t* at,
                        const Py_ssize_t* at_b, Py_ssize_t left, const char* A, const char* B,
                        char* x, double* squares, Py_ssize_t* count) noexcept nogil:
    """Solve the next problems; return those of full rank, which are solved"""
    cdef Py_ssize_t[MOST_LANES] places
    cdef Py_ssize_t j, lane, row = G.m * G.K.size
    cdef unsigned int which
    cdef char* C = G.C if S.flipped else G.W + G.n * row
    cdef const double* found = <const double*>G.work
    count[0] = gather(G, at, left, places)
    G.K.load(G.m, G.n, A, places, S.rs, S.cs, S.conjugate, G.m, G.W)
    gather(G, at_b, left, places)
    G.K.load(P.m, P.k, B, places, P.rs, P.cs, False, G.m, C)
    which = prove(G, count[0], squarable(G, S, P.m, P.k, C), S.tight, FULL_RANK)
    if which == 0:
        return 0
    if not S.flipped:
        G.K.sumsq(G.n, G.m, P.k, C, <double*>G.work)
        for lane in range(count[0]):
            for j in range(P.k):
                if which >> lane & 1:
                    squares[lane * P.k + j] = found[j * G.K.lanes + lane]
    G.K.solve(G.m, G.n, P.k, S.flipped, G.W, G.beta, C)
    if S.flipped:
        G.K.apply(G.m, G.n, P.k, G.W, G.tau, C)
    G.K.store(G.m, P.n, P.k, C, which, P.n * P.k * S.K.size, x)
    return which


def py_solve(cnp.ndarray A, const Py_ssize_t[::1] at, cnp.ndarray B, const Py_ssize_t[::1] at_b,
             Py_ssize_t first, Py_ssize_t last, cnp.ndarray X, double[:, ::1] squares,
             double[:, ::1] sigmas, double rtol, double tol, bint tight, Py_ssize_t[::1] ranks,
             double[:, ::1] bounds, signed char[::1] how):
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
    sigmas : ndarray, shape (N, min(m, n)), or None
        Out: singular values, which then decide everywhere.
    rtol, tol : float
        The cutoff is their sum, the first times sigma_1.
    tight : bool
        Whether cutoffs are wanted as near as cheap bounds bring them.
    ranks, bounds, how
        Out, as for `stack.py_spaces`; solutions of a matrix that is not finite are NaN.
    """
    cdef char[SCRATCH] scratch, more
    cdef Small S, wide
    cdef Problem P
    cdef Group G
    cdef Py_ssize_t i = first, j, lane, lanes, count, step, rs, cs
    cdef unsigned int which
    cdef int a = cnp.PyArray_NDIM(A) - 2, b = cnp.PyArray_NDIM(B) - 2, answer = 0
    cdef int dtype = cnp.PyArray_TYPE(A)
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
    step = P.n * P.k * S.K.size
    P.rs, P.cs = cnp.PyArray_STRIDE(B, b) // S.K.size, cnp.PyArray_STRIDE(B, b + 1) // S.K.size
    wide.m, wide.n, wide.rs, wide.cs = P.n, P.m, cs, rs
    wide.conjugate = wide.flipped = wide.clean = True
    S.m, S.n, S.rs, S.cs = P.m, P.n, rs, cs
    S.conjugate = S.flipped = P.m < P.n
    if P.m < P.n:
        S.m, S.n, S.rs, S.cs = P.n, P.m, cs, rs
    S.clean, S.rank = False, 0
    S.tight = wide.tight = tight
    S.iterate = wide.iterate = False
    S.rtol = wide.rtol = rtol
    S.tol = wide.tol = tol
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    if not begin(&wide, more):
        finish(&S)
        raise MemoryError("no memory for the workspace of a small matrix")
    with nogil:
        G.memory = NULL
        if sigmas is None:
            begin_group(&G, dtype, S.m, S.n, 0 if S.flipped else P.k, P.k if S.flipped else 0)
        lanes = lanes_of(dtype).lanes
        for j in range(lanes):
            G.rtol[j], G.tol[j] = rtol, tol
        while i < last and answer != NO_MEMORY:
            count, which = 1, 0
            if worthwhile(&G, last - i):
                which = group(&G, &S, &P, &at[i], &at_b[i], last - i, data, rhs, x + i * step,
                              &squares[i, 0], &count)
            for lane in range(count):
                j = i + lane
                S.A = wide.A = data + at[j] * S.K.size
                if which >> lane & 1:
                    ranks[j], how[j] = G.n, PLAIN
                    bounds[j, 0] = cutoff(&S, G.bounds[lane]) if tight else G.bounds[lane]
                    bounds[j, 1], bounds[j, 2] = G.bounds[lanes + lane], 0
                    continue
                P.b = rhs + at_b[j] * S.K.size
                P.x, P.squares = x + j * step, &squares[j, 0]
                answer = one(&P, &S, &wide, NULL if sigmas is None else &sigmas[j, 0])
                if answer == NO_MEMORY:
                    break
                ranks[j], how[j] = S.rank, answer
                bounds[j, 0], bounds[j, 1], bounds[j, 2] = S.cutoff, S.lower, S.upper
            i += count
        finish_group(&G)
        finish(&S)
        finish(&wide)
    if answer == NO_MEMORY:
        raise MemoryError("no memory for the workspace of a small matrix")
