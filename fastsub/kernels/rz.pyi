import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_rz(
    R: NDArray[_Scalar],
    U: NDArray[_Scalar],
    B: NDArray[_Scalar],
    T: NDArray[_Scalar],
    work: NDArray[_Scalar],
) -> None: ...
def py_rz_columns(
    B: NDArray[_Scalar],
    T: NDArray[_Scalar],
    rows: NDArray[np.intc],
    C: NDArray[_Scalar],
    start: int,
    work: NDArray[_Scalar],
) -> None: ...
def py_rz_below(
    R: NDArray[_Scalar],
    diagonal: NDArray[_Scalar],
    B: NDArray[_Scalar],
    T: NDArray[_Scalar],
    work: NDArray[_Scalar],
) -> None: ...
def py_rz_apply(
    B: NDArray[_Scalar],
    T: NDArray[_Scalar],
    C: NDArray[_Scalar],
    work: NDArray[_Scalar],
    adjoint: bool = False,
) -> None: ...
def py_rz_complement(
    B: NDArray[_Scalar],
    T: NDArray[_Scalar],
    rows: NDArray[np.intc],
    C: NDArray[_Scalar],
    full: NDArray[_Scalar],
    work: NDArray[_Scalar],
) -> int: ...
