/* The four tables of lanes.h, each made of lane_loops.h. */

#ifndef FASTSUB_LANE_TABLES_H
#define FASTSUB_LANE_TABLES_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "lanes.h"

/* Rows of one sum; more are summed as sums of such sums (strips.h says why). */
#define RUN 32

#define FASTSUB_ALWAYS static inline __attribute__((always_inline))

#ifdef __clang__
#define FASTSUB_SHUFFLE(INDICES, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define FASTSUB_SHUFFLE(INDICES, a, b, ...) __builtin_shuffle(a, b, (INDICES){__VA_ARGS__})
#endif

#define T float
#define BITS int32_t
#define CPLX 0
#define NAME(f) fastsub_lanes_f32_##f
#define ZIP_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#include "lane_loops.h"
#define T double
#define BITS int64_t
#define CPLX 0
#define NAME(f) fastsub_lanes_f64_##f
#define ZIP_LOW 0, 4, 1, 5
#define ZIP_HIGH 2, 6, 3, 7
#include "lane_loops.h"
#define T float
#define BITS int32_t
#define CPLX 1
#define NAME(f) fastsub_lanes_c64_##f
#define ZIP_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#include "lane_loops.h"
#define T double
#define BITS int64_t
#define CPLX 1
#define NAME(f) fastsub_lanes_c128_##f
#define ZIP_LOW 0, 4, 1, 5
#define ZIP_HIGH 2, 6, 3, 7
#include "lane_loops.h"

#undef RUN

#endif
