from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_halves_below(
    R: NDArray[_Scalar], diagonal: NDArray[_Scalar]
) -> tuple[float, float, float]: ...
