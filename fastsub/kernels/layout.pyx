"""Reading user arrays of any layout into the column-major arrays of the kernels.

One pass finds the largest magnitude and every NaN or infinity (`magnitude`), one pass copies,
transposes and scales (`copy`): C-ordered input costs the one copy that Fortran-ordered costs too.

Strides are in elements and may be negative or zero. `copy` walks tiles of 32 x 32, so that both
sides stay in the first-level cache, whichever of them is the one with unit stride.
"""

from libc.math cimport fabs

from fastsub.kernels.blas cimport complex64, scalar
from fastsub.kernels.scalars cimport conj, scaled, whole_strides

cdef extern from "magnitude.h":
    double fastsub_magnitude_f64(const double* x, Py_ssize_t n) noexcept nogil
    double fastsub_magnitude_f32(const float* x, Py_ssize_t n) noexcept nogil


cdef inline double of_vector(const scalar* x, Py_ssize_t n) noexcept nogil:
    if scalar is float:
        return fastsub_magnitude_f32(x, n)
    elif scalar is double:
        return fastsub_magnitude_f64(x, n)
    elif scalar is complex64:
        return fastsub_magnitude_f32(<const float*>x, 2 * n)
    else:
        return fastsub_magnitude_f64(<const double*>x, 2 * n)


cdef double magnitude(const scalar* A, Py_ssize_t m, Py_ssize_t n,
                      Py_ssize_t row, Py_ssize_t col) noexcept nogil:
    """max |a_ij| (complex: of the real and imaginary parts); NaN or inf if A holds one

    A (m, n), entry (i, j) at A[i*row + j*col].
    """
    cdef Py_ssize_t i, j
    cdef double largest = 0, x
    if col == 1 or (row != 1 and fabs(<double>row) > fabs(<double>col)):
        # Transpose: the faster index runs inside.
        m, n, row, col = n, m, col, row
    if row == 1 and col == m:
        return of_vector(A, m * n)
    for j in range(n):
        if row == 1:
            x = of_vector(A + j * col, m)
            if x != x:
                return x
            largest = max(largest, x)
        else:
            for i in range(m):
                x = of_vector(A + i * row + j * col, 1)
                if x != x:
                    return x
                largest = max(largest, x)
    return largest


cdef void copy(const scalar* A, Py_ssize_t m, Py_ssize_t n, Py_ssize_t row, Py_ssize_t col,
               double scale, bint conjugate, scalar* B, Py_ssize_t ldb) noexcept nogil:
    """B := scale*A or scale*conj(A); B (m, n) column-major, scale a power of two.

    Where A is not column-major by tiles of 32 x 32, each of which is read along its rows into a
    buffer: the lines of a column are a large power of two apart, too often, and would evict each
    other.
    """
    cdef Py_ssize_t i, j, i0, j0, i1, j1
    cdef scalar x
    cdef scalar[1024] tile
    if row == 1:
        for j in range(n):
            for i in range(m):
                x = scaled(A[i + j * col], scale)
                B[i + j * ldb] = conj(x) if conjugate else x
        return
    for j0 in range(0, n, 32):
        j1 = min(j0 + 32, n)
        for i0 in range(0, m, 32):
            i1 = min(i0 + 32, m)
            for i in range(i0, i1):
                for j in range(j0, j1):
                    tile[(j - j0) * 32 + i - i0] = A[i * row + j * col]
            for j in range(j0, j1):
                for i in range(i0, i1):
                    x = scaled(tile[(j - j0) * 32 + i - i0], scale)
                    B[i + j * ldb] = conj(x) if conjugate else x


cdef void upper(const scalar* A, Py_ssize_t k, Py_ssize_t n, Py_ssize_t lda,
                scalar* R) noexcept nogil:
    """R (k, n) := the upper trapezoid of A, zeros below"""
    cdef Py_ssize_t i, j, top
    for j in range(n):
        top = min(j + 1, k)
        for i in range(top):
            R[i + j * k] = A[i + j * lda]
        for i in range(top, k):
            R[i + j * k] = 0


# ---- Python shims ----

def py_magnitude(const scalar[:, :] A):
    """Return the largest |a_ij| of a matrix of any layout; NaN or inf if it holds one."""
    cdef Py_ssize_t size = sizeof(scalar)
    cdef double largest
    if A.shape[0] == 0 or A.shape[1] == 0:
        return 0.0
    if not whole_strides(A):
        raise ValueError("strides must be whole elements; pass a copy")
    with nogil:
        largest = magnitude(&A[0, 0], A.shape[0], A.shape[1], A.strides[0] // size,
                            A.strides[1] // size)
    return largest


def py_copy(const scalar[:, :] A, scalar[::1, :] B, double scale=1.0, bint conjugate=False):
    """B := scale*A or scale*conj(A), for A of any layout and a Fortran-ordered B."""
    cdef Py_ssize_t size = sizeof(scalar)
    if A.shape[0] != B.shape[0] or A.shape[1] != B.shape[1]:
        raise ValueError("A and B must have the same shape")
    if A.shape[0] == 0 or A.shape[1] == 0:
        return
    if not whole_strides(A):
        raise ValueError("strides must be whole elements; pass a copy")
    with nogil:
        copy(&A[0, 0], A.shape[0], A.shape[1], A.strides[0] // size, A.strides[1] // size,
             scale, conjugate, &B[0, 0], B.shape[0])


def py_upper(const scalar[::1, :] A, scalar[::1, :] R):
    """R := the first rows of the upper trapezoid of A, with zeros below its diagonal."""
    if R.shape[1] != A.shape[1] or R.shape[0] > A.shape[0]:
        raise ValueError("R must have the columns of A, and no more rows")
    if R.shape[0] and R.shape[1]:
        with nogil:
            upper(&A[0, 0], R.shape[0], R.shape[1], A.shape[0], &R[0, 0])
