/* Lanes of one dtype: vectors, what goes in and out of them, and the loops that all else is made of.
   Included by lane_loops.h. */

#define P (1 + CPLX)
#define LANES ((ptrdiff_t)(64 / sizeof(T)))
#define VEC NAME(vec)
#define MASK NAME(mask)

typedef T VEC __attribute__((vector_size(64), may_alias));
typedef BITS MASK __attribute__((vector_size(64), may_alias));

/* A row or a column of a block that is transposed in registers: half a vector, what AVX2 has, of
   any alignment */
#define BLOCK NAME(block_row)
#define Q ((int)(32 / sizeof(T)))
#define INDICES NAME(indices)
typedef T BLOCK __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
typedef BITS INDICES __attribute__((vector_size(32)));

/* Vectors are not passed by value: how depends on the machine. */
#define WHERE(which, a, b) ((VEC)(((which) & (MASK)(a)) | (~(which) & (MASK)(b))))
#define ABS(a) ((VEC)((MASK)(a) & (BITS)(sizeof(T) == 4 ? INT32_MAX : INT64_MAX)))
#define MAX(a, b) WHERE((a) > (b), a, b)
#define MIN(a, b) WHERE((a) < (b), a, b)
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

/* a (Q) := its transpose: zipping the first half with the second once for each bit of Q does it. */
FASTSUB_ALWAYS void NAME(transpose)(BLOCK *a)
{
    BLOCK b[Q];
    for (int stage = 1; stage < Q; stage *= 2) {
#pragma GCC unroll 4
        for (int q = 0; q < Q / 2; q++) {
            b[2 * q] = FASTSUB_SHUFFLE(INDICES, a[q], a[q + Q / 2], ZIP_LOW);
            b[2 * q + 1] = FASTSUB_SHUFFLE(INDICES, a[q], a[q + Q / 2], ZIP_HIGH);
        }
        for (int q = 0; q < Q; q++) a[q] = b[q];
    }
}

/* `length` numbers of every matrix, one after the other from A[l] on, go to W; entries lie `step`
   apart there. Q of them by Q lanes are a block; the last block may overlap the one before. */
FASTSUB_ALWAYS void NAME(load_run)(ptrdiff_t length, const T *const *A, ptrdiff_t place,
                                   int conjugate, ptrdiff_t step, T *W)
{
    for (ptrdiff_t t = 0; length >= Q && t < length; t += Q) {
        if (t > length - Q) t = length - Q;
        for (int h = 0; h < LANES; h += Q) {
            BLOCK a[Q];
            for (int q = 0; q < Q; q++) a[q] = *(const BLOCK *)(A[h + q] + place + t);
            NAME(transpose)(a);
            for (int q = 0; q < Q; q++) {
                T *w = W + ((t + q) / P * step * P + (t + q) % P) * LANES + h;
                *(BLOCK *)w = CPLX && conjugate && q % 2 ? -a[q] : a[q];
            }
        }
    }
    for (ptrdiff_t t = 0; length < Q && t < length; t++) {
        T *w = W + (t / P * step * P + t % P) * LANES;
        for (int l = 0; l < LANES; l++) w[l] = A[l][place + t];
        for (int l = 0; CPLX && conjugate && t % 2 && l < LANES; l++) w[l] = -w[l];
    }
}

FASTSUB_VARIANTS
static void NAME(load)(ptrdiff_t m, ptrdiff_t n, const void *A_, const ptrdiff_t *at, ptrdiff_t rs,
                       ptrdiff_t cs, int conjugate, ptrdiff_t ld, void *W_)
{
    const T *A[LANES];
    T *W = W_;
    for (int l = 0; l < LANES; l++) A[l] = (const T *)A_ + at[l] * P;
    if (rs == 1 && (cs == m || n == 1) && ld == m)
        NAME(load_run)(m * n * P, A, 0, conjugate, 1, W);
    else if (rs == 1)
        for (ptrdiff_t j = 0; j < n; j++)
            NAME(load_run)(m * P, A, j * cs * P, conjugate, 1, W + j * ld * P * LANES);
    else if (cs == 1)
        for (ptrdiff_t i = 0; i < m; i++)
            NAME(load_run)(n * P, A, i * rs * P, conjugate, ld, W + i * P * LANES);
    else
        for (ptrdiff_t j = 0; j < n; j++)
            for (ptrdiff_t i = 0; i < m; i++)
                NAME(load_run)(P, A, (i * rs + j * cs) * P, conjugate, 1,
                               W + (j * ld + i) * P * LANES);
}

FASTSUB_VARIANTS
static void NAME(store)(ptrdiff_t m, ptrdiff_t rows, ptrdiff_t count, const void *C_,
                        unsigned which, ptrdiff_t step, void *out)
{
    /* Without gaps it is one column. */
    const ptrdiff_t length = (rows == m ? m * count : rows) * P;
    for (ptrdiff_t c = 0; c < (rows == m ? 1 : count); c++) {
        const T *C = (const T *)C_ + c * m * P * LANES;
        char *x = (char *)out + c * rows * P * (ptrdiff_t)sizeof(T);
        for (ptrdiff_t t = 0; length >= Q && t < length; t += Q) {
            if (t > length - Q) t = length - Q;
            for (int h = 0; h < LANES; h += Q) {
                BLOCK a[Q];
                for (int q = 0; q < Q; q++) a[q] = *(const BLOCK *)(C + (t + q) * LANES + h);
                NAME(transpose)(a);
                for (int q = 0; q < Q; q++)
                    if (which >> (h + q) & 1) *(BLOCK *)((T *)(x + (h + q) * step) + t) = a[q];
            }
        }
        for (ptrdiff_t t = 0; length < Q && t < length; t++)
            for (int l = 0; l < LANES; l++)
                if (which >> l & 1) ((T *)(x + l * step))[t] = C[t * LANES + l];
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

/* d (count <= 4) := x^H a over rows [first, m) for columns a of C; sums of sums, as in strips.h */
FASTSUB_ALWAYS void NAME(dots)(ptrdiff_t first, ptrdiff_t m, const VEC *x, const VEC *C,
                               const int count, VEC *d)
{
    for (int q = 0; q < count * P; q++) d[q] = (VEC){0};
    for (ptrdiff_t i = first; i < m;) {
        const ptrdiff_t end = i + RUN < m ? i + RUN : m;
        VEC re[4] = {{0}};
#if CPLX
        VEC im[4] = {{0}};
#endif
        for (; i < end; i++)
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
            d[q * P] += re[q];
#if CPLX
            d[2 * q + 1] += im[q];
#endif
        }
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
