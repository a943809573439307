"""The inverses of the two triangles on the diagonal of one."""

from fastsub.kernels.blas cimport scalar

cdef double inverse_norm(Py_ssize_t r, scalar* R, Py_ssize_t ld, scalar* diagonal) noexcept nogil
