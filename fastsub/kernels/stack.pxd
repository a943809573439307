"""Ranks and bases of a stack of small matrices, compiled."""

from fastsub.kernels.small cimport Small

cdef enum How:
    # Who decided: bounds, by a QR without pivots or with them, the basis by an SVD; the SVD; or
    # nobody: entries are not finite, the SVD failed
    PLAIN = 0
    PIVOTED = 1
    REFINED = 2
    BY_SVD = 3
    UNKNOWN = 4
    FAILED = 5

cdef double cutoff(Small* S, double low) noexcept nogil
