"""Backward errors of the least-squares solutions of a stack: the loop over it, compiled.

The estimate of Karlson and Walden, as factor/least_squares/backward.py has it,

        mu(x) = || K^-H A^H r || / ||x||,    K^H K = A^H A + theta^2 I,    theta = ||r|| / ||x||

with K from the QR of (A; theta I), in as many lanes as a vector has (lane_solve.h), each scaled
where its squares are not safe. Nothing need be proved about what a lane holds. Right-hand sides
whose theta lies within an octave share the K of the smallest of them: each lane has rounds of its
own.

References
----------
Karlson & Walden, Estimation of optimal backward perturbation bounds for the linear least squares
    problem, BIT 37 (1997), equation (2.4).
"""

cimport numpy as cnp
from libc.math cimport INFINITY, frexp, isfinite, ldexp, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fastsub.kernels.direct cimport strips_for
from fastsub.kernels.lanes cimport MOST_LANES, Lanes, lanes_of
from fastsub.kernels.small cimport Strips

cnp.import_array()


cdef struct Stack:
    # A (m, n) and B (m, k), any strides; X (n, k) column-major, one after the other
    const Lanes* K
    const Strips* strips
    Py_ssize_t m, n, k, rs, cs, rs_b, cs_b
    const char* A
    const char* B
    const char* X
    # Lanes: W (m + n, n) of (A; theta I), R (m, k), x (n, k), G and C (m + n, k)
    char* W
    char* R
    char* x
    char* G
    char* C
    char* beta
    char* tau
    char* work
    # (k, lanes): squares; theta, lengths; theta < 0: done
    double* squares
    double* theta
    double* lengths
    bint scaled
    double[MOST_LANES] factors  # of A, if it is scaled
    void* memory


cdef bint begin(Stack* S) noexcept nogil:
    """Lay out the memory; False: none left. free(S.memory) gives it back."""
    cdef Py_ssize_t size = S.K.size, m = S.m, n = S.n, k = S.k, tall = m + n
    cdef Py_ssize_t total = tall * n + m * k + n * k + 2 * tall * k + 2 * n + 4 * n
    S.memory = malloc(total * size + 3 * k * S.K.lanes * sizeof(double) + 64)
    if S.memory == NULL:
        return False
    S.W = <char*>((<size_t>S.memory + 63) & ~<size_t>63)
    S.R = S.W + tall * n * size
    S.x = S.R + m * k * size
    S.G = S.x + n * k * size
    S.C = S.G + tall * k * size
    S.beta = S.C + tall * k * size
    S.tau = S.beta + n * size
    S.work = S.tau + n * size
    S.squares = <double*>(S.work + 4 * n * size)
    S.theta = S.squares + k * S.K.lanes
    S.lengths = S.theta + k * S.K.lanes
    return True


cdef bint exponents(const Stack* S, Py_ssize_t m, Py_ssize_t n, const char* A,
                    const Py_ssize_t* at, Py_ssize_t rs, Py_ssize_t cs, const char* W,
                    int* found) noexcept nogil:
    """found (lanes) := powers of two that W (m, n) := A is divided by; whether there are any"""
    cdef double[MOST_LANES] squares
    cdef double largest, limit = ldexp(1.0, 2 * S.strips.safe)
    cdef Py_ssize_t lane
    cdef bint some = False
    S.K.sumsq(0, m * n, 1, W, squares)
    for lane in range(S.K.lanes):
        found[lane] = 0
        if not 1 / limit < squares[lane] < limit:
            largest = S.strips.magnitude(m, n, A + at[lane] * S.strips.size, rs, cs)
            if largest > 0 and isfinite(largest):
                frexp(largest, &found[lane])
                found[lane] = max(S.strips.lowest, min(-S.strips.lowest, found[lane]))
                some = True
    return some


cdef void balance(Stack* S, const Py_ssize_t* at, const Py_ssize_t* at_b) noexcept nogil:
    """Scale W, R and x, as loaded, where squares are not safe"""
    cdef int[MOST_LANES] of_a, of_b
    cdef double[MOST_LANES] b, x, rest
    cdef Py_ssize_t lane
    cdef int e
    cdef bint some = exponents(S, S.m, S.n, S.A, at, S.rs, S.cs, S.W, of_a)
    S.scaled = False
    if not exponents(S, S.m, S.k, S.B, at_b, S.rs_b, S.cs_b, S.R, of_b) and not some:
        return
    S.scaled = True
    for lane in range(S.K.lanes):
        e = of_a[lane] - of_b[lane]
        S.factors[lane], b[lane] = ldexp(1.0, -of_a[lane]), ldexp(1.0, -of_b[lane])
        # One factor might be out of range.
        x[lane], rest[lane] = ldexp(1.0, e // 2), ldexp(1.0, e - e // 2)
    S.K.scale(S.m * S.n, S.factors, S.W)
    S.K.scale(S.m * S.k, b, S.R)
    S.K.scale(S.n * S.k, x, S.x)
    S.K.scale(S.n * S.k, rest, S.x)


cdef void measure(Stack* S, const Py_ssize_t* at, const Py_ssize_t* at_b, const Py_ssize_t* at_x,
                  double* norms, double* errors) noexcept nogil:
    """Residuals, gradients and thetas; errors (lanes) := those that no K is needed for"""
    cdef const Lanes* K = S.K
    cdef Py_ssize_t lanes = K.lanes, m = S.m, n = S.n, k = S.k, size = K.size, lane, j, i
    cdef double r, g
    K.load(m, n, S.A, at, S.rs, S.cs, False, m, S.W)
    K.load(m, k, S.B, at_b, S.rs_b, S.cs_b, False, m, S.R)
    K.load(n, k, S.X, at_x, 1, n, False, n, S.x)
    balance(S, at, at_b)
    K.subtract(m, n, k, S.W, S.x, S.R)
    K.adjoint(m, n, k, S.W, S.R, m + n, S.G)
    for lane in range(lanes):
        norms[lane] = errors[lane] = 0
    for j in range(n):
        K.sumsq(0, m, 1, S.W + j * m * size, S.squares)
        for lane in range(lanes):
            norms[lane] += S.squares[lane]
    K.sumsq(0, n, k, S.x, S.lengths)
    K.sumsq(0, m, k, S.R, S.theta)
    for j in range(k):
        K.sumsq(0, n, 1, S.G + j * (m + n) * size, S.squares)
        for lane in range(lanes):
            i = j * lanes + lane
            r, S.lengths[i] = sqrt(S.theta[i]), sqrt(S.lengths[i])
            g, S.theta[i] = sqrt(S.squares[lane]), -1
            if not (isfinite(r) and isfinite(S.lengths[i])):
                errors[lane] = INFINITY
            elif r > 0 and isfinite(r / S.lengths[i]):
                S.theta[i] = r / S.lengths[i]
            elif r > 0:
                # The limit where x is zero
                errors[lane] = max(errors[lane], g / r)


cdef void estimate(Stack* S, const Py_ssize_t* at, double* errors) noexcept nogil:
    """errors (lanes) := the largest of each, with those that need K"""
    cdef const Lanes* K = S.K
    cdef Py_ssize_t lanes = K.lanes, tall = S.m + S.n, k = S.k, lane, i, j
    cdef double[MOST_LANES] least
    cdef double error
    cdef bint more = True
    while more:
        more = False
        for lane in range(lanes):
            least[lane] = INFINITY
            for j in range(k):
                if S.theta[j * lanes + lane] >= 0:
                    least[lane] = min(least[lane], S.theta[j * lanes + lane])
            if least[lane] < INFINITY:
                more = True
            else:
                least[lane] = 1
        if not more:
            break
        K.load(S.m, S.n, S.A, at, S.rs, S.cs, False, tall, S.W)
        if S.scaled:
            K.scale(tall * S.n, S.factors, S.W)
        K.augment(tall, S.n, least, S.W)
        K.reduce(tall, S.n, 0, S.W, S.beta, S.tau, S.work)
        memcpy(S.C, S.G, tall * k * K.size)
        K.solve(tall, S.n, k, True, S.W, S.beta, S.C)
        K.sumsq(0, S.n, k, S.C, S.squares)
        for lane in range(lanes):
            for j in range(k):
                i = j * lanes + lane
                if 0 <= S.theta[i] <= 2 * least[lane]:
                    S.theta[i] = -1
                    error = sqrt(S.squares[i]) / S.lengths[i]
                    errors[lane] = max(errors[lane], error if isfinite(error) else INFINITY)


# ---- Python shim ----

def py_estimates(cnp.ndarray A, const Py_ssize_t[::1] at, cnp.ndarray B,
                 const Py_ssize_t[::1] at_b, cnp.ndarray X, Py_ssize_t first, Py_ssize_t last,
                 double[::1] errors):
    """Estimate the backward errors of solutions first, ..., last - 1 of a stack.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, whole strides, no empty matrices.
    at, at_b : ndarray of intp, shape (N,)
        Where matrices and right-hand sides begin, in entries from the first.
    B : ndarray, shape (..., m, k)
        The same dtype, whole strides, k > 0.
    X : ndarray, shape (N, k, n)
        C-contiguous: transposed solutions.
    errors : ndarray, shape (N,)
        Out: the largest over the right-hand sides, relative to ``norm(A, "fro")``.
    """
    cdef Stack S
    cdef Py_ssize_t[MOST_LANES] places, places_b, places_x
    cdef double[MOST_LANES] norms, found
    cdef Py_ssize_t i = first, j, lane, entry
    cdef int a = cnp.PyArray_NDIM(A) - 2, b = cnp.PyArray_NDIM(B) - 2
    S.strips = strips_for(cnp.PyArray_TYPE(A))
    if (S.strips == NULL or a < 0 or b < 0
            or cnp.PyArray_TYPE(B) != cnp.PyArray_TYPE(A)
            or cnp.PyArray_TYPE(X) != cnp.PyArray_TYPE(A)
            or not cnp.PyArray_ISBEHAVED_RO(A) or not cnp.PyArray_ISBEHAVED_RO(B)):
        raise ValueError("A, B and X must be stacks of matrices of one of the four dtypes")
    if not 0 <= first <= last <= min(at.shape[0], at_b.shape[0], errors.shape[0]):
        raise ValueError("first and last must lie within the stack")
    entry = cnp.PyArray_ITEMSIZE(A)
    S.K = lanes_of(cnp.PyArray_TYPE(A))
    S.m, S.n, S.k = cnp.PyArray_DIM(A, a), cnp.PyArray_DIM(A, a + 1), cnp.PyArray_DIM(B, b + 1)
    S.rs, S.cs = cnp.PyArray_STRIDE(A, a) // entry, cnp.PyArray_STRIDE(A, a + 1) // entry
    S.rs_b, S.cs_b = cnp.PyArray_STRIDE(B, b) // entry, cnp.PyArray_STRIDE(B, b + 1) // entry
    S.A, S.B = <const char*>cnp.PyArray_DATA(A), <const char*>cnp.PyArray_DATA(B)
    S.X = <const char*>cnp.PyArray_DATA(X)
    if not begin(&S):
        raise MemoryError("no memory for the workspace of small matrices")
    with nogil:
        while i < last:
            for lane in range(S.K.lanes):
                j = min(i + lane, last - 1)
                places[lane], places_b[lane], places_x[lane] = at[j], at_b[j], j * S.n * S.k
            measure(&S, places, places_b, places_x, norms, found)
            estimate(&S, places, found)
            for lane in range(min(S.K.lanes, last - i)):
                errors[i + lane] = found[lane] / sqrt(norms[lane]) if norms[lane] > 0 else 0
            i += S.K.lanes
        free(S.memory)
