/* Dixon lifting in doubles: one p-adic digit of B^-1 A a step, and the carries of digit arrays.

   The inverse modulo p and the slices of B are kept as floats, in panels of 32 rows: half the memory
   of doubles, and lifting is bound by memory. Every sum is an integer below 2^53, so it is exact in
   any order; the caller chooses p and the width of the slices so. */

#ifndef FASTSUB_PADIC_H
#define FASTSUB_PADIC_H

#include <math.h>
#include <stddef.h>

#include "clones.h"

#define FASTSUB_PANEL 32

/* y (32, k) := the panel (32, n) of floats, 32 of a column together, times x (n, k), k = 1, 2 or 4. */
#if defined(__GNUC__)

typedef double fastsub_eight __attribute__((vector_size(64), aligned(8)));
typedef float fastsub_eightf __attribute__((vector_size(32), aligned(4)));

#define FASTSUB_TIMES(K)                                                                        \
    FASTSUB_VARIANTS static void fastsub_times##K(ptrdiff_t n, const float *M, const double *x,     \
                                              ptrdiff_t ldx, double *y)                         \
    {                                                                                           \
        fastsub_eight sum[K][4];                                                                \
        for (int c = 0; c < K; c++)                                                             \
            for (int b = 0; b < 4; b++) sum[c][b] = (fastsub_eight){0};                         \
        for (ptrdiff_t j = 0; j < n; j++) {                                                     \
            const fastsub_eightf *column = (const fastsub_eightf *)(M + FASTSUB_PANEL * j);     \
            _Pragma("GCC unroll 4")                                                             \
            for (int b = 0; b < 4; b++) {                                                       \
                fastsub_eight m = __builtin_convertvector(column[b], fastsub_eight);            \
                _Pragma("GCC unroll 4")                                                         \
                for (int c = 0; c < K; c++) sum[c][b] += m * x[j + c * ldx];                    \
            }                                                                                   \
        }                                                                                       \
        for (int c = 0; c < K; c++)                                                             \
            for (int b = 0; b < 4; b++) ((fastsub_eight *)y)[4 * c + b] = sum[c][b];            \
    }

#else

#define FASTSUB_TIMES(K)                                                                        \
    static void fastsub_times##K(ptrdiff_t n, const float *M, const double *x, ptrdiff_t ldx,   \
                                 double *y)                                                     \
    {                                                                                           \
        for (int i = 0; i < K * FASTSUB_PANEL; i++) y[i] = 0;                                   \
        for (ptrdiff_t j = 0; j < n; j++)                                                       \
            for (int c = 0; c < K; c++)                                                         \
                for (int i = 0; i < FASTSUB_PANEL; i++)                                         \
                    y[c * FASTSUB_PANEL + i] += M[FASTSUB_PANEL * j + i] * x[j + c * ldx];      \
    }

#endif

FASTSUB_TIMES(1)
FASTSUB_TIMES(2)
FASTSUB_TIMES(4)

static ptrdiff_t fastsub_times(ptrdiff_t k, ptrdiff_t n, const float *M, const double *x,
                               ptrdiff_t ldx, double *y)
{
    if (k >= 4) return fastsub_times4(n, M, x, ldx, y), 4;
    if (k >= 2) return fastsub_times2(n, M, x, ldx, y), 2;
    return fastsub_times1(n, M, x, ldx, y), 1;
}

/* x - p rint(x / p), at most p/2 + 1 in magnitude; |x| < 2^53. */
static inline double fastsub_rest(double x, double p, double over_p)
{
    return x - rint(x * over_p) * p;
}

/* residue (n,) := R mod p, R = sum_t 2^(width t) R_t, the slices R_t ld apart. */
FASTSUB_VARIANTS static void fastsub_residue(ptrdiff_t n, ptrdiff_t slices, ptrdiff_t ld, double base,
                                         double p, const double *R, double *residue)
{
    const double over_p = 1 / p;
    for (ptrdiff_t i = 0; i < n; i++) residue[i] = 0;
    for (ptrdiff_t t = slices - 1; t >= 0; t--)
        _Pragma("omp simd")
        for (ptrdiff_t i = 0; i < n; i++)
            residue[i] = fastsub_rest(residue[i] * base + R[t * ld + i], p, over_p);
}

/* R := R / p; the return value is 0 if every division is exact. rest (n,) is scratch. */
FASTSUB_VARIANTS static double fastsub_divide(ptrdiff_t n, ptrdiff_t slices, ptrdiff_t ld, double base,
                                          double p, double *R, double *rest)
{
    const double over_p = 1 / p;
    double left = 0;
    for (ptrdiff_t i = 0; i < n; i++) rest[i] = 0;
    for (ptrdiff_t t = slices - 1; t >= 0; t--)
        _Pragma("omp simd")
        for (ptrdiff_t i = 0; i < n; i++) {
            double all = rest[i] * base + R[t * ld + i], q = rint(all * over_p);
            rest[i] = all - q * p;
            R[t * ld + i] = q;
        }
    _Pragma("omp simd reduction(+:left)")
    for (ptrdiff_t i = 0; i < n; i++) left += fabs(rest[i]);
    return left;
}

/* digits (r, k) := the next digit of the solution X of B X = R, R (slices, k, ld) := (R - B X) / p.

   inverse: panels of the first r rows; B: for each slice, panels of ld >= r rows; work (ld + 128 + 4 r,).
   Returns 0, or 1 if a row of R beyond the first r is not divisible: B X = R has no solution. */
static int fastsub_lift(ptrdiff_t r, ptrdiff_t k, ptrdiff_t ld, ptrdiff_t slices, double base,
                        double p, const float *inverse, const float *B, double *R, double *digits,
                        double *work)
{
    const double over_p = 1 / p;
    double *rest = work, *y = work + ld, *residue = y + 4 * FASTSUB_PANEL;
    for (ptrdiff_t c = 0; c < k;) {
        ptrdiff_t width = k - c >= 4 ? 4 : k - c >= 2 ? 2 : 1;
        double *x = digits + c * r;
        for (ptrdiff_t e = 0; e < width; e++)
            fastsub_residue(r, slices, k * ld, base, p, R + (c + e) * ld, residue + e * r);
        for (ptrdiff_t i = 0; i < r; i += FASTSUB_PANEL) {
            ptrdiff_t rows = r - i < FASTSUB_PANEL ? r - i : FASTSUB_PANEL;
            fastsub_times(width, r, inverse + i * r, residue, r, y);
            for (ptrdiff_t e = 0; e < width; e++)
                for (ptrdiff_t l = 0; l < rows; l++)
                    x[e * r + i + l] = fastsub_rest(y[e * FASTSUB_PANEL + l], p, over_p);
        }
        for (ptrdiff_t t = 0; t < slices; t++)
            for (ptrdiff_t i = 0; i < ld; i += FASTSUB_PANEL) {
                fastsub_times(width, r, B + (t * ld + i) * r, x, r, y);
                for (ptrdiff_t e = 0; e < width; e++) {
                    double *to = R + (t * k + c + e) * ld + i;
                    for (ptrdiff_t l = 0; l < FASTSUB_PANEL; l++) to[l] -= y[e * FASTSUB_PANEL + l];
                }
            }
        for (ptrdiff_t e = 0; e < width; e++)
            if (fastsub_divide(ld, slices, k * ld, base, p, R + (c + e) * ld, rest) != 0) return 1;
        c += width;
    }
    return 0;
}

/* D (n, count), columns of digits: what exceeds the base moves up; carry (n,) is what leaves the top.
   Balanced digits are at most base/2 in magnitude (and a rounding), others in [0, base). */
FASTSUB_VARIANTS static void fastsub_carry(ptrdiff_t n, ptrdiff_t count, double base, int balanced,
                                       double *D, double *carry)
{
    const double over_base = 1 / base;
    for (ptrdiff_t i = 0; i < n; i++) carry[i] = 0;
    for (ptrdiff_t s = 0; s < count; s++) {
        double *digit = D + s * n;
        if (balanced) {
            _Pragma("omp simd")
            for (ptrdiff_t i = 0; i < n; i++) {
                double all = digit[i] + carry[i], q = rint(all * over_base);
                carry[i] = q;
                digit[i] = all - q * base;
            }
        } else {
            _Pragma("omp simd")
            for (ptrdiff_t i = 0; i < n; i++) {
                double all = digit[i] + carry[i], q = floor(all * over_base);
                carry[i] = q;
                digit[i] = all - q * base;
            }
        }
    }
}

#endif
