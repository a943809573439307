"""Types of the compiled module stack."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def py_spaces(
    A: NDArray[Any],
    at: NDArray[np.intp],
    first: int,
    last: int,
    row_side: bool,
    complement: bool,
    basis: NDArray[Any] | None,
    rtol: NDArray[np.float64],
    tol: NDArray[np.float64],
    tight: bool,
    iterate: bool,
    ranks: NDArray[np.intp],
    bounds: NDArray[np.float64],
    how: NDArray[np.int8],
) -> None: ...
