"""QR of a narrow panel, V, R and T of A = (I - V T V^H) R, at the speed of the caches.

    A (m, n)               strips of eight columns (strips.h), one at a time: the reflectors
    +----+----+----+       of those before are applied to it, eight at a time, then it is
    |\\ R |    |    |       factored itself. A is written when all are done.
    | \\  | R  | R  |
    |  \\ |\\   |    |       T^-1 = striu(V^H V) + diag(1/tau), V^H V by one herk
    | V  | V  | V  |
    +----+----+----+       wider panels: halves, the left one applied to the right by gemm

Short panels, columns of which so little is left that squares lose digits, and NaN are LAPACK's.

References
----------
Schreiber & Van Loan, A storage-efficient WY representation for products of Householder
    transformations, SIAM J. Sci. Stat. Comput. 10 (1989).
Elmroth & Gustavson, Applying recursion to serial and parallel QR factorization leads to better
    performance, IBM J. Res. Dev. 44 (2000): the halves.
Joffrain, Low, Quintana-Orti, van de Geijn & Van Zee, Accumulating Householder transformations,
    revisited, ACM TOMS 32 (2006): T.
"""

from libc.float cimport DBL_MIN, FLT_MIN

from fastsub.kernels.blas cimport blas_int, complex64, gemm, geqrt, scalar, trmm
from fastsub.kernels.scalars cimport eps

cdef enum:
    LANES = 8
    LEAF = 64          # columns that are factored in strips
    SHORT = 128        # rows below which strips gain little, and round twice as much as LAPACK

cdef extern from "tall.h":
    ctypedef struct Tall "fastsub_tall":
        Py_ssize_t size
        void (*load)(Py_ssize_t m, Py_ssize_t count, const void* A, Py_ssize_t lda,
                     void* S) noexcept nogil
        void (*store)(Py_ssize_t m, Py_ssize_t count, const void* S, void* A,
                      Py_ssize_t lda) noexcept nogil
        void (*apply)(Py_ssize_t m, const void* V, const void* T, void* S) noexcept nogil
        void (*cross)(Py_ssize_t m, const void* V, const void* S, void* G) noexcept nogil
        int (*factor)(Py_ssize_t m, Py_ssize_t count, double floor, void* S, void* R,
                      void* T) noexcept nogil
    const Tall fastsub_tall_f32_functions, fastsub_tall_f64_functions
    const Tall fastsub_tall_c64_functions, fastsub_tall_c128_functions


cdef inline const Tall* functions(const scalar* _) noexcept nogil:
    if scalar is float:
        return &fastsub_tall_f32_functions
    elif scalar is double:
        return &fastsub_tall_f64_functions
    elif scalar is complex64:
        return &fastsub_tall_c64_functions
    else:
        return &fastsub_tall_c128_functions


cdef inline Py_ssize_t in_strips(Py_ssize_t n) noexcept nogil:
    return (n + LANES - 1) // LANES


cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n) noexcept nogil:
    """Elements of workspace: the strips of a leaf, their T, R and G; or what `reflect` wants."""
    cdef Py_ssize_t strips = in_strips(min(n, <Py_ssize_t>LEAF))
    # A row of a strip is aligned to 64 bytes.
    return max(n * n, (m * strips + 3 * LANES * strips + 2) * LANES)


cdef inline scalar entry(const char* B, Py_ssize_t i, Py_ssize_t j, const scalar* _) noexcept nogil:
    """Entry j of row i of a strip"""
    cdef scalar x = 0
    if scalar is float or scalar is double:
        x = (<const scalar*>B)[i * LANES + j]
    elif scalar is complex64:
        x.real = (<const float*>B)[2 * i * LANES + j]
        x.imag = (<const float*>B)[2 * i * LANES + LANES + j]
    else:
        x.real = (<const double*>B)[2 * i * LANES + j]
        x.imag = (<const double*>B)[2 * i * LANES + LANES + j]
    return x


cdef void merge(blas_int h, blas_int n, scalar* T, blas_int ldt) noexcept nogil:
    """T12 := -T11 T12 T22, T11 (h, h), T12 (h, n), which holds V1^H V2"""
    cdef scalar one = 1
    cdef scalar* T12 = T + h * <Py_ssize_t>ldt
    trmm(c'L', c'U', c'N', c'N', h, n, -one, T, ldt, T12, ldt)
    trmm(c'R', c'U', c'N', c'N', h, n, one, T12 + h, ldt, T12, ldt)


cdef void add_strip(blas_int h, blas_int count, char* T8, scalar* T, blas_int ldt) noexcept nogil:
    """T (h + count, ...): its last columns, of which the last rows are T8 (8, 8)

    T12 (h, count) holds V1^H V2.
    """
    cdef Py_ssize_t i, j, p, ld = ldt
    cdef scalar x
    cdef scalar* T12 = T + h * ld
    for j in range(count):
        for i in range(j + 1):
            T12[h + i + j * ld] = entry(T8, j, i, T)
    for j in range(count - 1, -1, -1):      # T12 := -T12 T22
        for i in range(h):
            x = 0
            for p in range(j + 1):
                x = x - T12[i + p * ld] * T12[h + p + j * ld]
            T12[i + j * ld] = x
    for j in range(count):                  # T12 := T11 T12
        for p in range(h):
            x = T12[p + j * ld]
            for i in range(p):
                T12[i + j * ld] = T12[i + j * ld] + T[i + p * ld] * x
            T12[p + j * ld] = T[p + p * ld] * x


cdef blas_int leaf(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* T, blas_int ldt,
                   scalar* work) noexcept nogil:
    """As `narrow_qr`, n <= LEAF columns"""
    cdef const Tall* K = functions(A)
    cdef Py_ssize_t ld = lda, s, q, i, j, top, count, row = LANES * K.size
    cdef Py_ssize_t strips = in_strips(n), block = LANES * row
    cdef char* S = <char*>((<size_t>work + 63) & ~<size_t>63)
    cdef char* here
    cdef char* T8 = S + strips * m * row
    cdef char* R = T8 + strips * block
    cdef char* G = R + strips * block
    cdef double floor
    if scalar is float or scalar is complex64:
        floor = FLT_MIN / (eps(A) * eps(A))
    else:
        floor = DBL_MIN / (eps(A) * eps(A))
    for s in range(strips):
        top = s * LANES
        count = min(<Py_ssize_t>LANES, n - top)
        here = S + s * m * row
        K.load(m, count, A + top * ld, ld, here)
        for q in range(s):
            i = q * LANES
            K.apply(m - i, S + (q * m + i) * row, T8 + q * block, here + i * row)
        here += top * row
        if K.factor(m - top, count, floor, here, R + s * block, T8 + s * block) < 0:
            return geqrt(m, n, n, A, lda, T, ldt, work)
        for q in range(s):
            K.cross(m - top, S + (q * m + top) * row, here, G)
            for j in range(count):
                for i in range(LANES):
                    T[q * LANES + i + (top + j) * <Py_ssize_t>ldt] = entry(G, i, j, A)
        add_strip(<blas_int>top, <blas_int>count, T8 + s * block, T, ldt)
    for s in range(strips):
        top = s * LANES
        count = min(<Py_ssize_t>LANES, n - top)
        K.store(m, count, S + s * m * row, A + top * ld, ld)
        for j in range(count):
            for i in range(j + 1):
                A[top + i + (top + j) * ld] = entry(R + s * block, i, j, A)
    return 0


cdef void expose(Py_ssize_t n, scalar* A, Py_ssize_t lda, scalar* kept) noexcept nogil:
    """Write the zeros and ones of V over R (n, n) in A, which goes to kept (n*n)"""
    cdef Py_ssize_t i, j
    for j in range(n):
        for i in range(j):
            kept[i + j * n] = A[i + j * lda]
            A[i + j * lda] = 0
        kept[j + j * n] = A[j + j * lda]
        A[j + j * lda] = 1


cdef void restore(Py_ssize_t n, scalar* A, Py_ssize_t lda, const scalar* kept) noexcept nogil:
    """Undo `expose`"""
    cdef Py_ssize_t i, j
    for j in range(n):
        for i in range(j + 1):
            A[i + j * lda] = kept[i + j * n]


cdef void reflect(blas_int m, blas_int n, blas_int k, scalar* A, blas_int lda, scalar* T,
                  blas_int ldt, scalar* C, blas_int ldc, scalar* work) noexcept nogil:
    """C (m, n) := (I - V T V^H)^H C, V (m, k) in A, which is lent; work (k*k + n*k)

    Computed as C -= V ((C^H V) T)^H: the products with the long side of C transposed run faster
    than V^H C (measured 48 against 57 ms at 2000).
    """
    cdef scalar one = 1, zero = 0
    cdef scalar* W = work + <Py_ssize_t>k * k      # (n, k)
    if n == 0 or k == 0:
        return
    expose(k, A, lda, work)
    gemm(c'C', c'N', n, k, m, one, C, ldc, A, lda, zero, W, n)
    trmm(c'R', c'U', c'N', c'N', n, k, one, T, ldt, W, n)
    gemm(c'N', c'C', m, n, k, -one, A, lda, W, n, one, C, ldc)
    restore(k, A, lda, work)


cdef blas_int narrow_qr(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* T, blas_int ldt,
                        scalar* work) noexcept nogil:
    """A (m, n) := V below R, T (n, n) := its triangle; m >= n, work as `work_size` says"""
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t ld = lda
    cdef blas_int h = (n // 2 + LEAF - 1) // LEAF * LEAF, info
    cdef scalar* right = A + h + h * ld
    cdef scalar* T2 = T + h + h * <Py_ssize_t>ldt
    if m < SHORT:
        return geqrt(m, n, n, A, lda, T, ldt, work)
    if n <= LEAF:
        return leaf(m, n, A, lda, T, ldt, work)
    info = narrow_qr(m, h, A, lda, T, ldt, work)
    reflect(m, n - h, h, A, lda, T, ldt, A + h * ld, lda, work)
    info |= narrow_qr(m - h, n - h, right, lda, T2, ldt, work)
    # T12 := -T1 (V1^H V2) T2
    expose(n - h, right, lda, work)
    gemm(c'C', c'N', h, n - h, m - h, one, A + h, lda, right, lda, zero,
         T + h * <Py_ssize_t>ldt, ldt)
    restore(n - h, right, lda, work)
    merge(h, n - h, T, ldt)
    return info


# ---- Python shims ----

def py_work_size(Py_ssize_t m, Py_ssize_t n):
    """Return the elements of workspace of `py_narrow_qr`."""
    return work_size(m, n)


def py_narrow_qr(scalar[::1, :] A, scalar[::1, :] T, scalar[::1] work):
    """Factor A (m, n), m >= n, in place; T (n, n) := the triangle of its reflectors."""
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1]
    if m < n or T.shape[0] < n or T.shape[1] < n or work.shape[0] < work_size(m, n):
        raise ValueError("A must be tall, T n x n, and the workspace its size")
    if n:
        with nogil:
            narrow_qr(m, n, &A[0, 0], m, &T[0, 0], <blas_int>T.shape[0], &work[0])
