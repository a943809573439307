/* The rank in lanes, proved. Included by lane_loops.h.

   The proof is that of factor/rank/decide.py. With R as computed the QR of A + E,

        sigma_n(A) >= 1 / ||R^-1||_2 - ||E||_2,    ||E||_2 <= sqrt(max(m, n)) u ||A||_F

   (the square root law: Higham & Mary 2019, Connolly & Higham 2023; times sqrt 2 when complex), and
   first ||R^-1||_2^2 <= ||M^-1||_1 ||M^-1||_inf for the comparison matrix M of R, m_ii = |r_ii| and
   m_ij = -|r_ij|, whose inverse is nonnegative and at least |R^-1| (Higham 2002, section 8.3): two
   substitutions with M and a vector of ones, without cancellation, so with relative errors of n^2 u
   at most. Where that is too coarse, ||R^-1||_F: a second margin pays for the substitution, R X = I
   + D with |D| <= n u |R| |X| (Higham 2002, theorem 8.5).

   Below full rank the first diagonal entry that is next to nothing proposes a rank r:

        Q^H A = [R11 R12; 0 R22] = [T11 0; X Y] Z       Z^H from the right, a reflector for each row

   Without pivots R22 may hold the rounding of Q times ||R11^-1 R12||. Where it holds too much, T11
   and Y, which do not (Hanson & Lawson 1969), take the place of R11 and R22 for a third margin: N,
   the last columns of Z^H, is orthonormal and ||A N|| = ||Y||, and T11 is no worse than R11. */

/* Below what multiple of the cutoff a diagonal entry proposes a rank: times ||R11^-1 R12||, which
   is in the tens or hundreds without pivots, its rounding shall lie below, and no other entry. */
#define DOUBT (sizeof(T) == 4 ? 128.0 : 4096.0)

/* ||M^-1||_1 ||M^-1||_inf of the comparison matrix; work (2 n) */
FASTSUB_ALWAYS void NAME(comparison)(ptrdiff_t m, ptrdiff_t n, const VEC *W, const VEC *beta,
                                     VEC *work, VEC *product)
{
    VEC down = {0}, up = {0};
    VEC *inverse = work + n;
    for (ptrdiff_t i = 0; i < n; i++) {
        work[i] = (VEC){0} + 1;
        inverse[i] = 1 / ABS(beta[i]);
    }
    for (ptrdiff_t j = n - 1; j >= 0; j--) {
        const VEC z = work[j] * inverse[j];
        down = MAX(z, down);
        for (ptrdiff_t i = 0; i < j; i++) work[i] += SIZE(W + (j * m + i) * P) * z;
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        VEC a = {0}, b = {0};
        ptrdiff_t i = 0;
        for (; i + 2 <= j; i += 2) {
            a += SIZE(W + (j * m + i) * P) * work[i];
            b += SIZE(W + (j * m + i + 1) * P) * work[i + 1];
        }
        if (i < j) a += SIZE(W + (j * m + i) * P) * work[i];
        work[j] = (1 + a + b) * inverse[j];
        up = MAX(work[j], up);
    }
    *product = up * down;
}

/* ||R^-1||_F^2, four columns of the inverse at a time; work (4 n) */
FASTSUB_ALWAYS void NAME(inverse)(ptrdiff_t m, ptrdiff_t n, const VEC *W, const VEC *beta,
                                  VEC *X, double *squares)
{
    for (int l = 0; l < LANES; l++) squares[l] = 0;
    for (ptrdiff_t j = 0; j < n; j += 4) {
        const ptrdiff_t end = j + 4 < n ? j + 4 : n;
        VEC sum = {0};
        for (ptrdiff_t i = end - 1; i >= 0; i--) {
            VEC re[4] = {{0}};
#if CPLX
            VEC im[4] = {{0}};
#endif
            for (ptrdiff_t l = i + 1; l < end; l++) {
                const VEC *r = W + (l * m + i) * P;
#pragma GCC unroll 4
                for (int q = 0; q < 4; q++) {
                    const VEC *x = X + (4 * l + q) * P;
                    re[q] -= r[0] * x[0];
#if CPLX
                    re[q] += r[1] * x[1];
                    im[q] -= r[0] * x[1];
                    im[q] -= r[1] * x[0];
#endif
                }
            }
            const VEC one_over = 1 / beta[i];
#pragma GCC unroll 4
            for (int q = 0; q < 4; q++) {
                VEC *x = X + (4 * i + q) * P;
                x[0] = (re[q] + (T)(i == j + q)) * one_over;
                sum += x[0] * x[0];
#if CPLX
                x[1] = im[q] * one_over;
                sum += x[1] * x[1];
#endif
            }
        }
        for (int l = 0; l < LANES; l++) squares[l] += (double)sum[l];
    }
}

/* sigma_r of the leading triangle against `high`: lanes of `which` where the bound is above it, and
   the bound; `margins`, multiples of the margin of rounding, go off */
FASTSUB_ALWAYS unsigned NAME(above)(ptrdiff_t m, ptrdiff_t r, int exact, unsigned which,
                                    const double *margins, const double *high, const VEC *W,
                                    const VEC *beta, VEC *work, double *lower)
{
    const double eps = sizeof(T) == 4 ? FLT_EPSILON : DBL_EPSILON;
    double squares[LANES], bounds[LANES];
    unsigned proved = 0;
    for (int attempt = exact ? 1 : 0; attempt < 2 && proved != which; attempt++) {
        unsigned ok = 0;
        if (attempt)
            NAME(inverse)(m, r, W, beta, work, squares);
        else {
            VEC product;
            NAME(comparison)(m, r, W, beta, work, &product);
            for (int l = 0; l < LANES; l++)
                squares[l] = (double)product[l] * (1 + 8 * (double)(r * r) * eps);
        }
        for (int l = 0; l < LANES; l++) {
            bounds[l] = 1 / sqrt(squares[l]) - margins[l];
            ok |= (unsigned)(bounds[l] > high[l]) << l;
        }
        ok &= which & ~proved;
        for (int l = 0; l < LANES; l++) lower[l] = ok >> l & 1 ? bounds[l] : lower[l];
        proved |= ok;
    }
    return proved;
}

/* squares (lanes) := ||R22||_F^2, with zeros below the diagonal, or of a full Y */
FASTSUB_ALWAYS void NAME(left)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t r, int full, const VEC *W,
                               const VEC *beta, double *squares)
{
    VEC sum = {0};
    for (ptrdiff_t j = r; j < n; j++) {
        const ptrdiff_t end = full ? n : j;
        for (ptrdiff_t i = (j * m + r) * P; i < (j * m + end) * P; i++) sum += W[i] * W[i];
        if (!full) sum += beta[j] * beta[j];
    }
    for (int l = 0; l < LANES; l++) squares[l] = (double)sum[l];
}

/* T11 and Y in place of R11 and R22, in the lanes of `which`; v (n - r) */
FASTSUB_ALWAYS void NAME(reduce_rows)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t r, const MASK *which,
                                      VEC *W, VEC *beta, VEC *v)
{
    const ptrdiff_t count = n - r;
    const VEC zero = {0};
    VEC *Y = W + r * m * P;
    for (ptrdiff_t j = 0; j < count; j++) {
        VEC *a = Y + (j * m + r + j) * P;
        memset(a, 0, (size_t)((count - j) * P) * sizeof(VEC));
        a[0] = beta[r + j];
    }
    for (ptrdiff_t i = r - 1; i >= 0; i--) {
        VEC norm = beta[i] * beta[i], sum = {0};
        for (ptrdiff_t j = 0; j < count; j++)
            for (int p = 0; p < P; p++) sum += Y[(j * m + i) * P + p] * Y[(j * m + i) * P + p];
        norm += sum;
        NAME(root)(&norm);
        norm = WHERE(beta[i] >= zero, -norm, norm);
        const MASK some = *which & (sum > zero);
        const VEC gap = beta[i] - norm;
        const VEC tau = WHERE(some, -gap / norm, zero), scale = WHERE(some, 1 / gap, zero);
        for (ptrdiff_t j = 0; j < count; j++)
            for (int p = 0; p < P; p++) v[j * P + p] = Y[(j * m + i) * P + p] * scale;
        beta[i] = WHERE(some, norm, beta[i]);
        /* Rows above, and those of Y, of which column i is not needed: row -= tau (row v^H) v */
        for (ptrdiff_t q = 0; q < i + count; q++) {
            const ptrdiff_t h = q < i ? q : q - i + r;
            VEC *x = W + (i * m + h) * P, *y = Y + h * P, d[2] = {{0}};
            if (h < i)
                for (int p = 0; p < P; p++) d[p] = x[p];
            for (ptrdiff_t j = 0; j < count; j++) {
                const VEC *a = y + j * m * P, *b = v + j * P;
                d[0] += a[0] * b[0];
#if CPLX
                d[0] += a[1] * b[1];
                d[1] += a[1] * b[0];
                d[1] -= a[0] * b[1];
#endif
            }
            for (int p = 0; p < P; p++) d[p] *= tau;
            if (h < i)
                for (int p = 0; p < P; p++) x[p] -= d[p];
            for (ptrdiff_t j = 0; j < count; j++) {
                VEC *a = y + j * m * P;
                const VEC *b = v + j * P;
                a[0] -= d[0] * b[0];
#if CPLX
                a[0] += d[1] * b[1];
                a[1] -= d[0] * b[1];
                a[1] -= d[1] * b[0];
#endif
            }
        }
    }
}

FASTSUB_VARIANTS
static unsigned NAME(factor)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t extra, const double *rtol,
                             const double *tol, int exact, int below, void *W_, void *beta_,
                             void *tau_, void *work_, double *bounds, ptrdiff_t *ranks)
{
    const double eps = sizeof(T) == 4 ? FLT_EPSILON : DBL_EPSILON;
    const double safe = sizeof(T) == 4 ? 0x1p80 : 0x1p400;
    const double margin = sqrt((double)m) * eps / 2 * (CPLX ? 1.4142135623730951 : 1);
    VEC *W = W_, *beta = beta_, *tau = tau_, *work = work_, least = {0}, doubt;
    MASK first = (MASK){0} + (BITS)n;
    double norm[LANES], widest[LANES], low[LANES], high[LANES], margins[LANES], squares[LANES];
    unsigned alive = 0, proved = 0, rest = 0;
    for (int l = 0; l < LANES; l++) norm[l] = widest[l] = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        NAME(sumsq)(0, m, 1, W + j * m * P, squares);
        for (int l = 0; l < LANES; l++) {
            norm[l] += squares[l];
            widest[l] = squares[l] > widest[l] ? squares[l] : widest[l];
        }
    }
    for (int l = 0; l < LANES; l++) {
        const double mean = norm[l] / (double)n, square = widest[l] > mean ? widest[l] : mean;
        /* Not for NaN either. */
        alive |= (unsigned)((norm[l] > 1 / safe) & (norm[l] < safe)) << l;
        low[l] = sqrt(square) * (1 - (double)(m + n) * eps);
        norm[l] = sqrt(norm[l]) * (1 + (double)(m + n) * eps);
        bounds[l] = tol[l] + rtol[l] * low[l];
        high[l] = tol[l] + rtol[l] * norm[l];
        margins[l] = 2 * margin * norm[l];
        bounds[2 * LANES + l] = 0;
        ranks[l] = n;
        doubt[l] = (T)(DOUBT * DOUBT * high[l] * high[l]);
    }
    if (!alive) return 0;
    for (ptrdiff_t k = 0; k < n; k++) {
        VEC total;
        NAME(step)(m, k, n + extra - k - 1, W, beta, tau, work, &total);
        least = k ? MIN(total, least) : total;
        const MASK open = (total <= doubt) & (first == (BITS)n);
        first = (open & (BITS)k) | (~open & first);
    }
    for (int l = 0; l < LANES; l++)
        rest |= (unsigned)((double)least[l] > high[l] * high[l]) << l;
    rest &= alive;
    if (rest) proved = NAME(above)(m, n, exact, rest, margins, high, W, beta, work, bounds + LANES);
    rest = below ? alive & ~proved : 0;
    while (rest) {
        /* Lanes of one proposal at a time. */
        ptrdiff_t r = 0;
        unsigned same = 0, found = 0, enough = 0;
        for (int l = LANES - 1; l >= 0; l--)
            if (rest >> l & 1) r = (ptrdiff_t)first[l];
        for (int l = 0; l < LANES; l++)
            if (rest >> l & 1 && first[l] == (BITS)r) same |= 1u << l;
        rest &= ~same;
        if (r == 0 || r == n) continue;
        for (int sweeps = 1; sweeps <= (below == FASTSUB_ANY_RANK ? 2 : 1); sweeps++) {
            if (sweeps == 2) {
                MASK which;
                same &= ~found;
                if (!same) break;
                for (int l = 0; l < LANES; l++) which[l] = -(BITS)(same >> l & 1);
                NAME(reduce_rows)(m, n, r, &which, W, beta, work);
            }
            NAME(left)(m, n, r, sweeps == 2, W, beta, squares);
            enough = 0;
            for (int l = 0; l < LANES; l++) {
                const double rounding = sweeps * margin * norm[l];
                const double remains = sqrt(squares[l]) * (1 + (double)(n * n) * eps);
                margins[l] = rounding + margin * norm[l];
                if (!(same >> l & 1) || !(remains + rounding <= bounds[l])) continue;
                if (below == FASTSUB_CLEAN && !(remains <= 20 * eps * low[l])) continue;
                enough |= 1u << l;
                bounds[2 * LANES + l] = remains + rounding;
            }
            if (!enough) continue;
            found |= NAME(above)(m, r, exact, enough, margins, high, W, beta, work,
                                 bounds + LANES);
        }
        for (int l = 0; l < LANES; l++)
            if (found >> l & 1) ranks[l] = r;
        proved |= found;
    }
    return proved;
}
