import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_substitute(
    start: NDArray[np.intp],
    index: NDArray[np.intc],
    value: NDArray[_Scalar],
    target: NDArray[np.intc],
    diagonal: NDArray[_Scalar],
    X: NDArray[_Scalar],
    rows: bool,
    conjugate: bool,
    backward: bool,
) -> None: ...
def py_combine(
    first: int,
    start: NDArray[np.intp],
    index: NDArray[np.intc],
    value: NDArray[_Scalar],
    target: NDArray[np.intc],
    diagonal: NDArray[_Scalar],
    row: NDArray[np.intp],
    length: NDArray[np.intc],
    column: NDArray[np.intc],
    X: NDArray[_Scalar],
    used: int,
    total: NDArray[_Scalar],
    size: NDArray[np.float64],
    marks: NDArray[np.intc],
) -> tuple[int, int]: ...
