import numpy as np
from numpy.typing import NDArray

def py_lift(
    inverse: NDArray[np.float32],
    B: NDArray[np.float32],
    base: float,
    p: float,
    R: NDArray[np.float64],
    digits: NDArray[np.float64],
    work: NDArray[np.float64],
) -> int: ...
def py_carry(
    D: NDArray[np.float64], base: float, balanced: bool, top: NDArray[np.float64]
) -> None: ...
