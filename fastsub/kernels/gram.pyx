"""Gram matrix G = A^H A and its Cholesky factor: half the flops of a QR, half its digits.

    A (m, n)        G (n, n), upper triangle, zeros below

Two ways to G: `gram` is the BLAS, for column-major A; `gram_with` packs the rows of an A of any
layout, 128 at a time, and multiplies them from the cache, which is faster for few columns, where
the BLAS is at its worst. It takes some columns B along: the upper triangle of [A B]^H [A B] is all
that the normal equations need,

    A^H A   A^H B
            B^H B

A complex matrix is a real one of twice as many columns there: the products of the real and of the
imaginary parts of two columns add up to an entry of G, at the same number of flops.

The computed G is that of A + E up to ||dG||_2 <= gamma_m ||A||_F^2 (Higham 2002, section 10.1), so
sigma_min(A)^2 >= lambda_min(G) - ||dG||: a proof of full rank whenever kappa(A) is below u^-1/2.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 10.1 and 20.4.
Goto & van de Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
"""

from libc.string cimport memset

from fastsub.kernels.blas cimport blas_int, complex64, complex128, herk, potrf, real, scalar
from fastsub.kernels.scalars cimport whole_strides

cdef extern from "packed.h":
    void fastsub_f32_gram(Py_ssize_t rows, Py_ssize_t panels, const float* P, Py_ssize_t depth,
                          float* G, Py_ssize_t ldg) noexcept nogil
    void fastsub_f64_gram(Py_ssize_t rows, Py_ssize_t panels, const double* P, Py_ssize_t depth,
                          double* G, Py_ssize_t ldg) noexcept nogil
    void fastsub_pack4(Py_ssize_t rows, Py_ssize_t n, const void* A, Py_ssize_t row,
                       Py_ssize_t col, Py_ssize_t first, void* P, Py_ssize_t depth) noexcept nogil
    void fastsub_pack8(Py_ssize_t rows, Py_ssize_t n, const void* A, Py_ssize_t row,
                       Py_ssize_t col, Py_ssize_t first, void* P, Py_ssize_t depth) noexcept nogil
    void fastsub_pack16(Py_ssize_t rows, Py_ssize_t n, const void* A, Py_ssize_t row,
                        Py_ssize_t col, Py_ssize_t first, void* P, Py_ssize_t depth) noexcept nogil

cdef enum:
    DEPTH = 128     # rows that are packed at a time: three panels of them fit the first cache
    LINE = 64       # bytes of a row of a panel


cdef void gram(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* G) noexcept nogil:
    """G (n, n) := upper triangle of A^H A, zeros below; m*n^2 flops (half of gemm's)."""
    cdef Py_ssize_t i
    for i in range(<Py_ssize_t>n * n):
        G[i] = 0
    if m > 0:
        herk(c'U', c'C', n, m, 1.0, A, lda, 0.0, G, max(1, n))


cdef inline void pack(Py_ssize_t rows, Py_ssize_t n, const scalar* A, Py_ssize_t row,
                      Py_ssize_t col, Py_ssize_t first, scalar* P) noexcept nogil:
    if scalar is float:
        fastsub_pack4(rows, n, A, row, col, first, P, DEPTH)
    elif scalar is complex128:
        fastsub_pack16(rows, n, A, row, col, first, P, DEPTH)
    else:
        fastsub_pack8(rows, n, A, row, col, first, P, DEPTH)


cdef inline Py_ssize_t panel_count(Py_ssize_t n, const scalar* _) noexcept nogil:
    cdef Py_ssize_t width = LINE // sizeof(scalar)
    return (n + width - 1) // width


cdef Py_ssize_t gram_work_size(Py_ssize_t n, const scalar* _) noexcept nogil:
    """Entries of work: packed rows, the products of all their columns, and what aligns them."""
    cdef Py_ssize_t width = LINE // sizeof(scalar), columns = panel_count(n, _) * width
    cdef Py_ssize_t parts = 1 if scalar is float or scalar is double else 2
    return columns * (DEPTH + parts * columns) + width


cdef void unfold(Py_ssize_t n, const real* F, Py_ssize_t ld, scalar* G) noexcept nogil:
    """G (n, n) := the upper triangle of the Gram matrix whose real columns have that of F"""
    cdef Py_ssize_t i, j
    cdef const real* f
    for j in range(n):
        for i in range(j + 1):
            if scalar is float or scalar is double:
                G[i + j * n] = <scalar>F[i + j * ld]
            else:
                f = F + 2 * i + 2 * j * ld
                G[i + j * n].real = f[0] + f[1 + ld]
                G[i + j * n].imag = f[ld] - f[1] if i < j else 0
        for i in range(j + 1, n):
            G[i + j * n] = 0


cdef void gram_with(Py_ssize_t m, Py_ssize_t n, const scalar* A, Py_ssize_t row, Py_ssize_t col,
                    Py_ssize_t k, const scalar* B, Py_ssize_t row_b, Py_ssize_t col_b, scalar* G,
                    scalar* work) noexcept nogil:
    """G (n+k, n+k) := upper triangle of [A B]^H [A B], zeros below; m*(n+k)^2 flops

    A (m, n), entry (i, j) at A[i*row + j*col], B (m, k) likewise; k may be 0. No BLAS is called.
    work (gram_work_size of n + k).
    """
    cdef Py_ssize_t panels = panel_count(n + k, A), width = LINE // sizeof(scalar), b, rows
    cdef Py_ssize_t ld = panels * (LINE // sizeof(float) if scalar is float or scalar is complex64
                                   else LINE // sizeof(double))
    cdef scalar* P = <scalar*>((<size_t>work + LINE - 1) // LINE * LINE)    # panels of DEPTH rows
    cdef scalar* F = P + panels * width * DEPTH                             # (ld, ld), real
    memset(P, 0, panels * DEPTH * LINE)
    memset(F, 0, panels * LINE * ld)
    for b in range((m + DEPTH - 1) // DEPTH):
        rows = min(<Py_ssize_t>DEPTH, m - b * DEPTH)
        pack(rows, n, A + b * DEPTH * row, row, col, 0, P)
        if k:
            pack(rows, k, B + b * DEPTH * row_b, row_b, col_b, n, P)
        if scalar is float or scalar is complex64:
            fastsub_f32_gram(rows, panels, <const float*>P, DEPTH, <float*>F, ld)
        else:
            fastsub_f64_gram(rows, panels, <const double*>P, DEPTH, <double*>F, ld)
    if scalar is float or scalar is complex64:
        unfold(n + k, <const float*>F, ld, G)
    else:
        unfold(n + k, <const double*>F, ld, G)


cdef blas_int cholesky(blas_int n, scalar* G) noexcept nogil:
    """G (n, n) := upper triangular R with R^H R = G; info > 0: not numerically positive definite"""
    return potrf(c'U', n, G, max(1, n))


# ---- Python shims ----

def py_gram(scalar[::1, :] A, scalar[::1, :] G):
    """G := upper triangle of A^H A, zeros below."""
    cdef Py_ssize_t n = A.shape[1]
    if G.shape[0] != n or G.shape[1] != n:
        raise ValueError("G must be n x n")
    if n == 0:
        return
    with nogil:
        gram(<blas_int>A.shape[0], <blas_int>n, &A[0, 0], <blas_int>max(1, A.shape[0]), &G[0, 0])


def py_gram_work_size(const scalar[:, :] A, Py_ssize_t k):
    """Entries of the workspace of py_gram_with."""
    return gram_work_size(A.shape[1] + k, <const scalar*>NULL)


def py_gram_with(const scalar[:, :] A, const scalar[:, :] B, scalar[::1, :] G, scalar[::1] work):
    """G := upper triangle of [A B]^H [A B], zeros below; A and B of any layout."""
    cdef Py_ssize_t size = sizeof(scalar), m = A.shape[0], n = A.shape[1], k = B.shape[1]
    cdef const scalar* a = NULL
    cdef const scalar* b = NULL
    if B.shape[0] != m or G.shape[0] != n + k or G.shape[1] != n + k:
        raise ValueError("A and B must have the same rows, and G the order of both their columns")
    if not (whole_strides(A) and whole_strides(B)):
        raise ValueError("strides must be whole elements; pass copies")
    if work.shape[0] < py_gram_work_size(A, k):
        raise ValueError("work is too small")
    if n + k == 0:
        return
    if m > 0 and n > 0:
        a = &A[0, 0]
    if m > 0 and k > 0:
        b = &B[0, 0]
    with nogil:
        gram_with(m, n, a, A.strides[0] // size, A.strides[1] // size, k, b, B.strides[0] // size,
                  B.strides[1] // size, &G[0, 0], &work[0])


def py_cholesky(scalar[::1, :] G):
    """G := its upper Cholesky factor, in place; return info."""
    cdef blas_int info = 0
    if G.shape[0]:
        with nogil:
            info = cholesky(<blas_int>G.shape[0], &G[0, 0])
    return info
