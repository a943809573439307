"""RZ factorisation, [R11 R12] = [L 0] Z^H: the second half of a complete orthogonal decomposition.

Rows and columns of R11 are reversed so that its conjugate transpose becomes upper triangular again
and LAPACK's triangular-pentagonal QR does the rest, touching nothing but R11 and R12:

    J = reversal,  (J R11^H J; R12^H J) = Z (U; 0),  p = n - r

        U (r, r) upper triangular      Z = I - (I; B) T (I; B)^H per block of nb columns
        B (p, r) dense

so that [R11 R12] = J U^H J [J 0] Z^H diag(J, I). Row space: first r columns of diag(J, I) Z; null
space: the last p; both are orthonormal to rounding whatever the conditioning of R11.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012): triangle on top of a block (LAPACK's tpqrt).
"""

from fastsub.kernels.blas cimport blas_int, gemm, scalar, tpqrt, trmm
from fastsub.kernels.scalars cimport conj


cdef blas_int rz(blas_int r, blas_int n, const scalar* R, blas_int ldr, blas_int nb, scalar* U,
                 scalar* B, scalar* T, scalar* work) noexcept nogil:
    """Factor the first r rows of R (upper trapezoidal, (r, n)); U (r, r), B (n-r, r), T (nb, r)

    work (nb * r). 2 r^2 (n - r) flops.
    """
    cdef Py_ssize_t i, j, p = n - r, ld = ldr
    for j in range(r):
        for i in range(j + 1):
            U[i + j * r] = conj(R[(r - 1 - j) + (r - 1 - i) * ld])
        for i in range(j + 1, r):
            U[i + j * r] = 0
        for i in range(p):
            B[i + j * p] = conj(R[(r - 1 - j) + (r + i) * ld])
    return tpqrt(<blas_int>p, r, 0, min(nb, r), U, max(1, r), B, <blas_int>max(1, p), T, nb, work)


cdef blas_int rz_in_place(blas_int r, blas_int n, scalar* R, blas_int ldr, blas_int nb, scalar* B,
                          scalar* T, scalar* work) noexcept nogil:
    """The same; U replaces R11, whose mirror image across the other diagonal it begins as."""
    cdef Py_ssize_t i, j, p = n - r, ld = ldr
    cdef scalar x
    for j in range(r):
        for i in range(p):
            B[i + j * p] = conj(R[(r - 1 - j) + (r + i) * ld])
    for j in range(r):
        for i in range(j + 1):
            if i + j < r:
                x = conj(R[i + j * ld])
                R[i + j * ld] = conj(R[(r - 1 - j) + (r - 1 - i) * ld])
                R[(r - 1 - j) + (r - 1 - i) * ld] = x
    return tpqrt(<blas_int>p, r, 0, min(nb, r), R, ldr, B, <blas_int>max(1, p), T, nb, work)


cdef void rz_apply(blas_int r, blas_int p, blas_int n, blas_int nb, scalar* B, scalar* T,
                   scalar* top, scalar* bottom, blas_int ldc, scalar* work) noexcept nogil:
    """(top; bottom) := Z (top; bottom), top (r, n), bottom (p, n); work (nb, n)"""
    cdef scalar one = 1
    cdef Py_ssize_t i, c, b, j, ld = ldc
    cdef blas_int width
    for b in range((r + nb - 1) // nb):
        j = ((r - 1) // nb - b) * nb
        width = <blas_int>min(<Py_ssize_t>nb, r - j)
        # W := T (top_j + B_j^H bottom)
        for c in range(n):
            for i in range(width):
                work[i + c * width] = top[j + i + c * ld]
        gemm(c'C', c'N', width, n, p, one, B + j * p, p, bottom, ldc, one, work, width)
        trmm(c'L', c'U', c'N', c'N', width, n, one, T + j * nb, nb, work, width)
        # top_j -= W, bottom -= B_j W
        for c in range(n):
            for i in range(width):
                top[j + i + c * ld] = top[j + i + c * ld] - work[i + c * width]
        gemm(c'N', c'N', p, n, width, -one, B + j * p, p, work, width, one, bottom,
             ldc)


# ---- Python shims ----

def py_rz(const scalar[::1, :] R, scalar[::1, :] U, scalar[::1, :] B, scalar[::1, :] T,
          scalar[::1] work):
    """Factor the leading rows of R, as many as U has; B (n - r, r), T (nb, r), work (nb * r)."""
    cdef blas_int r = <blas_int>U.shape[0], n = <blas_int>R.shape[1], info
    if B.shape[0] != n - r or B.shape[1] != r or work.shape[0] < T.shape[0] * r:
        raise ValueError("B must be (n - r) x r, and the workspace nb * r")
    with nogil:
        info = rz(r, n, &R[0, 0], <blas_int>R.shape[0], <blas_int>T.shape[0], &U[0, 0], &B[0, 0],
                  &T[0, 0], &work[0])
    return info


def py_rz_in_place(scalar[::1, :] R, scalar[::1, :] B, scalar[::1, :] T, scalar[::1] work):
    """Factor the leading rows of R, as many as B has columns; U replaces R11."""
    cdef blas_int r = <blas_int>B.shape[1], n = <blas_int>R.shape[1], info
    if B.shape[0] != n - r or R.shape[0] < r or work.shape[0] < T.shape[0] * r:
        raise ValueError("B must be (n - r) x r, and the workspace nb * r")
    with nogil:
        info = rz_in_place(r, n, &R[0, 0], <blas_int>R.shape[0], <blas_int>T.shape[0], &B[0, 0],
                           &T[0, 0], &work[0])
    return info


def py_rz_columns(scalar[::1, :] B, scalar[::1, :] T, blas_int[::1] rows, scalar[::1, :] C,
                  Py_ssize_t start, scalar[::1] work):
    """C (n, count) := columns start, start+1, ... of diag(J, I) Z, its row i put at rows[i].

    work must hold max(nb * count, n) elements.
    """
    cdef Py_ssize_t r = B.shape[1], p = B.shape[0], n = r + p, count = C.shape[1], i, c
    cdef Py_ssize_t nb = T.shape[0]
    if C.shape[0] != n or rows.shape[0] != n or work.shape[0] < max(nb * count, n):
        raise ValueError("C and rows must have r + p rows, and the workspace its size")
    with nogil:
        C[:, :] = 0
        for c in range(count):
            C[start + c, c] = 1
        rz_apply(<blas_int>r, <blas_int>p, <blas_int>count, <blas_int>nb, &B[0, 0], &T[0, 0],
                 &C[0, 0], &C[0, 0] + r, <blas_int>n, &work[0])
        for c in range(count):
            for i in range(n):
                work[rows[r - 1 - i if i < r else i]] = C[i, c]
            for i in range(n):
                C[i, c] = work[i]
