"""Peak memory of a call beyond its input and its output.

NumPy reports what it allocates to tracemalloc, and every large buffer here is NumPy's: the kernels
get their workspace from Python, SciPy's wrappers of LAPACK take theirs from NumPy. What a BLAS
packs for itself, some megabytes a thread at most, is beyond our reach and not counted.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np


def nbytes(answer: Any) -> int:
    """Return the bytes of an answer: an array, a tuple, or a factorisation with R."""
    if isinstance(answer, np.ndarray):
        return int(answer.nbytes)
    if isinstance(answer, tuple):
        return sum(map(nbytes, answer))
    return nbytes((answer.R, getattr(answer, "p", ()))) if hasattr(answer, "R") else 0


def peak_beyond_output(call: Callable[..., Any], *inputs: Any, **options: Any) -> int:
    """Return the peak of memory in bytes during a call, less what it returned.

    Parameters
    ----------
    call : callable
        Called twice: what is loaded or cached once, at the first call, does not count.
    *inputs, **options
        Its arguments. The inputs are there before and so do not count.
    """
    call(*inputs, **options)
    gc.collect()
    tracemalloc.start()
    try:
        answer = call(*inputs, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return peak - nbytes(answer)
