/* FASTSUB_VARIANTS: compile a function for AVX-512, AVX2 and any machine; the loader picks one. */

#ifndef FASTSUB_CLONES_H
#define FASTSUB_CLONES_H

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_VARIANTS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FASTSUB_VARIANTS
#endif

#endif
