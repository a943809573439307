"""Types of the compiled module stack_angles."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def py_angles(
    X: NDArray[Any],
    Y: NDArray[Any],
    x: NDArray[np.intp],
    y: NDArray[np.intp],
    ranks_x: NDArray[np.intp],
    ranks_y: NDArray[np.intp],
    first: int,
    last: int,
    angles: NDArray[np.float64],
) -> int: ...
