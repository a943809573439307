"""QR with column pivoting by a random sketch: the pivots of a block from d << m numbers a column.

    S = Omega A,  Omega (d, m) Gaussian,  d = b + a few

               k   k+b       n
        +------+---+----------+      S (d, n): the sketch of what is left,
        | R  R |R11|   R12    |      its first k columns are done with
      k |  V   +---+----------+
        |      | V |          |      1. pivots: the b columns of S on which LU with partial pivoting
        |      |   |  A22     |         of S^T pivots, ordered by QRCP of that d x b block
      m +------+---+----------+      2. unpivoted QR of the panel, block update to its right
                                     3. S2 := S2 - S1 R11^-1 R12, the sketch of A22

A sketch chooses; it proves nothing and spoils nothing: the factorisation is as stable as unpivoted
Householder QR, and the rank decision rests on bounds of R. Where R11 is too ill-conditioned for
step 3, or what is left has shrunk below the rounding of the sketch, A22 is sketched afresh.

References
----------
Martinsson, Quintana-Orti, Heavner & van de Geijn, Householder QR factorization with
    randomization for column pivoting (HQRRP), SIAM J. Sci. Comput. 39 (2017).
Duersch & Gu, Randomized QR with column pivoting, SIAM J. Sci. Comput. 39 (2017): the downdate.
Melnichenko et al., Anatomy of high-performance column-pivoted QR decomposition, arXiv:2507.00976
    (2025): pivots by LU of the transposed sketch.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, gemm, getrf, scalar, swap, trsm
from fastsub.kernels.householder cimport qr_step, work_size as qr_work_size
from fastsub.kernels.qrcp cimport column_norms, panel, work_size as panel_work_size
from fastsub.kernels.scalars cimport abs2, eps, sumsq


cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t b, Py_ssize_t d) noexcept nogil:
    """Elements of workspace: S^T (n, d); or the chosen block (d, b), its tau and panel; or QR's."""
    return max(n * d, max(d * b + b + panel_work_size(b, b), qr_work_size(m, n, b)))


cdef void exchange(blas_int m, blas_int d, Py_ssize_t i, Py_ssize_t j, scalar* A, blas_int lda,
                   scalar* S, blas_int* jpvt) noexcept nogil:
    """Exchange columns i and j of A (m, .) and of its sketch S (d, .)"""
    cdef blas_int pivot
    if i != j:
        swap(m, A + i * lda, 1, A + j * lda, 1)
        swap(d, S + i * d, 1, S + j * d, 1)
        pivot = jpvt[i]
        jpvt[i] = jpvt[j]
        jpvt[j] = pivot


cdef blas_int choose_pivots(blas_int m, blas_int n, blas_int k, blas_int w, blas_int d, scalar* A,
                            blas_int lda, scalar* S, blas_int* jpvt, double* norms,
                            blas_int* ipiv, scalar* work) noexcept nogil:
    """Bring the next w <= d pivot columns to k .. k+w-1; norms (2b), ipiv (max(d, w)), work as said

    An exactly singular sketch is no error: whatever LU did not reach is as good as any other.
    """
    cdef Py_ssize_t rest = n - k, i, j, c
    cdef scalar* tau = work + <Py_ssize_t>d * w
    for c in range(rest):
        for i in range(d):
            work[c + i * rest] = S[i + (k + c) * <Py_ssize_t>d]
    getrf(<blas_int>rest, d, work, <blas_int>rest, ipiv)
    for i in range(w):
        exchange(m, d, k + i, k + ipiv[i] - 1, A, lda, S, jpvt)
    for i in range(<Py_ssize_t>d * w):
        work[i] = S[k * <Py_ssize_t>d + i]
    for i in range(w):
        ipiv[i] = <blas_int>i
    column_norms(d, w, work, d, norms, norms + w)
    i = 0
    while i < w:
        i += panel(d, w, <blas_int>i, w, -1.0, work, d, ipiv, tau, norms, norms + w, tau + w)
    # The permutation ipiv as exchanges: where it points back, follow what was exchanged there.
    for i in range(w):
        j = ipiv[i]
        while j < i:
            j = ipiv[j]
        exchange(m, d, k + i, k + j, A, lda, S, jpvt)
    return 0


cdef bint downdate_sketch(blas_int n, blas_int k, blas_int w, blas_int d, scalar* A, blas_int lda,
                          scalar* S, scalar* work) noexcept nogil:
    """S2 := S2 - S1 R11^-1 R12; False, S untouched, if R11 is too ill-conditioned; work (d*w)"""
    cdef Py_ssize_t i, ld = lda
    cdef double diagonal, smallest, largest
    cdef scalar one = 1
    smallest = largest = sqrt(abs2(A[k + k * ld]))
    for i in range(k, k + w):
        diagonal = sqrt(abs2(A[i + i * ld]))
        smallest = min(smallest, diagonal)
        largest = max(largest, diagonal)
    # Half the digits, so that half of them are left in the sketch; relative, never absolute.
    if smallest <= sqrt(eps(A)) * largest:
        return False
    for i in range(<Py_ssize_t>d * w):
        work[i] = S[k * <Py_ssize_t>d + i]
    trsm(c'R', c'U', c'N', c'N', d, w, one, A + k + k * ld, lda, work, d)
    gemm(c'N', c'N', d, n - k - w, w, -one, work, d, A + k + (k + w) * ld, lda, one,
         S + (k + w) * <Py_ssize_t>d, d)
    return True


# ---- Python shim ----

def py_work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t b, Py_ssize_t d):
    """Return the elements of workspace of `py_rqrcp`."""
    return work_size(m, n, b, d)


def py_rqrcp(scalar[::1, :] A, scalar[::1, :] omega, scalar[::1, :] S, blas_int[::1] jpvt,
             scalar[::1, :] T, double[::1] norms, scalar[::1] work, Py_ssize_t rank, double stop):
    """Factor A in place by blocks of b = T.shape[0] columns, until ||what is left||_F <= stop.

    omega (d, m) Gaussian, d >= b; S (d, n); jpvt (n) is permuted; T (b, min(m, n)); norms (2n);
    work as `py_work_size`. At least `rank` columns are done, in whole blocks; fewer than b may be
    left to do, for which no sketch pays. Return (columns done, ||what is left||_F), -1 for a norm
    that nobody had to know; a KeyboardInterrupt is honoured between blocks.
    """
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], b = <blas_int>T.shape[0]
    cdef blas_int d = <blas_int>omega.shape[0], k = 0, last = min(m, n), w
    cdef double left = -1, scale = 0, size = 0
    cdef double half = sqrt(eps(&A[0, 0]))
    cdef scalar one = 1, zero = 0
    cdef bint sketched = False
    cdef blas_int[::1] ipiv
    if (S.shape[0] != d or d < b or S.shape[1] != n or omega.shape[1] != m or T.shape[1] < last
            or norms.shape[0] < 2 * max(n, b) or work.shape[0] < work_size(m, n, b, d)):
        raise ValueError("workspace too small")
    import numpy as np
    ipiv = np.empty(d, dtype=np.intc)
    while k < rank and last - k >= b:
        with nogil:
            if not sketched:
                gemm(c'N', c'N', d, n - k, m - k, one, &omega[0, 0], d, &A[k, k], m, zero,
                     &S[0, k], d)
                scale = sqrt(sumsq(<Py_ssize_t>d * (n - k), &S[0, k]))
            w = b
            choose_pivots(m, n, k, w, d, &A[0, 0], m, &S[0, 0], &jpvt[0], &norms[0], &ipiv[0],
                          &work[0])
            qr_step(m, n, k, b, &A[0, 0], m, &T[0, 0], &work[0])
            sketched = downdate_sketch(n, k, w, d, &A[0, 0], m, &S[0, 0], &work[0])
            k += w
            if k < n and sketched:
                size = sqrt(sumsq(<Py_ssize_t>d * (n - k), &S[0, k]))
                sketched = size > half * scale
            # A sketch is about sqrt(d) times what it sketches: look a little before it says stop.
            if k == n or k == m:
                left = 0
            elif stop >= 0 and (not sketched or size <= 10 * sqrt(<double>d) * stop):
                left = column_norms(m - k, n - k, &A[k, k], m, &norms[0], &norms[n])
            else:
                left = -1
        PyErr_CheckSignals()
        if left >= 0 and stop >= 0 and left <= stop:
            break
    return k, left
