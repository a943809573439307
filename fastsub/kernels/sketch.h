/* Rows of A added, with signs, to four rows each of a sketch: the loop that reads all of A.

   A tile of the sketch is row-major, and a whole number of cache lines wide, so that every loop is
   one of full vectors. target_clones picks the widest vectors of the machine at run time. */

#ifndef FASTSUB_SKETCH_H
#define FASTSUB_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FASTSUB_WIDE
#endif

/* Rows that are asked for this far ahead: tiles are too short for the hardware to see a stream. */
#define FASTSUB_AHEAD 16

static inline void fastsub_prefetch(const void *address, ptrdiff_t bytes)
{
#if defined(__GNUC__)
    for (ptrdiff_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)address + i);
#else
    (void)address, (void)bytes;
#endif
}

/* 64 random bits for a counter: the finaliser of SplitMix64 (Steele, Lea & Flood 2014). */
static inline uint64_t fastsub_random(uint64_t counter)
{
    uint64_t z = counter * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Column `index` of S: its row in each of the four quarters (of q rows), and the bit of its sign. */
static inline void fastsub_column(uint64_t seed, uint64_t index, uint64_t q, int32_t row[4],
                                  int32_t minus[4])
{
    for (int k = 0; k < 4; k += 2) {
        uint64_t bits = fastsub_random(seed + 2 * index + (uint64_t)(k / 2));
        uint64_t low = bits & UINT32_MAX, high = bits >> 32;
        row[k] = (int32_t)((uint64_t)k * q + (((low >> 1) * q) >> 31));
        row[k + 1] = (int32_t)((uint64_t)(k + 1) * q + (((high >> 1) * q) >> 31));
        minus[k] = (int32_t)(low & 1), minus[k + 1] = (int32_t)(high & 1);
    }
}

/* Y (d, width) += S A, squares (width) += column sums of |A|^2; A (rows, width) row-major. */
#define FASTSUB_SCATTER(NAME, T)                                                                \
    FASTSUB_WIDE static void NAME(ptrdiff_t rows, ptrdiff_t width, const T *A, ptrdiff_t lda,   \
                                  const int32_t *row, const int32_t *minus, T *Y, T *squares)   \
    {                                                                                           \
        for (ptrdiff_t i = 0; i < rows; i++, row += 4, minus += 4) {                            \
            const T *a = A + i * lda;                                                           \
            T *y0 = Y + row[0] * width, *y1 = Y + row[1] * width;                               \
            T *y2 = Y + row[2] * width, *y3 = Y + row[3] * width;                               \
            fastsub_prefetch(a + FASTSUB_AHEAD * lda, width * (ptrdiff_t)sizeof(T));            \
            const T s0 = minus[0] ? -1 : 1, s1 = minus[1] ? -1 : 1;                             \
            const T s2 = minus[2] ? -1 : 1, s3 = minus[3] ? -1 : 1;                             \
            _Pragma("omp simd")                                                                 \
            for (ptrdiff_t j = 0; j < width; j++) {                                             \
                T x = a[j];                                                                     \
                y0[j] += s0 * x;                                                                \
                y1[j] += s1 * x;                                                                \
                y2[j] += s2 * x;                                                                \
                y3[j] += s3 * x;                                                                \
                squares[j] += x * x;                                                            \
            }                                                                                   \
        }                                                                                       \
    }

FASTSUB_SCATTER(fastsub_scatter_f32, float)
FASTSUB_SCATTER(fastsub_scatter_f64, double)

#endif
