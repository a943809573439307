"""Types of the compiled module stack_backward."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def py_estimates(
    A: NDArray[Any],
    at: NDArray[np.intp],
    B: NDArray[Any],
    at_b: NDArray[np.intp],
    X: NDArray[Any],
    first: int,
    last: int,
    errors: NDArray[np.float64],
) -> None: ...
