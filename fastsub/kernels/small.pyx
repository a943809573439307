"""A whole rank decision and an orthonormal basis for a matrix of small order, without the BLAS.

Householder QR of W = A or A^H, so that the wanted basis is columns of Q; then the bounds of
factor/rank/decide.py; then the columns. W lies in strips of eight columns (strips.h):

        strip 0     strip 1                  one strip at a time: the reflectors of those before
        v           r r r                    are applied to it eight at a time (compact WY), then
        v v         r r r                    it is factored itself
        v v v       v r r                    R11 has strips of its own: (k, k)
        v v v       v v r

Without pivots at first: a column of which no more is left than the cutoff allows all of them
together is put aside, the others make R11 (Sid-Lakhdar et al. 2022). Nothing need be known of
columns that are still to come, and the proof does not ask why the pivots were chosen. Where it
fails, the same with pivots (Businger & Golub 1965).

Where bounds cannot decide, or where what the rank leaves is not at rounding level (then a basis
from QR is not as good as can be), there is no basis and nothing is lost: A was only read.

References
----------
Sid-Lakhdar, Cayrols, Bielich, Abdelfattah, Luszczek, Gates, Tomov, Johansen, Williams-Young, Davis,
    Dongarra & Anzt, PAQR: Pivoting Avoiding QR factorization, IPDPS 2023.
Businger & Golub, Linear least squares solutions by Householder transformations, Numer. Math. 7
    (1965).
Schreiber & Van Loan, A storage-efficient WY representation for products of Householder
    transformations, SIAM J. Sci. Stat. Comput. 10 (1989).
Du Croz & Higham, Stability of methods for matrix inversion, IMA J. Numer. Anal. 12 (1992).
"""

from libc.float cimport DBL_MAX
from libc.math cimport INFINITY, frexp, isfinite, ldexp, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef extern from "strip_tables.h":
    const Strips fastsub_f32_strips, fastsub_f64_strips, fastsub_c64_strips, fastsub_c128_strips

cdef enum:
    LANES = 8
    # Steps of the power method for a cutoff that is shown.
    STEPS = 3
    # Columns up to which an attempt without pivots is worth the risk: it takes half the time, and
    # proves a rank n - 4 of 32 four times in five; of 64 and rank n / 2 hardly ever.
    NARROW = 32


cdef const Strips* strips_of(char dtype) noexcept nogil:
    """The functions for a dtype by NumPy's letter; NULL: not one of the four"""
    if dtype == c'd':
        return &fastsub_f64_strips
    if dtype == c'f':
        return &fastsub_f32_strips
    if dtype == c'D':
        return &fastsub_c128_strips
    if dtype == c'F':
        return &fastsub_c64_strips
    return NULL


cdef inline Py_ssize_t in_strips(Py_ssize_t n) noexcept nogil:
    return (n + LANES - 1) // LANES


cdef inline Py_ssize_t slots_for(Py_ssize_t full) noexcept nogil:
    """Strips of reflectors that there is room for: some are filled in part only."""
    return in_strips(full) + in_strips(full) // 4 + 2


cdef bint begin(Small* S, char* scratch) noexcept nogil:
    """Lay out the workspace in scratch (SCRATCH bytes), or in memory of its own; False: none left

    finish(S) gives it back.
    """
    cdef Py_ssize_t full = min(S.m, S.n), slots = slots_for(full), vector = LANES * S.K.size
    cdef Py_ssize_t height = in_strips(full) * LANES
    cdef Py_ssize_t longest = in_strips(max(S.m, S.n)) * vector
    cdef Py_ssize_t V = slots * S.m * vector, R = slots * height * vector
    cdef Py_ssize_t T = slots * LANES * vector, W = max(R, in_strips(S.n) * S.m * vector)
    cdef Py_ssize_t total = (V + W + R + T + S.m * vector + 3 * longest
                             + (full + 1) * sizeof(double) + (slots + 1) * sizeof(Py_ssize_t))
    S.memory = NULL
    if total + 64 > SCRATCH:
        S.memory = malloc(total + 64)
        if S.memory == NULL:
            return False
        scratch = <char*>S.memory
    S.height = height
    S.V = <char*>((<size_t>scratch + 63) & ~<size_t>63)
    S.W = S.V + V
    S.R = S.W + W
    S.T = S.R + R
    S.C = S.T + T
    S.norms = S.C + S.m * vector
    S.x = S.norms + longest
    S.z = S.x + longest
    S.rows = <double*>(S.z + longest)
    S.tops = <Py_ssize_t*>(S.rows + full + 1)
    return True


cdef void finish(Small* S) noexcept nogil:
    free(S.memory)


cdef double inverse_norm(Small* S, Py_ssize_t r) noexcept nogil:
    """||R11^-1||_F of the leading r x r block, in the memory of W; errors as in triangular.pyx"""
    cdef double total = 0
    cdef Py_ssize_t s = 0
    while s < S.strips and S.tops[s] < r:
        total += S.K.invert(s, min(S.tops[s + 1], r) - S.tops[s], S.tops, S.R, S.W, S.height)
        s += 1
    return sqrt(total)


cdef void load(Small* S, Py_ssize_t q, double scale, char* out) noexcept nogil:
    """out (m, 8) := strip q of W"""
    S.K.load(S.m, min(<Py_ssize_t>LANES, S.n - q * LANES),
             <const char*>S.A + q * LANES * S.cs * S.K.size, S.rs, S.cs, S.conjugate, scale, out)


cdef void reflect(Small* S, Py_ssize_t s, bint adjoint, char* strip) noexcept nogil:
    """strip (m, 8) := Q_s^H or Q_s times it, Q_s the reflectors of strip s"""
    cdef Py_ssize_t row = LANES * S.K.size, top = S.tops[s]
    S.K.apply(S.m - top, S.V + (s * S.m + top) * row, S.T + s * LANES * row, adjoint,
              strip + top * row)


cdef Py_ssize_t avoid_pivots(Small* S, double limit, double floor, double scale,
                             double* left) noexcept nogil:
    """W's columns in their order, but for those of norm ||left||_F <= limit in all; return k or -1

    -1: some r_kk is below the floor, which sigma_r then is too.
    """
    cdef const Strips* K = S.K
    cdef Py_ssize_t k = 0, after, q, s, row = LANES * K.size
    cdef char* here
    left[0] = 0
    S.strips = S.tops[0] = 0
    for q in range(in_strips(S.n)):
        if S.strips == slots_for(min(S.m, S.n)):
            return -1
        here = S.V + S.strips * S.m * row
        load(S, q, scale, here)
        for s in range(S.strips):
            reflect(S, s, True, here)
        after = K.panel(S.m, k, min(<Py_ssize_t>LANES, S.n - q * LANES), limit * limit,
                        floor * floor, here, S.T + S.strips * LANES * row,
                        S.R + S.strips * S.height * row, left)
        if after < 0:
            return -1
        if after > k:
            S.strips += 1
            S.tops[S.strips] = k = after
        if k == S.m:
            break
    left[0] = sqrt(left[0]) * (1 + S.m * K.eps)
    return k


cdef inline Py_ssize_t rightmost(Py_ssize_t count, Py_ssize_t* places) noexcept nogil:
    """The largest of the places, which becomes -1."""
    cdef Py_ssize_t c, best = 0, found
    for c in range(1, count):
        if places[c] > places[best]:
            best = c
    found = places[best]
    places[best] = -1
    return found


cdef Py_ssize_t pivot(Small* S, double stop, double scale, double* left) noexcept nogil:
    """W P = Q R until ||what is left||_F <= stop; rows (k + 1) := the tail norms; return k

    The eight columns of which most is left make the next strip, where they are taken as long as
    they are not small beside those that are not in it.
    """
    cdef const Strips* K = S.K
    cdef Py_ssize_t full = min(S.m, S.n), active = S.n, k = 0, after, q, j, count
    cdef Py_ssize_t row = LANES * K.size, strip = S.m * row, vector = row // K.parts
    cdef Py_ssize_t[LANES] best
    cdef double[LANES] norms
    cdef double total, other, rest
    cdef char* here
    for q in range(in_strips(S.n)):
        load(S, q, scale, S.W + q * strip)
        K.measure(S.m, 0, 0, LANES, S.W + q * strip, S.norms + q * vector, S.rows)
    S.strips = S.tops[0] = 0
    while True:
        K.select(active, S.norms, best, &total)
        if k == full:
            total = 0
        if total <= stop * stop:
            break
        count = min(<Py_ssize_t>LANES, active)
        here = S.V + S.strips * strip
        if count < LANES:
            # What T's zeros meet must be finite.
            memset(here, 0, strip)
        for j in range(count):
            K.move(S.m, S.W, S.norms, best[j], here, norms, j)
        # Columns from the end take their places, the rightmost place first.
        for _ in range(count):
            q = rightmost(count, best)
            active -= 1
            if q != active:
                K.move(S.m, S.W, S.norms, active, S.W, S.norms, q)
        other = K.select(active, S.norms, NULL, &rest)
        if slots_for(full) - S.strips <= in_strips(full - k):
            other = 0
        after = K.pivoted_panel(S.m, k, count, other, rest, stop * stop, here,
                                S.T + S.strips * LANES * row, S.R + S.strips * S.height * row,
                                norms, S.rows)
        if after == k:
            # Added up in another order, no more was left.
            break
        S.tops[S.strips + 1] = after
        for q in range(in_strips(active)):
            reflect(S, S.strips, True, S.W + q * strip)
            K.measure(S.m, k, after, min(<Py_ssize_t>LANES, active - q * LANES),
                      S.W + q * strip, S.norms + q * vector, S.rows)
        S.strips += 1
        for j in range(after - k, count):
            K.move(S.m, here, norms, j, S.W, S.norms, active)
            active += 1
        k = after
    left[0] = sqrt(total) * (1 + S.m * K.eps)
    total = left[0] * left[0]
    S.rows[k] = left[0]
    for q in range(k - 1, -1, -1):
        total += S.rows[q]
        S.rows[q] = sqrt(total)
    return k


cdef int weigh(Small* S, Weights* w) noexcept nogil:
    """Scale, norm, margin and cutoffs of W; GO_ON, or a status of small.pxd if that was all"""
    cdef const Strips* K = S.K
    cdef Py_ssize_t m = S.m, n = S.n, rs = S.rs, cs = S.cs
    cdef double total, widest
    if rs == 1:
        # Along the memory; a row norm is a column norm of the adjoint.
        m, n, rs, cs = n, m, cs, rs
    w.scale, w.tol = 1, S.tol
    S.exponent = 0
    S.pivoted = False
    S.strips = 0
    total = K.sumsq(m, n, S.A, rs, cs, 1, &widest)
    if not ldexp(1.0, -2 * K.safe) < total < ldexp(1.0, 2 * K.safe):
        w.norm = K.magnitude(m, n, S.A, rs, cs)
        if not isfinite(w.norm):
            return NOT_FINITE
        if w.norm == 0:
            S.rank = 0
            S.cutoff, S.lower, S.upper = w.tol, INFINITY, 0
            return DECIDED
        frexp(w.norm, &S.exponent)
        if S.exponent < K.lowest:
            return UNDECIDED
        w.scale = ldexp(1.0, -S.exponent)
        total = K.sumsq(m, n, S.A, rs, cs, w.scale, &widest)
        w.tol = ldexp(w.tol, -S.exponent)
    w.norm = sqrt(total)
    w.margin = sqrt(<double>max(m, n)) * K.eps / 2 * w.norm * K.spread
    w.low = max(sqrt(widest), w.norm / sqrt(<double>min(m, n)))
    w.low *= 1 - 4 * sqrt(<double>n) * K.eps
    w.tol_high = w.tol + S.rtol * w.norm
    w.tol_low = w.tol + S.rtol * w.low
    return GO_ON


cdef void report(Small* S, Py_ssize_t rank, double cutoff, double lower,
                 double upper) noexcept nogil:
    """The answer, from numbers about A / 2^exponent"""
    S.rank = rank
    S.cutoff = ldexp(cutoff, S.exponent)
    if isfinite(cutoff) and not isfinite(S.cutoff):
        S.cutoff = DBL_MAX
    # A bound from below stays one where the singular value itself is out of range.
    S.lower = ldexp(lower, S.exponent)
    if rank > 0 and not isfinite(S.lower):
        S.lower = DBL_MAX
    S.upper = ldexp(upper, S.exponent)


cdef int by_bounds(Small* S) noexcept nogil:
    """Decide the rank as factor/rank/decide.py does; see the statuses of small.pxd

    DECIDED: with reflectors for `columns`. ROUGH: the rank is proved, but no basis.
    """
    cdef const Strips* K = S.K
    cdef Py_ssize_t full = min(S.m, S.n), k, r
    cdef Py_ssize_t m = S.m, n = S.n, rs = S.rs, cs = S.cs
    cdef int attempt
    cdef double margin, low, sigma_1, tol, scale, tol_low, tol_high
    cdef double left, lower, upper, level = INFINITY
    cdef Weights w
    cdef int status = weigh(S, &w)
    if status != GO_ON:
        return status
    if rs == 1:
        m, n, rs, cs = n, m, cs, rs
    margin, low, tol, scale, tol_low, tol_high = (w.margin, w.low, w.tol, w.scale, w.tol_low,
                                                  w.tol_high)
    if S.clean:
        level = 20 * K.eps * low
    k = -1
    if S.n <= NARROW or S.n >= 2 * S.m:
        k = avoid_pivots(S, max(0.0, min(tol_low - margin, level)), tol_high, scale,
                         &left)
    status = UNDECIDED
    if k >= 0:
        upper = 0 if k == full else left + margin
        lower = 1 / inverse_norm(S, k) - 2 * margin if k > 0 else INFINITY
        if upper <= tol_low and (k == 0 or lower > tol_high):
            status = DECIDED
    if status != DECIDED:
        S.pivoted = True
        k = pivot(S, tol_low / 4, scale, &left)
    for attempt in range(2):
        # sigma_1 to a few percent, only where it matters.
        if attempt == 1 and S.rtol > 0 and (S.tight or status != DECIDED):
            sigma_1 = K.sigma_1(m, n, S.A, rs, cs, scale, STEPS, S.x, S.z)
            low = max(low, sigma_1 * (1 - 4 * sqrt(<double>n) * K.eps))
            tol_low = tol + S.rtol * low
        if status == DECIDED:
            continue
        r = 0
        while r < k and S.rows[r] + margin > tol_low:
            r += 1
        upper = 0 if r == full else S.rows[r] + margin
        if not upper <= tol_low:
            continue
        lower = 1 / inverse_norm(S, r) - 2 * margin if r > 0 else INFINITY
        if r == 0 or lower > tol_high:
            S.rank = r
            status = ROUGH if S.clean and r < full and S.rows[r] > 20 * K.eps * low else DECIDED
    if status == UNDECIDED:
        return UNDECIDED
    if S.pivoted:
        k = S.rank
    report(S, k, tol_low, lower, upper)
    return status


cdef void columns(Small* S, Py_ssize_t start, Py_ssize_t count, char* out) noexcept nogil:
    """out (m, count) := columns start, start+1, ... of Q, column-major"""
    cdef Py_ssize_t q, s
    for q in range(in_strips(count)):
        S.K.identity(S.m, start + q * LANES, S.C)
        # The whole space has the identity for a basis.
        for s in range(S.strips - 1 if count < S.m else -1, -1, -1):
            if S.tops[s] < start + (q + 1) * LANES:
                reflect(S, s, False, S.C)
        S.K.store(S.m, min(<Py_ssize_t>LANES, count - q * LANES), S.C,
                  out + q * LANES * S.m * S.K.size)
