/* The inner loops of QR of a narrow tall panel, on strips, for the four dtypes (tall_loops.h).

   A strip is eight columns, stored row by row as in strips.h. Sums run down the rows, a few
   hundred at a time, each chunk then added to the total: their errors do not grow with the rows
   (Higham 2002, section 4.2). */

#ifndef FASTSUB_TALL_H
#define FASTSUB_TALL_H

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { FASTSUB_LANES = 8, FASTSUB_CHUNK = 256 };

typedef struct {
    ptrdiff_t size; /* bytes of one entry */
    /* S (m, 8) := A (m, count), column-major; lanes from count on are zero. */
    void (*load)(ptrdiff_t m, ptrdiff_t count, const void *A, ptrdiff_t lda, void *S);
    /* A (m, count) := S. */
    void (*store)(ptrdiff_t m, ptrdiff_t count, const void *S, void *A, ptrdiff_t lda);
    /* S (m, 8) -= V T^H (V^H S); V (m, 8), T (8, 8), row l of which is a column. */
    void (*apply)(ptrdiff_t m, const void *V, const void *T, void *S);
    /* G (8, 8) := V^H S, row by row. */
    void (*cross)(ptrdiff_t m, const void *V, const void *S, void *G);
    /* QR of the first count lanes of S (m, 8), m >= count: V with its zeros and ones stands in S
       then, R in R (8, 8), row by row, and T in T. -1: the square of a column is below the floor,
       or NaN. */
    int (*factor)(ptrdiff_t m, ptrdiff_t count, double floor, void *S, void *R, void *T);
} fastsub_tall;

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_WIDEST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FASTSUB_WIDEST
#endif
#define FASTSUB_INLINE static inline __attribute__((always_inline))

#define T float
#define CPLX 0
#define NAME(f) fastsub_tall_f32_##f
#include "tall_loops.h"
#define T double
#define CPLX 0
#define NAME(f) fastsub_tall_f64_##f
#include "tall_loops.h"
#define T float
#define CPLX 1
#define NAME(f) fastsub_tall_c64_##f
#include "tall_loops.h"
#define T double
#define CPLX 1
#define NAME(f) fastsub_tall_c128_##f
#include "tall_loops.h"

#endif
