import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_row_sumsq(R: NDArray[_Scalar], k: int, out: NDArray[np.float64]) -> None: ...
def py_sigma_max_lower(
    R: NDArray[_Scalar], k: int, work: NDArray[_Scalar], steps: int = 5
) -> float: ...
def py_inverse(R: NDArray[_Scalar], X: NDArray[_Scalar]) -> float: ...
