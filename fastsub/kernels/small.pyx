"""A whole rank decision and an orthonormal basis for a matrix of small order, without the BLAS.

Pivoted Householder QR of W = A or A^H, unblocked, so that the wanted basis is columns of Q; then
the bounds of factor/decide.py; then the columns. One call, one workspace:

        W (m, n)            d (min)  diagonal of R        partial, exact (n)  norms
        1 r r r             tau (min)                     p (n)               pivots
        v 1 r r
        v v 1 r             the ones on the diagonal let a reflector be read as it stands

Where bounds cannot decide, or where the rest is not at rounding level (then a basis from QR is not
as good as can be), there is no answer and nothing is lost: A was only read.

References
----------
Businger & Golub, Linear least squares solutions by Householder transformations, Numer. Math. 7
    (1965).
Drmac & Bujanovic, On the failure of rank-revealing QR factorization software, ACM TOMS 35 (2008).
Du Croz & Higham, Stability of methods for matrix inversion, IMA J. Numer. Anal. 12 (1992).
"""

from libc.float cimport DBL_MAX
from libc.math cimport INFINITY, isfinite, ldexp, frexp, sqrt
from libc.stdlib cimport free, malloc

from fastsub.kernels.blas cimport complex64, complex128, scalar
from fastsub.kernels.layout cimport copy, magnitude
from fastsub.kernels.scalars cimport abs2, conj, eps, sumsq
from fastsub.kernels.vectors cimport axpy, dot, reflect

import numpy as np

cdef enum:
    DECIDED = 0
    UNDECIDED = 1


cdef inline double real_part(scalar x) noexcept nogil:
    if scalar is complex64 or scalar is complex128:
        return x.real
    else:
        return x


cdef inline double imag_part(scalar x) noexcept nogil:
    if scalar is complex64 or scalar is complex128:
        return x.imag
    else:
        return 0


cdef inline scalar from_parts(scalar like, double re, double im) noexcept nogil:
    cdef scalar x = like
    if scalar is complex64:
        x.real = <float>re
        x.imag = <float>im
    elif scalar is complex128:
        x.real = re
        x.imag = im
    else:
        x = <scalar>re
    return x


cdef inline scalar householder(Py_ssize_t m, scalar* x, scalar* tau) noexcept nogil:
    """x (m) := (1; v) with H^H x = (beta; 0), H = I - tau (1; v) (1; v)^H; return beta (real)

    The convention of LAPACK's larfg; entries are of unit scale, so squares are safe.
    """
    cdef double re = real_part(x[0]), im = imag_part(x[0]), beta, rest = sumsq(m - 1, x + 1)
    cdef scalar beta_scalar, scale
    cdef Py_ssize_t i
    if rest == 0 and im == 0:
        tau[0] = 0
        beta_scalar = x[0]
    else:
        beta = sqrt(re * re + im * im + rest)
        if re >= 0:
            beta = -beta
        tau[0] = from_parts(x[0], (beta - re) / beta, -im / beta)
        # 1 / (alpha - beta)
        rest = (re - beta) * (re - beta) + im * im
        scale = from_parts(x[0], (re - beta) / rest, -im / rest)
        for i in range(1, m):
            x[i] = x[i] * scale
        beta_scalar = from_parts(x[0], beta, 0)
    x[0] = 1
    return beta_scalar


cdef Py_ssize_t factor(Py_ssize_t m, Py_ssize_t n, double stop, scalar* W, scalar* d, scalar* tau,
                       Py_ssize_t* p, double* partial, double* exact,
                       double* left) noexcept nogil:
    """W P = Q R in place until ||what is left||_F <= stop; return the columns done

    partial, exact (n) hold the norms of the columns on entry. left := ||what is left||_F.
    """
    cdef Py_ssize_t k = 0, j, best, i
    cdef double t, ratio, total, safe = sqrt(eps(W))
    cdef scalar x
    cdef scalar* v
    for j in range(n):
        p[j] = j
    while True:
        total = 0
        best = k
        for j in range(k, n):
            total += partial[j] * partial[j]
            if partial[j] > partial[best]:
                best = j
        if k == min(m, n):
            left[0] = 0
            return k
        if total <= stop * stop:
            # Downdated norms proposed the end; norms from scratch confirm it.
            total = 0
            for j in range(k, n):
                partial[j] = exact[j] = sqrt(sumsq(m - k, W + k + j * m))
                total += partial[j] * partial[j]
            if total <= stop * stop:
                left[0] = sqrt(total)
                return k
            best = k
            for j in range(k, n):
                if partial[j] > partial[best]:
                    best = j
        if best != k:
            for i in range(m):
                x = W[i + best * m]
                W[i + best * m] = W[i + k * m]
                W[i + k * m] = x
            i = p[best]
            p[best] = p[k]
            p[k] = i
            partial[best] = partial[k]
            exact[best] = exact[k]
        v = W + k + k * m
        d[k] = householder(m - k, v, tau + k)
        if tau[k] != 0:
            reflect(m - k, n - k - 1, v, conj(tau[k]), v + m, m)
        for j in range(k + 1, n):
            if partial[j] == 0:
                continue
            t = sqrt(abs2(W[k + j * m])) / partial[j]
            t = max(0.0, (1 + t) * (1 - t))
            ratio = partial[j] / exact[j]
            if t * ratio * ratio <= safe:
                partial[j] = exact[j] = sqrt(sumsq(m - k - 1, W + k + 1 + j * m))
            else:
                partial[j] *= sqrt(t)
        k += 1


cdef double sigma_1_lower(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const scalar* W,
                          const scalar* d, scalar* x, scalar* y) noexcept nogil:
    """Three steps of the power method on the k rows of R, from the row of largest norm's side

    Every quotient is a lower bound (Rayleigh-Ritz). x (n), y (k).
    """
    cdef Py_ssize_t j, rows
    cdef double norm, best = 0
    cdef int _step
    for j in range(k):
        # Fixed, no symmetry, all signs alike: R's first row dominates after pivoting.
        y[j] = <scalar>(1.0 / (1.0 + j))
    norm = sqrt(sumsq(k, y))
    for _step in range(3):
        for j in range(k):
            y[j] = y[j] * <scalar>(1 / norm)
        for j in range(n):
            rows = min(j, k)
            x[j] = dot(rows, W + j * m, y)
            if j < k:
                x[j] = x[j] + conj(d[j]) * y[j]
        norm = sqrt(sumsq(n, x))
        best = max(best, norm)
        if norm == 0:
            break
        for j in range(k):
            y[j] = 0
        for j in range(n):
            rows = min(j, k)
            x[j] = x[j] * <scalar>(1 / norm)
            axpy(rows, x[j], W + j * m, y)
            if j < k:
                y[j] = y[j] + d[j] * x[j]
        norm = sqrt(sumsq(k, y))
        best = max(best, norm)
    return best


cdef double inverse_norm(Py_ssize_t m, Py_ssize_t r, const scalar* W, const scalar* d,
                         scalar* x) noexcept nogil:
    """||R11^-1||_F by back substitution, one column at a time; inf if singular; x (r)

    Errors as in triangular.pyx.
    """
    cdef Py_ssize_t i, j
    cdef double total = 0
    for j in range(r):
        if d[j] == 0:
            return INFINITY
        for i in range(j):
            x[i] = 0
        x[j] = 1
        for i in range(j, -1, -1):
            x[i] = x[i] / d[i]
            axpy(i, -x[i], W + i * m, x)
        total += sumsq(j + 1, x)
    return sqrt(total)


cdef void columns(Py_ssize_t m, Py_ssize_t k, Py_ssize_t start, Py_ssize_t count,
                  const scalar* W, const scalar* tau, scalar* C) noexcept nogil:
    """C (m, count) := columns start, start+1, ... of Q = H_0 ... H_{k-1}"""
    cdef Py_ssize_t i, j, first
    for i in range(m * count):
        C[i] = 0
    for j in range(count):
        C[start + j + j * m] = 1
    for i in range(k - 1, -1, -1):
        first = max(<Py_ssize_t>0, i - start)
        if first < count and tau[i] != 0:
            reflect(m - i, count - first, W + i + i * m, tau[i], C + i + first * m, m)


cdef int decide(Py_ssize_t m, Py_ssize_t n, const scalar* W, const scalar* d, Py_ssize_t k,
                double left, double rtol, double tol, bint clean, double* rows, scalar* x,
                scalar* y, Py_ssize_t* rank, double* bounds) noexcept nogil:
    """The rank by bounds, as in factor/decide.py; bounds := (tol, sigma_r_lower, sigma_next_upper)

    clean: what the rank leaves must be at rounding level. rows (k + 1) := the tail norms.
    """
    cdef Py_ssize_t i, j, r
    cdef double total = left * left, norm, margin, low, tol_low, tol_high, lower, smallest
    cdef double unit = eps(W)
    for i in range(k):
        rows[i] = abs2(d[i])
    for j in range(n):
        for i in range(min(j, k)):
            rows[i] += abs2(W[i + j * m])
    rows[k] = left
    for i in range(k - 1, -1, -1):
        total += rows[i]
        rows[i] = sqrt(total)
    norm = rows[0]
    margin = sqrt(<double>max(m, n)) * unit / 2 * norm
    if scalar is complex64 or scalar is complex128:
        margin *= sqrt(2.0)
    low = sigma_1_lower(m, n, k, W, d, x, y) * (1 - 4 * sqrt(<double>n) * unit)
    low = max(low, norm / sqrt(<double>min(m, n)))
    tol_low = tol if tol >= 0 else rtol * low
    tol_high = tol if tol >= 0 else rtol * norm
    r = 0
    while r < k and rows[r] + margin > tol_low:
        r += 1
    bounds[0] = tol_low
    bounds[2] = 0 if r == min(m, n) else rows[r] + margin
    rank[0] = r
    if not bounds[2] <= tol_low or (clean and rows[r] > 20 * unit * low):
        return UNDECIDED
    if r == 0:
        bounds[1] = INFINITY
        return DECIDED
    smallest = INFINITY
    for i in range(r):
        smallest = min(smallest, abs2(d[i]))
    if sqrt(smallest) <= tol_high:
        return UNDECIDED
    lower = 1 / inverse_norm(m, r, W, d, x) - 2 * margin
    bounds[1] = lower
    return DECIDED if lower > tol_high else UNDECIDED


def py_decide_and_span(const scalar[:, :] A, bint adjoint, bint trailing, bint want_basis,
                       double rtol, double tol):
    """Decide the rank of A and span one of its subspaces; None if bounds cannot decide.

    None too if A holds a NaN or an infinity.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        Not empty, whole strides.
    adjoint : bool
        Factor A^H: the basis lies in the space of rows.
    trailing : bool
        The orthogonal complement instead of the range.
    want_basis : bool
    rtol, tol : float
        Cutoff relative to sigma_1, and absolute (< 0: none).

    Returns
    -------
    rank : int
    tol, sigma_r_lower, sigma_next_upper : float
    basis : ndarray or None
    """
    cdef Py_ssize_t size = sizeof(scalar), M = A.shape[0], N = A.shape[1]
    cdef Py_ssize_t row = A.strides[0] // size, col = A.strides[1] // size
    cdef double largest = magnitude(&A[0, 0], M, N, row, col)
    cdef double left = 0, norm, low, stop, margin, total = 0, widest = 0
    cdef double bounds[3]
    cdef int exponent = 0, status = DECIDED, safe
    cdef Py_ssize_t k = 0, rank = 0, i, j, full, start, count
    if not isfinite(largest):
        return None
    if adjoint:
        M, N, row, col = N, M, col, row
    full = min(M, N)
    if scalar is float or scalar is complex64:
        safe = 40
    else:
        safe = 200
    if largest > 0:
        frexp(largest, &exponent)
        if -safe < exponent < safe:
            exponent = 0
        elif exponent < -1000 or (safe == 40 and exponent < -120):
            return None
    # W, d, tau, x, y | partial, exact, rows | p
    cdef scalar* W = <scalar*>malloc(
        (M * N + 3 * full + N) * sizeof(scalar) + (2 * N + full + 1) * sizeof(double)
        + N * sizeof(Py_ssize_t) + 64)
    if W == NULL:
        raise MemoryError("no memory for the workspace of a small matrix")
    cdef scalar* d = W + M * N
    cdef scalar* tau = d + full
    cdef scalar* y = tau + full
    cdef scalar* x = y + full
    cdef double* partial = <double*>(<size_t>(<char*>(x + N) + 15) & ~<size_t>15)
    cdef double* exact = partial + N
    cdef double* rows = exact + N
    cdef Py_ssize_t* p = <Py_ssize_t*>(rows + full + 1)
    cdef scalar[::1, :] C
    try:
        with nogil:
            copy(&A[0, 0], M, N, row, col, ldexp(1.0, -exponent), adjoint, W, M)
            for j in range(N):
                norm = sumsq(M, W + j * M)
                total += norm
                partial[j] = exact[j] = sqrt(norm)
                widest = max(widest, partial[j])
            if tol >= 0:
                tol = ldexp(tol, -exponent)
            norm = sqrt(total)
            margin = sqrt(<double>max(M, N)) * eps(W) / 2 * norm
            if scalar is complex64 or scalar is complex128:
                margin *= sqrt(2.0)
            low = tol if tol >= 0 else rtol * max(widest, norm / sqrt(<double>full))
            if norm == 0:
                bounds[0] = max(tol, 0.0)
                bounds[1] = INFINITY
                bounds[2] = 0
            elif low / 4 + margin > low:
                status = UNDECIDED
            else:
                stop = low / 4
                k = factor(M, N, stop, W, d, tau, p, partial, exact, &left)
                status = decide(M, N, W, d, k, left, rtol, tol, want_basis, rows, x, y, &rank,
                                bounds)
        if status != DECIDED:
            return None
        for i in range(3):
            # A bound from below stays one where the singular value itself is out of range.
            largest = ldexp(bounds[i], exponent)
            bounds[i] = largest if i == 2 or isfinite(largest) or rank == 0 else DBL_MAX
        if not want_basis:
            return rank, bounds[0], bounds[1], bounds[2], None
        start = rank if trailing else 0
        count = M - rank if trailing else rank
        basis = np.empty((M, count), dtype=np.asarray(A).dtype, order="F")
        if count:
            C = basis
            # The whole space has the identity for a basis.
            columns(M, 0 if count == M else k, start, count, W, tau, &C[0, 0])
        return rank, bounds[0], bounds[1], bounds[2], basis
    finally:
        free(W)
