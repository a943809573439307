"""Fraction-free Gauss-Jordan elimination of small integer matrices, exact in 64 bits.

    Z (m, n) by rows  ->  R (m, n) by rows, d:  R / d is the reduced echelon form of Z

What has minors beyond 2^62 is refused before anything is done; see bareiss.h for the bound.

References
----------
Bareiss, Sylvester's identity and multistep integer-preserving Gaussian elimination (1968), eq. 8.
Jebelean, An algorithm for exact division (1993).
"""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc


cdef extern from "bareiss.h" nogil:
    bint fastsub_minors_fit(Py_ssize_t m, Py_ssize_t n, const int64_t* A)
    Py_ssize_t fastsub_bareiss(Py_ssize_t m, Py_ssize_t n, int64_t* A, Py_ssize_t* pivots,
                               int64_t* d)
    bint fastsub_reduces(Py_ssize_t m, Py_ssize_t n, const int64_t* Z, const int64_t* R,
                         Py_ssize_t r, const Py_ssize_t* pivots, int64_t d)


cdef bint minors_fit(Py_ssize_t m, Py_ssize_t n, const int64_t* Z) noexcept nogil:
    """Whether every minor of Z (m, n) by rows is below 2^62."""
    return fastsub_minors_fit(m, n, Z)


cdef Py_ssize_t bareiss(Py_ssize_t m, Py_ssize_t n, const int64_t* Z, int64_t* R,
                        Py_ssize_t* pivots, int64_t* d) noexcept nogil:
    """R (m, n), a copy of Z, := d * rref(Z); pivots (min(m, n),); return the rank.

    -1 if the minors may not fit, -2 if the result fails its check d Z = Z[:, pivots] R.
    """
    cdef Py_ssize_t r
    if not fastsub_minors_fit(m, n, Z):
        return -1
    r = fastsub_bareiss(m, n, R, pivots, d)
    return r if fastsub_reduces(m, n, Z, R, r, pivots, d[0]) else -2


# ---- Python shims ----

def py_bareiss(const int64_t[:, ::1] Z, int64_t[:, ::1] R):
    """R, a copy of Z, := d * rref(Z); return (d, pivots), or None if minors may not fit."""
    cdef Py_ssize_t m = Z.shape[0], n = Z.shape[1], r, k
    cdef Py_ssize_t some[64]
    cdef Py_ssize_t* pivots = some
    cdef int64_t d = 1
    if R.shape[0] != m or R.shape[1] != n:
        raise ValueError("R must be a copy of Z")
    if m == 0 or n == 0:
        return 1, ()
    if min(m, n) > 64:
        pivots = <Py_ssize_t*>malloc(min(m, n) * sizeof(Py_ssize_t))
        if pivots == NULL:
            raise MemoryError()
    try:
        with nogil:
            r = bareiss(m, n, &Z[0, 0], &R[0, 0], pivots, &d)
        if r == -1:
            return None
        if r < 0:
            raise ArithmeticError("the echelon form failed its check")
        return d, tuple([pivots[k] for k in range(r)])
    finally:
        if pivots != some:
            free(pivots)
