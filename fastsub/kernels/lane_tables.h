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

/* Square roots of a vector are an instruction, if nobody asks for errno. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#endif

#define FASTSUB_ALWAYS static inline __attribute__((always_inline))

#define T float
#define BITS int32_t
#define CPLX 0
#define NAME(f) fastsub_lanes_f32_##f
#include "lane_loops.h"
#define T double
#define BITS int64_t
#define CPLX 0
#define NAME(f) fastsub_lanes_f64_##f
#include "lane_loops.h"
#define T float
#define BITS int32_t
#define CPLX 1
#define NAME(f) fastsub_lanes_c64_##f
#include "lane_loops.h"
#define T double
#define BITS int64_t
#define CPLX 1
#define NAME(f) fastsub_lanes_c128_##f
#include "lane_loops.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

#endif
