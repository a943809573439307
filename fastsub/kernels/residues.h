/* Loops over residues: balanced doubles for moduli below 2^35, 64-bit integers for those above.

   A double holds |x| <= (p - 1)/2 exactly, and x - p*rint(x/p) is exact while |x| + p < 2^53, fused or
   not: every intermediate result is an integer below 2^53. An integer in 0..p-1 is multiplied by a
   fixed factor f with a precomputed quotient g = floor(f 2^64 / p) (Shoup): for every 64-bit x,
   x f - floor(x g / 2^64) p lies in [0, 2p), and 2p < 2^64. */

#ifndef FASTSUB_RESIDUES_H
#define FASTSUB_RESIDUES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

static inline uint64_t fastsub_mulhi(uint64_t a, uint64_t b)
{
    return (uint64_t)(((unsigned __int128)a * b) >> 64);
}

static inline uint64_t fastsub_shoup(uint64_t f, uint64_t p)
{
    return (uint64_t)(((unsigned __int128)f << 64) / p);
}

/* floor(2^(63 + bits) / p) for 2^(bits - 1) < p < 2^bits */
static inline uint64_t fastsub_barrett(uint64_t p, int bits)
{
    return (uint64_t)(((unsigned __int128)1 << (63 + bits)) / p);
}

/* x mod p for x < 2p, without a branch: on residues nobody can predict it */
static inline uint64_t fastsub_once(uint64_t x, uint64_t p)
{
    return x - (p & (0 - (uint64_t)(x >= p)));
}

/* x f mod p for any 64-bit x and f < p < 2^63, g = fastsub_shoup(f, p) */
static inline uint64_t fastsub_mulmod(uint64_t x, uint64_t f, uint64_t g, uint64_t p)
{
    return fastsub_once(x * f - fastsub_mulhi(x, g) * p, p);
}

/* 1.5 * 2^52: adding and subtracting it rounds |x| < 2^51 to the nearest integer. */
#define FASTSUB_ROUND 6755399441055744.0

/* x mod p, balanced; the quotient may be wrong by one where x/p is near a half. */
static inline double fastsub_balance(double x, double p, double inv)
{
    double q = (x * inv + FASTSUB_ROUND) - FASTSUB_ROUND, half = 0.5 * p;
    x -= q * p;
    x -= x > half ? p : 0.0;
    x += x < -half ? p : 0.0;
    return x;
}

/* x (n) := x mod p */
FASTSUB_VARIANTS static inline void fastsub_reduce(ptrdiff_t n, double *x, double p, double inv)
{
    for (ptrdiff_t i = 0; i < n; i++) x[i] = fastsub_balance(x[i], p, inv);
}

/* Every lda-th of m numbers x := x mod p */
static inline void fastsub_reduce_column(ptrdiff_t m, double *x, ptrdiff_t lda, double p, double inv)
{
    for (ptrdiff_t i = 0; i < m; i++) x[i * lda] = fastsub_balance(x[i * lda], p, inv);
}

/* y (n) := f x mod p, |f x| < 2^53 - p */
FASTSUB_VARIANTS static inline void fastsub_scale(ptrdiff_t n, double f, const double *x, double *y, double p,
                                       double inv)
{
    for (ptrdiff_t i = 0; i < n; i++) y[i] = fastsub_balance(f * x[i], p, inv);
}

/* High and low part of x with respect to 2^h, |low| <= 2^(h-1): low (n) := x - 2^h high */
FASTSUB_VARIANTS static inline void fastsub_split(ptrdiff_t n, int h, const double *x, double *low, double *high)
{
    double power = (double)((int64_t)1 << h), inv = 1.0 / power;
    for (ptrdiff_t i = 0; i < n; i++) {
        double q = (x[i] * inv + FASTSUB_ROUND) - FASTSUB_ROUND;
        low[i] = x[i] - q * power;
        high[i] = q;
    }
}

/* The same for x in 0..p-1, which is balanced first; `high` may be x. */
FASTSUB_VARIANTS static inline void fastsub_split_wide(ptrdiff_t n, int h, const int64_t *x, double *low,
                                            int64_t *high)
{
    int64_t half = (int64_t)1 << (h - 1);
    for (ptrdiff_t i = 0; i < n; i++) {
        int64_t q = (x[i] + half) >> h;
        low[i] = (double)(x[i] - (q << h));
        high[i] = q;
    }
}

FASTSUB_VARIANTS static inline void fastsub_balance_wide(ptrdiff_t n, const int64_t *x, int64_t *y, int64_t p)
{
    int64_t half = p >> 1;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i] > half ? x[i] - p : x[i];
}

FASTSUB_VARIANTS static inline void fastsub_to_double(ptrdiff_t n, const int64_t *x, double *y)
{
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (double)x[i];
}

/* Rows of 16 residues: x := x - f0 b0 - f1 b1 - f2 b2 mod p, where f = f0 + 2^h f1 + 4^h f2 and
   b1 = 2^h b0, b2 = 4^h b0. */
FASTSUB_VARIANTS static inline void fastsub_eliminate(ptrdiff_t m, const double *f, const double *b, double *x,
                                           double p, double inv)
{
    for (ptrdiff_t i = 0; i < m; i++) {
        double f0 = f[3 * i], f1 = f[3 * i + 1], f2 = f[3 * i + 2], *row = x + 16 * i;
        for (int j = 0; j < 16; j++)
            row[j] = fastsub_balance(row[j] - (f0 * b[j] + f1 * b[16 + j] + f2 * b[32 + j]), p, inv);
    }
}

/* The same for integers: x := x + f b mod p, one factor f a row. */
static inline void fastsub_eliminate_wide(ptrdiff_t m, const int64_t *f, const int64_t *b, int64_t *x,
                                   int64_t p)
{
    uint64_t q = (uint64_t)p;
    for (ptrdiff_t i = 0; i < m; i++) {
        uint64_t factor = (uint64_t)f[i], g;
        if (factor == 0) continue;
        g = fastsub_shoup(factor, q);
        for (int j = 0; j < 16; j++) {
            uint64_t r = (uint64_t)x[16 * i + j] + fastsub_mulmod((uint64_t)b[j], factor, g, q);
            x[16 * i + j] = (int64_t)fastsub_once(r, q);
        }
    }
}

/* Rows x (n) of A (m, .) but y itself := x - x[j] y for a y with y[j] = 1, where x[j] is reduced; what
   is left of the eight columns with j among them is zero in y. */
FASTSUB_VARIANTS static inline void fastsub_clear_column(ptrdiff_t m, ptrdiff_t n, ptrdiff_t j,
                                                         const double *y, double *A, ptrdiff_t lda)
{
    const ptrdiff_t first = j - j % 8;
    for (ptrdiff_t i = 0; i < m; i++) {
        double *x = A + i * lda, f = x[j];
        if (x == y || f == 0) continue;
#pragma omp simd
        for (ptrdiff_t c = first; c < n; c++) x[c] -= f * y[c];
    }
}

/* The same for integers in 0..p-1, reduced */
static inline void fastsub_clear_column_wide(ptrdiff_t m, ptrdiff_t n, ptrdiff_t j, const int64_t *y,
                                             int64_t *A, ptrdiff_t lda, int64_t p)
{
    const uint64_t q = (uint64_t)p;
    for (ptrdiff_t i = 0; i < m; i++) {
        int64_t *x = A + i * lda;
        if (x == y || x[j] == 0) continue;
        const uint64_t f = q - (uint64_t)x[j], g = fastsub_shoup(f, q);
        for (ptrdiff_t c = j; c < n; c++) {
            const uint64_t r = (uint64_t)x[c] + fastsub_mulmod((uint64_t)y[c], f, g, q);
            x[c] = (int64_t)fastsub_once(r, q);
        }
    }
}

/* C (n) := C + sign sum_j 2^(h j) T_j mod p, |T_j| <= 2^53, T_j = T + j ldt, j < t <= 3, h (t - 1) < 43

   The sum, below 2^96, plus a multiple of p above that is u < 2^97 + p. With 2^(e-1) < p < 2^e and
   m = floor(2^(63+e) / p) < 2^64 the quotient floor(floor(u / 2^(e-1)) m / 2^64) is above u / p - 3
   (Barrett); its first factor is below 2^64, because e >= 34. With C what is left is below 4 p. */
static inline void fastsub_combine(ptrdiff_t n, int t, int sign, int h, const double *T, ptrdiff_t ldt,
                                   uint64_t m, int e, uint64_t p, int64_t *C)
{
    typedef unsigned __int128 wide;
    const wide multiple = (((wide)1 << 96) / p + 1) * p, twice = 2 * (wide)p;
    for (ptrdiff_t i = 0; i < n; i++) {
        __int128 v = (int64_t)T[i];
        if (t > 1) v += (__int128)(int64_t)T[ldt + i] * ((int64_t)1 << h);
        if (t > 2) v += (__int128)(int64_t)T[2 * ldt + i] * ((int64_t)1 << 2 * h);
        wide u = multiple + (wide)(sign < 0 ? -v : v);
        wide r = u - (wide)fastsub_mulhi((uint64_t)(u >> (e - 1)), m) * p + (uint64_t)C[i];
        uint64_t x = (uint64_t)(r >= twice ? r - twice : r);
        C[i] = (int64_t)fastsub_once(x, p);
    }
}

/* Whether all of x (n) is in 0..p-1 */
FASTSUB_VARIANTS static inline int fastsub_all_below(ptrdiff_t n, const int64_t *x, int64_t p)
{
    uint64_t outside = 0, limit = (uint64_t)p;
    for (ptrdiff_t i = 0; i < n; i++) outside |= (uint64_t)((uint64_t)x[i] >= limit);
    return !outside;
}

/* y (n) := x mod p, for 0 <= x < p < 2^53 */
FASTSUB_VARIANTS static inline void fastsub_from_int(ptrdiff_t n, const int64_t *x, double *y, double p)
{
    double half = 0.5 * p;
    for (ptrdiff_t i = 0; i < n; i++) {
        double v = (double)x[i];
        y[i] = v > half ? v - p : v;
    }
}

/* y (n) := x in 0..p-1 */
FASTSUB_VARIANTS static inline void fastsub_to_int(ptrdiff_t n, const double *x, int64_t *y, int64_t p)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        int64_t v = (int64_t)x[i];
        y[i] = v < 0 ? v + p : v;
    }
}

#endif
