import numpy as np
from numpy.typing import NDArray

def py_bareiss(
    Z: NDArray[np.int64], R: NDArray[np.int64]
) -> tuple[int, tuple[int, ...]] | None: ...
