from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# `residue` of residues.pxd: balanced doubles, or integers in 0..p-1.
_Residue = TypeVar("_Residue", np.float64, np.int64)

def py_is_wide(p: int) -> bool: ...
def py_depth(p: int) -> tuple[int, int, int]: ...
def py_product_size(p: int, m: int, n: int, k: int) -> int: ...
def py_subtract_product(
    p: int,
    A: NDArray[_Residue],
    B: NDArray[_Residue],
    C: NDArray[_Residue],
    pack: NDArray[np.float64],
) -> None: ...
