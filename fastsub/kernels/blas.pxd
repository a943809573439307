"""L1: BLAS and LAPACK by value, fused over the four dtypes, without the GIL.

Every array argument is column-major; its shape stands beside it in blas.pyx.
`blas_int` is the one place that knows the width of a LAPACK integer.
"""

# SciPy's wheels are LP64: a LAPACK integer is a C int (scipy.linalg.cython_lapack declares so).
ctypedef int blas_int

ctypedef float complex complex64
ctypedef double complex complex128

ctypedef fused scalar:
    float
    double
    complex64
    complex128

ctypedef fused real:
    float
    double

# BLAS 1
cdef void swap(blas_int n, scalar* x, blas_int incx, scalar* y, blas_int incy) noexcept nogil
cdef void scal(blas_int n, scalar alpha, scalar* x, blas_int incx) noexcept nogil

# BLAS 2
cdef void gemv(char trans, blas_int m, blas_int n, scalar alpha, scalar* A, blas_int lda,
               scalar* x, blas_int incx, scalar beta, scalar* y, blas_int incy) noexcept nogil
cdef void trmv(char uplo, char trans, char diag, blas_int n, scalar* A, blas_int lda,
               scalar* x, blas_int incx) noexcept nogil
cdef void trsv(char uplo, char trans, char diag, blas_int n, scalar* A, blas_int lda,
               scalar* x, blas_int incx) noexcept nogil

# BLAS 3
cdef void gemm(char transa, char transb, blas_int m, blas_int n, blas_int k, scalar alpha,
               scalar* A, blas_int lda, scalar* B, blas_int ldb, scalar beta,
               scalar* C, blas_int ldc) noexcept nogil
cdef void trmm(char side, char uplo, char transa, char diag, blas_int m, blas_int n,
               scalar alpha, scalar* A, blas_int lda, scalar* B, blas_int ldb) noexcept nogil
cdef void trsm(char side, char uplo, char transa, char diag, blas_int m, blas_int n,
               scalar alpha, scalar* A, blas_int lda, scalar* B, blas_int ldb) noexcept nogil
cdef void herk(char uplo, char trans, blas_int n, blas_int k, double alpha, scalar* A,
               blas_int lda, double beta, scalar* C, blas_int ldc) noexcept nogil

# LAPACK
cdef void larfg(blas_int n, scalar* alpha, scalar* x, blas_int incx, scalar* tau) noexcept nogil
cdef void larft(char direct, char storev, blas_int n, blas_int k, scalar* V, blas_int ldv,
                scalar* tau, scalar* T, blas_int ldt) noexcept nogil
cdef blas_int geqrf(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* tau, scalar* work,
                    blas_int lwork) noexcept nogil
cdef blas_int gelqf(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* tau, scalar* work,
                    blas_int lwork) noexcept nogil
cdef blas_int geqrt(blas_int m, blas_int n, blas_int nb, scalar* A, blas_int lda,
                    scalar* T, blas_int ldt, scalar* work) noexcept nogil
cdef blas_int getrf(blas_int m, blas_int n, scalar* A, blas_int lda, blas_int* ipiv) noexcept nogil
cdef blas_int potrf(char uplo, blas_int n, scalar* A, blas_int lda) noexcept nogil
cdef blas_int trtri(char uplo, char diag, blas_int n, scalar* A, blas_int lda) noexcept nogil
cdef blas_int gebrd(blas_int m, blas_int n, scalar* A, blas_int lda, void* d, void* e,
                    scalar* tauq, scalar* taup, scalar* work, blas_int lwork) noexcept nogil
cdef blas_int bdsdc(char uplo, char compq, blas_int n, real* d, real* e, real* U, blas_int ldu,
                    real* VT, blas_int ldvt, real* work, blas_int* iwork) noexcept nogil
cdef blas_int bdsqr(char uplo, blas_int n, blas_int ncvt, blas_int nru, real* d, real* e, real* VT,
                    blas_int ldvt, real* U, blas_int ldu, real* work) noexcept nogil
cdef blas_int ormbr(char vect, char side, char trans, blas_int m, blas_int n, blas_int k,
                    scalar* A, blas_int lda, scalar* tau, scalar* C, blas_int ldc, scalar* work,
                    blas_int lwork) noexcept nogil

# Of a view that Python passes: columns without gaps, one after the other or not
cdef inline blas_int column_stride(const scalar[:, :] A) except -1:
    """Leading dimension; LAPACK wants at least 1, even of an empty array."""
    cdef Py_ssize_t size = <Py_ssize_t>sizeof(scalar), stride = A.strides[1] // size
    if A.shape[0] == 0 or A.shape[1] == 0:
        return <blas_int>max(1, A.shape[0])
    # Strides of a dimension of 1 say nothing.
    if A.shape[1] == 1:
        stride = A.shape[0]
    if A.shape[0] > 1 and A.strides[0] != size or stride < A.shape[0]:
        raise ValueError("columns must be contiguous: pass a column-major array, or a view")
    return <blas_int>stride
