"""What fits into the memory of this machine: sparse matrices are made dense only if they do."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import scipy.sparse

from fastsub.cli.errors import InputError

Array = np.ndarray[Any, Any]


def dense(matrix: Any, name: str, why: str = "") -> Array:
    """Return a matrix, sparse or not, as an array; refuse one beyond the physical memory."""
    if not scipy.sparse.issparse(matrix):
        return np.asarray(matrix)
    size = math.prod(map(int, matrix.shape)) * matrix.dtype.itemsize
    check_memory(name, matrix, size, "dense", why)
    return np.asarray(matrix.toarray())


def check_memory(name: Any, matrix: Any, size: int, kind: str, why: str = "") -> None:
    """Raise InputError if that many bytes are more than the physical memory."""
    if size > (memory := physical_memory()):
        raise InputError(
            f"{name}: {matrix.shape[0]} x {matrix.shape[1]} as a {kind} matrix needs {size} bytes "
            f"({size / 1e9:.3g} GB), more than the {memory / 1e9:.3g} GB of this machine{why}"
        )


def physical_memory() -> float:
    """Return the bytes of physical memory; ``inf`` where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return math.inf
