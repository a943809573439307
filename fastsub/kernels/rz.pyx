"""RZ factorisation, [R11 R12] = [L 0] Z^H: the second half of a complete orthogonal decomposition.

Rows and columns of R11 are reversed so that its conjugate transpose becomes upper triangular again
and a QR of a triangle on top of a block does the rest, touching nothing but R11 and R12:

    J = reversal,  (J R11^H J; R12^H J) = Z (U; 0),  p = n - r

        U (r, r) upper triangular      Z = I - (I; B) T (I; B)^H per block of nb columns
        B (p, r) dense

so that [R11 R12] = J U^H J [J 0] Z^H diag(J, I). Row space: first r columns of diag(J, I) Z; null
space: the last p; both are orthonormal to rounding whatever the conditioning of R11.

It needs no memory of its own where nobody needs what is below the diagonal of R: there go U^T and,
if R has n rows, B. U stands anywhere by its strides (rs, cs), B by its leading dimension:

    R11 R12        R11 is not lost: the diagonal, the one place that both want, stays its own, and
    U^T            that of U is kept aside.
    B

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012): triangle on top of a block.
Elmroth & Gustavson, Applying recursion to serial and parallel QR factorization leads to better
    performance, IBM J. Res. Dev. 44 (2000): the panel.
"""

from fastsub.kernels.blas cimport blas_int, column_stride, gemm, herk, larfg, scalar, trmm
from fastsub.kernels.householder cimport invert_gram
from fastsub.kernels.scalars cimport conj
from fastsub.kernels.vectors cimport axpy, dot


cdef void narrow_panel(blas_int p, blas_int j0, blas_int width, scalar* U, Py_ssize_t rs,
                       Py_ssize_t cs, scalar* B, Py_ssize_t ldb, scalar* T,
                       Py_ssize_t nb) noexcept nogil:
    """(U; B) on columns j0 .. j0+width-1 := the reflectors (I; B) and, in T, their triangle

    Columns are short where much is to be done: vectors without the BLAS.
    """
    cdef Py_ssize_t i, j, c
    cdef scalar s, tau
    cdef scalar* b
    cdef scalar* t
    for j in range(j0, j0 + width):
        b = B + j * ldb
        t = T + (j - j0) * nb
        larfg(p + 1, U + j * (rs + cs), b, 1, &tau)
        for c in range(j + 1, j0 + width):
            s = conj(tau) * (U[j * rs + c * cs] + dot(p, b, B + c * ldb))
            U[j * rs + c * cs] = U[j * rs + c * cs] - s
            axpy(p, -s, b, B + c * ldb)
        # t := -tau T (B^H b), then tau itself
        for i in range(j - j0):
            t[i] = -tau * dot(p, B + (j0 + i) * ldb, b)
        for i in range(j - j0):
            s = 0
            for c in range(i, j - j0):
                s = s + T[i + c * nb] * t[c]
            t[i] = s
        t[j - j0] = tau


cdef void reflect(blas_int p, blas_int j, blas_int width, blas_int rest, scalar* U, Py_ssize_t rs,
                  Py_ssize_t cs, scalar* B, blas_int ldb, scalar* T, blas_int nb,
                  scalar* work) noexcept nogil:
    """Apply the reflectors j .. j+width-1 to the `rest` columns that follow; work (rest, width)"""
    cdef scalar one = 1
    cdef Py_ssize_t i, c, c0, ld = ldb
    cdef scalar* Uj = U + j * rs + (j + width) * cs  # (width, rest)
    # W (rest, width) := (U_j + B_j^H B)^H T, then U_j -= W^H and B -= B_j W^H
    for c0 in range(0, rest, 32):
        for i in range(width):
            for c in range(c0, min(c0 + 32, <Py_ssize_t>rest)):
                work[c + i * rest] = conj(Uj[i * rs + c * cs])
    gemm(c'C', c'N', rest, width, p, one, B + (j + width) * ld, ldb, B + j * ld, ldb, one, work,
         rest)
    trmm(c'R', c'U', c'N', c'N', rest, width, one, T, nb, work, rest)
    for c0 in range(0, rest, 32):
        for i in range(width):
            for c in range(c0, min(c0 + 32, <Py_ssize_t>rest)):
                Uj[i * rs + c * cs] = Uj[i * rs + c * cs] - conj(work[c + i * rest])
    gemm(c'N', c'C', p, rest, width, -one, B + j * ld, ldb, work, rest, one, B + (j + width) * ld,
         ldb)


cdef void panel(blas_int p, blas_int j0, blas_int width, scalar* U, Py_ssize_t rs, Py_ssize_t cs,
                scalar* B, blas_int ldb, scalar* T, blas_int nb, scalar* work) noexcept nogil:
    """The same by halves (Elmroth & Gustavson): T12 = -T11 (B1^H B2) T22; work (width^2 / 4)"""
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t ld = ldb
    cdef blas_int half = width // 2, j1 = j0 + half, rest = width - half
    cdef scalar* T12 = T + half * <Py_ssize_t>nb
    if width <= 8:
        narrow_panel(p, j0, width, U, rs, cs, B, ld, T, nb)
        return
    panel(p, j0, half, U, rs, cs, B, ldb, T, nb, work)
    reflect(p, j0, half, rest, U, rs, cs, B, ldb, T, nb, work)
    panel(p, j1, rest, U, rs, cs, B, ldb, T12 + half, nb, work)
    gemm(c'C', c'N', half, rest, p, one, B + j0 * ld, ldb, B + j1 * ld, ldb, zero, T12, nb)
    trmm(c'L', c'U', c'N', c'N', half, rest, -one, T, nb, T12, nb)
    trmm(c'R', c'U', c'N', c'N', half, rest, one, T12 + half, nb, T12, nb)


cdef void triangle_on_block(blas_int p, blas_int r, blas_int nb, scalar* U, Py_ssize_t rs,
                            Py_ssize_t cs, scalar* B, blas_int ldb, scalar* T,
                            scalar* work) noexcept nogil:
    """(U; B) = Z (R; 0) in place: R in U (r, r), Z's B (p, r) and T (nb, r); work (nb * r)"""
    cdef Py_ssize_t b
    cdef blas_int j, width, rest
    for b in range((r + nb - 1) // nb):
        j = <blas_int>(b * nb)
        width = min(nb, r - j)
        rest = r - j - width
        panel(p, j, width, U, rs, cs, B, ldb, T + j * <Py_ssize_t>nb, nb, work)
        if rest > 0:
            reflect(p, j, width, rest, U, rs, cs, B, ldb, T + j * <Py_ssize_t>nb, nb, work)


cdef void rz(blas_int r, blas_int n, const scalar* R, blas_int ldr, blas_int nb, scalar* U,
             Py_ssize_t rs, Py_ssize_t cs, scalar* B, blas_int ldb, scalar* T,
             scalar* work) noexcept nogil:
    """Factor the first r rows of R (upper trapezoidal, (r, n)); U (r, r), B (n-r, r), T (nb, r)

    U^T may lie below the diagonal of R, whose own diagonal is then lost. work (nb * r).
    2 r^2 (n - r) flops.
    """
    cdef Py_ssize_t i, j, i0, j0, p = n - r, ld = ldr, b = ldb
    for j in range(r):
        work[j] = R[j + j * ld]
    # Tiles, of which the second side stays in the cache, too.
    for j0 in range(0, r, 32):
        for i0 in range(0, j0 + 1, 32):
            for i in range(i0, min(i0 + 32, <Py_ssize_t>r)):
                for j in range(max(j0, i + 1), min(j0 + 32, <Py_ssize_t>r)):
                    U[i * rs + j * cs] = conj(R[(r - 1 - j) + (r - 1 - i) * ld])
        for i0 in range(0, p, 32):
            for j in range(j0, min(j0 + 32, <Py_ssize_t>r)):
                for i in range(i0, min(i0 + 32, p)):
                    B[i + j * b] = conj(R[(r - 1 - j) + (r + i) * ld])
    for j in range(r):
        U[j * (rs + cs)] = conj(work[r - 1 - j])
    triangle_on_block(<blas_int>p, r, nb, U, rs, cs, B, ldb, T, work)


cdef void rz_apply(char trans, blas_int r, blas_int p, blas_int count, blas_int nb, scalar* B,
                   blas_int ldb, scalar* T, scalar* C, blas_int ldc, Py_ssize_t identity_from,
                   scalar* work) noexcept nogil:
    """C (r + p, count) := Z C, or (trans C) Z^H C; work (nb, count)

    identity_from >= 0 says that C holds the columns of the identity from there on; columns which
    a block of Z cannot change are then left out.
    """
    cdef scalar one = 1
    cdef Py_ssize_t i, c, b, j, first = 0, ld = ldc, last = (r - 1) // nb
    cdef blas_int width, n
    cdef scalar* top
    cdef scalar* bottom
    for b in range(last + 1):
        j = (b if trans == c'C' else last - b) * nb
        width = <blas_int>min(<Py_ssize_t>nb, r - j)
        if identity_from >= 0 and trans == c'N':
            first = max(<Py_ssize_t>0, j - identity_from)
        if first >= count:
            continue
        n = <blas_int>(count - first)
        top = C + first * ld
        bottom = top + r
        # W := T (top_j + B_j^H bottom)
        for c in range(n):
            for i in range(width):
                work[i + c * width] = top[j + i + c * ld]
        gemm(c'C', c'N', width, n, p, one, B + j * ldb, ldb, bottom, ldc, one, work, width)
        trmm(c'L', c'U', trans, c'N', width, n, one, T + j * nb, nb, work, width)
        # top_j -= W, bottom -= B_j W
        for c in range(n):
            for i in range(width):
                top[j + i + c * ld] = top[j + i + c * ld] - work[i + c * width]
        gemm(c'N', c'N', p, n, width, -one, B + j * ldb, ldb, work, width, one, bottom, ldc)


cdef blas_int rz_complement(blas_int r, blas_int p, blas_int nb, scalar* B, blas_int ldb,
                            scalar* T, scalar* full, blas_int ldf, scalar* C,
                            blas_int ldc) noexcept nogil:
    """C (n, p) := the last p columns of Z, by one gemm; r <= p pays

    Z = I - (I; B) F (I; B)^H, the upper triangle of `full` (r, r) takes F, by inversion of
    striu(I + B^H B) + diag(1/tau) (Joffrain et al. 2006, see householder.pyx).
    """
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t i, j, i0, b = ldb, c = ldc
    cdef blas_int info
    herk(c'U', c'C', r, p, 1.0, B, ldb, 0.0, full, ldf)
    info = invert_gram(r, nb, T, full, ldf)
    # top := F B^H, bottom := I - B top, top := -top
    for i0 in range(0, p, 32):
        for j in range(r):
            for i in range(i0, min(i0 + 32, <Py_ssize_t>p)):
                C[j + i * c] = conj(B[i + j * b])
    trmm(c'L', c'U', c'N', c'N', r, p, one, full, ldf, C, ldc)
    gemm(c'N', c'N', p, p, r, -one, B, ldb, C, ldc, zero, C + r, ldc)
    for i in range(p):
        C[r + i + i * c] = C[r + i + i * c] + one
        for j in range(r):
            C[j + i * c] = -C[j + i * c]
    return info


cdef void put_rows(blas_int r, blas_int n, blas_int count, const blas_int* rows, scalar* C,
                   blas_int ldc, scalar* work) noexcept nogil:
    """C (n, count) := diag(J, I) C, its row i put at rows[i]; work (n)"""
    cdef Py_ssize_t i, c, ld = ldc, first = n, last = -1
    # Rows outside first .. last stay where they are.
    for i in range(n):
        if rows[r - 1 - i if i < r else i] != i:
            first = min(first, i)
            last = i
    for c in range(count if last >= 0 else 0):
        for i in range(first, last + 1):
            work[rows[r - 1 - i if i < r else i]] = C[i + c * ld]
        for i in range(first, last + 1):
            C[i + c * ld] = work[i]


# ---- Python shims ----

def py_rz(const scalar[::1, :] R, scalar[::1, :] U, scalar[:, :] B, scalar[::1, :] T,
          scalar[::1] work):
    """Factor the leading rows of R, as many as U has; B (n - r, r), T (nb, r), work (nb * r)."""
    cdef blas_int r = <blas_int>U.shape[0], n = <blas_int>R.shape[1], ldr = <blas_int>R.shape[0]
    cdef blas_int nb = <blas_int>T.shape[0], ldb = column_stride(B)
    if B.shape[0] != n - r or B.shape[1] != r or work.shape[0] < T.shape[0] * r:
        raise ValueError("B must be (n - r) x r, and the workspace nb * r")
    with nogil:
        U[:, :] = 0
        rz(r, n, &R[0, 0], ldr, nb, &U[0, 0], 1, r, &B[0, 0], ldb, &T[0, 0], &work[0])


def py_rz_below(scalar[::1, :] R, scalar[::1] diagonal, scalar[:, :] B, scalar[::1, :] T,
                scalar[::1] work):
    """The same with U^T below the diagonal of R, but for its diagonal: that goes to `diagonal` (r).

    B may be the rows of R below that, ``R[r:n, :r]``. The upper trapezoid of R stays.
    """
    cdef blas_int r = <blas_int>diagonal.shape[0], n = <blas_int>R.shape[1]
    cdef blas_int nb = <blas_int>T.shape[0], ldb = column_stride(B), ldr = <blas_int>R.shape[0]
    cdef Py_ssize_t j
    cdef scalar x
    if (R.shape[0] < r or B.shape[0] != n - r or B.shape[1] != r
            or work.shape[0] < T.shape[0] * r):
        raise ValueError("B must be (n - r) x r, and the workspace nb * r")
    with nogil:
        for j in range(r):
            diagonal[j] = R[j, j]
        rz(r, n, &R[0, 0], ldr, nb, &R[0, 0], ldr, 1, &B[0, 0], ldb, &T[0, 0], &work[0])
        for j in range(r):
            x = R[j, j]
            R[j, j] = diagonal[j]
            diagonal[j] = x


def py_rz_apply(scalar[:, :] B, scalar[::1, :] T, scalar[::1, :] C, scalar[::1] work,
                bint adjoint=False):
    """C (r + p, count) := Z C or Z^H C in place; work (nb * count)."""
    cdef blas_int r = <blas_int>B.shape[1], p = <blas_int>B.shape[0], n = <blas_int>C.shape[0]
    cdef blas_int nb = <blas_int>T.shape[0], count = <blas_int>C.shape[1]
    cdef blas_int ldb = column_stride(B)
    if n != r + p or work.shape[0] < T.shape[0] * C.shape[1]:
        raise ValueError("C must have r + p rows, and the workspace nb * count elements")
    if count:
        with nogil:
            rz_apply(c'C' if adjoint else c'N', r, p, count, nb, &B[0, 0], ldb, &T[0, 0],
                     &C[0, 0], n, -1, &work[0])


def py_rz_columns(scalar[:, :] B, scalar[::1, :] T, blas_int[::1] rows, scalar[::1, :] C,
                  Py_ssize_t start, scalar[::1] work):
    """C (n, count) := columns start, start+1, ... of diag(J, I) Z, its row i put at rows[i].

    work must hold max(nb * count, n) elements.
    """
    cdef blas_int r = <blas_int>B.shape[1], p = <blas_int>B.shape[0], n = <blas_int>C.shape[0]
    cdef blas_int nb = <blas_int>T.shape[0], count = <blas_int>C.shape[1]
    cdef blas_int ldb = column_stride(B)
    cdef Py_ssize_t c
    if (n != r + p or rows.shape[0] != n
            or work.shape[0] < max(T.shape[0] * C.shape[1], C.shape[0])):
        raise ValueError("C and rows must have r + p rows, and the workspace its size")
    with nogil:
        C[:, :] = 0
        for c in range(count):
            C[start + c, c] = 1
        rz_apply(c'N', r, p, count, nb, &B[0, 0], ldb, &T[0, 0], &C[0, 0], n, start, &work[0])
        put_rows(r, n, count, &rows[0], &C[0, 0], n, &work[0])


def py_rz_complement(scalar[:, :] B, scalar[::1, :] T, blas_int[::1] rows, scalar[::1, :] C,
                     scalar[:, :] full, scalar[::1] work):
    """C (n, n - r) := the columns of `py_rz_columns` from r on.

    full (r, r), of which only the upper triangle is written, and work (n).
    """
    cdef blas_int r = <blas_int>B.shape[1], p = <blas_int>B.shape[0], n = <blas_int>C.shape[0]
    cdef blas_int nb = <blas_int>T.shape[0], ldb = column_stride(B), ldf = column_stride(full)
    cdef blas_int info
    if (n != r + p or C.shape[1] != p or rows.shape[0] != n or full.shape[0] != r
            or full.shape[1] != r or work.shape[0] < n):
        raise ValueError("C must be (r + p) x p, and the workspaces their size")
    with nogil:
        info = rz_complement(r, p, nb, &B[0, 0], ldb, &T[0, 0], &full[0, 0], ldf, &C[0, 0], n)
        put_rows(r, n, p, &rows[0], &C[0, 0], n, &work[0])
    return info
