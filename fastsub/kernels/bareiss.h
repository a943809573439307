/* Fraction-free Gauss-Jordan elimination in 64-bit integers, for matrices whose minors all fit.

   Every entry that Bareiss's scheme meets is a minor of A, and a minor is at most the product of the
   norms of its rows (Hadamard 1893). Where the product over all rows is below 2^62 nothing can
   overflow: a product of two entries needs 128 bits, the quotient 64. The division is exact, so it
   is a shift and a multiplication by the inverse of the odd part modulo 2^64 (Jebelean 1993). */

#ifndef FASTSUB_BAREISS_H
#define FASTSUB_BAREISS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SIZEOF_INT128__)

typedef __int128 fastsub_wide;

/* Whether the product of the norms of the rows that are not zero is below 2^62. */
static int fastsub_minors_fit(ptrdiff_t m, ptrdiff_t n, const int64_t *A)
{
    const double limit = 0x1p123; /* of the squares: half is left for rounding */
    double product = 1;
    for (ptrdiff_t i = 0; i < m; i++) {
        double sum = 0;
        for (ptrdiff_t j = 0; j < n; j++) sum += (double)A[i * n + j] * (double)A[i * n + j];
        if (sum > 0) product *= sum;
        if (!(product < limit)) return 0;
    }
    return 1;
}

static uint64_t fastsub_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;
        a = b, b = r;
    }
    return a;
}

/* A (m, n) by rows := d times its reduced echelon form; pivots (min(m, n),); the rank is returned.
   d is positive and has no factor that all entries share. */
static ptrdiff_t fastsub_bareiss(ptrdiff_t m, ptrdiff_t n, int64_t *A, ptrdiff_t *pivots,
                                 int64_t *d)
{
    int64_t last = 1;
    ptrdiff_t r = 0;
    for (ptrdiff_t c = 0; c < n && r < m; c++) {
        ptrdiff_t best = -1;
        for (ptrdiff_t i = r; i < m && best < 0; i++)
            if (A[i * n + c]) best = i;
        if (best < 0) continue;
        int64_t *pivot = A + r * n;
        if (best != r)
            for (ptrdiff_t j = 0; j < n; j++) {
                int64_t t = pivot[j];
                pivot[j] = A[best * n + j], A[best * n + j] = t;
            }
        const int twos = __builtin_ctzll((uint64_t)last);
        const uint64_t odd = (uint64_t)(last >> twos);
        uint64_t inverse = odd; /* right modulo 2^3; each step doubles the bits */
        for (int k = 0; k < 5; k++) inverse *= 2 - odd * inverse;
        const int64_t now = pivot[c];
        for (ptrdiff_t i = 0; i < m; i++) {
            int64_t *row = A + i * n;
            if (i == r) continue;
            const int64_t factor = row[c];
            for (ptrdiff_t j = i < r ? 0 : c; j < n; j++) {
                fastsub_wide t = (fastsub_wide)now * row[j] - (fastsub_wide)factor * pivot[j];
                row[j] = (int64_t)((uint64_t)(t >> twos) * inverse);
            }
        }
        last = now;
        pivots[r++] = c;
    }
    uint64_t common = last < 0 ? 0 - (uint64_t)last : (uint64_t)last;
    for (ptrdiff_t k = 0; k < r * n && common > 1; k++)
        if (A[k] && A[k] != last)
            common = fastsub_gcd(common, A[k] < 0 ? 0 - (uint64_t)A[k] : (uint64_t)A[k]);
    const int64_t share = last < 0 ? -(int64_t)common : (int64_t)common;
    if (share != 1)
        for (ptrdiff_t k = 0; k < r * n; k++) A[k] /= share;
    *d = last / share;
    return r;
}

/* Whether d Z = Z[:, pivots] R: every row of Z (m, n) is the combination of the rows of R (r, n)
   that its pivot entries say. */
static int fastsub_reduces(ptrdiff_t m, ptrdiff_t n, const int64_t *Z, const int64_t *R,
                           ptrdiff_t r, const ptrdiff_t *pivots, int64_t d)
{
    for (ptrdiff_t i = 0; i < m; i++)
        for (ptrdiff_t j = 0; j < n; j++) {
            fastsub_wide sum = (fastsub_wide)d * Z[i * n + j];
            for (ptrdiff_t k = 0; k < r; k++)
                sum -= (fastsub_wide)Z[i * n + pivots[k]] * R[k * n + j];
            if (sum) return 0;
        }
    return 1;
}

#else /* no 128-bit integers: Python's take over */

static int fastsub_minors_fit(ptrdiff_t m, ptrdiff_t n, const int64_t *A)
{
    (void)m, (void)n, (void)A;
    return 0;
}
static ptrdiff_t fastsub_bareiss(ptrdiff_t m, ptrdiff_t n, int64_t *A, ptrdiff_t *pivots,
                                 int64_t *d)
{
    (void)m, (void)n, (void)A, (void)pivots, (void)d;
    return 0;
}
static int fastsub_reduces(ptrdiff_t m, ptrdiff_t n, const int64_t *Z, const int64_t *R,
                           ptrdiff_t r, const ptrdiff_t *pivots, int64_t d)
{
    (void)m, (void)n, (void)Z, (void)R, (void)r, (void)pivots, (void)d;
    return 0;
}

#endif
#endif
