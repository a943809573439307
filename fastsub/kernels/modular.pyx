"""Echelon form modulo an odd prime: block elimination whose every flop is in a product.

                  panel                      The leftmost independent columns of a panel are found,
        +---------+----+-----------+         and rows that make them so, which are brought up. With
        | I  U  U | U  |     U     |         P those k rows of these k columns,
        |    I  U | U  |     U     |
      r |       +-+----+-----------+             U := P^-1 (P  A12),   A22 := A22 - A21 U,
        |    0    | P  |    A12    |
        |    0    |A21 |    A22    |         where A21 is the panel as it stood: nothing below P is
        +---------+----+-----------+         touched to find P, if the first rows suffice.

At the end U has identities where its pivots are, so that the way back, which makes it reduced, is

    F_i := F_i - U_ij F_j,   j = last .. 1,   i < j                (F: the columns without pivots).

P and its inverse are found by halves. With P = (A B; C D) and S = D - C A^-1 B,

    P^-1 = (A^-1 + A^-1 B S^-1 C A^-1,  -A^-1 B S^-1;  -S^-1 C A^-1,  S^-1),

where the pivots of the left half are those of its first rows, or, if they have too few, of all of
them, and the pivots of the right half are those of S: rows that vanish left of a column cannot
make an earlier one independent. Sixteen columns are eliminated by Gauss-Jordan exchange steps,
which leave the inverse of P in the columns of the pivots.

References
----------
Dumas, Giorgi & Pernet, Dense linear algebra over word-size prime fields: the FFLAS and FFPACK
    packages, ACM TOMS 35 (2008), sections 4 and 5.
Jeannerod, Pernet & Storjohann, Rank-profile revealing Gaussian elimination and the CUP matrix
    decomposition, J. Symbolic Comput. 56 (2013).
Strassen, Gaussian elimination is not optimal, Numer. Math. 13 (1969): the inverse by halves.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastsub.kernels.residues cimport (
    Field, inverse, multiply, product_size, reduce_rows, residue, set_field,
)

cdef extern from "residues.h":
    uint64_t fastsub_shoup(uint64_t f, uint64_t p) noexcept nogil
    uint64_t fastsub_mulmod(uint64_t x, uint64_t f, uint64_t g, uint64_t p) noexcept nogil
    void fastsub_scale(Py_ssize_t n, double f, const double* x, double* y, double p,
                       double inv) noexcept nogil
    void fastsub_split(Py_ssize_t n, int h, const double* x, double* low,
                       double* high) noexcept nogil
    void fastsub_eliminate(Py_ssize_t m, const double* f, const double* b, double* x, double p,
                           double inv) noexcept nogil
    void fastsub_eliminate_wide(Py_ssize_t m, const int64_t* f, const int64_t* b, int64_t* x,
                                int64_t p) noexcept nogil
    int fastsub_all_below(Py_ssize_t n, const int64_t* x, int64_t p) noexcept nogil
    void fastsub_from_int(Py_ssize_t n, const int64_t* x, double* y, double p) noexcept nogil
    void fastsub_to_int(Py_ssize_t n, const double* x, int64_t* y, int64_t p) noexcept nogil

cdef enum:
    BASE = 16  # columns of an exchange step; the loops of residues.h know it


cdef void copy_rows(Py_ssize_t m, Py_ssize_t n, const residue* A, Py_ssize_t lda, residue* B,
                    Py_ssize_t ldb) noexcept nogil:
    """B (m, n) := A"""
    cdef Py_ssize_t i
    for i in range(m):
        memcpy(B + i * ldb, A + i * lda, n * sizeof(residue))


cdef void gather(Py_ssize_t m, Py_ssize_t k, const Py_ssize_t* cols, const residue* A,
                 Py_ssize_t lda, residue* B, Py_ssize_t ldb) noexcept nogil:
    """B (m, k) := A[:, cols], cols ascending"""
    cdef Py_ssize_t i, j
    if k and cols[k - 1] - cols[0] == k - 1:
        copy_rows(m, k, A + cols[0], lda, B, ldb)
        return
    for i in range(m):
        for j in range(k):
            B[i * ldb + j] = A[i * lda + cols[j]]


cdef void swap_rows(Py_ssize_t k, const Py_ssize_t* swaps, Py_ssize_t n, residue* A,
                    Py_ssize_t lda) noexcept nogil:
    """Exchange rows i and swaps[i] of A (., n), i = 0 .. k-1"""
    cdef Py_ssize_t i, j
    cdef residue* one
    cdef residue* other
    for i in range(k):
        if swaps[i] != i:
            one, other = A + i * lda, A + swaps[i] * lda
            for j in range(n):
                one[j], other[j] = other[j], one[j]


cdef void scale_row(const Field* F, int64_t f, residue* x, double* b) noexcept nogil:
    """x (16) := f x, f in 0..p-1; b (3, 16) := x, 2^a x, 4^a x where that is wanted"""
    cdef Py_ssize_t j
    cdef double f0, f1, f2, power
    cdef uint64_t g
    if residue is double:
        power = <double>(<int64_t>1 << F.a_bits)
        memcpy(b, x, BASE * sizeof(double))
        fastsub_scale(BASE, power, b, b + BASE, F.modulus, F.inverse)
        fastsub_scale(BASE, power, b + BASE, b + 2 * BASE, F.modulus, F.inverse)
        split_factor(F, <double>(f - F.p if f > F.p // 2 else f), &f0, &f1, &f2)
        for j in range(BASE):
            x[j] = -(f0 * b[j] + f1 * b[BASE + j] + f2 * b[2 * BASE + j])
        fastsub_scale(BASE, -1.0, x, x, F.modulus, F.inverse)
        memcpy(b, x, BASE * sizeof(double))
        fastsub_scale(BASE, power, b, b + BASE, F.modulus, F.inverse)
        fastsub_scale(BASE, power, b + BASE, b + 2 * BASE, F.modulus, F.inverse)
    else:
        g = fastsub_shoup(<uint64_t>f, <uint64_t>F.p)
        for j in range(BASE):
            x[j] = <int64_t>fastsub_mulmod(<uint64_t>x[j], <uint64_t>f, g, <uint64_t>F.p)


cdef inline void split_factor(const Field* F, double f, double* f0, double* f1,
                              double* f2) noexcept nogil:
    """f = f0 + 2^a f1 + 4^a f2, as many of them as a left factor has pieces"""
    f0[0], f1[0], f2[0] = f, 0, 0
    if F.s > 1:
        fastsub_split(1, F.a_bits, f0, f0, f1)
    if F.s > 2:
        fastsub_split(1, F.a_bits, f1, f1, f2)


cdef Py_ssize_t exchange_steps(const Field* F, Py_ssize_t m, Py_ssize_t w, residue* X,
                               Py_ssize_t* swaps, Py_ssize_t* cols, int64_t* values, residue* f,
                               double* b) noexcept nogil:
    """Eliminate X (m, w <= 16), rows 16 apart; f (3 m), b (48). Return the rank."""
    cdef Py_ssize_t i, j, c, k = 0
    cdef residue pivot
    for j in range(w):
        i = k
        while i < m and X[i * BASE + j] == 0:
            i += 1
        if i == m:
            continue
        swaps[k], cols[k] = i, j
        if i != k:
            for c in range(BASE):
                X[i * BASE + c], X[k * BASE + c] = X[k * BASE + c], X[i * BASE + c]
        pivot = X[k * BASE + j]
        values[k] = <int64_t>pivot + (F.p if pivot < 0 else 0)
        X[k * BASE + j] = 1
        scale_row(F, inverse(values[k], F.p), X + k * BASE, b)
        for i in range(m):
            if residue is double:
                split_factor(F, X[i * BASE + j], f + 3 * i, f + 3 * i + 1, f + 3 * i + 2)
            else:
                f[i] = F.p - X[i * BASE + j] if X[i * BASE + j] else 0
            if i != k:
                X[i * BASE + j] = 0
        if residue is double:
            f[3 * k] = f[3 * k + 1] = f[3 * k + 2] = 0
            fastsub_eliminate(m, f, b, X, F.modulus, F.inverse)
        else:
            f[k] = 0
            fastsub_eliminate_wide(m, f, X + k * BASE, X, F.p)
        k += 1
        if k == m:
            break
    return k


cdef Py_ssize_t left_half(Py_ssize_t w) noexcept nogil:
    """Columns of the left half: a multiple of BASE"""
    return (w // 2 + BASE - 1) // BASE * BASE


cdef Py_ssize_t pivot_size(Py_ssize_t m, Py_ssize_t w) noexcept nogil:
    """Elements of workspace of `find_pivots`"""
    cdef Py_ssize_t left = left_half(w)
    if w <= BASE:
        return m * (BASE + 3) + 3 * BASE
    return left * (m + 2 * (w - left)) + max(pivot_size(m, left), pivot_size(m, w - left))


cdef Py_ssize_t find_pivots(const Field* F, Py_ssize_t m, Py_ssize_t w, residue* W, Py_ssize_t ldw,
                            Py_ssize_t* swaps, Py_ssize_t* cols, int64_t* values, residue* T,
                            Py_ssize_t ldt, residue* work, double* pack) noexcept nogil:
    """Find the leftmost independent columns of W (m, w), which is destroyed; return how many, k

    Row i is exchanged with row swaps[i] >= i, i = 0 .. k-1; T (k, k) is the inverse of the first k
    rows then in the columns cols[:k], and the product of values[:k] its determinant.
    """
    cdef Py_ssize_t i, j, left, right, rows, k = 0, more = 0
    cdef residue* L = work
    cdef residue* X
    cdef residue* Y
    if w <= BASE:
        for i in range(m):
            for j in range(BASE):
                work[i * BASE + j] = W[i * ldw + j] if j < w else 0
        k = exchange_steps(F, m, w, work, swaps, cols, values, work + m * BASE,
                           <double*>(work + m * (BASE + 3)))
        gather(k, k, cols, work, BASE, T, ldt)
        return k
    left = left_half(w)
    right = w - left
    X = L + m * left
    Y = X + left * right
    rows = min(m, left)
    while True:
        copy_rows(rows, left, W, ldw, L, left)
        k = find_pivots(F, rows, left, L, left, swaps, cols, values, T, ldt, Y + left * right, pack)
        if k == left or rows == m:
            break
        rows = m
    swap_rows(k, swaps, w, W, ldw)
    copy_rows(k, right, W + left, ldw, X, right)
    multiply(F, k, right, k, 1, T, ldt, X, right, False, W + left, ldw, False, pack)
    if k == m:
        return k
    gather(m - k, k, cols, W + k * ldw, ldw, L, left)
    multiply(F, m - k, right, k, -1, L, left, W + left, ldw, True, W + k * ldw + left, ldw, False,
             pack)
    more = find_pivots(F, m - k, right, W + k * ldw + left, ldw, swaps + k, cols + k, values + k,
                       T + k * ldt + k, ldt, Y + left * right, pack)
    swap_rows(more, swaps + k, left, W + k * ldw, ldw)
    if k and more:
        # L := C, Y := S^-1 C, X := A^-1 B of the formula above
        gather(more, k, cols, W + k * ldw, ldw, L, k)
        gather(k, more, cols + k, W + left, ldw, X, more)
        multiply(F, more, k, more, 1, T + k * ldt + k, ldt, L, k, False, Y, k, False, pack)
        multiply(F, more, k, k, -1, Y, k, T, ldt, False, T + k * ldt, ldt, False, pack)
        multiply(F, k, k, more, -1, X, more, T + k * ldt, ldt, True, T, ldt, False, pack)
        multiply(F, k, more, more, -1, X, more, T + k * ldt + k, ldt, False, T + k, ldt, False,
                 pack)
    for i in range(k, k + more):
        swaps[i] += k
        cols[i] += left
    return k + more


cdef Py_ssize_t eliminate_panel(const Field* F, Py_ssize_t m, Py_ssize_t n, Py_ssize_t w,
                                residue* A, Py_ssize_t lda, Py_ssize_t* swaps, Py_ssize_t* cols,
                                int64_t* values, residue* T, Py_ssize_t* pending, residue* work,
                                double* pack) noexcept nogil:
    """Eliminate the first w columns of A (m, n); return their rank k

    The first k rows become those of U, the others have their columns w .. n-1 updated; `pending`
    terms have been added to these since they were reduced. T (w, w).
    """
    cdef Py_ssize_t i, k = 0, rows = min(m, w)
    cdef residue* U = A + w
    if pending[0]:
        reduce_rows(F, m, w, A, lda)
    while True:
        copy_rows(rows, w, A, lda, work, w)
        k = find_pivots(F, rows, w, work, w, swaps, cols, values, T, w, work + rows * w, pack)
        if k == w or rows == m:
            break
        rows = m
    swap_rows(k, swaps, n, A, lda)
    if pending[0]:
        reduce_rows(F, k, n - w, U, lda)
    copy_rows(k, n, A, lda, work, n)
    multiply(F, k, n, k, 1, T, w, work, n, False, A, lda, False, pack)
    if residue is double:
        if pending[0] + k > F.depth:
            reduce_rows(F, m - k, n - w, U + k * lda, lda)
            pending[0] = 0
        pending[0] += k
    gather(m - k, k, cols, A + k * lda, lda, work, k)
    multiply(F, m - k, n - w, k, -1, work, k, U, lda, True, U + k * lda, lda, True, pack)
    if k < w:  # the way back reads columns without pivots
        for i in range(k, m):
            memset(A + i * lda, 0, w * sizeof(residue))
    return k


cdef void substitute_back(const Field* F, Py_ssize_t blocks, const Py_ssize_t* starts,
                          Py_ssize_t n, const residue* A, Py_ssize_t lda, const Py_ssize_t* cols,
                          residue* X, Py_ssize_t ldx, residue* work, double* pack) noexcept nogil:
    """X (r, n) := U^-1 X, where U = A[:, cols] has identities in its diagonal blocks

    The rows of block i are starts[i] .. starts[i + 1] - 1; r = starts[blocks].
    """
    cdef Py_ssize_t i, k, first, pending = 0
    for i in range(blocks - 1, 0, -1):
        first = starts[i]
        k = starts[i + 1] - first
        if pending:
            reduce_rows(F, k, n, X + first * ldx, ldx)
        if pending + k > F.depth:
            reduce_rows(F, first, n, X, ldx)
            pending = 0
        gather(first, k, cols + first, A, lda, work, k)
        multiply(F, first, n, k, -1, work, k, X + first * ldx, ldx, True, X, ldx, True, pack)
        if residue is double:
            pending += k
    if pending and blocks:
        reduce_rows(F, starts[1], n, X, ldx)


cdef bint is_zero(Py_ssize_t m, Py_ssize_t n, const residue* A, Py_ssize_t lda) noexcept nogil:
    """Whether A (m, n), reduced, is zero"""
    cdef Py_ssize_t i, j
    for i in range(m):
        for j in range(n):
            if A[i * lda + j] != 0:
                return False
    return True


# ---- Python shims ----

def py_is_wide(int64_t p):
    """Return whether residues modulo p are integers in 0..p-1; else they are balanced doubles."""
    cdef Field F
    set_field(p, &F)
    return F.t > 1


def py_depth(int64_t p):
    """Return the number of terms that may be summed before a reduction, and the pieces s and t."""
    cdef Field F
    set_field(p, &F)
    return F.depth, F.s, F.t


def py_work_size(int64_t p, Py_ssize_t m, Py_ssize_t n, Py_ssize_t w):
    """Return the elements of workspace of `py_eliminate`, and of packing."""
    cdef Field F
    set_field(p, &F)
    return (max(m * w + pivot_size(m, w), w * n),
            product_size(&F, max(m, w), max(n, w), w) + 1)


cdef Py_ssize_t row_stride(const residue[:, :] A) except -1:
    """Distance of two rows; their entries must be contiguous."""
    cdef Py_ssize_t size = sizeof(residue)
    if A.strides[0] % size or (A.shape[1] > 1 and A.strides[1] != size):
        raise ValueError("the rows must be contiguous")
    return A.strides[0] // size


def py_encode(const int64_t[:, :] A, int64_t p, residue[:, :] W):
    """W := residues of A, any integers; the rows of both are contiguous."""
    cdef Py_ssize_t j, n = A.shape[1], lda = row_stride(A), ldw = row_stride(W)
    cdef int64_t r
    cdef const int64_t* a
    cdef residue* w
    if W.shape[0] < A.shape[0] or W.shape[1] < n:
        raise ValueError("W must have the shape of A")
    if A.shape[0] == 0 or n == 0:
        return
    a, w = &A[0, 0], &W[0, 0]
    with nogil:
        for _ in range(A.shape[0]):
            if fastsub_all_below(n, a, p):
                if residue is double:
                    fastsub_from_int(n, a, w, <double>p)
                else:
                    memcpy(w, a, n * sizeof(int64_t))
            else:
                for j in range(n):
                    r = a[j] % p  # with the sign of A, as C divides
                    if residue is double:
                        r += p if r < -(p // 2) else 0
                        w[j] = <double>(r - p if r > p // 2 else r)
                    else:
                        w[j] = r + p if r < 0 else r
            a += lda
            w += ldw


def py_decode(const residue[:, :] W, int64_t p, int64_t[:, :] A):
    """A := the integers in 0..p-1 of the residues W; the rows of both are contiguous."""
    cdef Py_ssize_t i, n = A.shape[1], lda = row_stride(A), ldw = row_stride(W)
    if W.shape[0] < A.shape[0] or W.shape[1] < n:
        raise ValueError("W must have the shape of A")
    if A.shape[0] == 0 or n == 0:
        return
    with nogil:
        for i in range(A.shape[0]):
            if residue is double:
                fastsub_to_int(n, &W[0, 0] + i * ldw, &A[0, 0] + i * lda, p)
            else:
                memcpy(&A[0, 0] + i * lda, &W[0, 0] + i * ldw, n * sizeof(int64_t))


def py_take(const residue[:, ::1] A, const Py_ssize_t[::1] cols, residue[:, ::1] B):
    """B := A[:, cols], cols ascending."""
    cdef Py_ssize_t m = A.shape[0], k = cols.shape[0]
    if B.shape[0] < m or B.shape[1] != k:
        raise ValueError("B must have the shape of A[:, cols]")
    if m and k:
        with nogil:
            gather(m, k, &cols[0], &A[0, 0], A.shape[1], &B[0, 0], k)


def py_is_zero(const residue[:, :] A):
    """Return whether A, reduced, is zero; its rows are contiguous."""
    cdef Py_ssize_t lda = row_stride(A)
    return A.shape[0] == 0 or A.shape[1] == 0 or is_zero(A.shape[0], A.shape[1], &A[0, 0], lda)


def py_eliminate(int64_t p, residue[:, ::1] A, Py_ssize_t w, Py_ssize_t[::1] rows,
                 Py_ssize_t[::1] cols, Py_ssize_t[::1] starts, int64_t[::1] values,
                 Py_ssize_t[::1] swaps, residue[::1] T, residue[::1] work, double[::1] pack):
    """Bring A to U by panels of w columns; return (rank, blocks, whether the rows' order is odd).

    rows (m), a permutation, is permuted as the rows of A are; cols (rank) are the pivots, values
    their values; block i of U has the rows starts[i] .. starts[i + 1] - 1. swaps (w), T (w, w),
    work and pack as `py_work_size`. A KeyboardInterrupt is honoured between panels.
    """
    cdef Field F
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], j, k, i, r = 0, blocks = 0, pending = 0
    cdef bint odd = False, done = False
    set_field(p, &F)
    if (rows.shape[0] < m or cols.shape[0] < min(m, n) or values.shape[0] < min(m, n)
            or starts.shape[0] < min(m, n) + 1 or swaps.shape[0] < w or T.shape[0] < w * w
            or w > F.depth or pack.shape[0] < product_size(&F, max(m, w), max(n, w), w)
            or work.shape[0] < max(m * w + pivot_size(m, w), w * n)):
        raise ValueError("workspace too small")
    starts[0] = 0
    j = 0
    while j < n and r < m and not done:
        with nogil:
            k = eliminate_panel(&F, m - r, n - j, min(w, n - j), &A[r, j], n, &swaps[0], &cols[r],
                                &values[r], &T[0], &pending, &work[0], &pack[0])
            for i in range(k):
                cols[r + i] += j
                rows[r + i], rows[r + swaps[i]] = rows[r + swaps[i]], rows[r + i]
                odd ^= swaps[i] != i
            r += k
            if k:
                blocks += 1
                starts[blocks] = r
            if k < min(w, n - j) and r < m and j + w < n:
                # Dependent columns: perhaps nothing is left.
                if pending:
                    reduce_rows(&F, m - r, n - j - w, &A[r, j + w], n)
                    pending = 0
                done = is_zero(m - r, n - j - w, &A[r, j + w], n)
        j += w
        PyErr_CheckSignals()
    return r, blocks, odd


def py_substitute(int64_t p, residue[:, ::1] A, Py_ssize_t blocks, Py_ssize_t[::1] starts,
                  Py_ssize_t[::1] cols, residue[:, :] X, residue[::1] work, double[::1] pack):
    """X := U^-1 X with U as `py_eliminate` leaves it in A; the same workspace.

    X may be columns of A.
    """
    cdef Field F
    cdef Py_ssize_t r, w = 0, i, ldx = row_stride(X)
    set_field(p, &F)
    if blocks < 2 or X.shape[1] == 0:
        return
    r = starts[blocks]
    for i in range(blocks):
        w = max(w, starts[i + 1] - starts[i])
    if (X.shape[0] < r or work.shape[0] < r * w
            or pack.shape[0] < product_size(&F, r, X.shape[1], w)):
        raise ValueError("workspace too small")
    with nogil:
        substitute_back(&F, blocks, &starts[0], X.shape[1], &A[0, 0], A.shape[1], &cols[0],
                        &X[0, 0], ldx, &work[0], &pack[0])


def py_find_pivots(int64_t p, residue[:, ::1] W, Py_ssize_t[::1] swaps, Py_ssize_t[::1] cols,
                   int64_t[::1] values, residue[:, ::1] T, residue[::1] work, double[::1] pack):
    """Find the leftmost independent columns of W, which is destroyed, and T := P^-1."""
    cdef Field F
    cdef Py_ssize_t m = W.shape[0], w = W.shape[1], k
    set_field(p, &F)
    if (swaps.shape[0] < w or cols.shape[0] < w or values.shape[0] < w or T.shape[0] < min(m, w)
            or T.shape[1] < min(m, w) or pack.shape[0] < product_size(&F, max(m, w), w, w)
            or work.shape[0] < pivot_size(m, w)):
        raise ValueError("workspace too small")
    if m == 0 or w == 0:
        return 0
    with nogil:
        k = find_pivots(&F, m, w, &W[0, 0], w, &swaps[0], &cols[0], &values[0], &T[0, 0],
                        T.shape[1], &work[0], &pack[0])
    return k


def py_product_size(int64_t p, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k):
    """Return the elements of workspace of `py_subtract_product`."""
    cdef Field F
    set_field(p, &F)
    return product_size(&F, m, n, k) + 1


def py_subtract_product(int64_t p, residue[:, :] A, residue[:, :] B, residue[:, :] C,
                        double[::1] pack):
    """C := C - A B; the rows of all three are contiguous."""
    cdef Field F
    cdef Py_ssize_t m = C.shape[0], n = C.shape[1], k = B.shape[0]
    cdef Py_ssize_t lda = row_stride(A), ldb = row_stride(B), ldc = row_stride(C)
    set_field(p, &F)
    if A.shape[0] != m or A.shape[1] != k or B.shape[1] != n:
        raise ValueError("shapes do not match")
    if pack.shape[0] < product_size(&F, m, n, k) + 1:
        raise ValueError("workspace too small")
    if m == 0 or n == 0 or k == 0:
        return
    with nogil:
        multiply(&F, m, n, k, -1, &A[0, 0], lda, &B[0, 0], ldb, True, &C[0, 0], ldc, False,
                 &pack[0])
