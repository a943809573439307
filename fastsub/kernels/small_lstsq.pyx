"""Least squares of a small matrix, without the BLAS: QR, proof, solution.

    m >= n:   A = Q R,   x = R^-1 (Q^H b)[:n],    ||b - A x|| = ||(Q^H b)[n:]||
    m < n:    A^H = Q R, x = Q (R^-H b; 0)                                  of minimum norm

if the columns, taken in their order, are proved to be independent as in small.pyx. If not, that
finds the rank and an orthonormal basis of the rows, A = B Q1^H with B := A Q1 (m, r) of full rank:

    B = Q2 R2,   x = Q1 R2^-1 (Q2^H b)[:r]                                  of minimum norm

the complete orthogonal decomposition in its order of use. Strips are those of strips.h, eight
right-hand sides a strip. Each is solved at its own power of two, so that squares are safe.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections 5.3, 5.5 and 5.6.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), theorem 20.3: columnwise
    backward stability of the first.
"""

from libc.float cimport FLT_MAX
from libc.math cimport INFINITY, frexp, isfinite, ldexp, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fastsub.kernels.small cimport (
    DECIDED, GO_ON, SCRATCH, UNDECIDED, Small, Weights, avoid_pivots, begin, by_bounds, finish,
    inverse_norm, reflect, report, weigh,
)

cdef enum:
    LANES = 8
    STEPS = 3           # of the power method, for a cutoff that is shown


cdef bint weigh_rhs(Problem* P, const Small* S) noexcept nogil:
    """Choose the exponent that lets b be squared; whether b is finite"""
    cdef double largest, limit = ldexp(1.0, 2 * S.K.safe)
    cdef double total = S.K.sumsq(P.m, P.k, P.b, P.rs, P.cs, 1.0, &largest)
    P.exponent = 0
    if 1 / limit < total < limit:
        return True
    largest = S.K.magnitude(P.m, P.k, P.b, P.rs, P.cs)
    if not isfinite(largest):
        return False
    if largest > 0:
        frexp(largest, &P.exponent)
        P.exponent = max(S.K.lowest, min(-S.K.lowest, P.exponent))
    return True


cdef void unscale(const Problem* P, const Small* S, int exponent) noexcept nogil:
    """x := 2^exponent x, of what was solved; squares of residuals to the scale of b"""
    cdef Py_ssize_t i, count = P.n * P.k * S.K.parts
    # In two steps: one factor might be out of range, where the product is not.
    cdef double first = ldexp(1.0, exponent // 2), second = ldexp(1.0, exponent - exponent // 2)
    if exponent != 0 and S.K.size == 8 * S.K.parts:
        for i in range(count):
            (<double*>P.x)[i] = (<double*>P.x)[i] * first * second
    elif exponent != 0:
        for i in range(count):
            (<float*>P.x)[i] = <float>((<float*>P.x)[i] * first * second)
    for i in range(P.k if P.exponent != 0 else 0):
        P.squares[i] = ldexp(P.squares[i], 2 * P.exponent)
        if S.K.size == 4 * S.K.parts and P.squares[i] > FLT_MAX:
            P.squares[i] = INFINITY


cdef int full_rank(Small* S) noexcept nogil:
    """W = Q R, columns in their order; DECIDED if they are proved to be independent

    S.lower, S.cutoff as by_bounds leaves them.
    """
    cdef Weights w
    cdef Py_ssize_t m = S.m, n = S.n, rs = S.rs, cs = S.cs
    cdef double left, lower, low
    cdef int status = weigh(S, &w)
    if status != GO_ON:
        return status
    if avoid_pivots(S, 0.0, w.tol_high, w.scale, &left) != S.n:
        return UNDECIDED
    lower = 1 / inverse_norm(S, S.n) - 2 * w.margin
    if not lower > w.tol_high:
        return UNDECIDED
    low = w.low
    if S.tight and S.rtol > 0:
        if rs == 1:
            m, n, rs, cs = n, m, cs, rs
        low = S.K.sigma_1(m, n, S.A, rs, cs, w.scale, STEPS, S.x, S.z)
        low = max(w.low, low * (1 - 4 * sqrt(<double>n) * S.K.eps))
    report(S, S.n, w.tol + S.rtol * low, lower, 0.0)
    return DECIDED


cdef inline Py_ssize_t strip_of(const Problem* P, const Small* S, Py_ssize_t q,
                                char* C) noexcept nogil:
    """C (m, 8) := right-hand sides 8q, 8q+1, ...; return how many"""
    cdef Py_ssize_t count = min(<Py_ssize_t>LANES, P.k - q * LANES)
    S.K.load(P.m, count, P.b + q * LANES * P.cs * S.K.size, P.rs, P.cs, False,
             ldexp(1.0, -P.exponent), C)
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
    unscale(P, S, P.exponent - S.exponent)
    return DECIDED


cdef int solve_any(Problem* P, Small* S) noexcept nogil:
    """Solve at any rank that bounds decide; S is A^H; -1: no memory"""
    cdef char[SCRATCH] scratch
    cdef Small B
    cdef Py_ssize_t q, count, s, m = S.n, size = S.K.size, row = LANES * S.K.size
    cdef double scale
    cdef char* memory
    cdef int status = by_bounds(S)
    if status != DECIDED:
        return status
    scale = ldexp(1.0, -S.exponent)
    # B^H = Q1^H A^H, all of Q^H A^H of which the first rows count.
    memory = <char*>malloc(S.m * m * size)
    if memory == NULL:
        return -1
    for q in range((m + LANES - 1) // LANES):
        count = min(<Py_ssize_t>LANES, m - q * LANES)
        S.K.load(S.m, count, <const char*>S.A + q * LANES * S.cs * size, S.rs, S.cs, S.conjugate,
                 scale, S.C)
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
        unscale(P, S, P.exponent - S.exponent - B.exponent)
    finish(&B)
    free(memory)
    return status
