"""The inverses of the two triangles on the diagonal of one, a quarter of the work of its inverse.

    R = [A B]      R^-1 = [A^-1  -A^-1 B C^-1]
        [  C]             [          C^-1    ]

    ||R^-1||_F^2 <= ||A^-1||_F^2 + ||C^-1||_F^2 + (||A^-1||_F ||B||_F ||C^-1||_F)^2

Their transposes take the place of what lies below the diagonal, as that of the whole inverse does
(triangular.pyx); where the bound is too coarse it can still be made.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 8.3: bounds of the
    inverse of a triangle, of which this is the block form.
"""

from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, scalar
from fastsub.kernels.scalars cimport sumsq
from fastsub.kernels.triangular cimport inverse_below


cdef double inverse_norm(Py_ssize_t r, scalar* R, Py_ssize_t ld, scalar* diagonal) noexcept nogil:
    """||R^-1||_F of a triangle whose transposed inverse goes below it; inf: singular

    R's diagonal is put back; work diagonal (r).
    """
    cdef double norm
    cdef Py_ssize_t j
    inverse_below(<blas_int>r, R, <blas_int>ld, diagonal, &norm)
    for j in range(r):
        R[j + j * ld] = diagonal[j]
    return norm


# ---- Python shim ----

def py_halves_below(scalar[::1, :] R, scalar[::1] diagonal):
    """Return ||A^-1||_F, ||B||_F, ||C^-1||_F of the leading triangle of R, as large as `diagonal`.

    What R has below its diagonal there is lost; `diagonal` is workspace.
    """
    cdef Py_ssize_t r = diagonal.shape[0], h = (r + 1) // 2, j, ld = R.shape[0]
    cdef double a, b = 0, c = 0
    with nogil:
        a = inverse_norm(h, &R[0, 0], ld, &diagonal[0])
        for j in range(h, r):
            b += sumsq(h, &R[0, j])
        if h < r:
            c = inverse_norm(r - h, &R[h, h], ld, &diagonal[0])
    return a, sqrt(b), c
