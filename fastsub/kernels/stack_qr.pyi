"""Types of the compiled module stack_qr."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def py_qr(
    A: NDArray[Any],
    at: NDArray[np.intp],
    first: int,
    last: int,
    Q: NDArray[Any] | None,
    R: NDArray[Any],
    tau: NDArray[Any] | None,
    p: NDArray[np.intc] | None,
) -> None: ...
