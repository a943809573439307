import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_qrcp(
    A: NDArray[_Scalar],
    jpvt: NDArray[np.intc],
    tau: NDArray[_Scalar],
    norms: NDArray[np.float64],
    work: NDArray[_Scalar],
    rank: int,
    stop: float,
    nb: int,
    start: int = 0,
) -> tuple[int, float]: ...
def py_column_norms(A: NDArray[_Scalar], norms: NDArray[np.float64], start: int = 0) -> float: ...
def py_work_size(n: int, nb: int) -> int: ...
