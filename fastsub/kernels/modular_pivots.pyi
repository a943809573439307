from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# `residue` of residues.pxd: balanced doubles, or integers in 0..p-1.
_Residue = TypeVar("_Residue", np.float64, np.int64)
_Index = NDArray[np.intp]

def py_find_pivots(
    p: int,
    W: NDArray[_Residue],
    swaps: _Index,
    cols: _Index,
    values: NDArray[np.int64],
    T: NDArray[_Residue],
    work: NDArray[_Residue],
    pack: NDArray[np.float64],
) -> int: ...
