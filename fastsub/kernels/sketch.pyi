import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_work_size(A: NDArray[_Scalar], d: int) -> int: ...
def py_sketch(
    A: NDArray[_Scalar],
    Y: NDArray[_Scalar],
    counts: NDArray[np.intc],
    work: NDArray[_Scalar],
    seed: int,
    first: int = 0,
) -> float: ...
