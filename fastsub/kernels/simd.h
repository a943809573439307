/* Vectors that are too short for a BLAS call: dot, axpy and the application of a reflector.

   OpenBLAS wakes its threads for level-2 calls from orders as small as 32; on these sizes that
   costs more than the arithmetic. target_clones picks the widest vectors of the machine at run
   time; elsewhere the compiler's default serves. `omp simd` allows the partial sums of a reduction
   to be reordered, in the same order at every call. */

#ifndef FASTSUB_SIMD_H
#define FASTSUB_SIMD_H

#include <stddef.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FASTSUB_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FASTSUB_SIMD
#endif

/* Sum of squares, in double precision whatever the type; complex numbers are pairs. */
#define FASTSUB_SUMSQ(NAME, T)                                                                  \
    FASTSUB_SIMD static inline double NAME##_sumsq(ptrdiff_t m, const T *v)                     \
    {                                                                                           \
        double s = 0;                                                                           \
        _Pragma("omp simd reduction(+:s)")                                                      \
        for (ptrdiff_t i = 0; i < m; i++) s += (double)v[i] * (double)v[i];                     \
        return s;                                                                               \
    }

/* NAME_dot: sum v_i a_i;  NAME_axpy: a += w v;  NAME_reflect: A (m, n) -= tau v (v^T A). */
#define FASTSUB_REAL(NAME, T)                                                                   \
    FASTSUB_SIMD static inline T NAME##_dot(ptrdiff_t m, const T *v, const T *a)                \
    {                                                                                           \
        T s = 0;                                                                                \
        _Pragma("omp simd reduction(+:s)")                                                      \
        for (ptrdiff_t i = 0; i < m; i++) s += v[i] * a[i];                                     \
        return s;                                                                               \
    }                                                                                           \
    FASTSUB_SIMD static inline void NAME##_axpy(ptrdiff_t m, T w, const T *v, T *a)             \
    {                                                                                           \
        _Pragma("omp simd")                                                                     \
        for (ptrdiff_t i = 0; i < m; i++) a[i] += w * v[i];                                     \
    }                                                                                           \
    FASTSUB_SIMD static void NAME##_reflect(ptrdiff_t m, ptrdiff_t n, const T *v, T tau,        \
                                            T *A, ptrdiff_t lda)                                \
    {                                                                                           \
        ptrdiff_t j = 0;                                                                        \
        for (; j + 4 <= n; j += 4) {                                                            \
            T *a = A + j * lda, *b = a + lda, *c = b + lda, *d = c + lda;                       \
            T p = 0, q = 0, r = 0, s = 0;                                                       \
            _Pragma("omp simd reduction(+:p,q,r,s)")                                            \
            for (ptrdiff_t i = 0; i < m; i++) {                                                 \
                p += v[i] * a[i];                                                               \
                q += v[i] * b[i];                                                               \
                r += v[i] * c[i];                                                               \
                s += v[i] * d[i];                                                               \
            }                                                                                   \
            p *= tau, q *= tau, r *= tau, s *= tau;                                             \
            _Pragma("omp simd")                                                                 \
            for (ptrdiff_t i = 0; i < m; i++) {                                                 \
                a[i] -= p * v[i];                                                               \
                b[i] -= q * v[i];                                                               \
                c[i] -= r * v[i];                                                               \
                d[i] -= s * v[i];                                                               \
            }                                                                                   \
        }                                                                                       \
        for (; j < n; j++) NAME##_axpy(m, -tau * NAME##_dot(m, v, A + j * lda), v, A + j * lda);\
    }

/* The same for interleaved real and imaginary parts; dot conjugates v, w and tau are pairs. */
#define FASTSUB_COMPLEX(NAME, T)                                                                \
    FASTSUB_SIMD static inline void NAME##_dot(ptrdiff_t m, const T *v, const T *a, T *out)     \
    {                                                                                           \
        T re = 0, im = 0;                                                                       \
        _Pragma("omp simd reduction(+:re,im)")                                                  \
        for (ptrdiff_t i = 0; i < m; i++) {                                                     \
            re += v[2 * i] * a[2 * i] + v[2 * i + 1] * a[2 * i + 1];                            \
            im += v[2 * i] * a[2 * i + 1] - v[2 * i + 1] * a[2 * i];                            \
        }                                                                                       \
        out[0] = re, out[1] = im;                                                               \
    }                                                                                           \
    FASTSUB_SIMD static inline void NAME##_axpy(ptrdiff_t m, T re, T im, const T *v, T *a)      \
    {                                                                                           \
        _Pragma("omp simd")                                                                     \
        for (ptrdiff_t i = 0; i < m; i++) {                                                     \
            T x = v[2 * i], y = v[2 * i + 1];                                                   \
            a[2 * i] += re * x - im * y;                                                        \
            a[2 * i + 1] += re * y + im * x;                                                    \
        }                                                                                       \
    }                                                                                           \
    FASTSUB_SIMD static void NAME##_reflect(ptrdiff_t m, ptrdiff_t n, const T *v, const T *tau, \
                                            T *A, ptrdiff_t lda)                                \
    {                                                                                           \
        for (ptrdiff_t j = 0; j < n; j++) {                                                     \
            T w[2], *a = A + 2 * j * lda;                                                       \
            NAME##_dot(m, v, a, w);                                                             \
            NAME##_axpy(m, tau[1] * w[1] - tau[0] * w[0], -tau[0] * w[1] - tau[1] * w[0], v, a);\
        }                                                                                       \
    }

FASTSUB_SUMSQ(fastsub_f32, float)
FASTSUB_SUMSQ(fastsub_f64, double)
FASTSUB_REAL(fastsub_f32, float)
FASTSUB_REAL(fastsub_f64, double)
FASTSUB_COMPLEX(fastsub_c64, float)
FASTSUB_COMPLEX(fastsub_c128, double)

#endif
