"""From a Python object to a rank or a basis of a small matrix in one compiled call.

What a call costs at 1 x 1 is all here: NumPy's C API instead of memoryviews, the workspace on the
stack, no certificate unless it is asked for. Whatever is not a plain matrix of one of the four
dtypes with a plain tolerance is left to the validation of factor/arrays.py: the answer is None.

Bounds decide (small.pyx), else the singular values (undecided.pyx).
"""

cimport numpy as cnp
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from libc.stdlib cimport free

from fastsub.kernels.blas cimport blas_int
from fastsub.kernels.small cimport (
    DECIDED, NOT_FINITE, ROUGH, SCRATCH, UNDECIDED, Small, Strips, begin, by_bounds, columns,
    finish, strips_of,
)
from fastsub.kernels.svd cimport Bidiagonal
from fastsub.kernels.undecided cimport NO_MEMORY, by_svd, svd_columns

cnp.import_array()

cdef enum:
    # Entries from which other threads may run meanwhile: handing over the GIL costs 0.1 us.
    HAND_OVER = 1024


cdef const Strips* strips_for(int dtype) noexcept:
    if dtype == cnp.NPY_DOUBLE:
        return strips_of(c'd')
    if dtype == cnp.NPY_FLOAT:
        return strips_of(c'f')
    if dtype == cnp.NPY_CDOUBLE:
        return strips_of(c'D')
    if dtype == cnp.NPY_CFLOAT:
        return strips_of(c'F')
    return NULL


cdef const Strips* ask(cnp.ndarray A, bint adjoint, Small* S) noexcept:
    """Fill in where W is; NULL: not a matrix for the kernels"""
    cdef Py_ssize_t row, col
    S.K = strips_for(cnp.PyArray_TYPE(A))
    if S.K == NULL or cnp.PyArray_NDIM(A) != 2 or not cnp.PyArray_ISBEHAVED_RO(A):
        return NULL
    S.m, S.n = cnp.PyArray_DIM(A, 0), cnp.PyArray_DIM(A, 1)
    row, col = cnp.PyArray_STRIDE(A, 0), cnp.PyArray_STRIDE(A, 1)
    if row % S.K.size or col % S.K.size:
        return NULL
    S.rs, S.cs = row // S.K.size, col // S.K.size
    S.A = cnp.PyArray_DATA(A)
    S.conjugate = S.flipped = adjoint
    if adjoint:
        S.m, S.n, S.rs, S.cs = S.n, S.m, S.cs, S.rs
    return S.K


cdef inline int decide(Small* S) noexcept:
    cdef int status
    if S.m * S.n < HAND_OVER:
        return by_bounds(S)
    with nogil:
        status = by_bounds(S)
    return status


cdef cnp.ndarray basis_of(Small* S, int dtype, bint complement):
    cdef cnp.npy_intp[2] shape
    cdef Py_ssize_t start = S.rank if complement else 0
    shape[0] = S.m
    shape[1] = S.m - S.rank if complement else S.rank
    cdef cnp.ndarray out = cnp.PyArray_EMPTY(2, shape, dtype, True)
    cdef char* data = <char*>cnp.PyArray_DATA(out)
    if shape[1] == 0:
        return out
    if S.m * S.n < HAND_OVER:
        columns(S, start, shape[1], data)
    else:
        with nogil:
            columns(S, start, shape[1], data)
    return out


cdef tuple svd(Small* S, int dtype, bint complement, bint want_basis, Py_ssize_t rank):
    """Decide by singular values, or take the rank that bounds proved; (info, basis)"""
    cdef Bidiagonal B
    cdef blas_int info
    cdef cnp.ndarray out = None
    cdef cnp.npy_intp[2] shape
    with nogil:
        info = by_svd(S, want_basis, rank, &B)
    if info == NO_MEMORY:
        raise MemoryError("no memory for the workspace of a small matrix")
    if info != 0:
        return info, None
    try:
        if want_basis:
            shape[0] = S.m
            shape[1] = S.m - S.rank if complement else S.rank
            out = cnp.PyArray_EMPTY(2, shape, dtype, True)
            with nogil:
                info = svd_columns(S, &B, S.rank if complement else 0, shape[1],
                                   <char*>cnp.PyArray_DATA(out))
        return info, out
    finally:
        free(B.memory)


cdef inline bint fits(const Small* S, Py_ssize_t entries) noexcept:
    return 0 < S.m * S.n <= entries


cdef bint tolerance(object value, double* out) noexcept:
    """out := value; None leaves it. False: neither None nor a plain nonnegative float."""
    if value is None:
        return True
    if PyFloat_CheckExact(value):
        out[0] = PyFloat_AS_DOUBLE(value)
        return out[0] >= 0
    return False


def py_basis(object A, object rcond, bint row_side, bint complement, Py_ssize_t entries,
             Py_ssize_t side):
    """Return an orthonormal basis of one of the four subspaces, or None: not for this path.

    Parameters
    ----------
    A : object
        Answered if it is an ndarray, 2-d, of one of the four dtypes, with whole strides, not empty,
        finite, and small.
    rcond : object
        Answered if None or a float >= 0.
    row_side, complement : bool
        Whether it lies in the space of rows, and is the orthogonal complement there.
    entries, side : int
        How many entries a small matrix may have, and a complement's vectors.
    """
    cdef char[SCRATCH] scratch
    cdef Small S
    cdef int status, dtype
    cdef cnp.ndarray a
    S.rtol = S.tol = 0
    if not cnp.PyArray_CheckExact(A) or not tolerance(rcond, &S.rtol):
        return None
    a = <cnp.ndarray>A
    if ask(a, row_side, &S) == NULL or not fits(&S, entries):
        return None
    if complement and cnp.PyArray_DIM(a, 1 if row_side else 0) > side:
        return None
    dtype = cnp.PyArray_TYPE(a)
    if rcond is None:
        S.rtol = S.K.eps * max(S.m, S.n)
    S.clean = True
    S.tight = S.iterate = False
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    try:
        status = decide(&S)
        if status == DECIDED:
            return basis_of(&S, dtype, complement)
    finally:
        finish(&S)
    if status == NOT_FINITE:
        return None
    # An SVD that fails is reported by who is asked again.
    return svd(&S, dtype, complement, True, S.rank if status == ROUGH else -1)[1]


def py_rank(object A, object tol, object rtol, Py_ssize_t entries):
    """Return the rank, or None: not for this path (see `py_basis`), or both tolerances given."""
    cdef char[SCRATCH] scratch
    cdef Small S
    cdef int status, dtype
    cdef cnp.ndarray a
    S.rtol = S.tol = 0
    if (not cnp.PyArray_CheckExact(A) or not tolerance(rtol, &S.rtol)
            or not tolerance(tol, &S.tol) or not (tol is None or rtol is None)):
        return None
    a = <cnp.ndarray>A
    if ask(a, False, &S) == NULL or not fits(&S, entries):
        return None
    dtype = cnp.PyArray_TYPE(a)
    if tol is None and rtol is None:
        S.rtol = S.K.eps * max(S.m, S.n)
    shorter(&S)
    S.clean = False
    S.tight = S.iterate = False
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    status = decide(&S)
    finish(&S)
    if status == DECIDED:
        return S.rank
    if status == NOT_FINITE or svd(&S, dtype, False, False, -1)[0] != 0:
        return None
    return S.rank


cdef void shorter(Small* S) noexcept nogil:
    """Of A and A^T the wide one, which ends as soon as it has full rank; if square, by rows."""
    if S.m > S.n or (S.m == S.n and S.rs == 1):
        S.m, S.n, S.rs, S.cs = S.n, S.m, S.cs, S.rs
        S.flipped = not S.flipped


def py_decide(cnp.ndarray A, bint row_side, bint complement, bint want_basis, double rtol,
              double tol, bint svd_too, bint iterate=False):
    """Decide the rank of A and span one of its subspaces, with the numbers of a certificate.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        One of the four dtypes, not empty, whole strides.
    row_side, complement : bool
        Whether the basis lies in the space of rows, and is the orthogonal complement there.
    want_basis : bool
    rtol, tol : float
        The cutoff is their sum, the first times sigma_1.
    svd_too : bool
        Whether singular values decide what bounds cannot.
    iterate : bool
        Whether these are found by QR iteration, as gesvd does.

    Returns
    -------
    answer : tuple, int or None
        None: not finite, or undecided without `svd_too`. An int: the SVD failed with this info.
    rank : int
    tol, sigma_r_lower, sigma_next_upper : float
    decided_by, method : str
    basis : ndarray or None
    """
    cdef char[SCRATCH] scratch
    cdef Small S
    cdef int status, dtype = cnp.PyArray_TYPE(A)
    cdef str method
    if ask(A, row_side, &S) == NULL or S.m * S.n == 0:
        raise ValueError("A must be a matrix of one of the four dtypes, with whole strides")
    if not want_basis:
        shorter(&S)
    S.rtol, S.tol = rtol, tol
    S.clean = want_basis
    S.tight, S.iterate = True, iterate
    if not begin(&S, scratch):
        raise MemoryError("no memory for the workspace of a small matrix")
    basis = None
    try:
        status = decide(&S)
        if status == DECIDED and want_basis:
            basis = basis_of(&S, dtype, complement)
    finally:
        finish(&S)
    method = "small qrcp" if S.pivoted else "small qr"
    if status == NOT_FINITE or (status != DECIDED and not svd_too):
        return None
    if status != DECIDED:
        info, basis = svd(&S, dtype, complement, want_basis, S.rank if status == ROUGH else -1)
        if info != 0:
            return info
        if status == ROUGH:
            method = "small qrcp+svd"
    if status == UNDECIDED:
        return S.rank, S.cutoff, S.lower, S.upper, "svd", "svd", basis
    return S.rank, S.cutoff, S.lower, S.upper, "bounds", method, basis
