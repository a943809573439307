import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_packed_size(X: NDArray[_Scalar], n: int) -> int: ...
def py_pack(
    X: NDArray[_Scalar], p: NDArray[np.intc], is_upper: bool, P: NDArray[_Scalar]
) -> None: ...
def py_sums_size(A: NDArray[_Scalar], r: int, k: int) -> int: ...
def py_work_size(A: NDArray[_Scalar], r: int, k: int) -> int: ...
def py_multiply(
    A: NDArray[_Scalar],
    place: NDArray[np.intc],
    X: NDArray[_Scalar],
    N: NDArray[_Scalar],
    k: int,
    Q: NDArray[_Scalar],
    sums: NDArray[_Scalar],
    work: NDArray[_Scalar],
) -> None: ...
def py_unfold(sums: NDArray[_Scalar], G: NDArray[_Scalar], H: NDArray[_Scalar]) -> None: ...
