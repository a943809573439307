"""Fortran-ordered arrays, where they can fit: the error states the bytes and the way around."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray


def empty(shape: tuple[int, ...], dtype: Any, alternative: str = "") -> NDArray[Any]:
    """Return an uninitialised Fortran-ordered array.

    Raises
    ------
    MemoryError
        If it cannot fit in the memory of the machine; the message states bytes and `alternative`.
    """
    check_memory(shape, dtype, alternative)
    return np.empty(shape, dtype, order="F")


def zeros(shape: tuple[int, ...], dtype: Any, alternative: str = "") -> NDArray[Any]:
    """Return a Fortran-ordered array of zeros, as `empty`."""
    check_memory(shape, dtype, alternative)
    return np.zeros(shape, dtype, order="F")


def check_memory(shape: tuple[int, ...], dtype: Any, alternative: str) -> None:
    """Raise MemoryError if an array cannot fit in the memory of the machine, as `empty` does."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > _physical_memory():
        raise MemoryError(
            f"a result of shape {shape} and dtype {np.dtype(dtype)} takes {size:,} bytes, more "
            f"than this machine has ({_physical_memory():,})" + (alternative and f"; {alternative}")
        )


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        # Not POSIX: let the allocation itself fail.
        return 2**63 - 1
