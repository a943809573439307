"""QR with column pivoting, A P = Q R: one panel of columns, then one gemm on what is left.

Storage, k columns done, the next panel of nb columns in progress:

               k   k+nb        n
        +------+----+----------+
        | R  R |R   R    R     |       partial[j]  norm of what is left of column j
      k |  V   +----+----------+       exact[j]    the last norm computed from scratch
        |      | V  |          |       F (n-k, nb) the delayed update: what is left of A is
        |      |    | A - V F^H|                   A - V F^H, applied once a panel
      m +------+----+----------+

A panel chooses each pivot by the largest partial norm, brings that one column and that one row up
to date, and ends early when a downdated norm can no longer be trusted: then the delayed update is
applied and the norm computed from scratch. It also ends when the Frobenius norm of all that is left
is at most `stop`: the matrix has no more rank than the columns done, to that tolerance.

References
----------
Businger & Golub, Linear least squares solutions by Householder transformations, Numer. Math. 7
    (1965): the pivoting.
Quintana-Orti, Sun & Bischof, A BLAS-3 version of the QR factorization with column pivoting, SIAM J.
    Sci. Comput. 19 (1998): the delayed update.
Drmac & Bujanovic, On the failure of rank-revealing QR factorization software, ACM TOMS 35 (2008):
    when a downdated norm must be recomputed.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt

from fastsub.kernels.blas cimport blas_int, gemm, gemv, larfg, scalar, swap
from fastsub.kernels.scalars cimport abs2, conj_vector, eps, sumsq
from fastsub.kernels.vectors cimport long_sumsq


cdef Py_ssize_t work_size(Py_ssize_t n, Py_ssize_t nb) noexcept nogil:
    """Elements of workspace of `panel`: F (n, nb) and one row of it."""
    return (n + 1) * nb


cdef double column_norms(blas_int m, blas_int n, const scalar* A, blas_int lda,
                         double* partial, double* exact) noexcept nogil:
    """partial, exact := norms of the n columns of A (m, n); return ||A||_F"""
    cdef Py_ssize_t j
    cdef double s, total = 0
    for j in range(n):
        s = long_sumsq(m, A + j * <Py_ssize_t>lda)
        total += s
        partial[j] = exact[j] = sqrt(s)
    return sqrt(total)


cdef inline double remaining(Py_ssize_t k, Py_ssize_t n, const double* partial) noexcept nogil:
    """Frobenius norm of what is left, from the downdated norms."""
    cdef Py_ssize_t j
    cdef double total = 0
    for j in range(k, n):
        total += partial[j] * partial[j]
    return sqrt(total)


cdef blas_int panel(blas_int m, blas_int n, blas_int k, blas_int nb, double stop, scalar* A,
                    blas_int lda, blas_int* jpvt, scalar* tau, double* partial, double* exact,
                    scalar* work) noexcept nogil:
    """Factor columns k .. k+nb-1 at most and update the rest; return how many were factored

    At least one; fewer than nb if a norm had to be recomputed, or what is left is at most `stop`
    (< 0: never).
    A (m, n), jpvt (n), tau (min(m, n)), partial and exact (n), work as `work_size` says.
    """
    cdef scalar one = 1, zero = 0
    cdef Py_ssize_t ld = lda, c, best
    cdef blas_int j = 0, row, width = n - k, pivot_int
    cdef scalar* F = work                            # (width, nb)
    cdef scalar* aux = work + <Py_ssize_t>width * nb  # (nb)
    cdef scalar* v
    cdef scalar diagonal
    # Half the digits of a downdated norm are still right (Drmac-Bujanovic).
    cdef double safe = sqrt(eps(A))
    cdef bint trusted = True
    nb = min(nb, min(m, n) - k)

    while j < nb and trusted:
        row = k + j
        # Not at once: the caller has just looked, and there must be an end.
        if j and stop >= 0 and remaining(row, n, partial) <= stop:
            break
        best = row
        for c in range(row + 1, n):
            if partial[c] > partial[best]:
                best = c
        if best != row:
            swap(m, A + best * ld, 1, A + row * ld, 1)
            swap(j, F + (best - k), width, F + j, width)
            pivot_int = jpvt[best]
            jpvt[best] = jpvt[row]
            jpvt[row] = pivot_int
            partial[best] = partial[row]
            exact[best] = exact[row]
        v = A + row + row * ld                       # (m - row)
        if j:
            # Bring the pivot column up to date: v -= V F[j, :j]^H
            conj_vector(j, F + j, width)
            gemv(c'N', m - row, j, -one, A + row + k * ld, lda, F + j, width, one,
                 v, 1)
            conj_vector(j, F + j, width)
        larfg(m - row, v, v + 1, 1, tau + row)
        diagonal = v[0]
        v[0] = 1

        # F[:, j] := tau (A - V F^H)^H v, on the columns to the right
        for c in range(j + 1):
            F[c + j * <Py_ssize_t>width] = 0
        if row + 1 < n:
            gemv(c'C', m - row, n - row - 1, tau[row], A + row + (row + 1) * ld, lda, v, 1,
                 zero, F + (j + 1) + j * <Py_ssize_t>width, 1)
        if j:
            gemv(c'C', m - row, j, -tau[row], A + row + k * ld, lda, v, 1, zero, aux, 1)
            gemv(c'N', width, j, one, F, width, aux, 1, one,
                 F + j * <Py_ssize_t>width, 1)
        if row + 1 < n:
            # Bring this row up to date: a^H -= F v_row^H, and take it out of the norms.
            conj_vector(j + 1, A + row + k * ld, ld)
            conj_vector(n - row - 1, A + row + (row + 1) * ld, ld)
            gemv(c'N', n - row - 1, j + 1, -one, F + j + 1, width, A + row + k * ld, lda,
                 one, A + row + (row + 1) * ld, lda)
            conj_vector(j + 1, A + row + k * ld, ld)
            conj_vector(n - row - 1, A + row + (row + 1) * ld, ld)
            for c in range(row + 1, n):
                if not downdate(<blas_int>c, sqrt(abs2(A[row + c * ld])), partial, exact, safe):
                    exact[c] = -1
                    trusted = False
        v[0] = diagonal
        j += 1

    row = k + j
    if j and row < n:
        if row < m:
            gemm(c'N', c'C', m - row, n - row, j, -one, A + row + k * ld, lda, F + j, width,
                 one, A + row + row * ld, lda)
        for c in range(row, n):
            if exact[c] < 0:
                partial[c] = exact[c] = sqrt(sumsq(m - row, A + row + c * ld))
    return j


# ---- Python shim ----

def py_qrcp(scalar[::1, :] A, blas_int[::1] jpvt, scalar[::1] tau, double[::1] norms,
            scalar[::1] work, Py_ssize_t rank, double stop, Py_ssize_t nb, Py_ssize_t start=0):
    """Factor A in place, at most `rank` columns, until ||what is left||_F <= stop (< 0: never).

    jpvt (n) holds the columns' names on entry and is permuted, tau (min(m, n)), norms (2n), work
    (`py_work_size`). The first `start` columns are taken as done. Return (columns done,
    ||what is left||_F); a KeyboardInterrupt is honoured between panels.
    """
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], k = start, done
    cdef blas_int last = <blas_int>min(rank, min(A.shape[0], A.shape[1]))
    cdef double* partial = &norms[0]
    cdef double* exact = &norms[n]
    cdef double left
    if norms.shape[0] < 2 * n or work.shape[0] < work_size(n, nb) or tau.shape[0] < last:
        raise ValueError("workspace too small")
    if start < 0 or start >= min(m, n):
        raise ValueError("start must be one of the columns to be factored")
    with nogil:
        left = column_norms(m - k, n - k, &A[k, k], m, partial + k, exact + k)
        while k < last and not (stop >= 0 and left <= stop):
            done = panel(m, n, k, <blas_int>min(nb, last - k), stop, &A[0, 0], m, &jpvt[0],
                         &tau[0], partial, exact, &work[0])
            k += done
            left = remaining(k, n, partial)
            if k == last or (stop >= 0 and left <= stop):
                # Downdated norms proposed the end; norms from scratch confirm it.
                if k < m and k < n:
                    left = column_norms(m - k, n - k, &A[k, k], m, partial + k, exact + k)
                else:
                    left = 0
            with gil:
                PyErr_CheckSignals()
    return k, left


def py_column_norms(scalar[::1, :] A, double[::1] norms, Py_ssize_t start=0):
    """norms[start:n] := norms of the columns of A[start:, start:]; return ||A[start:, start:]||_F.

    norms (2n) is workspace, too.
    """
    cdef blas_int m = <blas_int>A.shape[0], n = <blas_int>A.shape[1], k = start
    cdef double total
    if norms.shape[0] < 2 * n or start < 0:
        raise ValueError("workspace too small, or start negative")
    if k >= m or k >= n:
        norms[:] = 0
        return 0.0
    with nogil:
        total = column_norms(m - k, n - k, &A[k, k], m, &norms[k], &norms[n + k])
    return total


def py_work_size(Py_ssize_t n, Py_ssize_t nb):
    """Return the elements of workspace of `py_qrcp` for n columns and panels of nb."""
    return work_size(n, nb)
