import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_panel_rows(A: NDArray[_Scalar], k: int) -> int: ...
def py_work_size(A: NDArray[_Scalar], k: int) -> int: ...
def py_product_sumsq(
    A: NDArray[_Scalar],
    N: NDArray[_Scalar],
    out: NDArray[np.float64],
    G: NDArray[_Scalar],
    work: NDArray[_Scalar],
) -> None: ...
def py_precondition(
    A: NDArray[_Scalar],
    p: NDArray[np.intc],
    X: NDArray[_Scalar],
    Q: NDArray[_Scalar],
    G: NDArray[_Scalar],
    work: NDArray[_Scalar],
) -> None: ...
