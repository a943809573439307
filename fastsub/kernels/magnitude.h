/* Largest magnitude of a contiguous vector, and whether anything in it is not finite, in one pass.

   IEEE 754 orders magnitudes as their bit patterns without the sign, with every NaN above infinity
   above every finite number. So an integer maximum, which every compiler vectorises, finds both.
   target_clones picks the widest vectors of the machine at run time; the build stays portable. */

#ifndef FASTSUB_MAGNITUDE_H
#define FASTSUB_MAGNITUDE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FASTSUB_CLONES
#endif

FASTSUB_CLONES
static double fastsub_magnitude_f64(const double *x, ptrdiff_t n)
{
    int64_t largest = 0;
    double value;
    for (ptrdiff_t i = 0; i < n; i++) {
        int64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= INT64_MAX;
        largest = bits > largest ? bits : largest;
    }
    memcpy(&value, &largest, sizeof value);
    return value;
}

FASTSUB_CLONES
static double fastsub_magnitude_f32(const float *x, ptrdiff_t n)
{
    int32_t largest = 0;
    float value;
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= INT32_MAX;
        largest = bits > largest ? bits : largest;
    }
    memcpy(&value, &largest, sizeof value);
    return (double)value;
}

#endif
