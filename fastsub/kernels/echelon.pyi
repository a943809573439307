import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_eliminate(
    W: NDArray[_Scalar],
    columns: int,
    rtol: float,
    norms: NDArray[np.float64],
    pivots: NDArray[np.intc],
    rows: NDArray[np.intc],
    errors: NDArray[np.float64],
    x: NDArray[_Scalar],
) -> int: ...
def py_reduce(
    W: NDArray[_Scalar],
    pivots: NDArray[np.intc],
    norms: NDArray[np.float64],
    errors: NDArray[np.float64],
    rank: int,
    R: NDArray[_Scalar],
) -> float: ...
