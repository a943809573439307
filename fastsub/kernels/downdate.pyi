from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_downdate(
    M: NDArray[_Scalar], q: NDArray[_Scalar], alpha: float, x: NDArray[_Scalar]
) -> None: ...
