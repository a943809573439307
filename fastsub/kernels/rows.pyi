import numpy as np
from numpy.typing import NDArray

def py_substitute(
    start: NDArray[np.intp],
    index: NDArray[np.intp],
    value: NDArray[np.int64],
    target: NDArray[np.intp],
    N: NDArray[np.int64],
    size: NDArray[np.float64],
) -> int: ...
def py_annihilates(
    start: NDArray[np.intp],
    index: NDArray[np.intp],
    value: NDArray[np.int64],
    N: NDArray[np.int64],
    work: NDArray[np.int64],
) -> int: ...
