/* Householder QR in lanes, without pivots, and its Q. Included by lane_loops.h.

   Reflectors are LAPACK's: H = I - tau v v^H, H^H (alpha; x) = (beta; 0), v = (1; x / (alpha -
   beta)), stored below the diagonal; the diagonal itself lies in beta. */

/* The reflector of column k, of which d is x^H x: tau, beta; x := v; |r_kk|^2. For v as it is
   rounded H is unitary: 2 Re(1 / tau) = ||v||^2. */
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
    VEC half = zero + 1;
#if CPLX
    const VEC inverse = 1 / (gap * gap + b * b);
    scale[0] = WHERE(trivial, zero, gap * inverse);
    scale[1] = WHERE(trivial, zero, -b * inverse);
    for (ptrdiff_t i = k + 1; i < m;) {
        const ptrdiff_t end = i + RUN < m ? i + RUN : m;
        VEC part = {0};
        for (; i < end; i++) {
            const VEC re = x[2 * i], im = x[2 * i + 1];
            x[2 * i] = scale[0] * re - scale[1] * im;
            x[2 * i + 1] = scale[0] * im + scale[1] * re;
            part += x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
        }
        half += part;
    }
    half *= (T)0.5;
    const VEC turn = b * norm * inverse, root = 1 / (half * half + turn * turn);
    tau[0] = WHERE(trivial, zero, half * root);
    tau[1] = WHERE(trivial, zero, -turn * root);
#else
    scale[0] = WHERE(trivial, zero, 1 / gap);
    for (ptrdiff_t i = k + 1; i < m;) {
        const ptrdiff_t end = i + RUN < m ? i + RUN : m;
        VEC part = {0};
        for (; i < end; i++) {
            x[i] *= scale[0];
            part += x[i] * x[i];
        }
        half += part;
    }
    tau[0] = WHERE(trivial, zero, 2 / half);
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

FASTSUB_VARIANTS
static void NAME(reduce)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t extra, void *W, void *beta, void *tau,
                         void *work)
{
    VEC square;
    for (ptrdiff_t k = 0; k < n; k++)
        NAME(step)(m, k, n + extra - k - 1, W, beta, tau, work, &square);
}

FASTSUB_VARIANTS
static void NAME(triangle)(ptrdiff_t m, ptrdiff_t n, int raw, const void *beta_, void *W_)
{
    const VEC *beta = beta_;
    VEC *W = W_;
    for (ptrdiff_t j = 0; j < n; j++) {
        VEC *a = W + (j * m + j) * P;
        if (!raw) memset(a, 0, (size_t)((m - j) * P) * sizeof(VEC));
        a[0] = beta[j];
        if (CPLX) a[P - 1] = (VEC){0};
    }
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
