"""Take a row out of a triangular factor: R'^H R' = R^H R - z^H z, by plane rotations.

    M (width, n) column-major: column i is row i of the trapezoid (R g), width >= n

        +-----------------+
        | R^T (n, n)      |     lower triangle; what is above the diagonal is not touched
        |  ...            |
        +-----------------+
        | g^T (width-n, n)|     Q^H b for right-hand sides
        +-----------------+

With q = R^-H z^H and alpha = sqrt(1 - ||q||^2), (q; alpha) has length 1. The rotations that turn it
into (0; 1), from the last entry of q to the first, turn (R; 0) into (R'; z): what comes last in x
is the row itself, up to rounding. x begins with zeros and, for a right-hand side, with the
residual of the row after its removal, times alpha: zeta = (b_z - q^H g) / alpha.

References
----------
Stewart, The effects of rounding error on an algorithm for downdating a Cholesky factorization,
    J. Inst. Maths Applics 23 (1979): backward stable, as far as 1 - ||q||^2 has digits left.
Dongarra, Bunch, Moler & Stewart, LINPACK Users' Guide (1979), chapter 10 (chdd).
"""

from libc.math cimport hypot, sqrt

from fastsub.kernels.blas cimport scalar
from fastsub.kernels.scalars cimport abs2, conj


cdef void downdate(Py_ssize_t width, Py_ssize_t n, scalar* M, const scalar* q, double alpha,
                   scalar* x) noexcept nogil:
    """Rotate rows i of (R g) against x (width), i = n-1 .. 0; 3 n (width - n/2) multiplications."""
    cdef Py_ssize_t i, j
    cdef double length
    cdef scalar c, s, s_conj, t
    cdef scalar* row
    for i in range(n - 1, -1, -1):
        length = hypot(alpha, sqrt(abs2(q[i])))
        c = <scalar>(alpha / length)
        s = q[i] / <scalar>length
        s_conj = conj(s)
        alpha = length
        row = M + i * width
        for j in range(i, width):
            t = row[j]
            row[j] = c * t - s * x[j]
            x[j] = s_conj * t + c * x[j]


# ---- Python shims ----

def py_downdate(scalar[::1, :] M, scalar[::1] q, double alpha, scalar[::1] x):
    """M := the factors without the row whose R^-H z^H is q (n,); x (width,) becomes the row."""
    cdef Py_ssize_t width = M.shape[0], n = M.shape[1]
    if q.shape[0] != n or x.shape[0] != width or width < n or not alpha > 0:
        raise ValueError("q must have the columns of M, x its rows, and alpha be positive")
    if n:
        with nogil:
            downdate(width, n, &M[0, 0], &q[0], alpha, &x[0])
