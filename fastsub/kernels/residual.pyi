from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_work_size(A: NDArray[_Scalar]) -> int: ...
def py_residual_norm(
    A: NDArray[_Scalar], Q: NDArray[_Scalar], R: NDArray[_Scalar], work: NDArray[_Scalar]
) -> float: ...
