from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# `residue` of residues.pxd: balanced doubles, or integers in 0..p-1.
_Residue = TypeVar("_Residue", np.float64, np.int64)
_Index = NDArray[np.intp]

def py_work_size(p: int, m: int, n: int, w: int) -> tuple[int, int]: ...
def py_encode(A: NDArray[np.int64], p: int, W: NDArray[_Residue]) -> None: ...
def py_decode(W: NDArray[_Residue], p: int, A: NDArray[np.int64]) -> None: ...
def py_take(A: NDArray[_Residue], cols: _Index, B: NDArray[_Residue]) -> None: ...
def py_is_zero(A: NDArray[_Residue]) -> bool: ...
def py_eliminate(
    p: int,
    A: NDArray[_Residue],
    w: int,
    rows: _Index,
    cols: _Index,
    starts: _Index,
    values: NDArray[np.int64],
    swaps: _Index,
    T: NDArray[_Residue],
    work: NDArray[_Residue],
    pack: NDArray[np.float64],
) -> tuple[int, int, bool]: ...
def py_substitute(
    p: int,
    A: NDArray[_Residue],
    blocks: int,
    starts: _Index,
    cols: _Index,
    X: NDArray[_Residue],
    work: NDArray[_Residue],
    pack: NDArray[np.float64],
) -> None: ...
