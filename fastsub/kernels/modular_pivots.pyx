"""The pivots of a panel modulo an odd prime, and the inverse of what they span, by halves.

The leftmost independent columns are sought, and rows that make them so, which are brought up: P.
With P = (A B; C D) and S = D - C A^-1 B,

    P^-1 = (A^-1 + A^-1 B S^-1 C A^-1,  -A^-1 B S^-1;  -S^-1 C A^-1,  S^-1),

where the pivots of the left half are those of its first rows, or, if they have too few, of all of
them, and the pivots of the right half are those of S: rows that vanish left of a column cannot
make an earlier one independent. Sixteen columns are eliminated by Gauss-Jordan exchange steps,
which leave the inverse of P in the columns of the pivots.

References
----------
Jeannerod, Pernet & Storjohann, Rank-profile revealing Gaussian elimination and the CUP matrix
    decomposition, J. Symbolic Comput. 56 (2013).
Strassen, Gaussian elimination is not optimal, Numer. Math. 13 (1969): the inverse by halves.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from fastsub.kernels.residues cimport Field, inverse, multiply, product_size, residue, set_field

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


# ---- Python shim ----

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
