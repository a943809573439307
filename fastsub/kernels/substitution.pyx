"""Sparse triangular substitution on the rows of X (n, k), row-major: all right-hand sides at once.

Line p of a triangle: entries start[p] ... start[p + 1] - 1 beside its diagonal entry, which belongs
to row target[p] of X.

    gather     X[target] := (X[target] - sum of value X[index]) / diagonal      rows of a triangle
    scatter    X[target] /= diagonal, then X[index] -= value X[target]          columns of one

L by columns and U by rows thus serve L, U and both of their adjoints. `combine` does what `gather`
does where X is sparse, too: compressed rows that are made one after the other.
"""

from fastsub.kernels.blas cimport scalar
from fastsub.kernels.scalars cimport abs2, conj, eps
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


cdef Py_ssize_t combine(Py_ssize_t k, Py_ssize_t first, const Py_ssize_t* start, const int* index,
                        const scalar* value, const int* target, const scalar* diagonal,
                        Py_ssize_t* row, int* length, int* column, scalar* X, Py_ssize_t capacity,
                        Py_ssize_t* used, scalar* total, double* size, int* mark,
                        int* found) noexcept nogil:
    """X[target] := -(sum of value X[index]) / diagonal for the lines first, first - 1, ..., 0

    Row i of X, k wide: length[i] entries from row[i] on in column and X, of which `used` are taken.
    What is left of terms that cancel is dropped. total, size, mark, found (k,), mark -1. Returns
    -1, or the line for which there was no room.
    """
    cdef Py_ssize_t p = first, e, f, count, room
    cdef int c, i
    cdef scalar term
    cdef double noise = 4 * eps(value) * 4 * eps(value)
    while p >= 0:
        room = 0
        for e in range(start[p], start[p + 1]):
            room += length[index[e]]
        if used[0] + min(room, k) > capacity:
            return p
        count = 0
        for e in range(start[p], start[p + 1]):
            i = index[e]
            for f in range(row[i], row[i] + length[i]):
                c = column[f]
                term = value[e] * X[f]
                if mark[c] < 0:
                    mark[c] = 1
                    found[count] = c
                    count += 1
                    total[c] = term
                    size[c] = abs2(term)
                else:
                    total[c] = total[c] + term
                    size[c] = max(size[c], abs2(term))
        i = target[p]
        row[i] = used[0]
        for f in range(count):
            c = found[f]
            mark[c] = -1
            if abs2(total[c]) > noise * size[c]:
                column[used[0]] = c
                X[used[0]] = -total[c] / diagonal[p]
                used[0] += 1
        length[i] = <int>(used[0] - row[i])
        p -= 1
    return -1


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


def py_combine(Py_ssize_t first, const Py_ssize_t[::1] start, const int[::1] index,
               const scalar[::1] value, const int[::1] target, const scalar[::1] diagonal,
               Py_ssize_t[::1] row, int[::1] length, int[::1] column, scalar[::1] X,
               Py_ssize_t used, scalar[::1] total, double[::1] size, int[:, ::1] marks):
    """Make sparse rows from line `first` down; return (used, line without room or -1)."""
    cdef Py_ssize_t k = total.shape[0], count = target.shape[0]
    if (start.shape[0] != count + 1 or index.shape[0] != value.shape[0] or first >= count
            or diagonal.shape[0] != count or row.shape[0] != length.shape[0]
            or column.shape[0] != X.shape[0] or size.shape[0] != k or marks.shape[0] != 2
            or marks.shape[1] != k):
        raise ValueError("the shapes of the arguments do not fit together")
    if first < 0 or k == 0 or index.shape[0] == 0 or X.shape[0] == 0:
        return used, -1
    with nogil:
        first = combine(k, first, &start[0], &index[0], &value[0], &target[0], &diagonal[0],
                        &row[0], &length[0], &column[0], &X[0], X.shape[0], &used, &total[0],
                        &size[0], &marks[0, 0], &marks[1, 0])
    return used, first
