/* Integer combinations of the rows of a dense N (n, k), row-major: the loops of sparse elimination. */

#ifndef FASTSUB_ROWS_H
#define FASTSUB_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "clones.h"

/* to (k,) += w * row (k,). */
FASTSUB_VARIANTS static void fastsub_add_row(ptrdiff_t k, int64_t w, const int64_t *row, int64_t *to)
{
    for (ptrdiff_t t = 0; t < k; t++) to[t] += w * row[t];
}

/* low += w (row mod 2^32), high += w (row div 2^32): exact while the sum of |w| is below 2^30. */
FASTSUB_VARIANTS static void fastsub_add_halves(ptrdiff_t k, int64_t w, const int64_t *row,
                                              int64_t *low, int64_t *high)
{
    for (ptrdiff_t t = 0; t < k; t++) {
        low[t] += w * (row[t] & 0xffffffff);
        high[t] += w * (row[t] >> 32);
    }
}

FASTSUB_VARIANTS static int64_t fastsub_largest(ptrdiff_t k, const int64_t *row)
{
    int64_t above = 0, below = 0;
    for (ptrdiff_t t = 0; t < k; t++) {
        above = row[t] > above ? row[t] : above;
        below = row[t] < below ? row[t] : below;
    }
    return above > -below ? above : -below;
}

/* Whether 2^32 high + low = 0 everywhere. */
static int fastsub_cancel(ptrdiff_t k, const int64_t *low, const int64_t *high)
{
    int64_t left = 0;
    for (ptrdiff_t t = 0; t < k; t++) left |= (low[t] & 0xffffffff) | ((low[t] >> 32) + high[t]);
    return left == 0;
}

#endif
