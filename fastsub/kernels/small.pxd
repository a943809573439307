"""A whole rank decision and an orthonormal basis for a matrix of small order, without the BLAS."""

cdef enum:
    DECIDED = 0
    ROUGH = 1
    UNDECIDED = 2
    NOT_FINITE = 3
    GO_ON = 4
    SCRATCH = 24576

cdef extern from "strips.h":
    ctypedef struct Strips "fastsub_strips":
        Py_ssize_t size, parts
        double eps, spread
        int safe, lowest
        double (*magnitude)(Py_ssize_t m, Py_ssize_t n, const void* A, Py_ssize_t rs,
                            Py_ssize_t cs) noexcept nogil
        double (*sumsq)(Py_ssize_t m, Py_ssize_t n, const void* A, Py_ssize_t rs, Py_ssize_t cs,
                        double scale, double* widest) noexcept nogil
        double (*sigma_1)(Py_ssize_t m, Py_ssize_t n, const void* A, Py_ssize_t rs, Py_ssize_t cs,
                          double scale, int steps, void* x, void* z) noexcept nogil
        void (*load)(Py_ssize_t m, Py_ssize_t count, const void* A, Py_ssize_t rs, Py_ssize_t cs,
                     bint conjugate, double scale, void* S) noexcept nogil
        void (*store)(Py_ssize_t m, Py_ssize_t count, const void* S, void* A) noexcept nogil
        void (*apply)(Py_ssize_t m, const void* V, const void* T, bint adjoint,
                      void* S) noexcept nogil
        Py_ssize_t (*panel)(Py_ssize_t m, Py_ssize_t k, Py_ssize_t count, double budget,
                            double floor, void* S, void* T, void* R, double* left) noexcept nogil
        Py_ssize_t (*pivoted_panel)(Py_ssize_t m, Py_ssize_t k, Py_ssize_t count, double other,
                                    double rest, double stop, void* S, void* T, void* R,
                                    void* norms, double* rows) noexcept nogil
        void (*measure)(Py_ssize_t m, Py_ssize_t top, Py_ssize_t k, Py_ssize_t count,
                        const void* S, void* norms, double* rows) noexcept nogil
        double (*select)(Py_ssize_t n, const void* norms, Py_ssize_t* best,
                         double* total) noexcept nogil
        void (*move)(Py_ssize_t m, const void* source, const void* norms_source, Py_ssize_t j,
                     void* to, void* norms_to, Py_ssize_t k) noexcept nogil
        double (*invert)(Py_ssize_t s, Py_ssize_t count, const Py_ssize_t* tops, const void* R,
                         void* X, Py_ssize_t height) noexcept nogil
        void (*solve)(Py_ssize_t k, const void* R, Py_ssize_t height, bint adjoint,
                      void* S) noexcept nogil
        void (*identity)(Py_ssize_t m, Py_ssize_t first, void* S) noexcept nogil


cdef struct Small:
    # The question: W = A or A^H, (m, n), entry (i, j) at A[i*rs + j*cs], where conjugate
    const Strips* K
    const void* A
    Py_ssize_t m, n, rs, cs
    bint conjugate
    double rtol, tol  # the cutoff is tol + rtol sigma_1
    bint flipped      # it is A^T or A^H
    bint clean        # a basis is wanted: what the rank leaves must be at rounding level
    bint iterate      # singular values by QR iteration (gesvd), not by divide and conquer
    bint tight        # the cutoff is wanted too, so sigma_1 to a few percent
    # The answer
    Py_ssize_t rank
    double cutoff, lower, upper
    bint pivoted
    # Its reflectors: `strips` strips, the s-th begins at row tops[s] of V; tops[strips] = k
    Py_ssize_t strips
    Py_ssize_t* tops
    char* V  # (m, n)
    char* W  # (m, n)
    char* T  # (8, 8) a strip
    char* R  # (height, height), R11
    char* C  # (m, 8)
    char* norms
    char* x  # (max(m, n))
    char* z
    double* rows
    Py_ssize_t height
    void* memory
    int exponent      # what was factored is A / 2^exponent

cdef struct Weights:
    # Of W times scale: its norm, the margin of rounding, a lower bound of sigma_1, the absolute
    # part of the cutoff and its bracket
    double scale, norm, margin, low, tol, tol_low, tol_high

cdef const Strips* strips_of(char dtype) noexcept nogil
cdef bint begin(Small* S, char* scratch) noexcept nogil
cdef void finish(Small* S) noexcept nogil
cdef void report(Small* S, Py_ssize_t rank, double cutoff, double lower,
                 double upper) noexcept nogil
cdef int weigh(Small* S, Weights* w) noexcept nogil
cdef int by_bounds(Small* S) noexcept nogil
cdef Py_ssize_t avoid_pivots(Small* S, double limit, double floor, double scale,
                             double* left) noexcept nogil
cdef double inverse_norm(Small* S, Py_ssize_t r) noexcept nogil
cdef void reflect(Small* S, Py_ssize_t s, bint adjoint, char* strip) noexcept nogil
cdef void columns(Small* S, Py_ssize_t start, Py_ssize_t count, char* out) noexcept nogil
