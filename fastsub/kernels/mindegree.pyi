import numpy as np
from numpy.typing import NDArray

def py_order(
    start: NDArray[np.intp],
    index: NDArray[np.intc],
    budget: float,
    dense: int,
    work: NDArray[np.intc],
    outside: NDArray[np.longlong],
    permutation: NDArray[np.intc],
    cost: NDArray[np.float64],
) -> int: ...
