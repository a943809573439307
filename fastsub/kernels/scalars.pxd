"""Arithmetic that is the same for the four dtypes; norms are always accumulated in double."""

from fastsub.kernels.blas cimport blas_int, complex64, complex128, scalar


cdef inline double eps(const scalar* _) noexcept nogil:
    """The distance from 1 to the next number, of the dtype of the pointer."""
    if scalar is float or scalar is complex64:
        return 1.1920928955078125e-07
    else:
        return 2.220446049250313e-16


cdef inline double abs2(scalar x) noexcept nogil:
    """|x|^2"""
    if scalar is float or scalar is double:
        return <double>x * <double>x
    else:
        return <double>x.real * <double>x.real + <double>x.imag * <double>x.imag


cdef inline scalar conj(scalar x) noexcept nogil:
    if scalar is float or scalar is double:
        return x
    else:
        return x.conjugate()


cdef inline scalar scaled(scalar x, double factor) noexcept nogil:
    """factor*x, part by part: infinities and signed zeros stay what they are."""
    cdef scalar y = x
    if scalar is complex64:
        y.real = <float>(x.real * factor)
        y.imag = <float>(x.imag * factor)
    elif scalar is complex128:
        y.real = x.real * factor
        y.imag = x.imag * factor
    else:
        y = <scalar>(x * factor)
    return y


cdef inline void conj_vector(blas_int n, scalar* x, Py_ssize_t incx) noexcept nogil:
    """x := conj(x); nothing to do, and nothing done, for real dtypes."""
    cdef Py_ssize_t i
    if scalar is complex64 or scalar is complex128:
        for i in range(n):
            x[i * incx] = x[i * incx].conjugate()


cdef inline double sumsq(Py_ssize_t n, const scalar* x) noexcept nogil:
    """||x||_2^2 of a contiguous x whose squares neither overflow nor matter when they underflow

    (arrays are scaled to magnitudes near 1 before they reach a kernel). Four partial sums: faster,
    and the error grows with n/4 instead of n (Higham 2002, section 4.2).
    """
    cdef Py_ssize_t i
    cdef double s0 = 0, s1 = 0, s2 = 0, s3 = 0
    for i in range(0, n - 3, 4):
        s0 += abs2(x[i])
        s1 += abs2(x[i + 1])
        s2 += abs2(x[i + 2])
        s3 += abs2(x[i + 3])
    for i in range(n - n % 4, n):
        s0 += abs2(x[i])
    return (s0 + s1) + (s2 + s3)


cdef inline bint whole_strides(const scalar[:, :] A) noexcept nogil:
    """Whether strides in bytes are strides in elements."""
    return (A.strides[0] % <Py_ssize_t>sizeof(scalar) == 0
            and A.strides[1] % <Py_ssize_t>sizeof(scalar) == 0)
