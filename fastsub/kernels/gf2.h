/* Rows of bits: 64 columns a word, column 64 c + b is bit b of word c. */

#ifndef FASTSUB_GF2_H
#define FASTSUB_GF2_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

/* Byte order matters to the loops over eight bytes at once only. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FASTSUB_EIGHT 0
#else
#define FASTSUB_EIGHT 1
#endif

/* words := the lowest bits of x (n), the last word filled with zeros */
static inline void fastsub_pack_some(int n, const uint8_t *x, uint64_t *word)
{
    *word = 0;
    for (int b = 0; b < n; b++) *word |= (uint64_t)(x[b] & 1) << b;
}

FASTSUB_VARIANTS static inline void fastsub_pack_bytes(ptrdiff_t n, const uint8_t *x, uint64_t *words)
{
    ptrdiff_t c = 0;
    for (; FASTSUB_EIGHT && 64 * (c + 1) <= n; c++) {
        uint64_t word = 0, eight;
        for (int q = 0; q < 8; q++) {
            /* The product moves bit 8 i to bit 56 + i, and no two to the same place. */
            memcpy(&eight, x + 64 * c + 8 * q, 8);
            word |= ((eight & 0x0101010101010101u) * 0x0102040810204080u >> 56) << 8 * q;
        }
        words[c] = word;
    }
    for (; 64 * c < n; c++)
        fastsub_pack_some(n - 64 * c < 64 ? (int)(n - 64 * c) : 64, x + 64 * c, words + c);
}

FASTSUB_VARIANTS static inline void fastsub_pack_ints(ptrdiff_t n, const int64_t *x, uint64_t *words)
{
    for (ptrdiff_t c = 0; 64 * c < n; c++) {
        uint8_t bytes[64];
        int bits = n - 64 * c < 64 ? (int)(n - 64 * c) : 64;
        for (int b = 0; b < bits; b++) bytes[b] = (uint8_t)x[64 * c + b];
        fastsub_pack_bytes(bits, bytes, words + c);
    }
}

/* x (n) := bits of words */
FASTSUB_VARIANTS static inline void fastsub_unpack(ptrdiff_t n, const uint64_t *words, uint8_t *x)
{
    ptrdiff_t i = 0;
    for (; FASTSUB_EIGHT && i + 8 <= n; i += 8) {
        /* Eight copies of a byte, bit b of copy b kept, and carried to the top of its copy. */
        uint64_t eight = (words[i >> 6] >> (i & 63) & 255) * 0x0101010101010101u;
        eight = ((eight & 0x8040201008040201u) + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
        memcpy(x + i, &eight, 8);
    }
    for (; i < n; i++) x[i] = (uint8_t)(words[i >> 6] >> (i & 63) & 1);
}

/* v (m) := v + pivot wherever bit b of v is set */
FASTSUB_VARIANTS static inline void fastsub_clear_bit(ptrdiff_t m, int b, uint64_t pivot, uint64_t *v)
{
    for (ptrdiff_t i = 0; i < m; i++) v[i] ^= pivot & (0 - ((v[i] >> b) & 1));
}

/* Entries index | bit of a table := entries index + x (n), for every subset of the bits `below` */
FASTSUB_VARIANTS static inline void fastsub_add_bit(ptrdiff_t n, const uint64_t *x, unsigned bit,
                                                    unsigned below, uint64_t *table)
{
    unsigned index = below;
    for (;;) {
        const uint64_t *y = table + index * n;
        uint64_t *z = table + (index | bit) * n;
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) z[j] = x[j] ^ y[j];
        if (index == 0) return;
        index = (index - 1) & below;
    }
}

/* Rows t = 0 .. k-1 of A (k, n) are added, one after the other, to all other rows that have a one in
   bit bits[t] of v (k), a column of words of A that is kept up to date. Which rows these are is found
   in v for all of them at once: branches on random bits would cost more than the sums. */
FASTSUB_VARIANTS static inline void fastsub_clear_pivots(int k, const int *bits, ptrdiff_t n,
                                                         uint64_t *v, uint64_t *A, ptrdiff_t stride)
{
    for (int t = 0; t < k; t++) {
        const uint64_t *x = A + t * stride, pivot = v[t];
        uint64_t rows = 0;
        for (int s = 0; s < k; s++) rows |= (v[s] >> bits[t] & 1) << s;
        rows &= ~((uint64_t)1 << t);
        for (int s = 0; s < k; s++) v[s] ^= pivot & (0 - (rows >> s & 1));
        for (; rows; rows &= rows - 1) {
            uint64_t *z = A + __builtin_ctzll(rows) * stride;
#pragma omp simd
            for (ptrdiff_t j = 0; j < n; j++) z[j] ^= x[j];
        }
    }
}

/* Rows x (n) of A (m, .) := x + entries (v[i] >> 8 q) & 255 of the tables q = 0 .. 7 */
FASTSUB_VARIANTS static inline void fastsub_add_tables(ptrdiff_t m, ptrdiff_t n, uint64_t *A,
                                                       ptrdiff_t stride, const uint64_t *v,
                                                       const uint64_t *tables)
{
    for (ptrdiff_t i = 0; i < m; i++) {
        uint64_t *x = A + i * stride;
        const uint64_t *t[8];
        if (v[i] == 0) continue;
        for (int q = 0; q < 8; q++) t[q] = tables + (256 * q + ((v[i] >> 8 * q) & 255)) * n;
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++)
            x[j] ^= t[0][j] ^ t[1][j] ^ t[2][j] ^ t[3][j] ^ t[4][j] ^ t[5][j] ^ t[6][j] ^ t[7][j];
    }
}

#endif
