r"""Sparse-sign sketch Y = S A of a tall matrix of any layout, in one pass over it.

S (d, m) has four entries of +-1 in each column, one in each quarter of its rows, at places that a
generator draws from the seed and the number of the column alone: S is never stored, and pieces of A
can be sketched apart and added up.

    A (m, n), entry (i, j) at A[i*row + j*col]        Y (d, n) column-major, d = 4 q

    for each tile of columns              so narrow that the tile of Y stays in the cache
        for each block of 64 rows of A    in place where its rows are contiguous, else transposed
            Y[4 rows] += +-A[i]           sketch.h

||S||_1 = 4, and ||S||_inf is the largest of the counts of nonzeros in its rows: so
||S||_2 <= 2 sqrt(max(counts)), a bound with no probability in it. A NaN or an infinity anywhere
in A makes Y not finite.

References
----------
Kane & Nelson, Sparser Johnson-Lindenstrauss transforms, J. ACM 61 (2014): the block construction.
Martinsson & Tropp, Randomized numerical linear algebra, Acta Numerica 29 (2020), section 9.2.
"""

from libc.stdint cimport int32_t, uint64_t

from fastsub.kernels.blas cimport complex64, scalar
from fastsub.kernels.scalars cimport whole_strides

cdef extern from "sketch.h":
    void fastsub_prefetch(const void* address, Py_ssize_t size) noexcept nogil
    void fastsub_column(uint64_t seed, uint64_t index, uint64_t q, int32_t* row,
                        int32_t* minus) noexcept nogil
    void fastsub_scatter_f32(Py_ssize_t rows, Py_ssize_t width, const float* A, Py_ssize_t lda,
                             const int32_t* row, const int32_t* minus, float* Y,
                             float* squares) noexcept nogil
    void fastsub_scatter_f64(Py_ssize_t rows, Py_ssize_t width, const double* A, Py_ssize_t lda,
                             const int32_t* row, const int32_t* minus, double* Y,
                             double* squares) noexcept nogil

cdef enum:
    ROWS = 64           # a block of A
    LINE = 64           # bytes of a cache line
    CACHE = 1 << 19     # bytes of a tile of Y, at the most


cdef inline void scatter(Py_ssize_t rows, Py_ssize_t width, const scalar* A, Py_ssize_t lda,
                         const int32_t* row, const int32_t* minus, scalar* Y,
                         scalar* squares) noexcept nogil:
    """Y += S A, squares += column sums of the squares (complex: of the parts)."""
    if scalar is float:
        fastsub_scatter_f32(rows, width, A, lda, row, minus, Y, squares)
    elif scalar is double:
        fastsub_scatter_f64(rows, width, A, lda, row, minus, Y, squares)
    elif scalar is complex64:
        fastsub_scatter_f32(rows, 2 * width, <const float*>A, 2 * lda, row, minus, <float*>Y,
                            <float*>squares)
    else:
        fastsub_scatter_f64(rows, 2 * width, <const double*>A, 2 * lda, row, minus, <double*>Y,
                            <double*>squares)


cdef inline Py_ssize_t tile_width(Py_ssize_t d, Py_ssize_t n, const scalar* _) noexcept nogil:
    """Columns of a tile: whole cache lines, eight of them at the most."""
    cdef Py_ssize_t lanes = LINE // sizeof(scalar)
    cdef Py_ssize_t lines = min(8, CACHE // (d * LINE), (n + lanes - 1) // lanes)
    return lanes * max(1, lines)


cdef Py_ssize_t work_size(Py_ssize_t d, Py_ssize_t n, const scalar* _) noexcept nogil:
    """Entries of work: a tile of Y, a block of A, squares, and what aligns them."""
    return (d + ROWS + 2) * tile_width(d, n, _)


cdef double sketch(const scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
                   Py_ssize_t first, unsigned long long seed, Py_ssize_t d, scalar* Y,
                   int* counts, scalar* work) noexcept nogil:
    """Y (d, n) := S[:, first:first+m] A, counts (d) += nonzeros of each row of S; ||A||_F^2

    d a multiple of 4; work (work_size).
    """
    cdef Py_ssize_t width = tile_width(d, n, A), i0, j0, rows, columns, i, j, t, b, lda
    cdef scalar* tile = <scalar*>((<size_t>work + LINE - 1) // LINE * LINE)    # (d, width)
    cdef scalar* block = tile + d * width                                      # (ROWS, width)
    cdef scalar* squares = block + ROWS * width                                # (width)
    cdef int32_t place[4 * ROWS]
    cdef int32_t minus[4 * ROWS]
    cdef const scalar* a
    cdef double total = 0
    for t in range((n + width - 1) // width):
        j0 = t * width
        columns = min(width, n - j0)
        for i in range(d * width):
            tile[i] = 0
        for i in range(ROWS * width):
            block[i] = 0
        for b in range((m + ROWS - 1) // ROWS):
            i0 = b * ROWS
            rows = min(<Py_ssize_t>ROWS, m - i0)
            for i in range(rows):
                fastsub_column(seed, first + i0 + i, d // 4, place + 4 * i, minus + 4 * i)
            a = A + i0 * row + j0 * col
            lda = row
            if col != 1 or columns < width:
                for j in range(columns):
                    if row == 1:
                        fastsub_prefetch(a + ROWS + j * col, ROWS * sizeof(scalar))
                    for i in range(rows):
                        block[i * width + j] = a[i * row + j * col]
                a, lda = block, width
            for j in range(width):
                squares[j] = 0
            scatter(rows, width, a, lda, place, minus, tile, squares)
            for j in range(columns):
                if scalar is float or scalar is double:
                    total += squares[j]
                else:
                    total += <double>squares[j].real + <double>squares[j].imag
            if j0 == 0:
                for i in range(4 * rows):
                    counts[place[i]] += 1
        for j in range(columns):
            for i in range(d):
                Y[i + (j0 + j) * d] = tile[i * width + j]
    return total


# ---- Python shims ----

def py_work_size(const scalar[:, :] A, Py_ssize_t d):
    """Entries of the workspace."""
    return work_size(d, A.shape[1], <const scalar*>NULL)


def py_sketch(const scalar[:, :] A, scalar[::1, :] Y, int[::1] counts, scalar[::1] work,
              unsigned long long seed, Py_ssize_t first=0):
    """Y := S A and counts += nonzeros of the rows of S; return ||A||_F^2.

    A of any layout; its rows are first, first + 1, ... of the whole matrix.
    """
    cdef Py_ssize_t size = sizeof(scalar), d = Y.shape[0]
    cdef double total
    if d % 4 or Y.shape[1] != A.shape[1] or counts.shape[0] != d:
        raise ValueError("Y must be d x n and counts d, d a multiple of 4")
    if work.shape[0] < work_size(d, A.shape[1], <const scalar*>NULL):
        raise ValueError("work is too small")
    if not whole_strides(A):
        raise ValueError("strides must be whole elements; pass a copy")
    if A.shape[0] == 0 or A.shape[1] == 0:
        Y[:, :] = 0
        return 0.0
    with nogil:
        total = sketch(&A[0, 0], A.shape[0], A.shape[1], A.strides[0] // size,
                       A.strides[1] // size, first, seed, d, &Y[0, 0], &counts[0], &work[0])
    return total
