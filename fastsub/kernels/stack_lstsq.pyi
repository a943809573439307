"""Types of the compiled module stack_lstsq."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def py_solve(
    A: NDArray[Any],
    at: NDArray[np.intp],
    B: NDArray[Any],
    at_b: NDArray[np.intp],
    first: int,
    last: int,
    X: NDArray[Any],
    squares: NDArray[np.float64],
    sigmas: NDArray[np.float64] | None,
    rtol: float,
    tol: float,
    tight: bool,
    ranks: NDArray[np.intp],
    bounds: NDArray[np.float64],
    how: NDArray[np.int8],
) -> None: ...
