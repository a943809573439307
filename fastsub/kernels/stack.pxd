"""Ranks and bases of a stack of small matrices."""

from fastsub.kernels.small cimport Small

cdef double cutoff(Small* S, double low) noexcept nogil
