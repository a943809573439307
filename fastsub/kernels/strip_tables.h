/* The four tables of strips.h, each made of strip_loops.h.

   target_clones picks the widest vectors of the machine at run time; the build stays portable. */

#ifndef FASTSUB_STRIP_TABLES_H
#define FASTSUB_STRIP_TABLES_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "strips.h"

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_WIDEST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FASTSUB_WIDEST
#endif
#define FASTSUB_INLINE static inline __attribute__((always_inline))

#define T float
#define CPLX 0
#define NAME(f) fastsub_f32_##f
#include "strip_loops.h"
#define T double
#define CPLX 0
#define NAME(f) fastsub_f64_##f
#include "strip_loops.h"
#define T float
#define CPLX 1
#define NAME(f) fastsub_c64_##f
#include "strip_loops.h"
#define T double
#define CPLX 1
#define NAME(f) fastsub_c128_##f
#include "strip_loops.h"

#endif
