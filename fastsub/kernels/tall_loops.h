/* The functions of tall.h for one dtype; T, CPLX (0 or 1) and NAME are defined by the includer.

   Row i of a strip stands at S + i*LD: eight real parts, then (CPLX) eight imaginary parts; arrays
   outside interleave them. Reflectors are LAPACK's: H = I - tau v v^H, v = (1; x / (alpha - beta)),
   H^H (alpha; x) = (beta; 0). */

#define L FASTSUB_LANES
#define LD (L * (1 + CPLX))
#define P (1 + CPLX)
#define VEC NAME(vec)
#define ROW(S, i) ((VEC *)((S) + (i) * LD))

typedef T VEC __attribute__((vector_size(L * sizeof(T))));

FASTSUB_WIDEST
static void NAME(load)(ptrdiff_t m, ptrdiff_t count, const void *A_, ptrdiff_t lda, void *S_)
{
    const T *A = A_;
    T *S = S_;
    /* Sixteen rows at a time: both sides stay in the cache. */
    for (ptrdiff_t first = 0; first < m; first += 16) {
        const ptrdiff_t end = first + 16 < m ? first + 16 : m;
        for (ptrdiff_t c = 0; c < L; c++)
            for (ptrdiff_t i = first; i < end; i++) {
                S[i * LD + c] = c < count ? A[(i + c * lda) * P] : 0;
                if (CPLX) S[i * LD + c + CPLX * L] = c < count ? A[(i + c * lda) * P + CPLX] : 0;
            }
    }
}

FASTSUB_WIDEST
static void NAME(store)(ptrdiff_t m, ptrdiff_t count, const void *S_, void *A_, ptrdiff_t lda)
{
    const T *S = S_;
    T *A = A_;
    for (ptrdiff_t first = 0; first < m; first += 16) {
        const ptrdiff_t end = first + 16 < m ? first + 16 : m;
        for (ptrdiff_t c = 0; c < count; c++)
            for (ptrdiff_t i = first; i < end; i++) {
                A[(i + c * lda) * P] = S[i * LD + c];
                if (CPLX) A[(i + c * lda) * P + CPLX] = S[i * LD + c + CPLX * L];
            }
    }
}

/* (w, wi) (8 rows) := V^H S */
FASTSUB_INLINE void NAME(products)(ptrdiff_t m, const T *V, const T *S, VEC *total, VEC *total_i)
{
    for (int l = 0; l < L; l++) total[l] = total_i[l] = (VEC){0};
    for (ptrdiff_t first = 0; first < m; first += FASTSUB_CHUNK) {
        const ptrdiff_t end = first + FASTSUB_CHUNK < m ? first + FASTSUB_CHUNK : m;
        VEC w[L], wi[L];
#pragma GCC unroll 8
        for (int l = 0; l < L; l++) w[l] = wi[l] = (VEC){0};
        for (ptrdiff_t i = first; i < end; i++) {
            const T *v = V + i * LD;
            const VEC s = ROW(S, i)[0];
#if CPLX
            const VEC si = ROW(S, i)[1];
#endif
#pragma GCC unroll 8
            for (int l = 0; l < L; l++) {
                w[l] += v[l] * s;
#if CPLX
                w[l] += v[l + L] * si;
                wi[l] += v[l] * si;
                wi[l] -= v[l + L] * s;
#endif
            }
        }
#pragma GCC unroll 8
        for (int l = 0; l < L; l++) total[l] += w[l], total_i[l] += wi[l];
    }
}

FASTSUB_WIDEST
static void NAME(cross)(ptrdiff_t m, const void *V, const void *S, void *G_)
{
    VEC w[L], wi[L], *G = G_;
    NAME(products)(m, V, S, w, wi);
    for (int l = 0; l < L; l++) {
        G[l * P] = w[l];
        if (CPLX) G[l * P + CPLX] = wi[l];
    }
}

FASTSUB_WIDEST
static void NAME(apply)(ptrdiff_t m, const void *V_, const void *T_, void *S_)
{
    const T *V = V_, *C = T_;
    T *S = S_;
    VEC w[L], wi[L], y[L], yi[L];
    NAME(products)(m, V, S, w, wi);
    /* y := -T^H w */
    for (int l = 0; l < L; l++) {
        y[l] = yi[l] = (VEC){0};
        for (int p = 0; p <= l; p++) {
            y[l] -= C[l * LD + p] * w[p];
#if CPLX
            y[l] -= C[l * LD + p + L] * wi[p];
            yi[l] -= C[l * LD + p] * wi[p];
            yi[l] += C[l * LD + p + L] * w[p];
#endif
        }
    }
    /* One rounding of S, not eight: the sum is smaller than what it is added to. */
    for (ptrdiff_t i = 0; i < m; i++) {
        const T *v = V + i * LD;
        VEC s = v[0] * y[0];
#if CPLX
        VEC si = v[0] * yi[0];
        s -= v[L] * yi[0];
        si += v[L] * y[0];
#endif
#pragma GCC unroll 8
        for (int l = 1; l < L; l++) {
            s += v[l] * y[l];
#if CPLX
            s -= v[l + L] * yi[l];
            si += v[l] * yi[l];
            si += v[l + L] * y[l];
#endif
        }
        ROW(S, i)[0] += s;
#if CPLX
        ROW(S, i)[1] += si;
#endif
    }
}

/* (*re, *im) := sum of conj(x) S[i], x in lane c, over rows from `first` on; before that, where
   `reflect`, S := S - x y, x in lane c - 1. So a strip is read and written once a column. */
#if CPLX
#define STEP(i, q)                                                                              \
    {                                                                                           \
        const T *s = S + (i) * LD;                                                              \
        VEC x = ROW(S, i)[0], xi = ROW(S, i)[1];                                                \
        if (reflect) {                                                                          \
            const T a = s[c - 1], ai = s[c - 1 + L];                                            \
            x = x - a * y + ai * yi, xi = xi - a * yi - ai * y;                                 \
            ROW(S, i)[0] = x, ROW(S, i)[1] = xi;                                                \
        }                                                                                       \
        sum[q] += x[c] * x + xi[c] * xi;                                                        \
        sum_i[q] += x[c] * xi - xi[c] * x;                                                      \
    }
#else
#define STEP(i, q)                                                                              \
    {                                                                                           \
        VEC x = ROW(S, i)[0];                                                                   \
        if (reflect) ROW(S, i)[0] = x = x - S[(i) * LD + c - 1] * y;                            \
        sum[q] += x[c] * x;                                                                     \
    }
#endif

FASTSUB_INLINE void NAME(sweep)(ptrdiff_t first, ptrdiff_t m, int c, int reflect, T *S,
                                const VEC *y_, VEC *re, VEC *im)
{
    const VEC y = y_[0];
#if CPLX
    const VEC yi = y_[1];
#endif
    VEC total = {0}, total_i = {0};
    for (; first < m; first += FASTSUB_CHUNK) {
        const ptrdiff_t end = first + FASTSUB_CHUNK < m ? first + FASTSUB_CHUNK : m;
        VEC sum[4], sum_i[4];
        ptrdiff_t i = first;
        for (int q = 0; q < 4; q++) sum[q] = sum_i[q] = (VEC){0};
        for (; i + 4 <= end; i += 4) {
            STEP(i, 0)
            STEP(i + 1, 1)
            STEP(i + 2, 2)
            STEP(i + 3, 3)
        }
        for (; i < end; i++) STEP(i, 0)
        total += (sum[0] + sum[1]) + (sum[2] + sum[3]);
        total_i += (sum_i[0] + sum_i[1]) + (sum_i[2] + sum_i[3]);
    }
    *re = total, *im = total_i;
}
#undef STEP

/* S := S diag(by). */
FASTSUB_INLINE void NAME(rescale)(ptrdiff_t m, T *S, const VEC *by, const VEC *by_i)
{
    for (ptrdiff_t i = 0; i < m; i++) {
        const VEC x = ROW(S, i)[0];
#if CPLX
        const VEC xi = ROW(S, i)[1];
        ROW(S, i)[0] = x * *by - xi * *by_i;
        ROW(S, i)[1] = xi * *by + x * *by_i;
#else
        ROW(S, i)[0] = x * *by;
#endif
    }
    (void)by_i;
}

/* Until the end lanes hold x of v = scale x below the diagonal, the scales of lanes that are done
   stand in (done, done_i). With c known in each of the eight copies of the loop a lane is a
   constant, which halves the time. */
FASTSUB_WIDEST
static int NAME(factor)(ptrdiff_t m, ptrdiff_t count, double floor, void *S_, void *R_, void *T_)
{
    T *S = S_, *R = R_, *C = T_, beta[L];
    VEC re, im, y[2] = {{0}}, done = {0}, done_i = {0};
    memset(C, 0, L * LD * sizeof(T));
    done += 1;
    NAME(sweep)(1, m, 0, 0, S, y, &re, &im);
#pragma GCC unroll 8
    for (int c = 0; c < L; c++) {
        if (c == count) break;
        T *row = S + c * LD, tau = 0, scale = 0;
        VEC after = {0}, unit = {0}, r = *(VEC *)row, w, t = {0};
        for (int j = 0; j < L; j++) after[j] = j > c, unit[j] = j == c;
        double a = row[c], ai = CPLX ? row[c + CPLX * L] : 0, square = a * a + ai * ai + re[c];
        if (!(square > floor)) return -1;
        beta[c] = row[c];
#if CPLX
        VEC ri = ((VEC *)row)[1], wi, ti = {0};
        T tau_i = 0, scale_i = 0;
#endif
        if (re[c] != 0 || ai != 0) {
            const double norm = a >= 0 ? -sqrt(square) : sqrt(square), gap = a - norm;
#if CPLX
            const double size = 1 / (gap * gap + ai * ai);
            scale = (T)(gap * size), scale_i = (T)(-ai * size);
            tau_i = (T)(-ai / norm);
#else
            scale = (T)(1 / gap);
#endif
            tau = (T)(-gap / norm);
            beta[c] = (T)norm;
        }
        /* w = v^H S; in lanes before c it is V^H v, conjugated, and T's column -tau T V^H v. */
#if CPLX
        w = r + scale * re + scale_i * im;
        wi = ri + scale * im - scale_i * re;
        const VEC raw = w;
        w = raw * done - wi * done_i, wi = wi * done + raw * done_i;
        for (int p = 0; p < c; p++) {
            const VEC *column = (const VEC *)(C + p * LD);
            t -= w[p] * column[0] + wi[p] * column[1];
            ti += wi[p] * column[0] - w[p] * column[1];
        }
        ((VEC *)C)[2 * c] = tau * t - tau_i * ti + tau * unit;
        ((VEC *)C)[2 * c + 1] = tau * ti + tau_i * t + tau_i * unit;
        const VEC z = (tau * w + tau_i * wi) * after, zi = (tau * wi - tau_i * w) * after;
        ((VEC *)row)[0] = r - z, ((VEC *)row)[1] = ri - zi;
        y[0] = scale * z - scale_i * zi, y[1] = scale * zi + scale_i * z;
        done_i += scale_i * unit;
#else
        w = (r + scale * re) * done;
        for (int p = 0; p < c; p++) t -= w[p] * ((const VEC *)C)[p];
        ((VEC *)C)[c] = tau * t + tau * unit;
        const VEC z = tau * w * after;
        *(VEC *)row = r - z;
        y[0] = scale * z;
#endif
        done = done * (1 - unit) + scale * unit;
        if (c + 1 < L && c + 1 < m) {
            VEC ignored, ignored_i;
            NAME(sweep)(c + 1, c + 2, (c + 1) % L, 1, S, y, &ignored, &ignored_i);
            NAME(sweep)(c + 2, m, (c + 1) % L, 1, S, y, &re, &im);
        }
    }
    memcpy(R, S, (size_t)(count * LD) * sizeof(T));
    NAME(rescale)(m, S, &done, &done_i);
    for (ptrdiff_t i = 0; i < count; i++) {
        R[i * LD + i] = beta[i];
        if (CPLX) R[i * LD + i + CPLX * L] = 0;
        for (ptrdiff_t c = i; c < L; c++) {
            S[i * LD + c] = c == i;
            if (CPLX) S[i * LD + c + CPLX * L] = 0;
        }
    }
    return 0;
}

static const fastsub_tall NAME(functions) = {
    P * sizeof(T), NAME(load), NAME(store), NAME(apply), NAME(cross), NAME(factor),
};

#undef L
#undef LD
#undef P
#undef ROW
#undef VEC
#undef T
#undef CPLX
#undef NAME
