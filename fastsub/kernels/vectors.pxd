"""Vectors that are too short for a BLAS call, over the four dtypes (simd.h)."""

from fastsub.kernels.blas cimport complex64, complex128, scalar

cdef extern from "simd.h":
    double fastsub_f32_sumsq(Py_ssize_t m, const float* v) noexcept nogil
    double fastsub_f64_sumsq(Py_ssize_t m, const double* v) noexcept nogil
    float fastsub_f32_dot(Py_ssize_t m, const float* v, const float* a) noexcept nogil
    double fastsub_f64_dot(Py_ssize_t m, const double* v, const double* a) noexcept nogil
    void fastsub_c64_dot(Py_ssize_t m, const float* v, const float* a, float* out) noexcept nogil
    void fastsub_c128_dot(Py_ssize_t m, const double* v, const double* a,
                          double* out) noexcept nogil
    void fastsub_f32_axpy(Py_ssize_t m, float w, const float* v, float* a) noexcept nogil
    void fastsub_f64_axpy(Py_ssize_t m, double w, const double* v, double* a) noexcept nogil
    void fastsub_c64_axpy(Py_ssize_t m, float re, float im, const float* v,
                          float* a) noexcept nogil
    void fastsub_c128_axpy(Py_ssize_t m, double re, double im, const double* v,
                           double* a) noexcept nogil
    void fastsub_f32_reflect(Py_ssize_t m, Py_ssize_t n, const float* v, float tau, float* A,
                             Py_ssize_t lda) noexcept nogil
    void fastsub_f64_reflect(Py_ssize_t m, Py_ssize_t n, const double* v, double tau, double* A,
                             Py_ssize_t lda) noexcept nogil
    void fastsub_c64_reflect(Py_ssize_t m, Py_ssize_t n, const float* v, const float* tau,
                             float* A, Py_ssize_t lda) noexcept nogil
    void fastsub_c128_reflect(Py_ssize_t m, Py_ssize_t n, const double* v, const double* tau,
                              double* A, Py_ssize_t lda) noexcept nogil


cdef inline double long_sumsq(Py_ssize_t m, const scalar* v) noexcept nogil:
    """`scalars.sumsq` of a long v, at the speed of memory; more partial sums, no less accurate"""
    if scalar is float:
        return fastsub_f32_sumsq(m, v)
    elif scalar is double:
        return fastsub_f64_sumsq(m, v)
    elif scalar is complex64:
        return fastsub_f32_sumsq(2 * m, <const float*>v)
    else:
        return fastsub_f64_sumsq(2 * m, <const double*>v)


cdef inline scalar dot(Py_ssize_t m, const scalar* v, const scalar* a) noexcept nogil:
    """v^H a"""
    cdef scalar out
    if scalar is float:
        out = fastsub_f32_dot(m, v, a)
    elif scalar is double:
        out = fastsub_f64_dot(m, v, a)
    elif scalar is complex64:
        fastsub_c64_dot(m, <const float*>v, <const float*>a, <float*>&out)
    else:
        fastsub_c128_dot(m, <const double*>v, <const double*>a, <double*>&out)
    return out


cdef inline void axpy(Py_ssize_t m, scalar w, const scalar* v, scalar* a) noexcept nogil:
    """a += w v"""
    if scalar is float:
        fastsub_f32_axpy(m, w, v, a)
    elif scalar is double:
        fastsub_f64_axpy(m, w, v, a)
    elif scalar is complex64:
        fastsub_c64_axpy(m, w.real, w.imag, <const float*>v, <float*>a)
    else:
        fastsub_c128_axpy(m, w.real, w.imag, <const double*>v, <double*>a)


cdef inline void reflect(Py_ssize_t m, Py_ssize_t n, const scalar* v, scalar tau, scalar* A,
                         Py_ssize_t lda) noexcept nogil:
    """A (m, n) -= tau v (v^H A)"""
    if scalar is float:
        fastsub_f32_reflect(m, n, v, tau, A, lda)
    elif scalar is double:
        fastsub_f64_reflect(m, n, v, tau, A, lda)
    elif scalar is complex64:
        fastsub_c64_reflect(m, n, <const float*>v, <const float*>&tau, <float*>A, lda)
    else:
        fastsub_c128_reflect(m, n, <const double*>v, <const double*>&tau, <double*>A, lda)
