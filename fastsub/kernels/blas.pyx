"""L1: the wrappers declared in blas.pxd, and the Python shims that the tests drive.

References
----------
Anderson et al., LAPACK Users' Guide, 3rd ed., SIAM 1999; routine names are LAPACK's.
"""

from scipy.linalg.cython_blas cimport (
    sswap, dswap, cswap, zswap,
    sscal, dscal, cscal, zscal,
    sgemv, dgemv, cgemv, zgemv,
    strmv, dtrmv, ctrmv, ztrmv,
    strsv, dtrsv, ctrsv, ztrsv,
    sgemm, dgemm, cgemm, zgemm,
    strmm, dtrmm, ctrmm, ztrmm,
    strsm, dtrsm, ctrsm, ztrsm,
    ssyrk, dsyrk, cherk, zherk,
)
from scipy.linalg.cython_lapack cimport (
    slarfg, dlarfg, clarfg, zlarfg,
    slarft, dlarft, clarft, zlarft,
    sgelqf, dgelqf, cgelqf, zgelqf,
    sgeqrf, dgeqrf, cgeqrf, zgeqrf,
    sgeqrt, dgeqrt, cgeqrt, zgeqrt,
    sgetrf, dgetrf, cgetrf, zgetrf,
    spotrf, dpotrf, cpotrf, zpotrf,
    strtri, dtrtri, ctrtri, ztrtri,
    sgebrd, dgebrd, cgebrd, zgebrd,
    sbdsdc, dbdsdc,
    sbdsqr, dbdsqr,
    sormbr, dormbr, cunmbr, zunmbr,
)

cdef void swap(blas_int n, scalar* x, blas_int incx, scalar* y, blas_int incy) noexcept nogil:
    """x[:n], y[:n] := y, x"""
    if scalar is float:
        sswap(&n, x, &incx, y, &incy)
    elif scalar is double:
        dswap(&n, x, &incx, y, &incy)
    elif scalar is complex64:
        cswap(&n, x, &incx, y, &incy)
    else:
        zswap(&n, x, &incx, y, &incy)

cdef void scal(blas_int n, scalar alpha, scalar* x, blas_int incx) noexcept nogil:
    """x[:n] := alpha*x"""
    if scalar is float:
        sscal(&n, &alpha, x, &incx)
    elif scalar is double:
        dscal(&n, &alpha, x, &incx)
    elif scalar is complex64:
        cscal(&n, &alpha, x, &incx)
    else:
        zscal(&n, &alpha, x, &incx)

cdef void gemv(char trans, blas_int m, blas_int n, scalar alpha, scalar* A, blas_int lda,
               scalar* x, blas_int incx, scalar beta, scalar* y, blas_int incy) noexcept nogil:
    """y := alpha*op(A)*x + beta*y, A is (m, n)"""
    if scalar is float:
        sgemv(&trans, &m, &n, &alpha, A, &lda, x, &incx, &beta, y, &incy)
    elif scalar is double:
        dgemv(&trans, &m, &n, &alpha, A, &lda, x, &incx, &beta, y, &incy)
    elif scalar is complex64:
        cgemv(&trans, &m, &n, &alpha, A, &lda, x, &incx, &beta, y, &incy)
    else:
        zgemv(&trans, &m, &n, &alpha, A, &lda, x, &incx, &beta, y, &incy)

cdef void trmv(char uplo, char trans, char diag, blas_int n, scalar* A, blas_int lda,
               scalar* x, blas_int incx) noexcept nogil:
    """x := op(A)*x, A is (n, n) triangular"""
    if scalar is float:
        strmv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)
    elif scalar is double:
        dtrmv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)
    elif scalar is complex64:
        ctrmv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)
    else:
        ztrmv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)

cdef void trsv(char uplo, char trans, char diag, blas_int n, scalar* A, blas_int lda,
               scalar* x, blas_int incx) noexcept nogil:
    """x := op(A)^-1*x, A is (n, n) triangular"""
    if scalar is float:
        strsv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)
    elif scalar is double:
        dtrsv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)
    elif scalar is complex64:
        ctrsv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)
    else:
        ztrsv(&uplo, &trans, &diag, &n, A, &lda, x, &incx)

cdef void gemm(char transa, char transb, blas_int m, blas_int n, blas_int k, scalar alpha,
               scalar* A, blas_int lda, scalar* B, blas_int ldb, scalar beta,
               scalar* C, blas_int ldc) noexcept nogil:
    """C := alpha*op(A)*op(B) + beta*C, op(A) is (m, k), op(B) is (k, n)"""
    if scalar is float:
        sgemm(&transa, &transb, &m, &n, &k, &alpha, A, &lda, B, &ldb, &beta, C, &ldc)
    elif scalar is double:
        dgemm(&transa, &transb, &m, &n, &k, &alpha, A, &lda, B, &ldb, &beta, C, &ldc)
    elif scalar is complex64:
        cgemm(&transa, &transb, &m, &n, &k, &alpha, A, &lda, B, &ldb, &beta, C, &ldc)
    else:
        zgemm(&transa, &transb, &m, &n, &k, &alpha, A, &lda, B, &ldb, &beta, C, &ldc)

cdef void trmm(char side, char uplo, char transa, char diag, blas_int m, blas_int n,
               scalar alpha, scalar* A, blas_int lda, scalar* B, blas_int ldb) noexcept nogil:
    """B := alpha*op(A)*B (side L) or alpha*B*op(A) (side R), B is (m, n), A triangular"""
    if scalar is float:
        strmm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)
    elif scalar is double:
        dtrmm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)
    elif scalar is complex64:
        ctrmm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)
    else:
        ztrmm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)

cdef void trsm(char side, char uplo, char transa, char diag, blas_int m, blas_int n,
               scalar alpha, scalar* A, blas_int lda, scalar* B, blas_int ldb) noexcept nogil:
    """B := alpha*op(A)^-1*B (side L) or alpha*B*op(A)^-1 (side R), B is (m, n), A triangular"""
    if scalar is float:
        strsm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)
    elif scalar is double:
        dtrsm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)
    elif scalar is complex64:
        ctrsm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)
    else:
        ztrsm(&side, &uplo, &transa, &diag, &m, &n, &alpha, A, &lda, B, &ldb)

cdef void herk(char uplo, char trans, blas_int n, blas_int k, double alpha, scalar* A,
               blas_int lda, double beta, scalar* C, blas_int ldc) noexcept nogil:
    """C := alpha*A*A^H + beta*C (trans N) or alpha*A^H*A + beta*C (trans C), C is (n, n)

    Real dtypes: syrk, where trans C means T.
    """
    cdef float alpha_s = <float>alpha, beta_s = <float>beta
    if scalar is float:
        ssyrk(&uplo, &trans, &n, &k, &alpha_s, A, &lda, &beta_s, C, &ldc)
    elif scalar is double:
        dsyrk(&uplo, &trans, &n, &k, &alpha, A, &lda, &beta, C, &ldc)
    elif scalar is complex64:
        cherk(&uplo, &trans, &n, &k, &alpha_s, A, &lda, &beta_s, C, &ldc)
    else:
        zherk(&uplo, &trans, &n, &k, &alpha, A, &lda, &beta, C, &ldc)

cdef void larfg(blas_int n, scalar* alpha, scalar* x, blas_int incx, scalar* tau) noexcept nogil:
    """H^H*(alpha; x) = (beta; 0), H = I - tau*(1; v)*(1; v)^H; alpha := beta, x[:n-1] := v"""
    if scalar is float:
        slarfg(&n, alpha, x, &incx, tau)
    elif scalar is double:
        dlarfg(&n, alpha, x, &incx, tau)
    elif scalar is complex64:
        clarfg(&n, alpha, x, &incx, tau)
    else:
        zlarfg(&n, alpha, x, &incx, tau)

cdef void larft(char direct, char storev, blas_int n, blas_int k, scalar* V, blas_int ldv,
                scalar* tau, scalar* T, blas_int ldt) noexcept nogil:
    """T (k, k) with H_1*...*H_k = I - V*T*V^H, V is (n, k)"""
    if scalar is float:
        slarft(&direct, &storev, &n, &k, V, &ldv, tau, T, &ldt)
    elif scalar is double:
        dlarft(&direct, &storev, &n, &k, V, &ldv, tau, T, &ldt)
    elif scalar is complex64:
        clarft(&direct, &storev, &n, &k, V, &ldv, tau, T, &ldt)
    else:
        zlarft(&direct, &storev, &n, &k, V, &ldv, tau, T, &ldt)


cdef blas_int geqrf(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* tau, scalar* work,
                    blas_int lwork) noexcept nogil:
    """A = Q*R: A (m, n) := R and, below it, reflectors; tau (min)"""
    cdef blas_int info = 0
    if scalar is float:
        sgeqrf(&m, &n, A, &lda, tau, work, &lwork, &info)
    elif scalar is double:
        dgeqrf(&m, &n, A, &lda, tau, work, &lwork, &info)
    elif scalar is complex64:
        cgeqrf(&m, &n, A, &lda, tau, work, &lwork, &info)
    else:
        zgeqrf(&m, &n, A, &lda, tau, work, &lwork, &info)
    return info


cdef blas_int gelqf(blas_int m, blas_int n, scalar* A, blas_int lda, scalar* tau, scalar* work,
                    blas_int lwork) noexcept nogil:
    """A = L*Q: A (m, n) := L and, right of it, reflectors; tau (min)"""
    cdef blas_int info = 0
    if scalar is float:
        sgelqf(&m, &n, A, &lda, tau, work, &lwork, &info)
    elif scalar is double:
        dgelqf(&m, &n, A, &lda, tau, work, &lwork, &info)
    elif scalar is complex64:
        cgelqf(&m, &n, A, &lda, tau, work, &lwork, &info)
    else:
        zgelqf(&m, &n, A, &lda, tau, work, &lwork, &info)
    return info


cdef blas_int geqrt(blas_int m, blas_int n, blas_int nb, scalar* A, blas_int lda,
                    scalar* T, blas_int ldt, scalar* work) noexcept nogil:
    r"""A (m, n) := V\R of A = Q*R, T (nb, min(m, n)) its block reflectors; work (nb*n)"""
    cdef blas_int info = 0
    if scalar is float:
        sgeqrt(&m, &n, &nb, A, &lda, T, &ldt, work, &info)
    elif scalar is double:
        dgeqrt(&m, &n, &nb, A, &lda, T, &ldt, work, &info)
    elif scalar is complex64:
        cgeqrt(&m, &n, &nb, A, &lda, T, &ldt, work, &info)
    else:
        zgeqrt(&m, &n, &nb, A, &lda, T, &ldt, work, &info)
    return info

cdef blas_int getrf(blas_int m, blas_int n, scalar* A, blas_int lda,
                    blas_int* ipiv) noexcept nogil:
    """P*A = L*U: A (m, n) := L and U, ipiv the row exchanges from 1; info > 0: singular"""
    cdef blas_int info = 0
    if scalar is float:
        sgetrf(&m, &n, A, &lda, ipiv, &info)
    elif scalar is double:
        dgetrf(&m, &n, A, &lda, ipiv, &info)
    elif scalar is complex64:
        cgetrf(&m, &n, A, &lda, ipiv, &info)
    else:
        zgetrf(&m, &n, A, &lda, ipiv, &info)
    return info


cdef blas_int potrf(char uplo, blas_int n, scalar* A, blas_int lda) noexcept nogil:
    """A (n, n) := its Cholesky factor; info > 0: the leading minor of that order is not positive"""
    cdef blas_int info = 0
    if scalar is float:
        spotrf(&uplo, &n, A, &lda, &info)
    elif scalar is double:
        dpotrf(&uplo, &n, A, &lda, &info)
    elif scalar is complex64:
        cpotrf(&uplo, &n, A, &lda, &info)
    else:
        zpotrf(&uplo, &n, A, &lda, &info)
    return info

cdef blas_int trtri(char uplo, char diag, blas_int n, scalar* A, blas_int lda) noexcept nogil:
    """A (n, n) triangular := A^-1; info > 0: that diagonal entry is exactly zero"""
    cdef blas_int info = 0
    if scalar is float:
        strtri(&uplo, &diag, &n, A, &lda, &info)
    elif scalar is double:
        dtrtri(&uplo, &diag, &n, A, &lda, &info)
    elif scalar is complex64:
        ctrtri(&uplo, &diag, &n, A, &lda, &info)
    else:
        ztrtri(&uplo, &diag, &n, A, &lda, &info)
    return info


cdef blas_int gebrd(blas_int m, blas_int n, scalar* A, blas_int lda, void* d, void* e,
                    scalar* tauq, scalar* taup, scalar* work, blas_int lwork) noexcept nogil:
    """A = Q*B*P^H: A (m, n) := reflectors, d (min) and e (min-1), real, the bidiagonal B"""
    cdef blas_int info = 0
    if scalar is float:
        sgebrd(&m, &n, A, &lda, <float*>d, <float*>e, tauq, taup, work, &lwork, &info)
    elif scalar is double:
        dgebrd(&m, &n, A, &lda, <double*>d, <double*>e, tauq, taup, work, &lwork, &info)
    elif scalar is complex64:
        cgebrd(&m, &n, A, &lda, <float*>d, <float*>e, tauq, taup, work, &lwork, &info)
    else:
        zgebrd(&m, &n, A, &lda, <double*>d, <double*>e, tauq, taup, work, &lwork, &info)
    return info


cdef blas_int bdsdc(char uplo, char compq, blas_int n, real* d, real* e, real* U, blas_int ldu,
                    real* VT, blas_int ldvt, real* work, blas_int* iwork) noexcept nogil:
    """B = U*S*VT: d (n) := singular values, descending, e is lost; work (3n^2 + 4n), iwork (8n)"""
    cdef blas_int info = 0
    if real is float:
        sbdsdc(&uplo, &compq, &n, d, e, U, &ldu, VT, &ldvt, NULL, NULL, work, iwork, &info)
    else:
        dbdsdc(&uplo, &compq, &n, d, e, U, &ldu, VT, &ldvt, NULL, NULL, work, iwork, &info)
    return info


cdef blas_int bdsqr(char uplo, blas_int n, blas_int ncvt, blas_int nru, real* d, real* e, real* VT,
                    blas_int ldvt, real* U, blas_int ldu, real* work) noexcept nogil:
    """B = Q*S*P^T: d (n) := singular values, descending, e is lost; VT := P^T*VT (n, ncvt),

    U := U*Q (nru, n); work (4n)
    """
    cdef blas_int info = 0, ncc = 0, ldc = 1
    if real is float:
        sbdsqr(&uplo, &n, &ncvt, &nru, &ncc, d, e, VT, &ldvt, U, &ldu, NULL, &ldc, work, &info)
    else:
        dbdsqr(&uplo, &n, &ncvt, &nru, &ncc, d, e, VT, &ldvt, U, &ldu, NULL, &ldc, work, &info)
    return info


cdef blas_int ormbr(char vect, char side, char trans, blas_int m, blas_int n, blas_int k,
                    scalar* A, blas_int lda, scalar* tau, scalar* C, blas_int ldc, scalar* work,
                    blas_int lwork) noexcept nogil:
    """C (m, n) := Q*C and its kin (vect Q, A had k columns) or P*C (vect P, k rows), from gebrd"""
    cdef blas_int info = 0
    if scalar is float:
        sormbr(&vect, &side, &trans, &m, &n, &k, A, &lda, tau, C, &ldc, work, &lwork, &info)
    elif scalar is double:
        dormbr(&vect, &side, &trans, &m, &n, &k, A, &lda, tau, C, &ldc, work, &lwork, &info)
    elif scalar is complex64:
        cunmbr(&vect, &side, &trans, &m, &n, &k, A, &lda, tau, C, &ldc, work, &lwork, &info)
    else:
        zunmbr(&vect, &side, &trans, &m, &n, &k, A, &lda, tau, C, &ldc, work, &lwork, &info)
    return info


# ---- Python shims, Fortran-ordered arrays, results in place: for the tests and for small work ----

cdef inline char letter(str text):
    return <char>ord(text)


cdef inline blas_int ld(const scalar[::1, :] A) noexcept nogil:
    """Leading dimension: LAPACK wants at least 1, even of an empty array."""
    return <blas_int>max(1, A.shape[0])


def py_swap(scalar[::1] x, scalar[::1] y):
    swap(<blas_int>x.shape[0], &x[0], 1, &y[0], 1)


def py_scal(scalar[::1] x, scalar alpha):
    scal(<blas_int>x.shape[0], alpha, &x[0], 1)


def py_gemv(str trans, scalar[::1, :] A, scalar[::1] x, scalar[::1] y, scalar alpha=1,
            scalar beta=0):
    gemv(letter(trans), <blas_int>A.shape[0], <blas_int>A.shape[1], alpha, &A[0, 0], ld(A),
         &x[0], 1, beta, &y[0], 1)


def py_trmv(str uplo, str trans, str diag, scalar[::1, :] A, scalar[::1] x):
    trmv(letter(uplo), letter(trans), letter(diag), <blas_int>A.shape[0], &A[0, 0], ld(A),
         &x[0], 1)


def py_trsv(str uplo, str trans, str diag, scalar[::1, :] A, scalar[::1] x):
    trsv(letter(uplo), letter(trans), letter(diag), <blas_int>A.shape[0], &A[0, 0], ld(A),
         &x[0], 1)


def py_gemm(str transa, str transb, const scalar[:, :] A, const scalar[:, :] B,
            scalar[:, :] C, scalar alpha=1, scalar beta=0):
    """C := alpha*op(A)*op(B) + beta*C on the BLAS of the kernels (NumPy's `@` is a second pool)."""
    cdef Py_ssize_t k = A.shape[1] if transa == "N" else A.shape[0]
    cdef char ta = letter(transa), tb = letter(transb)
    cdef blas_int lda = column_stride(A), ldb = column_stride(B), ldc = column_stride(C)
    cdef Py_ssize_t j
    if C.shape[0] == 0 or C.shape[1] == 0:
        return
    if k == 0:
        if beta == 0:
            C[:, :] = 0
        else:
            for j in range(C.shape[1]):
                scal(<blas_int>C.shape[0], beta, &C[0, j], 1)
        return
    with nogil:
        gemm(ta, tb, <blas_int>C.shape[0], <blas_int>C.shape[1], <blas_int>k, alpha,
             <scalar*>&A[0, 0], lda, <scalar*>&B[0, 0], ldb, beta, &C[0, 0], ldc)


def py_trmm(str side, str uplo, str transa, str diag, scalar[:, :] A, scalar[:, :] B,
            scalar alpha=1):
    """B := alpha*op(A)*B (side L) or alpha*B*op(A)."""
    cdef char s = letter(side), u = letter(uplo), t = letter(transa), d = letter(diag)
    cdef blas_int lda = column_stride(A), ldb = column_stride(B)
    if B.shape[0] == 0 or B.shape[1] == 0:
        return
    with nogil:
        trmm(s, u, t, d, <blas_int>B.shape[0], <blas_int>B.shape[1], alpha, &A[0, 0], lda,
             &B[0, 0], ldb)


def py_trsm(str side, str uplo, str transa, str diag, scalar[:, :] A, scalar[:, :] B,
            scalar alpha=1):
    """B := alpha*op(A)^-1*B (side L) or alpha*B*op(A)^-1 (side R)."""
    cdef char s = letter(side), u = letter(uplo), t = letter(transa), d = letter(diag)
    cdef blas_int lda = column_stride(A), ldb = column_stride(B)
    if B.shape[0] == 0 or B.shape[1] == 0:
        return
    with nogil:
        trsm(s, u, t, d, <blas_int>B.shape[0], <blas_int>B.shape[1], alpha, &A[0, 0], lda,
             &B[0, 0], ldb)


def py_herk(str uplo, str trans, const scalar[:, :] A, scalar[:, :] C, double alpha=1,
            double beta=0):
    """C := alpha*A*A^H + beta*C (trans N) or alpha*A^H*A + beta*C, one triangle of it."""
    cdef Py_ssize_t k = A.shape[1] if trans == "N" else A.shape[0]
    cdef char u = letter(uplo), t = letter(trans)
    cdef blas_int lda = column_stride(A), ldc = column_stride(C)
    with nogil:
        herk(u, t, <blas_int>C.shape[0], <blas_int>k, alpha, <scalar*>&A[0, 0], lda, beta,
             &C[0, 0], ldc)


def py_larfg(scalar[::1] x, scalar[::1] tau):
    """x = (alpha; x) := (beta; v)."""
    larfg(<blas_int>x.shape[0], &x[0], &x[0] + 1, 1, &tau[0])


def py_larft(scalar[::1, :] V, scalar[::1] tau, scalar[::1, :] T):
    larft(c'F', c'C', <blas_int>V.shape[0], <blas_int>V.shape[1], &V[0, 0], ld(V), &tau[0],
          &T[0, 0], ld(T))


def py_geqrt(scalar[::1, :] A, scalar[::1, :] T, scalar[::1] work):
    return geqrt(<blas_int>A.shape[0], <blas_int>A.shape[1], <blas_int>T.shape[0], &A[0, 0],
                 ld(A), &T[0, 0], ld(T), &work[0])


def py_getrf(scalar[::1, :] A, blas_int[::1] ipiv):
    return getrf(<blas_int>A.shape[0], <blas_int>A.shape[1], &A[0, 0], ld(A), &ipiv[0])


def py_potrf(str uplo, scalar[:, :] A):
    """A := its Cholesky factor, one triangle of it; return info."""
    cdef char u = letter(uplo)
    cdef blas_int info, lda = column_stride(A)
    with nogil:
        info = potrf(u, <blas_int>A.shape[0], &A[0, 0], lda)
    return info


def py_trtri(str uplo, str diag, scalar[::1, :] A):
    return trtri(letter(uplo), letter(diag), <blas_int>A.shape[0], &A[0, 0], ld(A))
