"""Sparse triangular substitution on the rows of X (n, k), row-major: all right-hand sides at once.

Line p of a triangle: entries start[p] ... start[p + 1] - 1 beside its diagonal entry, which belongs
to row target[p] of X.

    gather     X[target] := (X[target] - sum of value X[index]) / diagonal      rows of a triangle
    scatter    X[target] /= diagonal, then X[index] -= value X[target]          columns of one

L by columns and U by rows thus serve L, U and both of their adjoints.
"""

from fastsub.kernels.blas cimport scalar
from fastsub.kernels.scalars cimport conj
from fastsub.kernels.vectors cimport axpy


cdef inline void divide(Py_ssize_t k, scalar d, scalar* x) noexcept nogil:
    cdef Py_ssize_t c
    for c in range(k):
        x[c] = x[c] / d


cdef void gather(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start, const int* index,
                 const scalar* value, const int* target, const scalar* diagonal, bint conjugate,
                 bint backward, scalar* X) noexcept nogil:
    """The lines in turn, or the last one first; diagonal NULL: ones"""
    cdef Py_ssize_t line, p, e
    cdef scalar w
    cdef scalar* x
    for line in range(count):
        p = count - 1 - line if backward else line
        x = X + target[p] * k
        for e in range(start[p], start[p + 1]):
            w = -(conj(value[e]) if conjugate else value[e])
            axpy(k, w, X + index[e] * k, x)
        if diagonal != NULL:
            divide(k, conj(diagonal[p]) if conjugate else diagonal[p], x)


cdef void scatter(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start, const int* index,
                  const scalar* value, const int* target, const scalar* diagonal, bint conjugate,
                  bint backward, scalar* X) noexcept nogil:
    """The same for columns"""
    cdef Py_ssize_t line, p, e
    cdef scalar w
    cdef scalar* x
    for line in range(count):
        p = count - 1 - line if backward else line
        x = X + target[p] * k
        if diagonal != NULL:
            divide(k, conj(diagonal[p]) if conjugate else diagonal[p], x)
        for e in range(start[p], start[p + 1]):
            w = -(conj(value[e]) if conjugate else value[e])
            axpy(k, w, x, X + index[e] * k)


# ---- Python shims ----

def py_substitute(const Py_ssize_t[::1] start, const int[::1] index, const scalar[::1] value,
                  const int[::1] target, const scalar[::1] diagonal, scalar[:, ::1] X,
                  bint rows, bint conjugate, bint backward):
    """Substitute in X; rows: gather, else scatter. An empty diagonal stands for ones."""
    cdef Py_ssize_t count = target.shape[0], k = X.shape[1]
    cdef const int* indices = NULL
    cdef const scalar* values = NULL
    cdef const scalar* d = NULL
    if (start.shape[0] != count + 1 or index.shape[0] != value.shape[0]
            or (diagonal.shape[0] and diagonal.shape[0] != count)):
        raise ValueError("the shapes of the arguments do not fit together")
    if count == 0 or k == 0 or X.shape[0] == 0:
        return
    if index.shape[0]:
        indices, values = &index[0], &value[0]
    if diagonal.shape[0]:
        d = &diagonal[0]
    with nogil:
        if rows:
            gather(k, count, &start[0], indices, values, &target[0], d, conjugate, backward,
                   &X[0, 0])
        else:
            scatter(k, count, &start[0], indices, values, &target[0], d, conjugate, backward,
                    &X[0, 0])
