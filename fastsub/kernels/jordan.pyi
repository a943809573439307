import numpy as np
from numpy.typing import NDArray

_Ints = NDArray[np.int64]
_Index = NDArray[np.intp]

def py_jordan(A: _Ints, p: int, R: _Ints, cols: _Index, rows: _Index) -> int: ...
def py_spans(R: _Ints, cols: _Index, p: int, A: _Ints) -> bool: ...
