from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_magnitude(A: NDArray[_Scalar]) -> float: ...
def py_copy(
    A: NDArray[_Scalar], B: NDArray[_Scalar], scale: float = 1.0, conjugate: bool = False
) -> None: ...
