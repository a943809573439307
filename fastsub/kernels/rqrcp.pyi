import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_work_size(m: int, n: int, b: int, d: int) -> int: ...
def py_order_columns(
    B: NDArray[_Scalar], order: NDArray[np.intc], norms: NDArray[np.float64]
) -> None: ...
def py_choose_pivots(
    S: NDArray[_Scalar],
    ipiv: NDArray[np.intc],
    norms: NDArray[np.float64],
    work: NDArray[_Scalar],
    w: int,
) -> None: ...
def py_rqrcp(
    A: NDArray[_Scalar],
    omega: NDArray[_Scalar],
    S: NDArray[_Scalar],
    jpvt: NDArray[np.intc],
    T: NDArray[_Scalar],
    norms: NDArray[np.float64],
    work: NDArray[_Scalar],
    rank: int,
    stop: float,
) -> tuple[int, float]: ...
