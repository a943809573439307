"""Dixon lifting and digit arrays."""

cdef Py_ssize_t lift(Py_ssize_t r, Py_ssize_t k, Py_ssize_t ld, Py_ssize_t slices, double base,
                     double p, const float* inverse, const float* B, double* R,
                     Py_ssize_t steps, double* digits, double* work) noexcept nogil
cdef void carry(Py_ssize_t n, Py_ssize_t count, double base, bint balanced, double* D,
                double* top) noexcept nogil
