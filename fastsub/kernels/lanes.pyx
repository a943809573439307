"""Many small matrices at once, one in each lane of a vector: memory, and when it is worthwhile.

The loops are those of lane_loops.h. A rank is proved there for most matrices whose first columns
are as many as it and independent; the others go on one at a time (small.pyx).
"""

cimport numpy as cnp
from libc.stdlib cimport free, malloc

cdef extern from "lane_tables.h":
    const Lanes fastsub_lanes_f32_table, fastsub_lanes_f64_table
    const Lanes fastsub_lanes_c64_table, fastsub_lanes_c128_table

cdef enum:
    # Bytes of a group beyond which it leaves the cache: `python -m bench compare stacks`.
    LARGEST = 1 << 18


cdef const Lanes* lanes_of(int dtype) noexcept nogil:
    if dtype == cnp.NPY_DOUBLE:
        return &fastsub_lanes_f64_table
    if dtype == cnp.NPY_FLOAT:
        return &fastsub_lanes_f32_table
    if dtype == cnp.NPY_CDOUBLE:
        return &fastsub_lanes_c128_table
    return &fastsub_lanes_c64_table


cdef bint begin_group(Group* G, int dtype, Py_ssize_t m, Py_ssize_t n, Py_ssize_t extra,
                      Py_ssize_t room) noexcept nogil:
    """Lay out the memory; False: not worthwhile, or none left. finish_group(G) gives it back."""
    cdef Py_ssize_t W, C, size
    G.K = lanes_of(dtype)
    G.m, G.n, G.extra = m, n, extra
    G.proved = G.failed = 0
    G.memory = NULL
    size = G.K.size
    W, C = m * (n + extra) * size, m * room * size
    if W + C > LARGEST:
        return False
    G.memory = malloc(W + C + (2 * n + 4 * (n + extra)) * size + 64)
    if G.memory == NULL:
        return False
    G.W = <char*>((<size_t>G.memory + 63) & ~<size_t>63)
    G.C = G.W + W
    G.beta = G.C + C
    G.tau = G.beta + n * size
    G.work = G.tau + n * size
    return True


cdef void finish_group(Group* G) noexcept nogil:
    free(G.memory)
    G.memory = NULL


cdef bint worthwhile(const Group* G, Py_ssize_t left) noexcept nogil:
    """Whether to go on with `left` matrices: more than one, and not too many that failed"""
    return G.memory != NULL and left > 1 and G.failed < G.proved + G.K.lanes


cdef Py_ssize_t gather(Group* G, const Py_ssize_t* at, Py_ssize_t left,
                       Py_ssize_t* places) noexcept nogil:
    """places (lanes) := where the next matrices begin, the last again in lanes to spare; count"""
    cdef Py_ssize_t lane, count = min(left, G.K.lanes)
    for lane in range(G.K.lanes):
        places[lane] = at[min(lane, count - 1)]
    return count


cdef unsigned int prove(Group* G, Py_ssize_t count, unsigned int which, bint exact,
                        int below) noexcept nogil:
    """Factor W; return the lanes, of the first `count` and of `which`, that have a proved rank"""
    cdef Py_ssize_t lane
    which &= G.K.factor(G.m, G.n, G.extra, G.rtol, G.tol, exact, below, G.W, G.beta, G.tau,
                        G.work, G.bounds, G.ranks)
    which &= <unsigned int>((1 << count) - 1)
    for lane in range(count):
        if which >> lane & 1:
            G.proved += 1
        else:
            G.failed += 1
    return which
