"""Dixon's p-adic lifting in doubles, and arrays of integers as columns of digits.

    B X = A,  X = sum_s p^s X_s:     X_s := B^-1 R mod p,   R := (R - B X_s) / p,   R = A at first

Entries of B and R are sums of slices, sum_t base^t B_t, so that every product below is exact in a
double; see padic.h for the storage.

References
----------
Dixon, Exact solution of linear equations using p-adic expansions (1982).
"""

cdef extern from "padic.h" nogil:
    enum:
        FASTSUB_PANEL
    bint fastsub_lift(Py_ssize_t r, Py_ssize_t k, Py_ssize_t ld, Py_ssize_t slices, double base,
                      double p, const float* inverse, const float* B, double* R, double* digits,
                      double* work)
    void fastsub_carry(Py_ssize_t n, Py_ssize_t count, double base, bint balanced, double* D,
                       double* carry)


cdef Py_ssize_t lift(Py_ssize_t r, Py_ssize_t k, Py_ssize_t ld, Py_ssize_t slices, double base,
                     double p, const float* inverse, const float* B, double* R,
                     Py_ssize_t steps, double* digits, double* work) noexcept nogil:
    """digits (steps, k, r) := the next digits of X; return how many before B X = R fails.

    inverse (panels, r, 32), B (slices, ld / 32, r, 32), R (slices, k, ld), work (ld + 128 + 4 r,).
    """
    cdef Py_ssize_t s
    for s in range(steps):
        if fastsub_lift(r, k, ld, slices, base, p, inverse, B, R, digits + s * k * r, work):
            return s
    return steps


cdef void carry(Py_ssize_t n, Py_ssize_t count, double base, bint balanced, double* D,
                double* top) noexcept nogil:
    """D (count, n): digits of n integers, brought into range; top (n,) := what exceeds them."""
    fastsub_carry(n, count, base, balanced, D, top)


# ---- Python shims ----

def py_lift(const float[:, :, ::1] inverse, const float[:, :, :, ::1] B, double base, double p,
            double[:, :, ::1] R, double[:, :, ::1] digits, double[::1] work):
    """digits (steps, k, r) := the next digits; R is brought forward; return how many are right."""
    cdef Py_ssize_t r = inverse.shape[1], k = R.shape[1], ld = R.shape[2], steps = digits.shape[0]
    if (inverse.shape[0] * FASTSUB_PANEL < r or inverse.shape[2] != FASTSUB_PANEL
            or B.shape[0] != R.shape[0] or B.shape[1] * FASTSUB_PANEL != ld or ld < r
            or B.shape[2] != r or B.shape[3] != FASTSUB_PANEL or digits.shape[1] != k
            or digits.shape[2] != r or work.shape[0] < ld + 4 * (FASTSUB_PANEL + r)):
        raise ValueError("the shapes of the arguments do not fit together")
    if r == 0 or k == 0 or steps == 0 or R.shape[0] == 0:
        return steps
    with nogil:
        steps = lift(r, k, ld, R.shape[0], base, p, &inverse[0, 0, 0], &B[0, 0, 0, 0],
                     &R[0, 0, 0], steps, &digits[0, 0, 0], &work[0])
    return steps


def py_carry(double[:, ::1] D, double base, bint balanced, double[::1] top):
    """D (count, n) := its digits brought into range, lowest first; top (n,) := the rest."""
    if top.shape[0] != D.shape[1]:
        raise ValueError("top must have one entry for each integer")
    if D.shape[1] == 0:
        return
    with nogil:
        carry(D.shape[1], D.shape[0], base, balanced, &D[0, 0] if D.shape[0] else NULL, &top[0])
