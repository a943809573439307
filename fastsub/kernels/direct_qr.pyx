"""From a Python object to the QR factorisation with column pivoting of a small matrix, in one call.

    A P = Q R      A (m, n) copied column-major; reflectors below its diagonal, R above (qrcp.pyx)

Where columns are short a reflector is applied at once, without the BLAS: what panels save there is
less than what their calls cost. Norms are downdated as in qrcp.pyx. Whatever is not a plain matrix
of one of the four dtypes, of a magnitude that can be squared, is left to factor/orthogonal/rrqr.py.

References
----------
Drmac & Bujanovic, On the failure of rank-revealing QR factorization software, ACM TOMS 35 (2008).
"""

cimport numpy as cnp
from libc.math cimport ldexp, sqrt
from libc.stdlib cimport free, malloc

from fastsub.kernels.blas cimport blas_int, complex64, complex128, larfg, scalar, swap
from fastsub.kernels.layout cimport copy, magnitude, upper
from fastsub.kernels.qrcp cimport column_norms, downdate
from fastsub.kernels.scalars cimport abs2, conj, eps
from fastsub.kernels.vectors cimport long_sumsq, reflect

cnp.import_array()


cdef void pivoted(blas_int m, blas_int n, scalar* A, cnp.npy_intp* p, scalar* tau,
                  double* norms) noexcept nogil:
    """Factor A (m, n) in place: p (n) names its columns, tau (min(m, n)), norms (2 n)"""
    cdef Py_ssize_t k, c, best, ld = m
    cdef double* exact = norms + n
    cdef double safe = sqrt(eps(A))
    cdef scalar* v
    cdef scalar diagonal
    for c in range(n):
        p[c] = c
    column_norms(m, n, A, m, norms, exact)
    for k in range(min(m, n)):
        best = k
        for c in range(k + 1, n):
            if norms[c] > norms[best]:
                best = c
        if best != k:
            swap(m, A + best * ld, 1, A + k * ld, 1)
            c = p[best]
            p[best] = p[k]
            p[k] = c
            norms[best] = norms[k]
            exact[best] = exact[k]
        v = A + k * (ld + 1)
        larfg(<blas_int>(m - k), v, v + 1, 1, tau + k)
        diagonal = v[0]
        v[0] = 1
        reflect(m - k, n - k - 1, v, conj(tau[k]), v + ld, ld)
        v[0] = diagonal
        for c in range(k + 1, n):
            if not downdate(<blas_int>c, sqrt(abs2(A[k + c * ld])), norms, exact, safe):
                norms[c] = exact[c] = sqrt(long_sumsq(m - k - 1, A + k + 1 + c * ld))


cdef int factor(cnp.ndarray A, cnp.ndarray W, cnp.ndarray R, cnp.npy_intp* p, void* tau,
                const scalar* like) noexcept:
    """W, R, p, tau := the factors of A; -1: not finite, or a scale that wants care; -2: memory"""
    cdef Py_ssize_t size = sizeof(scalar), m = cnp.PyArray_DIM(A, 0), n = cnp.PyArray_DIM(A, 1)
    cdef Py_ssize_t row = cnp.PyArray_STRIDE(A, 0) // size, col = cnp.PyArray_STRIDE(A, 1) // size
    cdef scalar* a = <scalar*>cnp.PyArray_DATA(A)
    cdef scalar* w = <scalar*>cnp.PyArray_DATA(W)
    # As working_copy has it, for squares.
    cdef int safe = 200 if scalar is double or scalar is complex128 else 40
    cdef double largest = magnitude(a, m, n, row, col)
    cdef double* norms
    if largest != 0 and not ldexp(1.0, -safe) < largest < ldexp(1.0, safe):  # NaN, too
        return -1
    norms = <double*>malloc(2 * n * sizeof(double))
    if norms == NULL:
        return -2
    with nogil:
        copy(a, m, n, row, col, 1.0, False, w, m)
        pivoted(<blas_int>m, <blas_int>n, w, p, <scalar*>tau, norms)
        upper(w, min(m, n), n, m, <scalar*>cnp.PyArray_DATA(R))
    free(norms)
    return 0


# ---- Python shim ----

def py_pivoted(object A, Py_ssize_t entries):
    """Return (W, p, tau, R), or None: not a plain matrix of at most that many entries.

    W (m, n) holds R and the reflectors, p (n) of intp the pivots, tau (min(m, n)), R (min(m, n), n)
    with zeros below its diagonal; both arrays are Fortran-ordered.
    """
    cdef cnp.ndarray a, W, R, p, tau
    cdef cnp.npy_intp[2] shape
    cdef int dtype, status
    if not cnp.PyArray_CheckExact(A):
        return None
    a = <cnp.ndarray>A
    if cnp.PyArray_NDIM(a) != 2 or not cnp.PyArray_ISBEHAVED_RO(a):
        return None
    shape[0], shape[1] = cnp.PyArray_DIM(a, 0), cnp.PyArray_DIM(a, 1)
    if not 0 < shape[0] * shape[1] <= entries:
        return None
    dtype = cnp.PyArray_TYPE(a)
    if dtype not in (cnp.NPY_FLOAT, cnp.NPY_DOUBLE, cnp.NPY_CFLOAT, cnp.NPY_CDOUBLE):
        return None
    if (cnp.PyArray_STRIDE(a, 0) % cnp.PyArray_ITEMSIZE(a)
            or cnp.PyArray_STRIDE(a, 1) % cnp.PyArray_ITEMSIZE(a)):
        return None
    W = cnp.PyArray_EMPTY(2, shape, dtype, True)
    p = cnp.PyArray_EMPTY(1, &shape[1], cnp.NPY_INTP, False)
    shape[0] = min(shape[0], shape[1])
    tau = cnp.PyArray_EMPTY(1, shape, dtype, False)
    R = cnp.PyArray_EMPTY(2, shape, dtype, True)
    if dtype == cnp.NPY_DOUBLE:
        status = factor(a, W, R, <cnp.npy_intp*>cnp.PyArray_DATA(p), cnp.PyArray_DATA(tau),
                        <const double*>NULL)
    elif dtype == cnp.NPY_FLOAT:
        status = factor(a, W, R, <cnp.npy_intp*>cnp.PyArray_DATA(p), cnp.PyArray_DATA(tau),
                        <const float*>NULL)
    elif dtype == cnp.NPY_CDOUBLE:
        status = factor(a, W, R, <cnp.npy_intp*>cnp.PyArray_DATA(p), cnp.PyArray_DATA(tau),
                        <const complex128*>NULL)
    else:
        status = factor(a, W, R, <cnp.npy_intp*>cnp.PyArray_DATA(p), cnp.PyArray_DATA(tau),
                        <const complex64*>NULL)
    if status == -2:
        raise MemoryError("no memory for the workspace of a small matrix")
    return None if status else (W, p, tau, R)
