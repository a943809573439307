"""Blocked Householder QR in compact WY form: factor, apply, form columns of Q.

    Q = H_0 H_1 ... , block H_b = I - V_b T_b V_b^H acts on rows b*nb and below

        A (m, n)              T (nb, k)
        +-----------+         +---+---+---+
        | \\   R    |         |T_0|T_1|T_2|     T_b upper triangular, its diagonal is tau
        | V \\      |         +---+---+---+
        |     \\    |
        |       \\  |         V is unit lower trapezoidal, stored below the diagonal of A
        +-----------+

References
----------
Schreiber & Van Loan, A storage-efficient WY representation for products of Householder
    transformations, SIAM J. Sci. Stat. Comput. 10 (1989).
Joffrain, Low, Quintana-Orti, van de Geijn & Van Zee, Accumulating Householder transformations,
    revisited, ACM TOMS 32 (2006): T^-1 = striu(V^H V) + diag(1/tau).
"""

from cpython.exc cimport PyErr_CheckSignals

from fastsub.kernels.blas cimport (
    blas_int, column_stride, gemm, herk, larft, scalar, trmm, trtri,
)
from fastsub.kernels.layout cimport copy
from fastsub.kernels.narrow cimport narrow_qr, reflect, work_size as panel_size

cdef enum:
    WIDTH = 1024    # columns of a complement from one look for Ctrl-C to the next

cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t nb) noexcept nogil:
    """Elements of workspace: V (m, nb) explicit and W (n, nb); or what a panel wants."""
    return max((m + n) * nb, panel_size(m, nb))


cdef void explicit_v(blas_int m, blas_int k, const scalar* A, blas_int lda,
                     scalar* V) noexcept nogil:
    """V (m, k) := the unit lower trapezoid of A, with its ones and zeros"""
    cdef Py_ssize_t i, j, ld = lda
    for j in range(k):
        for i in range(j):
            V[i + j * m] = 0
        V[j + j * m] = 1
        for i in range(j + 1, m):
            V[i + j * m] = A[i + j * ld]


cdef void apply_step(char trans, blas_int m, blas_int n, blas_int j, blas_int nb, scalar* A,
                     blas_int lda, scalar* T, blas_int ldt, scalar* C, blas_int ldc,
                     scalar* work) noexcept nogil:
    """C := H C (trans N) or H^H C (trans C) for the block H of columns j .. j+nb-1

    C (m, n); rows from j on change; A is only read, by other threads perhaps. Else as `reflect`.
    """
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t ld = lda
    cdef blas_int rows = m - j
    cdef scalar* V = work                          # (rows, nb)
    cdef scalar* W = work + <Py_ssize_t>rows * nb  # (n, nb)
    if n == 0 or nb == 0:
        return
    explicit_v(rows, nb, A + j + j * ld, lda, V)
    gemm(c'C', c'N', n, nb, rows, one, C + j, ldc, V, rows, zero, W, n)
    trmm(c'R', c'U', c'C' if trans == c'N' else c'N', c'N', n, nb, one,
         T + j * <Py_ssize_t>ldt, ldt, W, n)
    gemm(c'N', c'C', rows, n, nb, -one, V, rows, W, n, one, C + j, ldc)


cdef blas_int qr_step(blas_int m, blas_int n, blas_int j, blas_int nb, scalar* A, blas_int lda,
                      scalar* T, scalar* work) noexcept nogil:
    """Factor columns j .. j+nb-1 of A (m, n) and update the columns to their right

    T (ldt = the nb of the whole factorisation) as above; nb is cut at the last columns.
    """
    cdef Py_ssize_t ld = lda
    cdef blas_int width = min(nb, min(m, n) - j)
    cdef scalar* panel = A + j + j * ld
    cdef blas_int info = narrow_qr(m - j, width, panel, lda, T + j * <Py_ssize_t>nb, nb, work)
    reflect(m - j, n - j - width, width, panel, lda, T + j * <Py_ssize_t>nb, nb,
            panel + width * ld, lda, work)
    return info


cdef void block_t(blas_int m, blas_int k, blas_int nb, scalar* A, blas_int lda, scalar* tau,
                  scalar* T, scalar* work) noexcept nogil:
    """T (nb, k) := the block triangles of the k reflectors in A, tau; work as for n = 0"""
    cdef Py_ssize_t b, j, ld = lda
    cdef blas_int width
    for b in range((k + nb - 1) // nb):
        j = b * nb
        width = <blas_int>min(<Py_ssize_t>nb, k - j)
        explicit_v(<blas_int>(m - j), width, A + j + j * ld, lda, work)
        larft(c'F', c'C', <blas_int>(m - j), width, work, <blas_int>(m - j), tau + j,
              T + j * nb, nb)


cdef blas_int invert_gram(blas_int k, blas_int nb, scalar* T, scalar* full,
                          blas_int ldf) noexcept nogil:
    """full (k, k), its upper triangle := (striu(V^H V) + diag(1/tau))^-1, V^H V given there

    The tau stand on the diagonals of T (nb, k); a reflector with tau = 0 is the identity.
    """
    cdef scalar one = 1, tau
    cdef Py_ssize_t i, j, ld = ldf
    cdef blas_int info
    for j in range(k):
        tau = T[j % nb + j * nb]
        if tau == 0:
            for i in range(j):
                full[i + j * ld] = 0
            for i in range(j + 1, k):
                full[j + i * ld] = 0
            full[j + j * ld] = 1
        else:
            full[j + j * ld] = one / tau
    info = trtri(c'U', c'N', k, full, ldf)
    for j in range(k):
        if T[j % nb + j * nb] == 0:
            full[j + j * ld] = 0
    return info


cdef blas_int full_t(blas_int m, blas_int k, blas_int nb, scalar* A, blas_int lda, scalar* T,
                     scalar* full, blas_int ldf, scalar* work) noexcept nogil:
    """full (k, k), its upper triangle := T of all k reflectors as one block; work (m * nb)

    By inversion of striu(V^H V) + diag(1/tau). It may take the upper triangle of A itself.
    """
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t b, j, ld = ldf
    cdef blas_int width, rows
    for b in range((k + nb - 1) // nb):
        j = b * nb
        width = <blas_int>min(<Py_ssize_t>nb, k - j)
        rows = <blas_int>(m - j)
        explicit_v(rows, width, A + j + j * <Py_ssize_t>lda, lda, work)
        if j > 0:
            gemm(c'C', c'N', <blas_int>j, width, rows, one, A + j, lda, work, rows, zero,
                 full + j * ld, ldf)
        herk(c'U', c'C', width, rows, 1.0, work, rows, 0.0, full + j * (ld + 1), ldf)
    return invert_gram(k, nb, T, full, ldf)


cdef void complement(blas_int m, blas_int k, blas_int start, blas_int count, scalar* A,
                     blas_int lda, scalar* full, blas_int ldf, scalar* C,
                     blas_int ldc) noexcept nogil:
    """C (m, count) := columns start .. of Q = I - V T V^H, start >= k

    On these columns V^H E is a copy of rows of V, so one gemm does it all: half the flops of an
    application to the identity.
    """
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t j, ldC = ldc
    # The top of C takes M := T V[start:start+count, :]^H
    copy(A + start, k, count, lda, 1, 1.0, True, C, ldC)
    trmm(c'L', c'U', c'N', c'N', k, count, one, full, ldf, C, ldc)
    # bottom := -V2 M + E
    if m > k:
        gemm(c'N', c'N', m - k, count, k, -one, A + k, lda, C, ldc, zero, C + k, ldc)
        for j in range(count):
            C[start + j + j * ldC] = C[start + j + j * ldC] + one
    # top := -V1 M
    trmm(c'L', c'L', c'N', c'U', k, count, -one, A, lda, C, ldc)


# ---- Python shims; each honours a KeyboardInterrupt between blocks ----

def py_work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t nb):
    """Return the elements of workspace of `py_qr` and `py_apply`."""
    return work_size(m, n, nb)


def py_qr(scalar[::1, :] A, scalar[::1, :] T, scalar[::1] work):
    """Factor A in place; T (nb, min(m, n)) gives the block size."""
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], nb = <blas_int>T.shape[0], b
    if T.shape[1] < min(m, n) or work.shape[0] < work_size(m, n, nb):
        raise ValueError("workspace too small")
    for b in range((min(m, n) + nb - 1) // nb):
        with nogil:
            qr_step(m, n, b * nb, nb, &A[0, 0], m, &T[0, 0], &work[0])
        PyErr_CheckSignals()


def py_block_t(scalar[::1, :] A, scalar[::1] tau, scalar[::1, :] T, scalar[::1] work,
               Py_ssize_t start=0):
    """T := the block triangles of the reflectors in A, as many as T has columns.

    The first `start` of them, a multiple of the block size, stand in T already.
    """
    cdef Py_ssize_t m = A.shape[0], k = T.shape[1], nb = T.shape[0]
    if start < 0 or start % max(nb, 1) or work.shape[0] < work_size(m, 0, nb):
        raise ValueError("start must be a multiple of the block size, and the workspace its size")
    if start < k:
        with nogil:
            block_t(<blas_int>(m - start), <blas_int>(k - start), <blas_int>nb, &A[start, start],
                    <blas_int>m, &tau[start], &T[0, start], &work[0])


def py_apply(scalar[::1, :] A, scalar[::1, :] T, scalar[:, :] C, scalar[::1] work,
             bint adjoint=False, Py_ssize_t identity_from=-1):
    """C := Q C or Q^H C, Q the product of the reflectors in A, as many as T has columns.

    identity_from >= 0 says that C holds the columns of the identity from there on; columns
    which a block cannot change are then left out.
    """
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>C.shape[1]
    cdef blas_int nb = <blas_int>T.shape[0], k = <blas_int>T.shape[1], b, j, width, first = 0
    cdef blas_int ldc = column_stride(C)
    if C.shape[0] != m or work.shape[0] < work_size(m, n, nb):
        raise ValueError("C must have the rows of A, and the workspace its size")
    if k == 0 or n == 0:
        return
    for b in range((k + nb - 1) // nb):
        j = b * nb if adjoint else ((k - 1) // nb - b) * nb
        width = min(nb, k - j)
        if identity_from >= 0 and not adjoint:
            first = <blas_int>min(<Py_ssize_t>n, max(0, j - identity_from))
        if first < n:
            with nogil:
                apply_step(c'C' if adjoint else c'N', m, n - first, j, width, &A[0, 0], m,
                           &T[0, 0], nb, &C[0, first], ldc, &work[0])
        PyErr_CheckSignals()


def py_complement(scalar[::1, :] A, scalar[::1, :] T, scalar[:, :] full, scalar[:, :] C,
                  Py_ssize_t start, scalar[::1] work):
    """C := columns start, start+1, ... of Q by one gemm; start >= k = T.shape[1].

    full (k, k): only its upper triangle is written, so that it may be the head of A, if R is done
    with. work must hold m * T.shape[0] elements.
    """
    cdef blas_int m = <blas_int>A.shape[0], k = <blas_int>T.shape[1], info
    cdef blas_int ldf = column_stride(full), ldc = column_stride(C)
    cdef Py_ssize_t j = 0, width = WIDTH
    if start < k or full.shape[0] < k or work.shape[0] < m * T.shape[0]:
        raise ValueError("start must be at least k, and the workspaces their size")
    with nogil:
        info = full_t(m, k, <blas_int>T.shape[0], &A[0, 0], m, &T[0, 0], &full[0, 0],
                      ldf, &work[0])
    while j < C.shape[1]:
        with nogil:
            complement(m, k, <blas_int>(start + j), <blas_int>min(width, C.shape[1] - j), &A[0, 0],
                       m, &full[0, 0], ldf, &C[0, j], ldc)
        j += width
        PyErr_CheckSignals()
    return info
