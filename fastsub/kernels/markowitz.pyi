import numpy as np
from numpy.typing import NDArray

from fastsub.kernels.blas import _Scalar

def py_load(
    start: NDArray[np.intp],
    index: NDArray[np.intc],
    nodes: NDArray[np.intc],
    table: NDArray[np.intc],
    rows: NDArray[np.intc],
    cols: NDArray[np.intc],
    row_buckets: NDArray[np.intc],
    col_buckets: NDArray[np.intc],
    row_sizes: NDArray[np.float64],
    col_sizes: NDArray[np.float64],
    block: NDArray[np.intc],
    blocks: NDArray[np.intp],
    frozen: NDArray[np.uint8],
    state: NDArray[np.intp],
) -> None: ...
def py_rehash(
    nodes: NDArray[np.intc],
    table: NDArray[np.intc],
    rows: NDArray[np.intc],
    cols: NDArray[np.intc],
    row_buckets: NDArray[np.intc],
    col_buckets: NDArray[np.intc],
    row_sizes: NDArray[np.float64],
    col_sizes: NDArray[np.float64],
    block: NDArray[np.intc],
    blocks: NDArray[np.intp],
    frozen: NDArray[np.uint8],
    state: NDArray[np.intp],
) -> None: ...
def py_eliminate(
    value: NDArray[_Scalar],
    threshold: float,
    cut: float,
    density: float,
    nodes: NDArray[np.intc],
    table: NDArray[np.intc],
    rows: NDArray[np.intc],
    cols: NDArray[np.intc],
    row_buckets: NDArray[np.intc],
    col_buckets: NDArray[np.intc],
    row_sizes: NDArray[np.float64],
    col_sizes: NDArray[np.float64],
    block: NDArray[np.intc],
    blocks: NDArray[np.intp],
    frozen: NDArray[np.uint8],
    state: NDArray[np.intp],
) -> int: ...
