"""Products of matrices modulo an odd prime p < 2^63, exactly, by the gemm of doubles.

Residues are doubles of magnitude at most (p - 1)/2 where that pays, below about 2^35, and integers
in 0..p-1 above. Matrices are row-major, as integers come from NumPy: to the BLAS they are the
transposes. A product of two doubles, summed `depth` times, is exact while

    p/2 + depth * s * max|a_i| * max|b_j| <= 2^53 - 2p                                         (1)

for s = 1 that is depth * (p/2)^2 < 2^53. Where it leaves fewer than 128 terms the factors are cut:

    A = sum_i 2^(a i) A_i,  i < s        B = sum_j 2^(b j) B_j,  j < t

and the powers of 2^a move to the right factor, so that the inner dimension grows instead of the
number of products; only t of them, of inner dimension s k, are left to be put together:

    A B = (A_0 A_1 ..) (B; 2^a B mod p; ..)    and each 2^(a i) B mod p is cut into B_0, B_1, ..

t = 1 for doubles: then the sum is C itself, and its reduction can wait (`lazy`).

References
----------
Dumas, Giorgi & Pernet, Dense linear algebra over word-size prime fields: the FFLAS and FFPACK
    packages, ACM TOMS 35 (2008): section 2, delayed reduction and its bound.
Harvey, Faster arithmetic for number-theoretic transforms, J. Symbolic Comput. 60 (2014): Shoup's
    product by a fixed factor.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastsub.kernels.blas cimport blas_int, gemm

cdef extern from "residues.h":
    uint64_t fastsub_shoup(uint64_t f, uint64_t p) noexcept nogil
    uint64_t fastsub_mulmod(uint64_t x, uint64_t f, uint64_t g, uint64_t p) noexcept nogil
    void fastsub_reduce(Py_ssize_t n, double* x, double p, double inv) noexcept nogil
    void fastsub_scale(Py_ssize_t n, double f, const double* x, double* y, double p,
                       double inv) noexcept nogil
    void fastsub_split(Py_ssize_t n, int h, const double* x, double* low,
                       double* high) noexcept nogil
    void fastsub_split_wide(Py_ssize_t n, int h, const int64_t* x, double* low,
                            int64_t* high) noexcept nogil
    void fastsub_balance_wide(Py_ssize_t n, const int64_t* x, int64_t* y, int64_t p) noexcept nogil
    void fastsub_to_double(Py_ssize_t n, const int64_t* x, double* y) noexcept nogil
    uint64_t fastsub_barrett(uint64_t p, int bits) noexcept nogil
    void fastsub_combine(Py_ssize_t n, int t, int sign, int h, const double* T, Py_ssize_t ldt,
                         uint64_t m, int e, uint64_t p, int64_t* C) noexcept nogil
    int fastsub_all_below(Py_ssize_t n, const int64_t* x, int64_t p) noexcept nogil
    void fastsub_from_int(Py_ssize_t n, const int64_t* x, double* y, double p) noexcept nogil
    void fastsub_to_int(Py_ssize_t n, const double* x, int64_t* y, int64_t p) noexcept nogil

cdef enum:
    # Rows and columns of C, and inner dimension, of one packed product.
    ROWS = 256
    COLUMNS = 1024
    INNER = 256
    # Fewest terms between two reductions: below it the gemms are too thin to be fast.
    LEAST_DEPTH = 128


cdef inline double power_of_two(int k) noexcept nogil:
    """2^k, k < 63"""
    return <double>(<int64_t>1 << k)


cdef bint try_pieces(int s, int t, int bits, Field* F) noexcept nogil:
    """Cut the factors into s and t pieces; whether (1) leaves enough terms"""
    cdef double two53 = 9007199254740992.0, left, right
    F.s, F.t, F.a_bits, F.b_bits = s, t, (bits + s - 1) // s, (bits + t - 1) // t
    # A piece below the highest is at most 2^(bits - 1); the highest is what is left, rounded.
    left = F.modulus / 2 / power_of_two(F.a_bits * (s - 1)) + 1
    if s > 1:
        left += (s - 1) * power_of_two(F.a_bits - 1)
    right = F.modulus / 2 / power_of_two(F.b_bits * (t - 1)) + 1
    if t > 1:
        right = max(right, power_of_two(F.b_bits - 1))
    if t == 1 and F.modulus > 3e10:  # 2^a times a residue, and what is to be subtracted, are exact
        return False
    F.depth = <Py_ssize_t>min((two53 - (3 * F.modulus if t == 1 else 0)) / (left * right) - 1, 1e9)
    return F.depth >= LEAST_DEPTH


cdef void set_field(int64_t p, Field* F) noexcept nogil:
    """What is needed to calculate modulo an odd p in 3..2^63-1"""
    cdef int bits = 0
    cdef uint64_t q = <uint64_t>p
    while q >> bits:
        bits += 1
    F.p, F.modulus, F.inverse = p, <double>p, 1.0 / <double>p
    if not (try_pieces(1, 1, bits, F) or try_pieces(2, 1, bits, F) or try_pieces(3, 1, bits, F)
            or try_pieces(2, 2, bits, F) or try_pieces(3, 2, bits, F)):
        try_pieces(3, 3, bits, F)
    F.bits, F.barrett = bits, fastsub_barrett(q, bits)
    F.shift = (<uint64_t>1 << F.a_bits) % q
    F.shoup = fastsub_shoup(F.shift, q)


cdef int64_t inverse(int64_t x, int64_t p) noexcept nogil:
    """1/x mod p in 0..p-1 for x not 0, |x| < p (Euclid)"""
    cdef int64_t a = p, b = x + p if x < 0 else x, u = 0, v = 1, quotient
    while b > 1:
        quotient = a // b
        a, b = b, a - quotient * b
        u, v = v, u - quotient * v
    return v + p if v < 0 else v


cdef void reduce_rows(const Field* F, Py_ssize_t m, Py_ssize_t n, residue* A,
                      Py_ssize_t lda) noexcept nogil:
    """A (m, n) := A mod p; integers always are"""
    cdef Py_ssize_t i
    if residue is double:
        for i in range(m):
            fastsub_reduce(n, A + i * lda, F.modulus, F.inverse)


cdef Py_ssize_t product_size(const Field* F, Py_ssize_t m, Py_ssize_t n,
                             Py_ssize_t k) noexcept nogil:
    """Doubles of workspace for products of at most these dimensions"""
    if F.s == 1:
        return 0
    m, n, k = min(m, <Py_ssize_t>ROWS), min(n, <Py_ssize_t>COLUMNS), min(k, <Py_ssize_t>INNER)
    return F.s * k * (m + F.t * n) + F.t * m * n


cdef void pack_left(const Field* F, Py_ssize_t m, Py_ssize_t k, const residue* A, Py_ssize_t lda,
                    double* P) noexcept nogil:
    """P (m, s k) := (A_0 A_1 ..)"""
    cdef Py_ssize_t i, j
    cdef double* row
    cdef int64_t rest[INNER]
    for i in range(m):
        row = P + i * F.s * k
        if residue is double:
            memcpy(row, A + i * lda, k * sizeof(double))
            for j in range(F.s - 1):
                fastsub_split(k, F.a_bits, row + j * k, row + j * k, row + (j + 1) * k)
        else:
            fastsub_balance_wide(k, A + i * lda, rest, F.p)
            for j in range(F.s - 1):
                fastsub_split_wide(k, F.a_bits, rest, row + j * k, rest)
            fastsub_to_double(k, rest, row + (F.s - 1) * k)


cdef void pack_right(const Field* F, Py_ssize_t k, Py_ssize_t n, const residue* B, Py_ssize_t ldb,
                     double* P) noexcept nogil:
    """P (t, s k, n) := the pieces of (B; 2^a B; 4^a B) mod p"""
    cdef Py_ssize_t i, j, row, c, size = F.s * k * n
    cdef int64_t rest[COLUMNS]
    cdef int64_t shifted[COLUMNS]
    for row in range(k):
        if residue is double:
            memcpy(P + row * n, B + row * ldb, n * sizeof(double))
            for i in range(1, F.s):
                fastsub_scale(n, <double>(<int64_t>1 << F.a_bits), P + ((i - 1) * k + row) * n,
                              P + (i * k + row) * n, F.modulus, F.inverse)
        else:
            memcpy(shifted, B + row * ldb, n * sizeof(int64_t))
            for i in range(F.s):
                fastsub_balance_wide(n, shifted, rest, F.p)
                for j in range(F.t - 1):
                    fastsub_split_wide(n, F.b_bits, rest, P + j * size + (i * k + row) * n, rest)
                fastsub_to_double(n, rest, P + (F.t - 1) * size + (i * k + row) * n)
                if i + 1 < F.s:
                    for c in range(n):
                        shifted[c] = <int64_t>fastsub_mulmod(
                            <uint64_t>shifted[c], F.shift, F.shoup, <uint64_t>F.p)


cdef void multiply_packed(const Field* F, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, int sign,
                          const residue* A, Py_ssize_t lda, const residue* B, Py_ssize_t ldb,
                          bint add, residue* C, Py_ssize_t ldc, double* work) noexcept nogil:
    """C (m, n) := [C +] sign A B with n <= COLUMNS, k <= INNER; doubles are left unreduced"""
    cdef Py_ssize_t i, j, r, rows, inner = F.s * k
    cdef double* right = work
    cdef double* left = right + F.t * inner * n
    cdef double* T = left + min(m, <Py_ssize_t>ROWS) * inner
    pack_right(F, k, n, B, ldb, right)
    i = 0
    while i < m:
        rows = min(m - i, <Py_ssize_t>ROWS)
        pack_left(F, rows, k, A + i * lda, lda, left)
        if residue is double:
            gemm[double](c'N', c'N', <blas_int>n, <blas_int>rows, <blas_int>inner, sign, right,
                         <blas_int>n, left, <blas_int>inner, add, C + i * ldc, <blas_int>ldc)
        else:
            for j in range(F.t):
                gemm[double](c'N', c'N', <blas_int>n, <blas_int>rows, <blas_int>inner, 1.0,
                             right + j * inner * n, <blas_int>n, left, <blas_int>inner, 0.0,
                             T + j * rows * n, <blas_int>n)
            for r in range(rows):
                if not add:
                    memset(C + (i + r) * ldc, 0, n * sizeof(int64_t))
                fastsub_combine(n, F.t, sign, F.b_bits, T + r * n, rows * n, F.barrett, F.bits,
                                <uint64_t>F.p, C + (i + r) * ldc)
        i += rows


cdef void multiply(const Field* F, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, int sign,
                   const residue* A, Py_ssize_t lda, const residue* B, Py_ssize_t ldb, bint add,
                   residue* C, Py_ssize_t ldc, bint lazy, double* work) noexcept nogil:
    """C (m, n) := [C +] sign A (m, k) B (k, n) mod p; the last sum is left unreduced if `lazy`

    A, B and C hold reduced residues; a lazy C may hold what `depth - k` terms have left.
    """
    cdef Py_ssize_t j, done, inner, columns, step
    if m == 0 or n == 0:
        return
    if k == 0:
        if not add:
            for done in range(m):
                memset(C + done * ldc, 0, n * sizeof(residue))
        return
    step = F.depth if F.s == 1 else min(F.depth, <Py_ssize_t>INNER)
    done = 0
    while done < k:
        inner = min(k - done, step)
        if residue is double and F.s == 1:
            gemm[double](c'N', c'N', <blas_int>n, <blas_int>m, <blas_int>inner, sign,
                         <double*>(B + done * ldb), <blas_int>ldb, <double*>(A + done),
                         <blas_int>lda, add or done > 0, C, <blas_int>ldc)
        else:
            j = 0
            while j < n:
                columns = min(n - j, <Py_ssize_t>COLUMNS)
                multiply_packed(F, m, columns, inner, sign, A + done, lda, B + done * ldb + j, ldb,
                                add or done > 0, C + j, ldc, work)
                j += columns
        done += inner
        if not lazy or done < k:
            reduce_rows(F, m, n, C, ldc)


cdef Py_ssize_t row_stride(const residue[:, :] A) except -1:
    """Distance of two rows; their entries must be contiguous."""
    cdef Py_ssize_t size = sizeof(residue)
    if A.strides[0] % size or (A.shape[1] > 1 and A.strides[1] != size):
        raise ValueError("the rows must be contiguous")
    return A.strides[0] // size


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
