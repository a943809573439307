"""One pass over a tall matrix: its products with small ones, and their Gram matrices.

    A (m, n), entry (i, j) at A[i*row + j*col], in blocks of 64 rows, each packed once (packed.h)

        C1 = A P X    X (r, r) upper triangular, P a permutation    Q := C1, G += C1^H C1
        C2 = A N      N (n, k)                                      H += C2^H C2, C2 is not kept

All of it stays in the cache, and is multiplied by the tiles of packed.h: no BLAS is called, so that
two threads with a piece of the rows each do not wait for one another.

Complex matrices are real ones with twice as many columns, X and N consist of squares

    [ re x   im x]
    [-im x   re x]

and the flops are the same. Blocks are added up to some sums, those to one, about as many each: so
the error of G grows with the fourth root of the rows of A, or if all roundings have one sign with
the square root, and so does that of the orthogonality that relies on it.

References
----------
Goto & van de Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 4.3.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.string cimport memset

from fastsub.kernels.blas cimport complex64, real, scalar
from fastsub.kernels.gram cimport unfold
from fastsub.kernels.scalars cimport whole_strides

cdef extern from "packed.h":
    void fastsub_f32_gram(Py_ssize_t rows, Py_ssize_t panels, const float* P, Py_ssize_t depth,
                          float* G, Py_ssize_t ldg) noexcept nogil
    void fastsub_f64_gram(Py_ssize_t rows, Py_ssize_t panels, const double* P, Py_ssize_t depth,
                          double* G, Py_ssize_t ldg) noexcept nogil
    void fastsub_f32_product(Py_ssize_t rows, Py_ssize_t k, Py_ssize_t panels, const float* X,
                             bint is_upper, const float* Y, float* C,
                             Py_ssize_t height) noexcept nogil
    void fastsub_f64_product(Py_ssize_t rows, Py_ssize_t k, Py_ssize_t panels, const double* X,
                             bint is_upper, const double* Y, double* C,
                             Py_ssize_t height) noexcept nogil
    void fastsub_spread_f32(Py_ssize_t rows, Py_ssize_t n, Py_ssize_t parts, const float* A,
                            Py_ssize_t row, Py_ssize_t col, const int* place, float* P,
                            Py_ssize_t depth) noexcept nogil
    void fastsub_spread_f64(Py_ssize_t rows, Py_ssize_t n, Py_ssize_t parts, const double* A,
                            Py_ssize_t row, Py_ssize_t col, const int* place, double* P,
                            Py_ssize_t depth) noexcept nogil
    void fastsub_unpack(Py_ssize_t rows, Py_ssize_t bytes, const void* P, Py_ssize_t depth,
                        void* A) noexcept nogil

cdef enum:
    ROWS = 64       # a block: whole panels of any type
    FEW = 64        # blocks up to which one sum is enough
    LINE = 64       # bytes of a row of a panel


cdef inline Shape shape_of(Py_ssize_t n, Py_ssize_t r, Py_ssize_t k,
                           const scalar* _) noexcept nogil:
    cdef Shape s
    s.parts = 1 if scalar is float or scalar is double else 2
    s.n, s.r, s.k = n, r, k
    s.lanes = LINE * s.parts // sizeof(scalar)
    s.pr = (s.parts * r + s.lanes - 1) // s.lanes
    s.pk = (s.parts * k + s.lanes - 1) // s.lanes
    return s


cdef inline Py_ssize_t squares(Shape s) noexcept nogil:
    """Numbers of both Gram matrices."""
    return s.lanes * s.lanes * (s.pr * s.pr + s.pk * s.pk)


cdef inline void* aligned(const void* work) noexcept nogil:
    return <void*>((<size_t>work + LINE - 1) // LINE * LINE)


cdef void pack_factor(Py_ssize_t n, Py_ssize_t r, const scalar* X, Py_ssize_t ldx, const int* p,
                      bint is_upper, real* P) noexcept nogil:
    """P := rows p[0], p[1], ... of X (n, r), packed; an upper triangle (r, r) as it is"""
    cdef Shape s = shape_of(n, r, 0, X)
    cdef Py_ssize_t i, j
    cdef scalar x
    cdef real* to
    memset(P, 0, s.pr * s.parts * n * LINE)
    for j in range(r):
        to = P + s.parts * j // s.lanes * s.lanes * s.parts * n + s.parts * j % s.lanes
        for i in range(j + 1 if is_upper else n):
            x = X[(i if is_upper else p[i]) + j * ldx]
            if scalar is float or scalar is double:
                to[i * s.lanes] = <real>x
            else:
                to[2 * i * s.lanes] = <real>x.real
                to[2 * i * s.lanes + 1] = <real>x.imag
                to[(2 * i + 1) * s.lanes] = -<real>x.imag
                to[(2 * i + 1) * s.lanes + 1] = <real>x.real


cdef Py_ssize_t rows_of_sum(Py_ssize_t m) noexcept nogil:
    """Rows of the sums that are added to the last one: the square root of the blocks, or all."""
    cdef Py_ssize_t blocks = (m + ROWS - 1) // ROWS, some = FEW // 2
    if blocks <= FEW:
        return max(1, m)
    while some * some < blocks:
        some += 1
    return some * ROWS


cdef void multiply(Shape s, Py_ssize_t m, const real* A, Py_ssize_t row, Py_ssize_t col,
                   const int* place, const real* X, const real* N, real* Q, real* sums,
                   real* work) noexcept nogil:
    """Q := A P X, row-major, unless NULL; sums += both Gram matrices, unfolded, without gaps

    work: a block of A and of both products.
    """
    cdef Py_ssize_t depth = s.parts * s.n, width = s.parts * s.r, b, rows
    cdef Py_ssize_t order = s.lanes * s.pr, order_n = s.lanes * s.pk
    cdef real* Y = work                             # (depth, ROWS)
    cdef real* C1 = Y + depth * ROWS                # (ROWS, r)
    cdef real* C2 = C1 + order * ROWS               # (ROWS, k)
    cdef real* H = sums + order * order
    cdef const real* a
    for b in range((m + ROWS - 1) // ROWS):
        rows = min(<Py_ssize_t>ROWS, m - b * ROWS)
        a = A + s.parts * b * ROWS * row
        if real is float:
            fastsub_spread_f32(rows, s.n, s.parts, a, row, col, place, Y, depth)
            fastsub_f32_product(rows, depth, s.pr, X, True, Y, C1, ROWS)
            fastsub_f32_product(rows, depth, s.pk, N, False, Y, C2, ROWS)
            fastsub_f32_gram(rows, s.pr, C1, ROWS, sums, order)
            fastsub_f32_gram(rows, s.pk, C2, ROWS, H, order_n)
        else:
            fastsub_spread_f64(rows, s.n, s.parts, a, row, col, place, Y, depth)
            fastsub_f64_product(rows, depth, s.pr, X, True, Y, C1, ROWS)
            fastsub_f64_product(rows, depth, s.pk, N, False, Y, C2, ROWS)
            fastsub_f64_gram(rows, s.pr, C1, ROWS, sums, order)
            fastsub_f64_gram(rows, s.pk, C2, ROWS, H, order_n)
        if Q != NULL:
            fastsub_unpack(rows, width * sizeof(real), C1, ROWS, Q + b * ROWS * width)


cdef void add(Py_ssize_t count, const real* x, real* y) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        y[i] += x[i]


# ---- Python shims ----

def py_packed_size(const scalar[:, :] X, Py_ssize_t n):
    """Entries of a packed factor of n rows and the columns of X."""
    cdef Shape s = shape_of(n, X.shape[1], 0, <const scalar*>NULL)
    return (s.pr * s.parts * n + 1) * (LINE // <Py_ssize_t>sizeof(scalar))


def py_pack(const scalar[::1, :] X, int[::1] p, bint is_upper, scalar[::1] P):
    """P := X for py_multiply: the rows p of a full X, or an upper triangle."""
    cdef Py_ssize_t n = p.shape[0], r = X.shape[1]
    if r > n or X.shape[0] != (r if is_upper else n) and r:
        raise ValueError("X must be r x r upper triangular, or n x k, and p of length n")
    if P.shape[0] < py_packed_size(X, n):
        raise ValueError("P is too small")
    if r == 0:
        return
    with nogil:
        if scalar is float or scalar is complex64:
            pack_factor(n, r, &X[0, 0], X.shape[0], &p[0], is_upper, <float*>aligned(&P[0]))
        else:
            pack_factor(n, r, &X[0, 0], X.shape[0], &p[0], is_upper, <double*>aligned(&P[0]))


def py_sums_size(const scalar[:, :] A, Py_ssize_t r, Py_ssize_t k):
    """Entries of the sums of py_multiply."""
    cdef Shape s = shape_of(A.shape[1], r, k, <const scalar*>NULL)
    return max(1, squares(s) // s.parts)


def py_work_size(const scalar[:, :] A, Py_ssize_t r, Py_ssize_t k):
    """Entries of the workspace of py_multiply; fewer rows need no more."""
    cdef Shape s = shape_of(A.shape[1], r, k, <const scalar*>NULL)
    cdef Py_ssize_t numbers = ROWS * (s.parts * s.n + s.lanes * (s.pr + s.pk))
    if rows_of_sum(A.shape[0]) < A.shape[0]:
        numbers += squares(s)
    return numbers // s.parts + LINE // <Py_ssize_t>sizeof(scalar)


def py_multiply(const scalar[:, :] A, int[::1] place, scalar[::1] X, scalar[::1] N,
                Py_ssize_t k, scalar[:, ::1] Q, scalar[::1] sums, scalar[::1] work):
    """Q := A P X; sums := what py_unfold turns into the Gram matrices of A P X and A N.

    X and N, of k columns, packed; column j of A is column place[j] of A P. Q has no rows if it is
    not to be kept.
    """
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], n = A.shape[1], r = Q.shape[1], i, b
    cdef Py_ssize_t row = A.strides[0] // size, col = A.strides[1] // size
    cdef Py_ssize_t some = rows_of_sum(m), rows, count
    cdef Shape s = shape_of(n, r, k, <const scalar*>NULL)
    cdef scalar* q = NULL
    cdef scalar* x
    cdef scalar* y
    cdef scalar* w
    cdef scalar* f      # of some rows
    cdef scalar* total
    if place.shape[0] != n or r > n or not whole_strides(A):
        raise ValueError("place must be as long as the rows of A, strides be whole elements")
    if Q.shape[0] and Q.shape[0] != m:
        raise ValueError("Q must have the rows of A or none")
    if (X.shape[0] < (s.pr * s.parts * n + 1) * (LINE // size)
            or N.shape[0] < (s.pk * s.parts * n + 1) * (LINE // size)):
        raise ValueError("X and N must be packed")
    if sums.shape[0] < py_sums_size(A, r, k) or work.shape[0] < py_work_size(A, r, k):
        raise ValueError("sums or work is too small")
    x, y, w = (<scalar*>aligned(&X[0]), <scalar*>aligned(&N[0]), <scalar*>aligned(&work[0]))
    total = f = &sums[0]
    memset(total, 0, squares(s) // s.parts * size)
    if m == 0 or n == 0:
        return
    if some < m:
        f = w + ROWS * (s.parts * s.n + s.lanes * (s.pr + s.pk)) // s.parts
    for b in range((m + some - 1) // some):
        i = b * some
        rows = min(some, m - i)
        count = squares(s) if some < m else 0
        if Q.shape[0] and r:
            q = &Q[i, 0]
        with nogil:
            memset(f, 0, squares(s) // s.parts * size)
            if scalar is float or scalar is complex64:
                multiply(s, rows, <const float*>&A[i, 0], row, col, &place[0], <float*>x,
                         <float*>y, <float*>q, <float*>f, <float*>w)
                add(count, <const float*>f, <float*>total)
            else:
                multiply(s, rows, <const double*>&A[i, 0], row, col, &place[0], <double*>x,
                         <double*>y, <double*>q, <double*>f, <double*>w)
                add(count, <const double*>f, <double*>total)
        PyErr_CheckSignals()


def py_unfold(scalar[::1] sums, scalar[::1, :] G, scalar[::1, :] H):
    """G (r, r) and H (k, k) := the upper triangles in sums, zeros below."""
    cdef Py_ssize_t r = G.shape[0], k = H.shape[0]
    cdef Shape s = shape_of(1, r, k, <const scalar*>NULL)
    cdef Py_ssize_t order = s.lanes * s.pr, order_n = s.lanes * s.pk
    cdef scalar* f
    if G.shape[1] != r or H.shape[1] != k:
        raise ValueError("G and H must be square")
    if sums.shape[0] < squares(s) // s.parts:
        raise ValueError("sums is too small")
    f = &sums[0]
    if scalar is float or scalar is complex64:
        if r:
            unfold(r, <float*>f, order, &G[0, 0])
        if k:
            unfold(k, <float*>f + order * order, order_n, &H[0, 0])
    else:
        if r:
            unfold(r, <double*>f, order, &G[0, 0])
        if k:
            unfold(k, <double*>f + order * order, order_n, &H[0, 0])
