"""Many small matrices at once, one in each lane of a vector."""

cdef enum:
    MOST_LANES = 16
    BLOCK = 8

cdef extern from "lanes.h":
    enum:
        FULL_RANK "FASTSUB_FULL_RANK"
        CLEAN "FASTSUB_CLEAN"
        ANY_RANK "FASTSUB_ANY_RANK"
    ctypedef struct Lanes "fastsub_lanes":
        Py_ssize_t lanes, size
        void (*load)(Py_ssize_t m, Py_ssize_t n, const void* A, const Py_ssize_t* at,
                     Py_ssize_t rs, Py_ssize_t cs, bint conjugate, Py_ssize_t ld,
                     void* W) noexcept nogil
        void (*store)(Py_ssize_t m, Py_ssize_t rows, Py_ssize_t count, const void* C,
                      unsigned int which, Py_ssize_t step, void* out) noexcept nogil
        void (*sumsq)(Py_ssize_t first, Py_ssize_t m, Py_ssize_t count, const void* C,
                      double* squares) noexcept nogil
        unsigned int (*factor)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t extra, const double* rtol,
                               const double* tol, bint exact, int below, void* W, void* beta,
                               void* tau, void* work, double* bounds,
                               Py_ssize_t* ranks) noexcept nogil
        void (*reduce)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t extra, void* W, void* beta,
                       void* tau, void* work) noexcept nogil
        void (*triangle)(Py_ssize_t m, Py_ssize_t n, bint raw, const void* beta,
                         void* W) noexcept nogil
        void (*unit)(Py_ssize_t m, Py_ssize_t first, Py_ssize_t count, void* C) noexcept nogil
        void (*apply)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t count, const void* W,
                      const void* tau, void* C) noexcept nogil
        void (*scale)(Py_ssize_t count, const double* factors, void* W) noexcept nogil
        void (*solve)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t count, bint adjoint, const void* W,
                      const void* beta, void* C) noexcept nogil
        void (*subtract)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t count, const void* A,
                         const void* X, void* C) noexcept nogil
        void (*adjoint)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t count, const void* A,
                        const void* C, Py_ssize_t ld, void* G) noexcept nogil
        void (*augment)(Py_ssize_t m, Py_ssize_t n, const double* theta, void* W) noexcept nogil


cdef struct Group:
    # W (m, n + extra), m >= n; C (m, room)
    const Lanes* K
    Py_ssize_t m, n, extra
    char* W
    char* C
    char* beta
    char* tau
    char* work
    void* memory
    # Of each lane
    Py_ssize_t[MOST_LANES] at, ranks
    double[MOST_LANES] rtol, tol
    double[3 * MOST_LANES] bounds  # (3, K.lanes)
    # Matrices of which a rank was proved, and of which none was
    Py_ssize_t proved, failed

cdef const Lanes* lanes_of(int dtype) noexcept nogil
cdef bint begin_group(Group* G, int dtype, Py_ssize_t m, Py_ssize_t n, Py_ssize_t extra,
                      Py_ssize_t room) noexcept nogil
cdef void finish_group(Group* G) noexcept nogil
cdef bint worthwhile(const Group* G, Py_ssize_t left) noexcept nogil
cdef Py_ssize_t gather(Group* G, const Py_ssize_t* at, Py_ssize_t left,
                       Py_ssize_t* places) noexcept nogil
cdef unsigned int prove(Group* G, Py_ssize_t count, unsigned int which, bint exact,
                        int below) noexcept nogil
