/* The functions of strips.h for one dtype; T, CPLX (0 or 1) and NAME are defined by the includer.

   Row i of a strip stands at S + i*LD: eight real parts, then (CPLX) eight imaginary parts. User
   arrays interleave them. Reflectors are LAPACK's: H = I - tau v v^H, v = (1; x / (alpha - beta)),
   H^H (alpha; x) = (beta; 0); a strip of them is I - V T V^H (Schreiber & Van Loan 1989), with
   zeros above and ones on the diagonal of V stored, so that V is read as it stands. */

#define LD (FASTSUB_LANES * (1 + CPLX))
#define VEC NAME(vec)

typedef T VEC __attribute__((vector_size(FASTSUB_LANES * sizeof(T))));

static double NAME(magnitude)(ptrdiff_t m, ptrdiff_t n, const void *A_, ptrdiff_t rs, ptrdiff_t cs)
{
    double largest = 0;
    for (ptrdiff_t i = 0; i < m; i++)
        for (ptrdiff_t j = 0; j < n; j++)
            for (int p = 0; p < 1 + CPLX; p++) {
                double x = fabs((double)((const T *)A_)[(i * rs + j * cs) * (1 + CPLX) + p]);
                if (!(x <= largest)) largest = x;
                if (x != x) return x;
            }
    return largest;
}

FASTSUB_WIDEST
static double NAME(sumsq)(ptrdiff_t m, ptrdiff_t n, const void *A_, ptrdiff_t rs, ptrdiff_t cs,
                          double scale, double *widest)
{
    const T *A = A_;
    const ptrdiff_t P = 1 + CPLX;
    double total = 0;
    *widest = 0;
    for (ptrdiff_t i = 0; i < m; i++) {
        const T *a = A + i * rs * P;
        double row = 0;
        if (cs == 1) {
            _Pragma("omp simd reduction(+:row)")
            for (ptrdiff_t j = 0; j < n * P; j++) row += (scale * a[j]) * (scale * a[j]);
        } else {
            for (ptrdiff_t j = 0; j < n; j++)
                for (int p = 0; p < 1 + CPLX; p++) {
                    double x = scale * a[j * cs * P + p];
                    row += x * x;
                }
        }
        total += row;
        *widest = row > *widest ? row : *widest;
    }
    return total;
}

/* Every ||A x|| / ||x|| is a lower bound (Rayleigh-Ritz); the first x is A's largest row. */
FASTSUB_INLINE double NAME(power)(ptrdiff_t m, ptrdiff_t n, const void *A_, ptrdiff_t rs,
                                  ptrdiff_t cs, double scale_, int steps, void *x_, void *z_)
{
    const T *A = A_, scale = (T)scale_;
    const ptrdiff_t P = 1 + CPLX;
    T *x = x_, *z = z_;
    double best = 0, widest = 0;
    for (ptrdiff_t i = 0; i < m; i++) {
        double row = 0;
        const T *a = A + i * rs * P;
        _Pragma("omp simd reduction(+:row)")
        for (ptrdiff_t j = 0; j < n; j++) {
            double re = scale_ * a[j * cs * P], im = CPLX ? scale_ * a[j * cs * P + CPLX] : 0;
            row += re * re + im * im;
        }
        if (!(row > widest)) continue;
        widest = row;
        for (ptrdiff_t j = 0; j < n; j++) {
            x[j * P] = scale * a[j * cs * P];
            if (CPLX) x[j * P + CPLX] = -scale * a[j * cs * P + CPLX];
        }
    }
    for (int step = 0; step < steps; step++) {
        double image = 0, length = 0;
        for (ptrdiff_t j = 0; j < n * P; j++) length += (double)x[j] * x[j];
        if (!(length > 0)) break;
        const T unit = (T)(1 / sqrt(length));
        for (ptrdiff_t j = 0; j < n * P; j++) z[j] = 0, x[j] = x[j] * unit * scale;
        for (ptrdiff_t i = 0; i < m; i++) {
            const T *a = A + i * rs * P;
            T re = 0, im = 0;
            _Pragma("omp simd reduction(+:re,im)")
            for (ptrdiff_t j = 0; j < n; j++) {
                const T *y = a + j * cs * P;
                re += y[0] * x[j * P] - (CPLX ? y[CPLX] * x[j * P + CPLX] : 0);
                if (CPLX) im += y[0] * x[j * P + CPLX] + y[CPLX] * x[j * P];
            }
            image += (double)re * re + (double)im * im;
            re *= scale, im *= scale;
            _Pragma("omp simd")
            for (ptrdiff_t j = 0; j < n; j++) {
                const T *y = a + j * cs * P;
                z[j * P] += re * y[0] + (CPLX ? im * y[CPLX] : 0);
                if (CPLX) z[j * P + CPLX] += im * y[0] - re * y[CPLX];
            }
        }
        image = sqrt(image);
        best = image > best ? image : best;
        for (ptrdiff_t j = 0; j < n * P; j++) x[j] = z[j];
    }
    return best;
}

FASTSUB_WIDEST
static double NAME(sigma_1)(ptrdiff_t m, ptrdiff_t n, const void *A, ptrdiff_t rs, ptrdiff_t cs,
                            double scale, int steps, void *x, void *z)
{
    /* A stride known to be 1 makes vectors of the loops. */
    if (cs == 1) return NAME(power)(m, n, A, rs, 1, scale, steps, x, z);
    return NAME(power)(m, n, A, rs, cs, scale, steps, x, z);
}

FASTSUB_WIDEST
static void NAME(load)(ptrdiff_t m, ptrdiff_t count, const void *A_, ptrdiff_t rs, ptrdiff_t cs,
                       int conjugate, double scale_, void *S_)
{
    const T *A = A_;
    T *S = S_, scale = (T)scale_, im_scale = conjugate ? -scale : scale;
    const ptrdiff_t P = 1 + CPLX;
    for (ptrdiff_t i = 0; i < m; i++) {
        const T *a = A + i * rs * P;
        T *s = S + i * LD;
        if (!CPLX && cs == 1 && count == FASTSUB_LANES) {
            for (int c = 0; c < FASTSUB_LANES; c++) s[c] = scale * a[c];
            continue;
        }
        for (ptrdiff_t c = 0; c < FASTSUB_LANES; c++) {
            s[c] = c < count ? scale * a[c * cs * P] : 0;
            if (CPLX) s[c + CPLX * FASTSUB_LANES] = c < count ? im_scale * a[c * cs * P + CPLX] : 0;
        }
    }
}

FASTSUB_WIDEST
static void NAME(store)(ptrdiff_t m, ptrdiff_t count, const void *S_, void *A_)
{
    const T *S = S_;
    T *A = A_;
    for (ptrdiff_t c = 0; c < count; c++)
        for (ptrdiff_t i = 0; i < m; i++, A += 1 + CPLX) {
            A[0] = S[i * LD + c];
            if (CPLX) A[CPLX] = S[i * LD + c + CPLX * FASTSUB_LANES];
        }
}

FASTSUB_WIDEST
static void NAME(identity)(ptrdiff_t m, ptrdiff_t first, void *S_)
{
    T *S = S_;
    memset(S, 0, (size_t)(m * LD) * sizeof(T));
    for (ptrdiff_t c = 0; c < FASTSUB_LANES && first + c < m; c++) S[(first + c) * LD + c] = 1;
}

FASTSUB_WIDEST
static void NAME(apply)(ptrdiff_t m, const void *V_, const void *T_, int adjoint, void *S_)
{
    const T *V = V_, *C = T_;
    T *S = S_;
    VEC w[FASTSUB_LANES], y[FASTSUB_LANES];
#if CPLX
    VEC wi[FASTSUB_LANES], yi[FASTSUB_LANES];
#endif
#pragma GCC unroll 8
    for (int l = 0; l < FASTSUB_LANES; l++) {
        w[l] = (VEC){0};
#if CPLX
        wi[l] = (VEC){0};
#endif
    }
    for (ptrdiff_t i = 0; i < m;) {
        const ptrdiff_t end = i + FASTSUB_RUN < m ? i + FASTSUB_RUN : m;
        VEC part[FASTSUB_LANES];
#if CPLX
        VEC part_i[FASTSUB_LANES];
#endif
#pragma GCC unroll 8
        for (int l = 0; l < FASTSUB_LANES; l++) {
            part[l] = (VEC){0};
#if CPLX
            part_i[l] = (VEC){0};
#endif
        }
        for (; i < end; i++) {
            const T *v = V + i * LD;
            VEC s = *(const VEC *)(S + i * LD);
#if CPLX
            VEC si = *(const VEC *)(S + i * LD + FASTSUB_LANES);
#endif
#pragma GCC unroll 8
            for (int l = 0; l < FASTSUB_LANES; l++) {
                part[l] += v[l] * s;
#if CPLX
                part[l] += v[l + FASTSUB_LANES] * si;
                part_i[l] += v[l] * si;
                part_i[l] -= v[l + FASTSUB_LANES] * s;
#endif
            }
        }
#pragma GCC unroll 8
        for (int l = 0; l < FASTSUB_LANES; l++) {
            w[l] += part[l];
#if CPLX
            wi[l] += part_i[l];
#endif
        }
    }
    /* y := -T w or -T^H w */
#pragma GCC unroll 8
    for (int l = 0; l < FASTSUB_LANES; l++) {
        y[l] = (VEC){0};
#if CPLX
        yi[l] = (VEC){0};
#endif
#pragma GCC unroll 8
        for (int p = 0; p < FASTSUB_LANES; p++) {
            T re = adjoint ? C[l * LD + p] : C[p * LD + l];
            y[l] -= re * w[p];
#if CPLX
            T im = adjoint ? -C[l * LD + p + FASTSUB_LANES] : C[p * LD + l + FASTSUB_LANES];
            y[l] += im * wi[p];
            yi[l] -= re * wi[p];
            yi[l] -= im * w[p];
#endif
        }
    }
    for (ptrdiff_t i = 0; i < m; i++) {
        const T *v = V + i * LD;
        VEC s = *(const VEC *)(S + i * LD);
#if CPLX
        VEC si = *(const VEC *)(S + i * LD + FASTSUB_LANES);
#endif
#pragma GCC unroll 8
        for (int l = 0; l < FASTSUB_LANES; l++) {
            s += v[l] * y[l];
#if CPLX
            s -= v[l + FASTSUB_LANES] * yi[l];
            si += v[l] * yi[l];
            si += v[l + FASTSUB_LANES] * y[l];
#endif
        }
        *(VEC *)(S + i * LD) = s;
#if CPLX
        *(VEC *)(S + i * LD + FASTSUB_LANES) = si;
#endif
    }
}

/* (re, im) := sum over i in [first, m) of conj(x_i) S[i], x_i in lane c of X */
FASTSUB_INLINE void NAME(dots)(ptrdiff_t first, ptrdiff_t m, const T *X, ptrdiff_t c, const T *S,
                               VEC *re, VEC *im)
{
    VEC total = {0}, total_i = {0};
    for (ptrdiff_t i = first; i < m;) {
        const ptrdiff_t end = i + FASTSUB_RUN < m ? i + FASTSUB_RUN : m;
        /* Several sums at a time, or each addition waits for the one before. */
        VEC a = {0}, b = {0}, d = {0}, e = {0};
#if CPLX
        VEC ai = {0}, bi = {0}, di = {0}, ei = {0};
        for (; i + 2 <= end; i += 2) {
            const T *x = X + i * LD + c, *z = x + LD;
            const VEC *s = (const VEC *)(S + i * LD);
            a += x[0] * s[0], b += x[FASTSUB_LANES] * s[1];
            ai += x[0] * s[1], bi += x[FASTSUB_LANES] * s[0];
            d += z[0] * s[2], e += z[FASTSUB_LANES] * s[3];
            di += z[0] * s[3], ei += z[FASTSUB_LANES] * s[2];
        }
        for (; i < end; i++) {
            const T *x = X + i * LD + c;
            const VEC *s = (const VEC *)(S + i * LD);
            a += x[0] * s[0], b += x[FASTSUB_LANES] * s[1];
            ai += x[0] * s[1], bi += x[FASTSUB_LANES] * s[0];
        }
        total_i += (ai + di) - (bi + ei);
#else
        for (; i + 4 <= end; i += 4) {
            const T *x = X + i * LD + c;
            const VEC *s = (const VEC *)(S + i * LD);
            a += x[0] * s[0], b += x[LD] * s[1];
            d += x[2 * LD] * s[2], e += x[3 * LD] * s[3];
        }
        for (; i < end; i++) a += X[i * LD + c] * *(const VEC *)(S + i * LD);
#endif
        total += (a + b) + (d + e);
    }
    *re = total;
    *im = total_i;
}

/* Lane c of S becomes v from row k on, T's column c is made, the lanes after c are updated; re and
   im are the dots of lane c from row k + 1 on. norms (8), if any: of what is left of those lanes.
   Returns beta; tau and the square of the new row of R go out. */
FASTSUB_INLINE double NAME(reflector)(ptrdiff_t m, ptrdiff_t k, ptrdiff_t c, T *S, T *C,
                                      const VEC *re_, const VEC *im_, T *norms, double *square)
{
    const VEC re = *re_, im = *im_;
    static const T after_[2 * FASTSUB_LANES] = {[FASTSUB_LANES ... 2 * FASTSUB_LANES - 1] = 1};
    static const T unit_[2 * FASTSUB_LANES] = {[FASTSUB_LANES - 1] = 1};
    T *row = S + k * LD;
    VEC after, unit, r = *(VEC *)row, w, y, t = {0}, sum = {0};
    memcpy(&after, after_ + FASTSUB_LANES - 1 - c, sizeof after);
    memcpy(&unit, unit_ + FASTSUB_LANES - 1 - c, sizeof unit);
    const VEC keep = 1 - unit;
    T alpha = row[c], beta = alpha, tau = 0, scale = 0;
#if CPLX
    VEC ri = *(VEC *)(row + FASTSUB_LANES), wi, yi, ti = {0};
    T alpha_i = row[c + FASTSUB_LANES], tau_i = 0, scale_i = 0;
    const int trivial = re[c] == 0 && alpha_i == 0;
#else
    const T alpha_i = 0;
    const int trivial = re[c] == 0;
#endif
    if (!trivial) {
        double a = alpha, ai = alpha_i, norm = sqrt(a * a + ai * ai + re[c]);
        if (a >= 0) norm = -norm;
        double gap = a - norm;
#if CPLX
        double size = 1 / (gap * gap + ai * ai);
        scale = (T)(gap * size), scale_i = (T)(-ai * size);
        tau_i = (T)(-ai / norm);
#else
        scale = (T)(1 / gap);
#endif
        tau = (T)(-gap / norm);
        beta = (T)norm;
    }
    /* v^H S: row k and conj(scale) times the dots; lanes before c: V^H v, conjugated */
#if CPLX
    w = r + scale * re + scale_i * im;
    wi = ri + scale * im - scale_i * re;
#else
    w = r + scale * re;
    (void)im;
#endif
    /* T's column: -tau T V^H v above tau */
    for (ptrdiff_t p = 0; p < c; p++) {
        const VEC *column = (const VEC *)(C + p * LD);
        t -= w[p] * column[0];
#if CPLX
        t -= wi[p] * column[1];
        ti -= w[p] * column[1];
        ti += wi[p] * column[0];
#endif
    }
#if CPLX
    *(VEC *)(C + c * LD) = tau * t - tau_i * ti + tau * unit;
    *(VEC *)(C + c * LD + FASTSUB_LANES) = tau * ti + tau_i * t + tau_i * unit;
    /* conj(tau) w, where a column is still to come */
    y = (tau * w + tau_i * wi) * after;
    yi = (tau * wi - tau_i * w) * after;
    *(VEC *)row = r -= y;
    *(VEC *)(row + FASTSUB_LANES) = ri -= yi;
#else
    *(VEC *)(C + c * LD) = tau * t + tau * unit;
    y = tau * w * after;
    *(VEC *)row = r -= y;
#endif
    if (norms) {
        VEC rest = r * r * after;
#if CPLX
        rest += ri * ri * after;
#endif
        *square = (double)beta * beta;
        for (int j = 0; j < FASTSUB_LANES; j++) *square += rest[j];
    }
    /* keep clears lane c and the unit puts v there: one store a row. */
    y -= unit;
    for (ptrdiff_t i = k + 1; i < m; i++) {
        T *s = S + i * LD;
#if CPLX
        T v = scale * s[c] - scale_i * s[c + FASTSUB_LANES];
        T vi = scale * s[c + FASTSUB_LANES] + scale_i * s[c];
        VEC a = *(VEC *)s * keep - v * y + vi * yi;
        VEC b = *(VEC *)(s + FASTSUB_LANES) * keep - v * yi - vi * y;
        *(VEC *)(s + FASTSUB_LANES) = b;
        if (norms) sum += a * a + b * b;
#else
        T v = scale * s[c];
        VEC a = *(VEC *)s * keep - v * y;
        if (norms) sum += a * a;
#endif
        *(VEC *)s = a;
    }
    if (norms) {
        sum *= after;
        memcpy(norms, &sum, sizeof sum);
    }
    return beta;
}

/* The `count` first lanes of S, factored from row `top` on: R's strip out, ones and zeros in. What
   the other lanes hold does not matter: T is zero there. */
FASTSUB_INLINE void NAME(seal)(ptrdiff_t top, ptrdiff_t count, const T *beta, T *S, T *R)
{
    memcpy(R, S, (size_t)((top + count) * LD) * sizeof(T));
    for (ptrdiff_t i = 0; i < count; i++) {
        T *s = S + (top + i) * LD;
        R[(top + i) * LD + i] = beta[i];
        if (CPLX) R[(top + i) * LD + i + CPLX * FASTSUB_LANES] = 0;
        for (ptrdiff_t c = 0; c < FASTSUB_LANES; c++) {
            const int keep = c < i || c >= count;
            s[c] = keep ? s[c] : c == i;
            if (CPLX) s[c + CPLX * FASTSUB_LANES] = keep ? s[c + CPLX * FASTSUB_LANES] : 0;
        }
    }
}

FASTSUB_INLINE void NAME(exchange)(ptrdiff_t m, T *a, T *b)
{
    for (ptrdiff_t i = 0; i < m * (1 + CPLX); i++) {
        T x = a[i * FASTSUB_LANES];
        a[i * FASTSUB_LANES] = b[i * FASTSUB_LANES];
        b[i * FASTSUB_LANES] = x;
    }
}

/* Householder QR of the `count` lanes of S (m, 8) from row k on, without pivots. A column whose
   norm below row k fits into what is left of the budget is put aside: left += its square
   (Sid-Lakhdar et al. 2023). The others become reflectors, in the first lanes. Returns the next
   k, or -1 where a column that did not fit is below the floor (budget and floor are squares). */
FASTSUB_WIDEST
static ptrdiff_t NAME(panel)(ptrdiff_t m, ptrdiff_t k, ptrdiff_t count, double budget, double floor,
                             void *S_, void *T_, void *R_, double *left)
{
    const ptrdiff_t top = k;
    T *S = S_, *C = T_, beta[FASTSUB_LANES];
    memset(C, 0, FASTSUB_LANES * LD * sizeof(T));
    /* With c known in each of eight copies a lane is a constant. */
#pragma GCC unroll 8
    for (int c = 0; c < FASTSUB_LANES; c++) {
        VEC re, im;
        double norm;
        for (;;) {
            const T *row = S + k * LD;
            if (c >= count || k >= m) goto sealed;
            NAME(dots)(k + 1, m, S, c, S, &re, &im);
            norm = re[c] + (double)row[c] * row[c];
            if (CPLX) norm += (double)row[c + CPLX * FASTSUB_LANES] * row[c + CPLX * FASTSUB_LANES];
            if (!(*left + norm <= budget)) break;
            *left += norm;
            if (--count != c) NAME(exchange)(m, S + c, S + count);
        }
        if (!(norm > floor)) return -1;
        beta[c] = (T)NAME(reflector)(m, k, c, S, C, &re, &im, NULL, NULL);
        k++;
    }
sealed:
    NAME(seal)(top, k - top, beta, S, R_);
    return k;
}

/* The same with pivots: a lane whose norm is far from the largest waits. It ends where the largest
   is small beside `other`, the largest of the columns elsewhere, or no more than `stop` is left,
   `rest` of it elsewhere (all squares). Lanes that were not taken keep their columns, norms
   (8) theirs. rows (m) := squares of R's rows within the strip. */
FASTSUB_WIDEST
static ptrdiff_t NAME(pivoted_panel)(ptrdiff_t m, ptrdiff_t k, ptrdiff_t count, double other,
                                     double rest, double stop, void *S_, void *T_, void *R_,
                                     void *norms_, double *rows)
{
    T *S = S_, *C = T_, *norms = norms_, beta[FASTSUB_LANES];
    const ptrdiff_t top = k;
    ptrdiff_t c = 0;
    memset(C, 0, FASTSUB_LANES * LD * sizeof(T));
    while (c < count && k < m) {
        VEC re, im;
        double sum = rest;
        ptrdiff_t best = c;
        for (ptrdiff_t j = c; j < count; j++) {
            sum += norms[j];
            if (norms[j] > norms[best]) best = j;
        }
        if (sum <= stop || (c > 0 && norms[best] < 0.1 * other)) break;
        if (norms[c] < 0.25 * norms[best]) {
            NAME(exchange)(m, S + c, S + best);
            norms[best] = norms[c];
        }
        NAME(dots)(k + 1, m, S, c, S, &re, &im);
        beta[c] = (T)NAME(reflector)(m, k, c, S, C, &re, &im, norms, rows + k);
        c++, k++;
    }
    NAME(seal)(top, c, beta, S, R_);
    return k;
}

/* norms (8) := squares of S's columns from row k on; rows[i] += squares of `count` lanes of rows
   top <= i < k. */
FASTSUB_WIDEST
static void NAME(measure)(ptrdiff_t m, ptrdiff_t top, ptrdiff_t k, ptrdiff_t count, const void *S_,
                          void *norms, double *rows)
{
    const T *S = S_;
    VEC sum = {0};
    for (ptrdiff_t i = top; i < k; i++) {
        const VEC *s = (const VEC *)(S + i * LD);
        VEC squares = s[0] * s[0];
        if (CPLX) squares += s[CPLX] * s[CPLX];
        for (ptrdiff_t j = 0; j < count; j++) rows[i] += squares[j];
    }
    for (ptrdiff_t i = k * (1 + CPLX); i < m * (1 + CPLX); i++) {
        VEC s = *(const VEC *)(S + i * FASTSUB_LANES);
        sum += s * s;
    }
    memcpy(norms, &sum, sizeof sum);
}

static double NAME(select)(ptrdiff_t n, const void *norms_, ptrdiff_t *best, double *total)
{
    const T *norms = norms_;
    double sum = 0, largest = 0;
    ptrdiff_t count = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        sum += norms[j];
        largest = norms[j] > largest ? norms[j] : largest;
        if (!best || (count == FASTSUB_LANES && !(norms[j] > norms[best[count - 1]]))) continue;
        ptrdiff_t c = count < FASTSUB_LANES ? count++ : count - 1;
        for (; c > 0 && norms[j] > norms[best[c - 1]]; c--) best[c] = best[c - 1];
        best[c] = j;
    }
    *total = sum;
    return largest;
}

static void NAME(move)(ptrdiff_t m, const void *from_, const void *norms_from, ptrdiff_t j,
                       void *to_, void *norms_to, ptrdiff_t k)
{
    const T *from = (const T *)from_ + (j / FASTSUB_LANES) * m * LD + j % FASTSUB_LANES;
    T *to = (T *)to_ + (k / FASTSUB_LANES) * m * LD + k % FASTSUB_LANES;
    for (ptrdiff_t i = 0; i < m * LD; i += FASTSUB_LANES) to[i] = from[i];
    ((T *)norms_to)[k] = ((const T *)norms_from)[j];
}

/* X = [X0, -X0 R01 X1; 0, X1] (Du Croz & Higham 1992, method 2). */
FASTSUB_WIDEST
static double NAME(invert)(ptrdiff_t s, ptrdiff_t count, const ptrdiff_t *tops, const void *R_,
                           void *X_, ptrdiff_t height)
{
    const ptrdiff_t top = tops[s], end = top + count;
    const T *R = (const T *)R_ + s * height * LD;
    T *X = (T *)X_ + s * height * LD;
    T D[FASTSUB_LANES][LD] __attribute__((aligned(64)));
    double total = 0;
    /* X1 by back substitution; lanes from count on are zero. R's diagonal is real. */
    memset(D, 0, sizeof D);
    for (ptrdiff_t i = count - 1; i >= 0; i--) {
        const T *row = R + (top + i) * LD;
        const T inverse = 1 / row[i];
        VEC x = {0};
#if CPLX
        VEC xi = {0};
#endif
        for (ptrdiff_t l = i + 1; l < count; l++) {
            const VEC *below = (const VEC *)D[l];
            x -= row[l] * below[0];
#if CPLX
            x += row[l + FASTSUB_LANES] * below[1];
            xi -= row[l] * below[1];
            xi -= row[l + FASTSUB_LANES] * below[0];
#endif
        }
        x *= inverse;
        memcpy(D[i], &x, sizeof x);
        D[i][i] = inverse;
#if CPLX
        xi *= inverse;
        memcpy(D[i] + FASTSUB_LANES, &xi, sizeof xi);
#endif
    }
    memcpy(X + top * LD, D, (size_t)(count * LD) * sizeof(T));
    for (ptrdiff_t i = end * LD; i < height * LD && i < (end + FASTSUB_LANES) * LD; i++) X[i] = 0;
    for (ptrdiff_t i = 0; i < top; i++) {
        const T *row = R + i * LD;
        VEC x = {0};
#if CPLX
        VEC xi = {0};
#endif
        for (ptrdiff_t l = 0; l < count; l++) {
            const VEC *d = (const VEC *)D[l];
            x -= row[l] * d[0];
#if CPLX
            x += row[l + FASTSUB_LANES] * d[1];
            xi -= row[l] * d[1];
            xi -= row[l + FASTSUB_LANES] * d[0];
#endif
        }
        *(VEC *)(X + i * LD) = x;
#if CPLX
        *(VEC *)(X + i * LD + FASTSUB_LANES) = xi;
#endif
    }
    /* X0 times that, eight rows at a time, in place: X0 is zero where it would meet what was
       written, and below the end of each of its strips. */
    for (ptrdiff_t first = 0, p = 0; first < top; first += FASTSUB_LANES) {
        VEC x[FASTSUB_LANES];
#if CPLX
        VEC xi[FASTSUB_LANES];
#endif
#pragma GCC unroll 8
        for (int i = 0; i < FASTSUB_LANES; i++) {
            x[i] = (VEC){0};
#if CPLX
            xi[i] = (VEC){0};
#endif
        }
        while (tops[p + 1] <= first) p++;
        for (ptrdiff_t q = p; q < s; q++)
            for (ptrdiff_t l = tops[q]; l < tops[q + 1]; l++) {
                const T *a = (const T *)X_ + q * height * LD + first * LD + (l - tops[q]);
                VEC g = *(const VEC *)(X + l * LD);
#if CPLX
                VEC gi = *(const VEC *)(X + l * LD + FASTSUB_LANES);
#endif
#pragma GCC unroll 8
                for (int i = 0; i < FASTSUB_LANES; i++) {
                    x[i] += a[i * LD] * g;
#if CPLX
                    x[i] -= a[i * LD + FASTSUB_LANES] * gi;
                    xi[i] += a[i * LD] * gi;
                    xi[i] += a[i * LD + FASTSUB_LANES] * g;
#endif
                }
            }
#pragma GCC unroll 8
        for (int i = 0; i < FASTSUB_LANES; i++)
            if (first + i < top) {
                *(VEC *)(X + (first + i) * LD) = x[i];
#if CPLX
                *(VEC *)(X + (first + i) * LD + FASTSUB_LANES) = xi[i];
#endif
            }
    }
    {
        ptrdiff_t size = end * LD;
        _Pragma("omp simd reduction(+:total)")
        for (ptrdiff_t i = 0; i < size; i++) total += (double)X[i] * X[i];
    }
    return total;
}

/* Substitution by columns of R, or by its rows as columns of R^H; R's diagonal is real. */
FASTSUB_WIDEST
static void NAME(solve)(ptrdiff_t k, const void *R_, ptrdiff_t height, int adjoint, void *S_)
{
    T *S = S_;
    for (ptrdiff_t step = 0; step < k; step++) {
        const ptrdiff_t j = adjoint ? step : k - 1 - step;
        const T *column = (const T *)R_ + (j / FASTSUB_LANES) * height * LD + j % FASTSUB_LANES;
        VEC *s = (VEC *)(S + j * LD);
        if (adjoint) {
            VEC sum = {0};
#if CPLX
            VEC sum_i = {0};
#endif
            for (ptrdiff_t i = 0; i < j; i++) {
                const VEC *y = (const VEC *)(S + i * LD);
                sum += column[i * LD] * y[0];
#if CPLX
                sum += column[i * LD + FASTSUB_LANES] * y[1];
                sum_i += column[i * LD] * y[1];
                sum_i -= column[i * LD + FASTSUB_LANES] * y[0];
#endif
            }
            s[0] = (s[0] - sum) / column[j * LD];
#if CPLX
            s[1] = (s[1] - sum_i) / column[j * LD];
#endif
            continue;
        }
        VEC x = s[0] = s[0] / column[j * LD];
#if CPLX
        VEC xi = s[1] = s[1] / column[j * LD];
#endif
        for (ptrdiff_t i = 0; i < j; i++) {
            VEC *y = (VEC *)(S + i * LD);
            y[0] -= column[i * LD] * x;
#if CPLX
            y[0] += column[i * LD + FASTSUB_LANES] * xi;
            y[1] -= column[i * LD] * xi;
            y[1] -= column[i * LD + FASTSUB_LANES] * x;
#endif
        }
    }
}

static const fastsub_strips NAME(strips) = {
    (1 + CPLX) * sizeof(T), 1 + CPLX,
    sizeof(T) == 4 ? 1.1920928955078125e-07 : 2.220446049250313e-16,
    CPLX ? 1.4142135623730951 : 1,
    sizeof(T) == 4 ? 40 : 200,
    sizeof(T) == 4 ? -120 : -1000,
    NAME(magnitude), NAME(sumsq), NAME(sigma_1), NAME(load), NAME(store), NAME(apply), NAME(panel),
    NAME(pivoted_panel), NAME(measure), NAME(select), NAME(move), NAME(invert),
    NAME(solve), NAME(identity),
};

#undef LD
#undef VEC
#undef T
#undef CPLX
#undef NAME
