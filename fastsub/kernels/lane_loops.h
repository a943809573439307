/* The functions of lanes.h for one dtype; T, BITS, CPLX (0 or 1) and NAME are the includer's.

   Reflectors are LAPACK's: H = I - tau v v^H, H^H (alpha; x) = (beta; 0), v = (1; x / (alpha -
   beta)), stored below the diagonal; the diagonal itself lies in beta.

   The proof is that of factor/decide.py at full rank. With R as computed the QR of A + E,

        sigma_n(A) >= 1 / ||R^-1||_2 - ||E||_2,    ||E||_2 <= sqrt(max(m, n)) u ||A||_F

   (the square root law: Higham & Mary 2019, Connolly & Higham 2023; times sqrt 2 when complex), and
   first ||R^-1||_2^2 <= ||M^-1||_1 ||M^-1||_inf for the comparison matrix M of R, m_ii = |r_ii| and
   m_ij = -|r_ij|, whose inverse is nonnegative and at least |R^-1| (Higham 2002, section 8.3): two
   substitutions with M and a vector of ones, without cancellation, so with relative errors of n^2 u
   at most. Where that is too coarse, ||R^-1||_F: a second margin pays for the substitution, R X = I
   + D with |D| <= n u |R| |X| (Higham 2002, theorem 8.5). */

#define P (1 + CPLX)
#define LANES ((ptrdiff_t)(64 / sizeof(T)))
#define VEC NAME(vec)
#define MASK NAME(mask)

typedef T VEC __attribute__((vector_size(64), may_alias));
typedef BITS MASK __attribute__((vector_size(64), may_alias));

/* Vectors are not passed by value: how depends on the machine. */
#define WHERE(which, a, b) ((VEC)(((which) & (MASK)(a)) | (~(which) & (MASK)(b))))
#define ABS(a) ((VEC)((MASK)(a) & (BITS)(sizeof(T) == 4 ? INT32_MAX : INT64_MAX)))
#define MAX(a, b) WHERE((a) > (b), a, b)
/* |re| + |im| is enough of a bound. */
#if CPLX
#define SIZE(a) (ABS((a)[0]) + ABS((a)[1]))
#else
#define SIZE(a) ABS((a)[0])
#endif

FASTSUB_ALWAYS void NAME(root)(VEC *a)
{
    T *x = (T *)a;
    for (int l = 0; l < LANES; l++) x[l] = sizeof(T) == 4 ? (T)sqrtf((float)x[l]) : (T)sqrt(x[l]);
}

FASTSUB_VARIANTS
static void NAME(load)(ptrdiff_t m, ptrdiff_t n, const void *A_, const ptrdiff_t *at, ptrdiff_t rs,
                       ptrdiff_t cs, int conjugate, void *W_)
{
    /* In the order of memory: what has not been read yet is then fetched ahead. */
    const int by_rows = (rs < 0 ? -rs : rs) > (cs < 0 ? -cs : cs);
    const ptrdiff_t outer = by_rows ? m : n, inner = by_rows ? n : m;
    const T *A[LANES];
    for (int l = 0; l < LANES; l++) A[l] = (const T *)A_ + at[l] * P;
    for (ptrdiff_t p = 0; p < outer; p++)
        for (ptrdiff_t q = 0; q < inner; q++) {
            const ptrdiff_t i = by_rows ? p : q, j = by_rows ? q : p;
            const ptrdiff_t place = (i * rs + j * cs) * P;
            T *w = (T *)W_ + (j * m + i) * P * LANES;
            for (int l = 0; l < LANES; l++) w[l] = A[l][place];
            if (!CPLX) continue;
            for (int l = 0; l < LANES; l++)
                w[CPLX * LANES + l] = conjugate ? -A[l][place + CPLX] : A[l][place + CPLX];
        }
}

FASTSUB_VARIANTS
static void NAME(sumsq)(ptrdiff_t first, ptrdiff_t m, ptrdiff_t count, const void *C_,
                        double *squares)
{
    const VEC *C = C_;
    for (ptrdiff_t j = 0; j < count; j++) {
        VEC sum = {0};
        for (ptrdiff_t i = (j * m + first) * P; i < (j + 1) * m * P; i++) sum += C[i] * C[i];
        for (int l = 0; l < LANES; l++) squares[j * LANES + l] = (double)sum[l];
    }
}

/* d (count <= 4) := x^H a over rows [first, m) for columns a of C */
FASTSUB_ALWAYS void NAME(dots)(ptrdiff_t first, ptrdiff_t m, const VEC *x, const VEC *C,
                               const int count, VEC *d)
{
    VEC re[4] = {{0}};
#if CPLX
    VEC im[4] = {{0}};
#endif
    for (ptrdiff_t i = first; i < m; i++)
#pragma GCC unroll 4
        for (int q = 0; q < count; q++) {
            const VEC *a = C + (q * m + i) * P;
            re[q] += x[i * P] * a[0];
#if CPLX
            re[q] += x[2 * i + 1] * a[1];
            im[q] += x[2 * i] * a[1];
            im[q] -= x[2 * i + 1] * a[0];
#endif
        }
#pragma GCC unroll 4
    for (int q = 0; q < count; q++) {
        d[q * P] = re[q];
#if CPLX
        d[2 * q + 1] = im[q];
#endif
    }
}

/* C -= x y^T over rows [first, m), y (count <= 4) */
FASTSUB_ALWAYS void NAME(update)(ptrdiff_t first, ptrdiff_t m, const VEC *x, const VEC *y,
                                 const int count, VEC *C)
{
    for (ptrdiff_t i = first; i < m; i++)
#pragma GCC unroll 4
        for (int q = 0; q < count; q++) {
            VEC *a = C + (q * m + i) * P;
#if CPLX
            VEC re = a[0] - x[2 * i] * y[2 * q], im = a[1] - x[2 * i] * y[2 * q + 1];
            re += x[2 * i + 1] * y[2 * q + 1];
            im -= x[2 * i + 1] * y[2 * q];
            a[0] = re, a[1] = im;
#else
            a[0] -= x[i] * y[q];
#endif
        }
}

/* The reflector of column k, of which d is x^H x: tau, beta; x := v; |r_kk|^2. */
FASTSUB_ALWAYS void NAME(reflector)(ptrdiff_t m, ptrdiff_t k, const VEC *d, VEC *x, VEC *beta,
                                    VEC *tau, VEC *scale, VEC *square)
{
    const VEC zero = {0}, a = x[k * P];
    VEC total = a * a + d[0];
#if CPLX
    const VEC b = x[2 * k + 1];
    const MASK trivial = (d[0] == zero) & (b == zero);
    total += b * b;
#else
    const MASK trivial = d[0] == zero;
#endif
    VEC norm = *square = total;
    NAME(root)(&norm);
    norm = WHERE(a >= zero, -norm, norm);
    const VEC gap = a - norm;
    *beta = WHERE(trivial, a, norm);
    tau[0] = WHERE(trivial, zero, -gap / norm);
#if CPLX
    const VEC inverse = 1 / (gap * gap + b * b);
    tau[1] = WHERE(trivial, zero, -b / norm);
    scale[0] = WHERE(trivial, zero, gap * inverse);
    scale[1] = WHERE(trivial, zero, -b * inverse);
    for (ptrdiff_t i = k + 1; i < m; i++) {
        const VEC re = x[2 * i], im = x[2 * i + 1];
        x[2 * i] = scale[0] * re - scale[1] * im;
        x[2 * i + 1] = scale[0] * im + scale[1] * re;
    }
#else
    scale[0] = WHERE(trivial, zero, 1 / gap);
    for (ptrdiff_t i = k + 1; i < m; i++) x[i] *= scale[0];
#endif
}

/* y := conj(tau) (row + conj(scale) d), row -= y: what H^H does to row k of one column */
FASTSUB_ALWAYS void NAME(weigh)(const VEC *tau, const VEC *scale, VEC *row, VEC *d)
{
#if CPLX
    const VEC re = row[0] + scale[0] * d[0] + scale[1] * d[1];
    const VEC im = row[1] + scale[0] * d[1] - scale[1] * d[0];
    d[0] = tau[0] * re + tau[1] * im;
    d[1] = tau[0] * im - tau[1] * re;
    row[1] -= d[1];
#else
    d[0] = tau[0] * (row[0] + scale[0] * d[0]);
#endif
    row[0] -= d[0];
}

/* Step k of QR on the columns after k, `left` of them; d has room for their dots. */
FASTSUB_ALWAYS void NAME(step)(ptrdiff_t m, ptrdiff_t k, ptrdiff_t left, VEC *W, VEC *beta,
                               VEC *tau, VEC *d, VEC *square)
{
    VEC *x = W + k * m * P, scale[2];
    ptrdiff_t j = 0;
    /* Column k is the first of them. */
    for (; j + 4 <= left + 1; j += 4) NAME(dots)(k + 1, m, x, x + j * m * P, 4, d + j * P);
    for (; j < left + 1; j++) NAME(dots)(k + 1, m, x, x + j * m * P, 1, d + j * P);
    NAME(reflector)(m, k, d, x, beta + k, tau + k * P, scale, square);
    for (j = 1; j <= left; j++) NAME(weigh)(tau + k * P, scale, x + (j * m + k) * P, d + j * P);
    for (j = 1; j + 4 <= left + 1; j += 4)
        NAME(update)(k + 1, m, x, d + j * P, 4, x + j * m * P);
    for (; j < left + 1; j++) NAME(update)(k + 1, m, x, d + j * P, 1, x + j * m * P);
}

/* ||M^-1||_1 ||M^-1||_inf of the comparison matrix; work (n) */
FASTSUB_ALWAYS void NAME(comparison)(ptrdiff_t m, ptrdiff_t n, const VEC *W, const VEC *beta,
                                     VEC *work, VEC *product)
{
    VEC down = {0}, up = {0};
    for (ptrdiff_t i = 0; i < n; i++) work[i] = (VEC){0} + 1;
    for (ptrdiff_t j = n - 1; j >= 0; j--) {
        const VEC z = work[j] / ABS(beta[j]);
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
        work[j] = (1 + a + b) / ABS(beta[j]);
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

FASTSUB_VARIANTS
static unsigned NAME(factor)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t extra, const double *rtol,
                             const double *tol, int exact, void *W_, void *beta_, void *tau_,
                             void *work_, double *bounds)
{
    const double eps = sizeof(T) == 4 ? FLT_EPSILON : DBL_EPSILON;
    const double safe = sizeof(T) == 4 ? 0x1p80 : 0x1p400;
    const double margin = sqrt((double)m) * eps / 2 * (CPLX ? 1.4142135623730951 : 1);
    VEC *W = W_, *beta = beta_, *tau = tau_, *work = work_, floor = {0};
    double norm[LANES], widest[LANES], high[LANES], squares[LANES];
    unsigned alive = 0, proved = 0;
    for (int l = 0; l < LANES; l++) norm[l] = widest[l] = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        NAME(sumsq)(0, m, 1, W + j * m * P, squares);
        for (int l = 0; l < LANES; l++) {
            norm[l] += squares[l];
            widest[l] = squares[l] > widest[l] ? squares[l] : widest[l];
        }
    }
    for (int l = 0; l < LANES; l++) {
        /* Not for NaN either. */
        if (norm[l] > 1 / safe && norm[l] < safe) alive |= 1u << l;
        const double low = sqrt(fmax(widest[l], norm[l] / (double)n));
        norm[l] = sqrt(norm[l]) * (1 + (double)(m + n) * eps);
        bounds[l] = tol[l] >= 0 ? tol[l] : rtol[l] * low * (1 - (double)(m + n) * eps);
        high[l] = tol[l] >= 0 ? tol[l] : rtol[l] * norm[l];
        floor[l] = (T)(high[l] * high[l]);
    }
    if (!alive) return 0;
    for (ptrdiff_t k = 0; k < n; k++) {
        VEC total;
        NAME(step)(m, k, n + extra - k - 1, W, beta, tau, work, &total);
        const MASK enough = total > floor;
        unsigned left = 0;
        for (int l = 0; l < LANES; l++) left |= (unsigned)(enough[l] & 1) << l;
        alive &= left;
        if (!alive) return 0;
    }
    for (int attempt = exact ? 1 : 0; attempt < 2; attempt++) {
        if (attempt)
            NAME(inverse)(m, n, W, beta, work, squares);
        else {
            VEC product;
            NAME(comparison)(m, n, W, beta, work, &product);
            for (int l = 0; l < LANES; l++)
                squares[l] = (double)product[l] * (1 + 8 * (double)(n * n) * eps);
        }
        for (int l = 0; l < LANES; l++) {
            const double lower = 1 / sqrt(squares[l]) - 2 * margin * norm[l];
            if (!(alive >> l & 1) || proved >> l & 1 || !(lower > high[l])) continue;
            proved |= 1u << l;
            bounds[LANES + l] = lower;
            bounds[2 * LANES + l] = 0;
        }
        if (proved == alive) break;
    }
    return proved;
}

FASTSUB_VARIANTS
static void NAME(unit)(ptrdiff_t m, ptrdiff_t first, ptrdiff_t count, void *C_)
{
    VEC *C = C_;
    memset(C, 0, (size_t)(m * count * P) * sizeof(VEC));
    for (ptrdiff_t c = 0; c < count; c++) C[(c * m + first + c) * P] = (VEC){0} + 1;
}

/* Up to four columns of C := H C, H = I - tau v v^H */
FASTSUB_ALWAYS void NAME(reflect)(ptrdiff_t m, ptrdiff_t k, const VEC *v, const VEC *tau,
                                  const int count, VEC *C)
{
    VEC d[8];
    NAME(dots)(k + 1, m, v, C, count, d);
#pragma GCC unroll 4
    for (int q = 0; q < count; q++) {
        VEC *row = C + (q * m + k) * P;
#if CPLX
        const VEC re = row[0] + d[2 * q], im = row[1] + d[2 * q + 1];
        d[2 * q] = tau[0] * re - tau[1] * im;
        d[2 * q + 1] = tau[0] * im + tau[1] * re;
        row[1] -= d[2 * q + 1];
#else
        d[q] = tau[0] * (row[0] + d[q]);
#endif
        row[0] -= d[q * P];
    }
    NAME(update)(k + 1, m, v, d, count, C);
}

FASTSUB_VARIANTS
static void NAME(apply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, const void *W_,
                        const void *tau_, void *C_)
{
    const VEC *W = W_, *tau = tau_;
    VEC *C = C_;
    for (ptrdiff_t k = n - 1; k >= 0; k--) {
        ptrdiff_t c = 0;
        for (; c + 4 <= count; c += 4)
            NAME(reflect)(m, k, W + k * m * P, tau + k * P, 4, C + c * m * P);
        for (; c + 2 <= count; c += 2)
            NAME(reflect)(m, k, W + k * m * P, tau + k * P, 2, C + c * m * P);
        if (c < count) NAME(reflect)(m, k, W + k * m * P, tau + k * P, 1, C + c * m * P);
    }
}

FASTSUB_VARIANTS
static void NAME(solve)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, int adjoint, const void *W_,
                        const void *beta_, void *C_)
{
    const VEC *W = W_, *beta = beta_;
    for (ptrdiff_t q = 0; q < count; q++) {
        VEC *c = (VEC *)C_ + q * m * P;
        if (!adjoint) {
            /* By columns of R: what is found leaves all those above at once. */
            for (ptrdiff_t j = n - 1; j >= 0; j--) {
                for (int p = 0; p < P; p++) c[j * P + p] /= beta[j];
                NAME(update)(0, j, W + j * m * P, c + j * P, 1, c);
            }
            continue;
        }
        for (ptrdiff_t j = 0; j < n; j++) {
            VEC d[2];
            NAME(dots)(0, j, W + j * m * P, c, 1, d);
            for (int p = 0; p < P; p++) c[j * P + p] = (c[j * P + p] - d[p]) / beta[j];
        }
        memset(c + n * P, 0, (size_t)((m - n) * P) * sizeof(VEC));
    }
}

FASTSUB_VARIANTS
static void NAME(store)(ptrdiff_t m, ptrdiff_t rows, ptrdiff_t count, const void *C_,
                        unsigned which, ptrdiff_t step, void *out)
{
    for (ptrdiff_t l = 0; l < LANES; l++) {
        if (!(which >> l & 1)) continue;
        const T *C = (const T *)C_ + l;
        T *x = (T *)((char *)out + l * step);
        for (ptrdiff_t c = 0; c < count; c++)
            for (ptrdiff_t i = 0; i < rows * P; i++) *x++ = C[(c * m * P + i) * LANES];
    }
}

static const fastsub_lanes NAME(table) = {
    64 / sizeof(T), 64 * P,
    NAME(load), NAME(sumsq), NAME(factor), NAME(unit), NAME(apply), NAME(solve), NAME(store),
};

#undef P
#undef WHERE
#undef ABS
#undef MAX
#undef SIZE
#undef LANES
#undef VEC
#undef MASK
#undef T
#undef BITS
#undef CPLX
#undef NAME
