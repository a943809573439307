"""RZ factorisation, [R11 R12] = [L 0] Z^H: the second half of a complete orthogonal decomposition.

Rows and columns of R11 are reversed so that its conjugate transpose becomes upper triangular again
and a QR of a triangle on top of a block does the rest, touching nothing but R11 and R12:

    J = reversal,  (J R11^H J; R12^H J) = Z (U; 0),  p = n - r

        U (r, r) upper triangular      Z = I - (I; B) T (I; B)^H per block of nb columns
        B (p, r) dense

so that [R11 R12] = J U^H J [J 0] Z^H diag(J, I). Row space: first r columns of diag(J, I) Z; null
space: the last p; both are orthonormal to rounding whatever the conditioning of R11.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012): triangle on top of a block.
"""

from fastsub.kernels.blas cimport blas_int, gemm, herk, larfg, scalar, trmm, trtri
from fastsub.kernels.scalars cimport conj
from fastsub.kernels.vectors cimport axpy, dot


cdef void panel(blas_int p, blas_int j0, blas_int width, scalar* U, blas_int ldu, scalar* B,
                scalar* T, blas_int nb) noexcept nogil:
    """(U; B) on columns j0 .. j0+width-1 := the reflectors (I; B) and their triangle T

    Columns are short where much is to be done: vectors without the BLAS.
    """
    cdef Py_ssize_t i, j, c, ld = ldu
    cdef scalar s, tau
    cdef scalar* b
    cdef scalar* t
    for j in range(j0, j0 + width):
        b = B + j * p
        t = T + j * nb
        larfg(p + 1, U + j + j * ld, b, 1, &tau)
        for c in range(j + 1, j0 + width):
            s = conj(tau) * (U[j + c * ld] + dot(p, b, B + c * p))
            U[j + c * ld] = U[j + c * ld] - s
            axpy(p, -s, b, B + c * p)
        # t := -tau T (B^H b), then tau itself
        for i in range(j - j0):
            t[i] = -tau * dot(p, B + (j0 + i) * p, b)
        for i in range(j - j0):
            s = 0
            for c in range(i, j - j0):
                s = s + T[i + (j0 + c) * nb] * t[c]
            t[i] = s
        t[j - j0] = tau


cdef void triangle_on_block(blas_int p, blas_int r, blas_int nb, scalar* U, blas_int ldu,
                            scalar* B, scalar* T, scalar* work) noexcept nogil:
    """(U; B) = Z (R; 0) in place: R in U (r, r), Z's B (p, r) and T (nb, r); work (nb * r)"""
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t i, c, b, j, ld = ldu
    cdef blas_int width, rest
    for b in range((r + nb - 1) // nb):
        j = b * nb
        width = <blas_int>min(<Py_ssize_t>nb, r - j)
        rest = <blas_int>(r - j - width)
        panel(p, <blas_int>j, width, U, ldu, B, T, nb)
        if rest == 0:
            break
        # W (rest, width) := (U_j + B_j^H B)^H T, then U_j -= W^H and B -= B_j W^H
        gemm(c'C', c'N', rest, width, p, one, B + (j + width) * p, p, B + j * p, p, zero, work,
             rest)
        for c in range(rest):
            for i in range(width):
                work[c + i * rest] = work[c + i * rest] + conj(U[j + i + (j + width + c) * ld])
        trmm(c'R', c'U', c'N', c'N', rest, width, one, T + j * nb, nb, work, rest)
        for c in range(rest):
            for i in range(width):
                U[j + i + (j + width + c) * ld] = (
                    U[j + i + (j + width + c) * ld] - conj(work[c + i * rest]))
        gemm(c'N', c'C', p, rest, width, -one, B + j * p, p, work, rest, one,
             B + (j + width) * p, p)


cdef void rz(blas_int r, blas_int n, const scalar* R, blas_int ldr, blas_int nb, scalar* U,
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
    triangle_on_block(<blas_int>p, r, nb, U, r, B, T, work)


cdef void rz_in_place(blas_int r, blas_int n, scalar* R, blas_int ldr, blas_int nb, scalar* B,
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
    triangle_on_block(<blas_int>p, r, nb, R, ldr, B, T, work)


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


cdef blas_int rz_complement(blas_int r, blas_int p, blas_int nb, scalar* B, scalar* T,
                            const blas_int* rows, scalar* full, scalar* Y, scalar* C,
                            scalar* work) noexcept nogil:
    """C (n, p) := the last p columns of Z, its row i put at rows[i], by one gemm; r <= p pays

    Z = I - Y F Y^H, Y = (I; B) (n, r), F = `full` (r, r) by inversion of striu(Y^H Y) + diag(1/tau)
    (Joffrain et al. 2006, see householder.pyx); on these columns Y^H E = B^H. work (r, p).
    """
    cdef scalar one = 1, zero = 0
    cdef scalar tau
    cdef Py_ssize_t i, j, n = r + p
    cdef blas_int info
    for j in range(r):
        for i in range(r):
            full[i + j * r] = 0
    herk(c'U', c'C', r, p, 1.0, B, p, 0.0, full, r)
    for j in range(r):
        tau = T[j % nb + j * nb]
        if tau == 0:
            for i in range(r):
                full[i + j * r] = 0
                full[j + i * r] = 0
            full[j + j * r] = 1
        else:
            full[j + j * r] = one / tau
    info = trtri(c'U', c'N', r, full, r)
    for j in range(r):
        if T[j % nb + j * nb] == 0:
            full[j + j * r] = 0
    for i in range(p):
        for j in range(r):
            work[j + i * r] = conj(B[i + j * p])
    trmm(c'L', c'U', c'N', c'N', r, p, one, full, r, work, r)
    for j in range(r):
        for i in range(n):
            Y[i + j * n] = 0
        Y[rows[r - 1 - j] + j * n] = 1
        for i in range(p):
            Y[rows[r + i] + j * n] = B[i + j * p]
    gemm(c'N', c'N', <blas_int>n, p, r, -one, Y, <blas_int>n, work, r, zero, C, <blas_int>n)
    for i in range(p):
        C[rows[r + i] + i * n] = C[rows[r + i] + i * n] + one
    return info


# ---- Python shims ----

def py_rz(const scalar[::1, :] R, scalar[::1, :] U, scalar[::1, :] B, scalar[::1, :] T,
          scalar[::1] work):
    """Factor the leading rows of R, as many as U has; B (n - r, r), T (nb, r), work (nb * r)."""
    cdef blas_int r = <blas_int>U.shape[0], n = <blas_int>R.shape[1]
    if B.shape[0] != n - r or B.shape[1] != r or work.shape[0] < T.shape[0] * r:
        raise ValueError("B must be (n - r) x r, and the workspace nb * r")
    with nogil:
        rz(r, n, &R[0, 0], <blas_int>R.shape[0], <blas_int>T.shape[0], &U[0, 0], &B[0, 0],
           &T[0, 0], &work[0])


def py_rz_in_place(scalar[::1, :] R, scalar[::1, :] B, scalar[::1, :] T, scalar[::1] work):
    """Factor the leading rows of R, as many as B has columns; U replaces R11."""
    cdef blas_int r = <blas_int>B.shape[1], n = <blas_int>R.shape[1]
    if B.shape[0] != n - r or R.shape[0] < r or work.shape[0] < T.shape[0] * r:
        raise ValueError("B must be (n - r) x r, and the workspace nb * r")
    with nogil:
        rz_in_place(r, n, &R[0, 0], <blas_int>R.shape[0], <blas_int>T.shape[0], &B[0, 0],
                    &T[0, 0], &work[0])


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


def py_rz_complement(scalar[::1, :] B, scalar[::1, :] T, blas_int[::1] rows, scalar[::1, :] C,
                     scalar[::1, :] Y, scalar[::1] work):
    """C (n, n - r) := the columns of `py_rz_columns` from r on; Y (n, r) is workspace.

    work must hold r * n elements.
    """
    cdef blas_int r = <blas_int>B.shape[1], p = <blas_int>B.shape[0], info
    if (C.shape[0] != r + p or C.shape[1] != p or rows.shape[0] != r + p or Y.shape[0] != r + p
            or Y.shape[1] != r or work.shape[0] < r * (<Py_ssize_t>r + p)):
        raise ValueError("C must be (r + p) x p, and the workspaces their size")
    with nogil:
        info = rz_complement(r, p, <blas_int>T.shape[0], &B[0, 0], &T[0, 0], &rows[0], &work[0],
                             &Y[0, 0], &C[0, 0], &work[0] + <Py_ssize_t>r * r)
    return info
