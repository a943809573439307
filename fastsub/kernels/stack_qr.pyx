"""QR of a stack of small matrices: the loop over it, compiled, without the GIL and without threads.

The stack lies as in stack.pyx. As many matrices at once as a vector has lanes are factored where no
pivots are asked for and their columns can be squared (lane_qr.h); the others one at a time, each
reflector applied at once (direct_qr.pyx), scaled where entries are near overflow or underflow. Both
have the reflectors of LAPACK:

    A P = Q R,   Q = H_0 H_1 ... ,   H = I - tau v v^H

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.2.
"""

cimport numpy as cnp
from libc.math cimport frexp, isfinite, ldexp
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastsub.kernels.blas cimport blas_int, complex64, complex128, larfg, scalar
from fastsub.kernels.direct cimport strips_for
from fastsub.kernels.direct_qr cimport pivoted
from fastsub.kernels.lanes cimport BLOCK, Group, begin_group, finish_group, gather
from fastsub.kernels.layout cimport copy, magnitude
from fastsub.kernels.scalars cimport conj, scaled
from fastsub.kernels.small cimport Strips
from fastsub.kernels.vectors cimport reflect

cnp.import_array()


cdef struct Wanted:
    # A (m, n), entry (i, j) at A[i*rs + j*cs]; all else column-major
    Py_ssize_t m, n, rs, cs
    bint pivoting, raw
    char* Q             # (m, columns), or (m, n): the reflectors, where raw
    Py_ssize_t columns  # 0: no Q
    char* R             # (rows, n)
    Py_ssize_t rows
    char* tau           # (min(m, n)), where raw
    int* p              # (n), where pivoting


cdef void plain(blas_int m, blas_int n, scalar* W, scalar* tau) noexcept nogil:
    """Factor W (m, n) in place, tau (min(m, n))"""
    cdef Py_ssize_t k
    cdef scalar* v
    cdef scalar diagonal
    for k in range(min(m, n)):
        v = W + k * (m + 1)
        larfg(<blas_int>(m - k), v, v + 1, 1, tau + k)
        diagonal = v[0]
        v[0] = 1
        reflect(m - k, n - k - 1, v, conj(tau[k]), v + m, m)
        v[0] = diagonal


cdef void generate(Py_ssize_t m, Py_ssize_t k, Py_ssize_t count, scalar* W, const scalar* tau,
                   scalar* Q) noexcept nogil:
    """Q (m, count) := the first columns of H_0 ... H_{k-1}, k <= count"""
    cdef Py_ssize_t j
    cdef scalar* v
    cdef scalar diagonal
    memset(Q, 0, m * count * sizeof(scalar))
    for j in range(count):
        Q[j * (m + 1)] = 1
    for j in range(k - 1, -1, -1):
        v = W + j * (m + 1)
        diagonal = v[0]
        v[0] = 1
        reflect(m - j, count - j, v, tau[j], Q + j * (m + 1), m)
        v[0] = diagonal


cdef void one(const Wanted* want, Py_ssize_t i, const scalar* A, void* memory) noexcept nogil:
    """Factor one matrix, the i-th; memory: norms (2 n), p (n), W (m, n), tau (min(m, n))"""
    cdef Py_ssize_t m = want.m, n = want.n, k = min(m, n), row, j
    cdef double* norms = <double*>memory
    cdef cnp.npy_intp* p = <cnp.npy_intp*>(norms + 2 * n)
    cdef scalar* W = <scalar*>(p + n)
    cdef scalar* tau = W + m * n
    cdef scalar* R = <scalar*>want.R + i * want.rows * n
    cdef scalar* Q
    # As working_copy has it, for squares.
    cdef int exponent = 0, safe = 200, limit = 1000
    cdef double factor, largest = magnitude(A, m, n, want.rs, want.cs)
    if scalar is float or scalar is complex64:
        safe, limit = 40, 120
    if largest > 0 and isfinite(largest):
        frexp(largest, &exponent)
        if -safe <= exponent <= safe:
            exponent = 0
        exponent = max(-limit, min(limit, exponent))
    factor = ldexp(1.0, exponent)
    copy(A, m, n, want.rs, want.cs, 1 / factor, False, W, m)
    if want.pivoting:
        pivoted(<blas_int>m, <blas_int>n, W, p, tau, norms)
        for j in range(n):
            want.p[i * n + j] = <int>p[j]
    else:
        plain(<blas_int>m, <blas_int>n, W, tau)
    if want.columns and not want.raw:
        Q = <scalar*>want.Q + i * m * want.columns
        generate(m, k, want.columns, W, tau, Q)
    for j in range(n):
        for row in range(min(j + 1, k)):
            W[row + j * m] = scaled(W[row + j * m], factor)
            R[row + j * want.rows] = W[row + j * m]
        for row in range(min(j + 1, k), want.rows):
            R[row + j * want.rows] = 0
    if want.raw:
        Q = <scalar*>want.Q + i * m * n
        for j in range(m * n):
            Q[j] = W[j]
        for j in range(k):
            (<scalar*>want.tau)[i * k + j] = tau[j]


cdef unsigned int squarable(Group* G, const Strips* K) noexcept nogil:
    """Lanes of which every column can be squared, and is not zero; none of a NaN"""
    cdef double limit = ldexp(1.0, 2 * K.safe)
    cdef double* squares = <double*>G.work
    cdef Py_ssize_t j, lane
    cdef unsigned int which = (1u << <int>G.K.lanes) - 1
    for j in range(G.n + G.extra):
        G.K.sumsq(0, G.m, 1, G.W + j * G.m * G.K.size, squares)
        for lane in range(G.K.lanes):
            if not 1 / limit < squares[lane] < limit:
                which &= ~(1u << <int>lane)
    return which


cdef unsigned int group(Group* G, const Strips* K, const Wanted* want, Py_ssize_t i,
                        const char* A, const Py_ssize_t* at, Py_ssize_t left,
                        Py_ssize_t* count) noexcept nogil:
    """Factor the next matrices, from the i-th on; return those that are done"""
    cdef Py_ssize_t m = want.m, n = want.n, k = G.n, q, c, width, step
    cdef unsigned int which
    count[0] = gather(G, at, left, G.at)
    G.K.load(m, n, A, G.at, want.rs, want.cs, False, m, G.W)
    which = squarable(G, K) & ((1u << <int>count[0]) - 1)
    if which == 0:
        return 0
    G.K.reduce(m, k, n - k, G.W, G.beta, G.tau, G.work)
    if want.raw:
        step = m * n * K.size
        G.K.triangle(m, k, True, G.beta, G.W)
        G.K.store(m, m, n, G.W, which, step, want.Q + i * step)
        G.K.store(k, k, 1, G.tau, which, k * K.size, want.tau + i * k * K.size)
    elif want.columns:
        step = m * want.columns * K.size
        for q in range((want.columns + BLOCK - 1) // BLOCK):
            c = q * BLOCK
            width = min(<Py_ssize_t>BLOCK, want.columns - c)
            G.K.unit(m, c, width, G.C)
            G.K.apply(m, min(k, c + width), width, G.W, G.tau, G.C)
            G.K.store(m, m, width, G.C, which, step, want.Q + i * step + c * m * K.size)
    G.K.triangle(m, k, False, G.beta, G.W)
    step = want.rows * n * K.size
    G.K.store(m, want.rows, n, G.W, which, step, want.R + i * step)
    return which


cdef bint loop(const Wanted* want, int dtype, const Strips* K, const scalar* A,
               const Py_ssize_t* at, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """Factor matrices first, ..., last - 1; False: no memory"""
    cdef Group G
    cdef Py_ssize_t m = want.m, n = want.n, k = min(m, n), i = first, lane, count
    cdef unsigned int which
    cdef void* memory = malloc(n * (2 * sizeof(double) + sizeof(cnp.npy_intp))
                               + (m * n + k) * sizeof(scalar))
    if memory == NULL:
        return False
    G.memory = NULL
    if not want.pivoting:
        begin_group(&G, dtype, m, k, n - k, BLOCK)
    while i < last:
        count, which = 1, 0
        if G.memory != NULL and last - i > 1:
            which = group(&G, K, want, i, <const char*>A, at + i, last - i, &count)
        for lane in range(count):
            if not which >> lane & 1:
                one(want, i + lane, A + at[i + lane], memory)
        i += count
    finish_group(&G)
    free(memory)
    return True


# ---- Python shim ----

def py_qr(cnp.ndarray A, const Py_ssize_t[::1] at, Py_ssize_t first, Py_ssize_t last,
          cnp.ndarray Q, cnp.ndarray R, cnp.ndarray tau, cnp.ndarray p):
    """Factor matrices first, ..., last - 1 of a stack.

    Parameters
    ----------
    A : ndarray, shape (..., m, n)
        One of the four dtypes, whole strides, no empty matrices.
    at : ndarray of intp, shape (N,)
        Where each matrix begins, in entries from A[0, ..., 0].
    Q : ndarray, shape (N, columns, m), or None
        Out, C-contiguous: Q transposed, columns >= min(m, n).
    R : ndarray, shape (N, n, rows)
        Out, C-contiguous: R transposed, rows >= min(m, n).
    tau : ndarray, shape (N, min(m, n)), or None
        Out: reflectors are wanted, and Q holds them and R, columns = n.
    p : ndarray of intc, shape (N, n), or None
        Out: pivots are wanted.
    """
    cdef Wanted want
    cdef const Strips* K = strips_for(cnp.PyArray_TYPE(A))
    cdef int axis = cnp.PyArray_NDIM(A) - 2, dtype = cnp.PyArray_TYPE(A)
    cdef const void* data = cnp.PyArray_DATA(A)
    cdef bint enough
    if K == NULL or axis < 0 or not cnp.PyArray_ISBEHAVED_RO(A):
        raise ValueError("A must be a stack of matrices of one of the four dtypes")
    if not 0 <= first <= last <= at.shape[0]:
        raise ValueError("first and last must lie within the stack")
    want.m, want.n = cnp.PyArray_DIM(A, axis), cnp.PyArray_DIM(A, axis + 1)
    want.rs = cnp.PyArray_STRIDE(A, axis) // K.size
    want.cs = cnp.PyArray_STRIDE(A, axis + 1) // K.size
    want.pivoting, want.raw = p is not None, tau is not None
    want.columns = 0 if Q is None else cnp.PyArray_DIM(Q, 1)
    want.rows = cnp.PyArray_DIM(R, 2)
    if (want.rows < min(want.m, want.n)
            or (want.columns < min(want.m, want.n) and Q is not None)
            or (want.raw and (Q is None or want.columns != want.n))):
        raise ValueError("Q and R must have room for the factors")
    want.Q = NULL if Q is None else <char*>cnp.PyArray_DATA(Q)
    want.R = <char*>cnp.PyArray_DATA(R)
    want.tau = NULL if tau is None else <char*>cnp.PyArray_DATA(tau)
    want.p = NULL if p is None else <int*>cnp.PyArray_DATA(p)
    if first == last:
        return
    with nogil:
        if dtype == cnp.NPY_DOUBLE:
            enough = loop(&want, dtype, K, <const double*>data, &at[0], first, last)
        elif dtype == cnp.NPY_FLOAT:
            enough = loop(&want, dtype, K, <const float*>data, &at[0], first, last)
        elif dtype == cnp.NPY_CDOUBLE:
            enough = loop(&want, dtype, K, <const complex128*>data, &at[0], first, last)
        else:
            enough = loop(&want, dtype, K, <const complex64*>data, &at[0], first, last)
    if not enough:
        raise MemoryError("no memory for the workspace of a small matrix")
