import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_work_size(m: int, n: int, nb: int) -> int: ...
def py_paqr(
    A: NDArray[_Scalar],
    jpvt: NDArray[np.intc],
    T: NDArray[_Scalar],
    tau: NDArray[_Scalar],
    limit: float,
    work: NDArray[_Scalar],
    start: int = 0,
) -> tuple[int, float, int]: ...
