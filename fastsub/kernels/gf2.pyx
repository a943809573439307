"""Reduced echelon form over GF(2), 64 columns a word: the method of the four Russians.

              c                    The pivots among the 64 columns of word c are found in these
        +---+---+-------+          words alone. Their rows are reduced among themselves, and eight
        | I | * |   *   |          tables of 256 sums of them, one for each byte of the word, clear
      r |   +---+-------+          the word in all other rows, above and below: one pass over A for
        | 0 | P |       |          64 columns.
        |   +---+   *   |
        |   | * |       |          A table is indexed by the bits where its pivots are, whatever
        +---+---+-------+          their number, so dependent columns need no packing.

References
----------
Arlazarov, Dinic, Kronrod & Faradzev, On economical construction of the transitive closure of a
    directed graph, Dokl. Akad. Nauk 194 (1970).
Albrecht, Bard & Hart, Algorithm 898: efficient multiplication of dense matrices over GF(2), ACM
    TOMS 37 (2010): several tables at once.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

cdef extern from "gf2.h":
    void fastsub_pack_bytes(Py_ssize_t n, const uint8_t* x, uint64_t* words) noexcept nogil
    void fastsub_pack_ints(Py_ssize_t n, const int64_t* x, uint64_t* words) noexcept nogil
    void fastsub_unpack(Py_ssize_t n, const uint64_t* words, uint8_t* x) noexcept nogil
    void fastsub_clear_bit(Py_ssize_t m, int b, uint64_t pivot, uint64_t* v) noexcept nogil
    void fastsub_add_bit(Py_ssize_t n, const uint64_t* x, unsigned int bit, unsigned int below,
                         uint64_t* table) noexcept nogil
    void fastsub_clear_pivots(int k, const int* bits, Py_ssize_t n, uint64_t* v, uint64_t* A,
                              Py_ssize_t stride) noexcept nogil
    void fastsub_add_tables(Py_ssize_t m, Py_ssize_t n, uint64_t* A, Py_ssize_t stride,
                            const uint64_t* v, const uint64_t* tables) noexcept nogil

cdef enum:
    GROUP = 8  # words that vector instructions take at once: padded rows are whole groups
    SLAB = 32  # words of a row whose tables, 512 KiB, are made and used at a time
    FEW = 96  # rows in which 64 pivots are looked for first

ctypedef fused integer:
    uint8_t
    int64_t


cdef Py_ssize_t table_size(Py_ssize_t n) noexcept nogil:
    """Words of the tables for rows of n words"""
    return 8 * 256 * min(n, <Py_ssize_t>SLAB)


cdef void swap_words(Py_ssize_t n, uint64_t* x, uint64_t* y) noexcept nogil:
    """x (n), y (n) := y, x"""
    cdef Py_ssize_t j
    for j in range(n):
        x[j], y[j] = y[j], x[j]


cdef int find_pivots(Py_ssize_t m, uint64_t* v, Py_ssize_t* swaps, int* bits) noexcept nogil:
    """Leftmost independent columns of the words v (m), destroyed, and rows that make them so

    Row i is exchanged with row swaps[i]; return how many there are.
    """
    cdef Py_ssize_t i
    cdef int b, k = 0
    cdef uint64_t pivot, found = 0
    for i in range(m):
        found |= v[i]
    for b in range(64):
        if k == m:
            break
        if not (found >> b) & 1:
            continue
        i = k
        while i < m and not (v[i] >> b) & 1:
            i += 1
        if i == m:
            continue
        swaps[k], bits[k] = i, b
        pivot = v[i]
        v[i] = v[k]
        v[k] = pivot
        k += 1
        fastsub_clear_bit(m - k, b, pivot, v + k)
    return k


cdef void make_tables(int k, const int* bits, Py_ssize_t n, const uint64_t* X, Py_ssize_t ldx,
                      uint64_t* tables) noexcept nogil:
    """Sums of the rows X (k, n), row t under the bit bits[t] of an index"""
    cdef int q, t
    cdef uint64_t mask = 0, below
    for q in range(8):
        memset(tables + 256 * q * n, 0, n * sizeof(uint64_t))
    for t in range(k):
        q = bits[t] // 8
        below = (mask >> (8 * q)) & 255  # the bits that the table has
        fastsub_add_bit(n, X + t * ldx, 1U << (bits[t] % 8), <unsigned int>below,
                        tables + 256 * q * n)
        mask |= <uint64_t>1 << bits[t]


cdef void add_rows(Py_ssize_t m, Py_ssize_t n, int k, const int* bits, const uint64_t* X,
                   Py_ssize_t ldx, const uint64_t* v, uint64_t* A, Py_ssize_t stride,
                   uint64_t* tables) noexcept nogil:
    """Row i of A (m, n) := row i + the rows t of X (k, n) for which bit bits[t] of v[i] is set

    No other bits of v (m) are set.
    """
    cdef Py_ssize_t j = 0, width
    while k and j < n:
        width = min(n - j, <Py_ssize_t>SLAB)
        make_tables(k, bits, width, X + j, ldx, tables)
        fastsub_add_tables(m, width, A + j, stride, v, tables)
        j += width


cdef Py_ssize_t first_word(Py_ssize_t c, Py_ssize_t n) noexcept nogil:
    """Where to begin if words c .. n-1 are to be worked on: words before c are zeros"""
    return c - c % GROUP if n % GROUP == 0 else c


cdef int eliminate_word(Py_ssize_t m, Py_ssize_t n, Py_ssize_t c, Py_ssize_t r, uint64_t* A,
                        Py_ssize_t* rows, Py_ssize_t* cols, uint64_t* v,
                        uint64_t* tables) noexcept nogil:
    """Bring the 64 columns of word c of A (m, n words) to echelon form; return their rank

    Rows 0 .. r-1 have their pivots already, those below have only zeros left of the word. v (m).
    """
    cdef Py_ssize_t swaps[64]
    cdef int bits[64]
    cdef Py_ssize_t i, some = min(m - r, <Py_ssize_t>FEW), first = first_word(c, n)
    cdef int k, t
    cdef uint64_t mask = 0
    cdef uint64_t* block = A + r * n + first
    while True:
        for i in range(some):
            v[i] = A[(r + i) * n + c]
        k = find_pivots(some, v, swaps, bits)
        if k == 64 or some == m - r:
            break
        some = m - r
    for t in range(k):
        cols[t] = 64 * c + bits[t]
        mask |= <uint64_t>1 << bits[t]
        if swaps[t] != t:
            swap_words(n - first, block + t * n, block + swaps[t] * n)
            rows[r + t], rows[r + swaps[t]] = rows[r + swaps[t]], rows[r + t]
        v[t] = block[t * n + c - first]
    # The pivots were found in this order: after rows 0 .. t-1, row t has its own.
    fastsub_clear_pivots(k, bits, n - first, v, block, n)
    for i in range(m):
        v[i] = A[i * n + c] & mask
    memset(v + r, 0, k * sizeof(uint64_t))
    add_rows(m, n - first, k, bits, block, n, v, A + first, n, tables)
    return k


# ---- Python shims ----

def py_pack(const integer[:, ::1] A, uint64_t[:, ::1] W):
    """W := the lowest bits of A, 64 columns a word; what is left of the rows of W is cleared."""
    cdef Py_ssize_t i, n = A.shape[1], words = (n + 63) // 64
    if W.shape[0] < A.shape[0] or W.shape[1] < words:
        raise ValueError("W must hold the bits of A")
    with nogil:
        for i in range(A.shape[0] if n else 0):
            if integer is uint8_t:
                fastsub_pack_bytes(n, &A[i, 0], &W[i, 0])
            else:
                fastsub_pack_ints(n, &A[i, 0], &W[i, 0])
            memset(&W[i, 0] + words, 0, (W.shape[1] - words) * sizeof(uint64_t))


def py_unpack(const uint64_t[:, ::1] W, uint8_t[:, ::1] A):
    """A := the bits of W."""
    cdef Py_ssize_t i, n = A.shape[1]
    if W.shape[0] < A.shape[0] or W.shape[1] < (n + 63) // 64:
        raise ValueError("W must hold the bits of A")
    with nogil:
        for i in range(A.shape[0] if n else 0):
            fastsub_unpack(n, &W[i, 0], &A[i, 0])


def py_table_size(Py_ssize_t n):
    """Return the words of the tables for rows of n words."""
    return table_size(n)


def py_reduce(uint64_t[:, ::1] A, Py_ssize_t[::1] rows, Py_ssize_t[::1] cols, uint64_t[::1] v,
              uint64_t[::1] tables):
    """Bring A to reduced echelon form; return its rank.

    rows (m), a permutation, is permuted as the rows of A are; cols takes the pivots; v (m), tables
    as `py_table_size`. A KeyboardInterrupt is honoured between words.
    """
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], c, r = 0
    if (rows.shape[0] < m or cols.shape[0] < min(m, 64 * n) or v.shape[0] < m
            or tables.shape[0] < table_size(n)):
        raise ValueError("workspace too small")
    for c in range(n if m else 0):
        if r == m:
            break
        with nogil:
            r += eliminate_word(m, n, c, r, &A[0, 0], &rows[0], &cols[0] + r, &v[0], &tables[0])
        PyErr_CheckSignals()
    return r


def py_vanishes(uint64_t[:, ::1] A, uint64_t[:, ::1] R, const Py_ssize_t[::1] cols,
                uint64_t[::1] v, uint64_t[::1] tables):
    """Clear the pivots cols of the reduced R in A; return whether A, overwritten, is zero then."""
    cdef Py_ssize_t m = A.shape[0], n = A.shape[1], c, i, j, first = 0
    cdef int k
    cdef int bits[64]
    cdef uint64_t mask, rest = 0
    if (R.shape[0] < cols.shape[0] or R.shape[1] != n or v.shape[0] < m
            or tables.shape[0] < table_size(n)):
        raise ValueError("workspace too small")
    for c in range(n if m else 0):
        with nogil:
            k = 0
            mask = 0
            while first + k < cols.shape[0] and cols[first + k] < 64 * (c + 1):
                bits[k] = <int>(cols[first + k] - 64 * c)
                mask |= <uint64_t>1 << bits[k]
                k += 1
            if k:
                for i in range(m):
                    v[i] = A[i, c] & mask
                j = first_word(c, n)
                add_rows(m, n - j, k, bits, &R[first, j], n, &v[0], &A[0, j], n, &tables[0])
            first += k
        PyErr_CheckSignals()
    for i in range(m):
        for c in range(n):
            rest |= A[i, c]
    return rest == 0
