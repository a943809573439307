"""Data frames in and out, of pandas, polars and others: by narwhals, the extra `frames`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from fastsub.extras import load
from fastsub.factor.arrays import Array, as_matrix, magnitude

_BACKENDS = ("pandas", "polars")


def _narwhals() -> Any:
    return load("narwhals", "frames", "unless given as X.to_numpy() and names, data frames need")


def is_frame(X: Any) -> bool:
    """Whether X is a data frame of any library."""
    return any(map(partial(hasattr, X), ("columns", "column_names", "__narwhals_dataframe__")))


def read(X: Any, names: Sequence[str] | None) -> tuple[Array, list[str], Any]:
    """Return the matrix, the names of its columns, and the library of the frame or None.

    Raises
    ------
    ValueError
        If the names do not fit, or are not distinct.
    TypeError
        If a column does not hold numbers; the message says which.
    """
    library = None
    if is_frame(X):
        nw = _narwhals()
        frame = nw.from_native(X, eager_only=True)
        library = frame.implementation
        names = list(frame.columns) if names is None else names
        for name, dtype in frame.schema.items():
            if not (dtype.is_numeric() or dtype == nw.Boolean):
                raise TypeError(
                    f"X must hold numbers, got {dtype} in column {name!r}; encode or drop it"
                )
        X = frame.to_numpy()
    A = as_matrix(X, "X")
    names = check_names(names, A.shape[1])
    if not math.isfinite(magnitude(A)):
        wrong = ~np.isfinite(A)
        columns = ", ".join(repr(names[j]) for j in np.flatnonzero(wrong.any(axis=0)))
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"X must be finite, got NaN or infinity in {columns}, first at {first}; drop or "
            "impute such rows"
        )
    return A, names, library


def check_names(names: Sequence[str] | None, n: int) -> list[str]:
    """Return the names of n columns; x0, x1, ... if there are none.

    Raises
    ------
    ValueError
        If they do not fit, or are not distinct.
    """
    names = [f"x{j}" for j in range(n)] if names is None else [str(name) for name in names]
    if len(names) != n or len(set(names)) != n:
        raise ValueError(f"names must be {n} different ones, one for each column, got {names}")
    return names


def write(columns: dict[str, Any], library: Any) -> Any:
    """Return a frame of the library that the data came in, else of one that is installed."""
    nw = _narwhals()
    for backend in (library,) if library is not None else _BACKENDS:
        try:
            return nw.from_dict(columns, backend=backend).to_native()
        except ImportError:
            continue
    raise ImportError("to_frame() needs pandas or polars: install one of them")
