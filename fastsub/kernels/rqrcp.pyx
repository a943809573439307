"""QR with column pivoting by a random sketch: the pivots of a block from d << m numbers a column.

    S = A^T Omega,  Omega (m, d) random,  d = b + a few

               k   k+b       n
        +------+---+----------+      S (n, d): the sketch of what is left, transposed,
        | R  R |R11|   R12    |      its first k rows are done with
      k |  V   +---+----------+
        |      | V |          |      1. pivots: the b rows of S on which LU with partial pivoting
        |      |   |  A22     |         pivots, ordered by QRCP of that d x b block
      m +------+---+----------+      2. unpivoted QR of the panel, block update to its right
                                     3. S2 := S2 - R12^T R11^-T S1, the sketch of A22

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

from fastsub.kernels.blas cimport blas_int, gemm, getrf, larfg, scalar, swap, trsm
from fastsub.kernels.householder cimport qr_step, work_size as qr_work_size
from fastsub.kernels.layout cimport copy
from fastsub.kernels.qrcp cimport column_norms
from fastsub.kernels.scalars cimport abs2, conj, eps, sumsq
from fastsub.kernels.vectors cimport long_sumsq, reflect


cdef Py_ssize_t work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t b, Py_ssize_t d) noexcept nogil:
    """Elements of workspace: a copy of S (n, d); or the chosen block (d, b); or QR's."""
    return max(n * d, max(d * b, qr_work_size(m, n, b)))


cdef void order_columns(Py_ssize_t d, Py_ssize_t w, scalar* B, blas_int* order,
                        double* norms) noexcept nogil:
    """QRCP of B (d, w), in place: order[i] := the column that comes i-th; norms (2w)

    Unblocked and without the BLAS: B fits into a cache, and R is not wanted.
    """
    cdef Py_ssize_t i, j, c, best
    cdef blas_int name
    cdef double t
    cdef double* exact = norms + w
    cdef double safe = sqrt(eps(B))
    cdef scalar tau, diagonal, x
    for j in range(w):
        order[j] = <blas_int>j
    column_norms(<blas_int>d, <blas_int>w, B, <blas_int>d, norms, exact)
    for i in range(min(d, w)):
        best = i
        for j in range(i + 1, w):
            if norms[j] > norms[best]:
                best = j
        if best != i:
            for c in range(d):
                x = B[c + i * d]
                B[c + i * d] = B[c + best * d]
                B[c + best * d] = x
            name = order[i]
            order[i] = order[best]
            order[best] = name
            norms[best] = norms[i]
            exact[best] = exact[i]
        larfg(<blas_int>(d - i), B + i + i * d, B + i + 1 + i * d, 1, &tau)
        diagonal = B[i + i * d]
        B[i + i * d] = 1
        reflect(d - i, w - i - 1, B + i + i * d, conj(tau), B + i + (i + 1) * d, d)
        B[i + i * d] = diagonal
        for j in range(i + 1, w):
            if norms[j] > 0:
                t = 1 - abs2(B[i + j * d]) / (norms[j] * norms[j])
                # Half the digits of a downdated norm are still right (Drmac & Bujanovic 2008).
                if t * (norms[j] / exact[j]) * (norms[j] / exact[j]) <= safe:
                    norms[j] = exact[j] = sqrt(sumsq(d - i - 1, B + i + 1 + j * d))
                else:
                    norms[j] *= sqrt(t)


cdef void choose_pivots(Py_ssize_t n, Py_ssize_t k, Py_ssize_t w, Py_ssize_t d, const scalar* S,
                        double* norms, blas_int* ipiv, scalar* work) noexcept nogil:
    """ipiv[:w] := the next w <= d pivot columns, their names counted from k on

    S (n, d); norms (2w), ipiv (2n + d), work (n d). An exactly singular sketch is no error:
    whatever LU did not reach is as good as any other.
    """
    cdef Py_ssize_t rest = n - k, i, j, c
    cdef blas_int* wanted = ipiv + rest     # wanted[i]: the column that goes to place k + i
    cdef blas_int* rows = wanted + rest     # (d)
    cdef blas_int name
    copy(S + k, rest, d, 1, n, 1.0, False, work, rest)
    getrf(<blas_int>rest, <blas_int>d, work, <blas_int>rest, rows)
    for i in range(rest):
        wanted[i] = <blas_int>i
    for i in range(w):
        j = rows[i] - 1
        name = wanted[i]
        wanted[i] = wanted[j]
        wanted[j] = name
    for c in range(d):
        for i in range(w):
            work[c + i * d] = S[c * n + k + wanted[i]]
    order_columns(d, w, work, ipiv, norms)
    for i in range(w):
        ipiv[i] = wanted[ipiv[i]]


cdef void bring(blas_int m, blas_int n, blas_int k, blas_int w, blas_int d, scalar* A,
                blas_int lda, scalar* S, blas_int* jpvt, blas_int* order) noexcept nogil:
    """Bring columns order[:w], counted from k on, of A (m, n), and their sketches, to k .. k+w-1

    One exchange a column: where a column is no longer where it was, follow what took its place.
    order[:w] becomes the places exchanged.
    """
    cdef Py_ssize_t i, j, c
    cdef blas_int name
    cdef scalar x
    cdef scalar* s
    for i in range(w):
        while order[i] < i:
            order[i] = order[order[i]]
        j = order[i]
        if j != i:
            swap(m, A + (k + i) * <Py_ssize_t>lda, 1, A + (k + j) * <Py_ssize_t>lda, 1)
            name = jpvt[k + i]
            jpvt[k + i] = jpvt[k + j]
            jpvt[k + j] = name
    for c in range(d):
        s = S + k + c * <Py_ssize_t>n
        for i in range(w):
            x = s[i]
            s[i] = s[order[i]]
            s[order[i]] = x


cdef double sketch_norm(Py_ssize_t n, Py_ssize_t k, Py_ssize_t d, const scalar* S) noexcept nogil:
    """||S[k:, :]||_F, S (n, d)"""
    cdef Py_ssize_t c
    cdef double total = 0
    for c in range(d):
        total += long_sumsq(n - k, S + k + c * n)
    return sqrt(total)


cdef bint downdate_sketch(blas_int n, blas_int k, blas_int w, blas_int d, scalar* A, blas_int lda,
                          scalar* S, scalar* work) noexcept nogil:
    """S2 := S2 - R12^T R11^-T S1; False, S untouched, if R11 is too ill-conditioned; work (d*w)"""
    cdef Py_ssize_t ld = lda, i
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
    copy(S + k, w, d, 1, n, 1.0, False, work, w)
    trsm(c'L', c'U', c'T', c'N', w, d, one, A + k + k * ld, lda, work, w)
    gemm(c'T', c'N', n - k - w, d, w, -one, A + k + (k + w) * ld, lda, work, w, one, S + k + w, n)
    return True


# ---- Python shims ----

def py_work_size(Py_ssize_t m, Py_ssize_t n, Py_ssize_t b, Py_ssize_t d):
    """Return the elements of workspace of `py_rqrcp`."""
    return work_size(m, n, b, d)


def py_order_columns(scalar[::1, :] B, blas_int[::1] order, double[::1] norms):
    """order := the columns of B (d, w) as QRCP takes them; B is lost, norms (2w) is workspace."""
    if order.shape[0] < B.shape[1] or norms.shape[0] < 2 * B.shape[1]:
        raise ValueError("workspace too small")
    if B.shape[0] and B.shape[1]:
        with nogil:
            order_columns(B.shape[0], B.shape[1], &B[0, 0], &order[0], &norms[0])


def py_choose_pivots(scalar[::1, :] S, blas_int[::1] ipiv, double[::1] norms, scalar[::1] work,
                     Py_ssize_t w):
    """ipiv[:w] := the pivot columns of a matrix of which S (n, d) is the transposed sketch, w <= d.

    ipiv (2n + d), norms (2w), work (n d).
    """
    cdef Py_ssize_t n = S.shape[0], d = S.shape[1]
    if (not 0 < w <= min(n, d) or ipiv.shape[0] < 2 * n + d or norms.shape[0] < 2 * w
            or work.shape[0] < n * d):
        raise ValueError("workspace too small")
    with nogil:
        choose_pivots(n, 0, w, d, &S[0, 0], &norms[0], &ipiv[0], &work[0])


def py_rqrcp(scalar[::1, :] A, scalar[::1, :] omega, scalar[::1, :] S, blas_int[::1] jpvt,
             scalar[::1, :] T, double[::1] norms, scalar[::1] work, Py_ssize_t rank, double stop):
    """Factor A in place by blocks of b = T.shape[0] columns, until ||what is left||_F <= stop.

    omega (m, d) random, d >= b; S (n, d); jpvt (n) is permuted; T (b, min(m, n)); norms (2n);
    work as `py_work_size`. At least `rank` columns are done, in whole blocks; fewer than b may be
    left to do, for which no sketch pays. Return (columns done, ||what is left||_F), -1 for a norm
    that nobody had to know; a KeyboardInterrupt is honoured between blocks.
    """
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], b = <blas_int>T.shape[0]
    cdef blas_int d = <blas_int>omega.shape[1], k = 0, last = min(m, n), w
    cdef double left = -1, scale = 0, size = 0
    cdef double half = sqrt(eps(&A[0, 0]))
    cdef scalar one = 1, zero = 0
    cdef bint sketched = False
    cdef blas_int[::1] ipiv
    if (S.shape[1] != d or d < b or S.shape[0] != n or omega.shape[0] != m or T.shape[1] < last
            or norms.shape[0] < 2 * max(n, b) or work.shape[0] < work_size(m, n, b, d)):
        raise ValueError("workspace too small")
    import numpy as np
    ipiv = np.empty(2 * n + d, dtype=np.intc)
    while k < rank and last - k >= b:
        with nogil:
            if not sketched:
                gemm(c'T', c'N', n - k, d, m - k, one, &A[k, k], m, &omega[k, 0], m, zero,
                     &S[k, 0], n)
                scale = sketch_norm(n, k, d, &S[0, 0])
            w = b
            choose_pivots(n, k, w, d, &S[0, 0], &norms[0], &ipiv[0], &work[0])
            bring(m, n, k, w, d, &A[0, 0], m, &S[0, 0], &jpvt[0], &ipiv[0])
            qr_step(m, n, k, b, &A[0, 0], m, &T[0, 0], &work[0])
            sketched = downdate_sketch(n, k, w, d, &A[0, 0], m, &S[0, 0], &work[0])
            k += w
            if k < n and sketched:
                size = sketch_norm(n, k, d, &S[0, 0])
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
