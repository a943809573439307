"""Ranks and bases of a stack of small matrices: the loop over it, compiled, without the GIL.

A stack is an array of any strides and a list of places, entries from its first one, where matrices
begin: broadcasting, slices and selections cost nothing. Each matrix is decided as a single one is:

        prove (lanes.pyx)       as many at once as a vector has lanes, without pivots
        by_bounds (small.pyx)   else one at a time, with pivots where need be
        by_svd (undecided.pyx)  its singular values, where bounds leave it open

What a lane holds never touches its neighbours.
"""

cimport numpy as cnp
from libc.math cimport INFINITY, NAN, sqrt
from libc.stdlib cimport free
from libc.string cimport memset

from fastsub.kernels.blas cimport blas_int
from fastsub.kernels.direct cimport shorter, strips_for
from fastsub.kernels.lanes cimport (
    ANY_RANK, BLOCK, CLEAN, Group, begin_group, finish_group, gather, prove, worthwhile,
)
from fastsub.kernels.small cimport (
    DECIDED, NOT_FINITE, ROUGH, SCRATCH, Small, begin, by_bounds, columns, finish,
)
from fastsub.kernels.svd cimport Bidiagonal
from fastsub.kernels.undecided cimport NO_MEMORY, by_svd, svd_columns

cnp.import_array()

cdef enum:
    STEPS = 3  # of the power method, for a cutoff that is shown


cdef int one(Small* S, bint complement, Py_ssize_t width, char* out) noexcept nogil:
    """Decide about one matrix; out (m, width) := its basis, if it has that width; How, NO_MEMORY

    width < 0: no basis is wanted.
    """
    cdef Bidiagonal B
    cdef Py_ssize_t start, count
    cdef blas_int info
    cdef int status = by_bounds(S)
    if status == NOT_FINITE:
        S.rank, S.cutoff, S.lower, S.upper = min(S.m, S.n), NAN, 0, INFINITY
        if width == (S.m - S.rank if complement else S.rank):
            # All bits set: a NaN of any dtype.
            memset(out, 0xFF, S.m * width * S.K.size)
        return UNKNOWN
    if status != DECIDED:
        info = by_svd(S, width >= 0, S.rank if status == ROUGH else -1, &B)
        if info != 0:
            return NO_MEMORY if info == NO_MEMORY else FAILED
    start = S.rank if complement else 0
    count = S.m - S.rank if complement else S.rank
    if status == DECIDED:
        if count == width and count > 0:
            columns(S, start, count, out)
        return PIVOTED if S.pivoted else PLAIN
    info = svd_columns(S, &B, start, count, out) if count == width else 0
    free(B.memory)
    if info != 0:
        return FAILED
    return REFINED if status == ROUGH else BY_SVD


cdef struct Wanted:
    # The stack, each matrix tall: A or A^H; the answers
    const char* A
    Py_ssize_t rs, cs
    bint conjugate, complement
    Py_ssize_t width, step
    char* out


cdef unsigned int group(Group* G, Small* S, const Wanted* want, const Py_ssize_t* at,
                        Py_ssize_t left, char* out, Py_ssize_t* count) noexcept nogil:
    """Decide about the next matrices; return those of a proved rank

    Bases of the width that is wanted go to out.
    """
    cdef unsigned int which, some = 0
    cdef Py_ssize_t rank = S.m - want.width if want.complement else want.width
    cdef Py_ssize_t lane, q, c, k, start
    count[0] = gather(G, at, left, G.at)
    G.K.load(G.m, G.n, want.A, G.at, want.rs, want.cs, want.conjugate, G.m, G.W)
    which = prove(G, count[0], <unsigned int>-1, S.tight, CLEAN if want.width >= 0 else ANY_RANK)
    for lane in range(count[0]):
        if G.ranks[lane] == rank:
            some |= which & 1u << lane
    if some == 0 or want.width <= 0:
        return which
    if rank == S.m:
        # The whole space.
        for lane in range(count[0]):
            if some >> lane & 1:
                columns(S, 0, S.m, out + lane * want.step)
        return which
    start = rank if want.complement else 0
    for q in range((want.width + BLOCK - 1) // BLOCK):
        c = q * BLOCK
        k = min(<Py_ssize_t>BLOCK, want.width - c)
        G.K.unit(G.m, start + c, k, G.C)
        G.K.apply(G.m, min(rank, start + c + k), k, G.W, G.tau, G.C)
        G.K.store(G.m, G.m, k, G.C, some, want.step, out + c * G.m * S.K.size)
    return which


cdef double cutoff(Small* S, double low) noexcept nogil:
    """tol + rtol sigma_1 to a few percent; low is what it is at least"""
    cdef Py_ssize_t m = S.m, n = S.n, rs = S.rs, cs = S.cs
    cdef double sigma_1
    if S.rtol == 0:
        return low
    if rs == 1:
        m, n, rs, cs = n, m, cs, rs
    sigma_1 = S.K.sigma_1(m, n, S.A, rs, cs, 1.0, STEPS, S.x, S.z)
    return max(low, S.tol + S.rtol * sigma_1 * (1 - 4 * sqrt(<double>n) * S.K.eps))


def py_spaces(cnp.ndarray A, const Py_ssize_t[::1] at, Py_ssize_t first, Py_ssize_t last,
              bint row_side, bint complement, cnp.ndarray basis, const double[:] rtol,
              const double[:] tol, bint tight, bint iterate, Py_ssize_t[::1] ranks,
              double[:, ::1] bounds, signed char[::1] how):
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
        Cutoffs are their sum, the first times sigma_1.
    tight : bool
        Whether cutoffs are wanted as near as cheap bounds bring them.
    iterate : bool
        Whether singular values are found by QR iteration, as gesvd does.
    ranks : ndarray of intp, shape (N,)
        Out.
    bounds : ndarray, shape (N, 3)
        Out: tol, sigma_r_lower, sigma_next_upper.
    how : ndarray of int8, shape (N,)
        Out: `How` of stack.pxd. Where entries are not finite, the rank counts as full and the basis
        is NaN.
    """
    cdef char[SCRATCH] scratch
    cdef Small S
    cdef Group G
    cdef Wanted want
    cdef Py_ssize_t i = first, j, lane, count, lanes, axis = cnp.PyArray_NDIM(A) - 2
    cdef unsigned int which
    cdef int answer = 0, dtype = cnp.PyArray_TYPE(A)
    S.K = strips_for(cnp.PyArray_TYPE(A))
    if S.K == NULL or axis < 0 or not cnp.PyArray_ISBEHAVED_RO(A):
        raise ValueError("A must be a stack of matrices of one of the four dtypes")
    if not 0 <= first <= last <= min(at.shape[0], ranks.shape[0]):
        raise ValueError("first and last must lie within the stack")
    S.m, S.n = cnp.PyArray_DIM(A, <int>axis), cnp.PyArray_DIM(A, <int>axis + 1)
    S.rs = cnp.PyArray_STRIDE(A, <int>axis) // S.K.size
    S.cs = cnp.PyArray_STRIDE(A, <int>axis + 1) // S.K.size
    want.A, want.rs, want.cs = <const char*>cnp.PyArray_DATA(A), S.rs, S.cs
    want.conjugate = S.m < S.n or (S.m == S.n and row_side)
    if want.conjugate:
        want.rs, want.cs = S.cs, S.rs
    if basis is None and S.m == S.n and want.cs == 1:
        # A transpose has the rank, too, and is read along the memory.
        want.rs, want.cs = want.cs, want.rs
    want.complement, want.width, want.step, want.out = complement, -1, 0, NULL
    S.conjugate = S.flipped = row_side
    if row_side:
        S.m, S.n, S.rs, S.cs = S.n, S.m, S.cs, S.rs
    S.clean, S.tight, S.iterate, S.rank, S.strips = basis is not None, tight, iterate, 0, 0
    if basis is None:
        shorter(&S)
    else:
        want.width, want.out = cnp.PyArray_DIM(basis, 1), <char*>cnp.PyArray_DATA(basis)
        want.step = want.width * S.m * S.K.size
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    with nogil:
        G.memory = NULL
        # Columns of the longer side are what lanes can span, and the whole space.
        if want.width < 0 or S.m >= S.n or want.width == (0 if complement else S.m):
            begin_group(&G, dtype, max(S.m, S.n), min(S.m, S.n), 0,
                        BLOCK if want.width > 0 else 0)
        lanes = G.K.lanes if G.memory != NULL else 1
        while i < last and answer != NO_MEMORY:
            count, which = 1, 0
            if worthwhile(&G, last - i):
                for lane in range(lanes):
                    j = min(i + lane, last - 1)
                    G.rtol[lane], G.tol[lane] = rtol[j], tol[j]
                which = group(&G, &S, &want, &at[i], last - i, want.out + i * want.step, &count)
            for lane in range(count):
                j = i + lane
                S.A = want.A + at[j] * S.K.size
                S.rtol, S.tol = rtol[j], tol[j]
                if which >> lane & 1:
                    ranks[j], how[j] = G.ranks[lane], PLAIN
                    bounds[j, 0] = cutoff(&S, G.bounds[lane]) if tight else G.bounds[lane]
                    bounds[j, 1] = G.bounds[lanes + lane]
                    bounds[j, 2] = G.bounds[2 * lanes + lane]
                    continue
                answer = one(&S, complement, want.width, want.out + j * want.step)
                if answer == NO_MEMORY:
                    break
                ranks[j], how[j] = S.rank, answer
                bounds[j, 0], bounds[j, 1], bounds[j, 2] = S.cutoff, S.lower, S.upper
            i += count
        finish_group(&G)
        finish(&S)
    if answer == NO_MEMORY:
        raise MemoryError("no memory for the workspace of a small matrix")
