"""From a Python object to a rank or a basis of a small matrix in one compiled call."""

cimport numpy as cnp

from fastsub.kernels.small cimport Small, Strips

cdef const Strips* ask(cnp.ndarray A, bint adjoint, Small* S) noexcept
cdef bint tolerance(object value, double* out) noexcept
cdef const Strips* strips_for(int dtype) noexcept
cdef void shorter(Small* S) noexcept nogil
