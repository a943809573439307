"""Integer combinations of the rows of N (n, k), row-major, by sparse rows Z[p]: index, value.

Null vectors grow from a core by back substitution, N[target] := Z[p] N, and are checked by Z N = 0;
all in 64 bits, refused before a sum can leave them.
"""

from libc.stdint cimport int64_t
from libc.string cimport memset


cdef extern from "rows.h" nogil:
    void fastsub_add_row(Py_ssize_t k, int64_t w, const int64_t* row, int64_t* to)
    void fastsub_add_halves(Py_ssize_t k, int64_t w, const int64_t* row, int64_t* low,
                            int64_t* high)
    int64_t fastsub_largest(Py_ssize_t k, const int64_t* row)
    bint fastsub_cancel(Py_ssize_t k, const int64_t* low, const int64_t* high)


cdef Py_ssize_t substitute(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start,
                           const Py_ssize_t* index, const int64_t* value,
                           const Py_ssize_t* target, int64_t* N, double* size) noexcept nogil:
    """N[target[p]] := Z[p] N for p = 0 ... count-1 in turn; N (n, k), start (count + 1,).

    size (n,): the largest magnitude of each row of N, kept. Returns how many before a sum might
    exceed 2^62.
    """
    cdef Py_ssize_t p, e, t
    cdef double bound
    for p in range(count):
        bound = 0
        for e in range(start[p], start[p + 1]):
            bound += abs(<double>value[e]) * size[index[e]]
        if not bound < 4e18:
            return p
        t = target[p]
        for e in range(start[p], start[p + 1]):
            if size[index[e]] > 0:
                fastsub_add_row(k, value[e], N + index[e] * k, N + t * k)
        size[t] = <double>fastsub_largest(k, N + t * k) if bound > 0 else 0
    return count


cdef int annihilates(Py_ssize_t k, Py_ssize_t count, const Py_ssize_t* start,
                     const Py_ssize_t* index, const int64_t* value, const int64_t* N,
                     int64_t* work) noexcept nogil:
    """1 if Z N = 0, 0 if not, -1 if 64 bits might not hold a sum; work (2 k,)."""
    cdef Py_ssize_t p, e
    cdef double total
    for p in range(count):
        total = 0
        for e in range(start[p], start[p + 1]):
            total += abs(<double>value[e])
        if not total < 1e9:
            return -1
        memset(work, 0, 2 * k * sizeof(int64_t))
        for e in range(start[p], start[p + 1]):
            fastsub_add_halves(k, value[e], N + index[e] * k, work, work + k)
        if not fastsub_cancel(k, work, work + k):
            return 0
    return 1


# ---- Python shims ----

def py_substitute(const Py_ssize_t[::1] start, const Py_ssize_t[::1] index,
                  const int64_t[::1] value, const Py_ssize_t[::1] target, int64_t[:, ::1] N,
                  double[::1] size):
    """N[target[p]] := Z[p] N in turn, from zero; return how many before one might not fit."""
    cdef Py_ssize_t count = target.shape[0]
    if (start.shape[0] != count + 1 or value.shape[0] != index.shape[0]
            or start[count] > index.shape[0] or size.shape[0] != N.shape[0]):
        raise ValueError("the shapes of the arguments do not fit together")
    if count == 0 or N.shape[1] == 0 or index.shape[0] == 0:
        return count
    with nogil:
        count = substitute(N.shape[1], count, &start[0], &index[0], &value[0], &target[0],
                           &N[0, 0], &size[0])
    return count


def py_annihilates(const Py_ssize_t[::1] start, const Py_ssize_t[::1] index,
                   const int64_t[::1] value, const int64_t[:, ::1] N, int64_t[::1] work):
    """1 if Z N = 0, 0 if not, -1 if 64 bits might not hold a sum."""
    cdef int found
    if (start.shape[0] == 0 or value.shape[0] != index.shape[0]
            or start[start.shape[0] - 1] > index.shape[0] or work.shape[0] != 2 * N.shape[1]):
        raise ValueError("the shapes of the arguments do not fit together")
    if N.shape[1] == 0 or N.shape[0] == 0 or index.shape[0] == 0:
        return 1
    with nogil:
        found = annihilates(N.shape[1], start.shape[0] - 1, &start[0], &index[0], &value[0],
                            &N[0, 0], &work[0])
    return found
