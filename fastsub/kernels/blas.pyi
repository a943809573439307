from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

# `scalar` of blas.pxd: the arrays of one call share one of the four dtypes.
_Scalar = TypeVar("_Scalar", np.float32, np.float64, np.complex64, np.complex128)
_Side = Literal["L", "R"]
_Uplo = Literal["U", "L"]
_Trans = Literal["N", "T", "C"]
_Diag = Literal["N", "U"]

def py_swap(x: NDArray[_Scalar], y: NDArray[_Scalar]) -> None: ...
def py_scal(x: NDArray[_Scalar], alpha: complex) -> None: ...
def py_gemv(
    trans: _Trans,
    A: NDArray[_Scalar],
    x: NDArray[_Scalar],
    y: NDArray[_Scalar],
    alpha: complex = 1,
    beta: complex = 0,
) -> None: ...
def py_trmv(
    uplo: _Uplo, trans: _Trans, diag: _Diag, A: NDArray[_Scalar], x: NDArray[_Scalar]
) -> None: ...
def py_trsv(
    uplo: _Uplo, trans: _Trans, diag: _Diag, A: NDArray[_Scalar], x: NDArray[_Scalar]
) -> None: ...
def py_gemm(
    transa: _Trans,
    transb: _Trans,
    A: NDArray[_Scalar],
    B: NDArray[_Scalar],
    C: NDArray[_Scalar],
    alpha: complex = 1,
    beta: complex = 0,
) -> None: ...
def py_trmm(
    side: _Side,
    uplo: _Uplo,
    transa: _Trans,
    diag: _Diag,
    A: NDArray[_Scalar],
    B: NDArray[_Scalar],
    alpha: complex = 1,
) -> None: ...
def py_trsm(
    side: _Side,
    uplo: _Uplo,
    transa: _Trans,
    diag: _Diag,
    A: NDArray[_Scalar],
    B: NDArray[_Scalar],
    alpha: complex = 1,
) -> None: ...
def py_herk(
    uplo: _Uplo,
    trans: _Trans,
    A: NDArray[_Scalar],
    C: NDArray[_Scalar],
    alpha: float = 1,
    beta: float = 0,
) -> None: ...
def py_larfg(x: NDArray[_Scalar], tau: NDArray[_Scalar]) -> None: ...
def py_larft(V: NDArray[_Scalar], tau: NDArray[_Scalar], T: NDArray[_Scalar]) -> None: ...
def py_geqrt(A: NDArray[_Scalar], T: NDArray[_Scalar], work: NDArray[_Scalar]) -> int: ...
def py_getrf(A: NDArray[_Scalar], ipiv: NDArray[np.intc]) -> int: ...
def py_potrf(uplo: _Uplo, A: NDArray[_Scalar]) -> int: ...
def py_trtri(uplo: _Uplo, diag: _Diag, A: NDArray[_Scalar]) -> int: ...
