"""Where matrices that are not dense arrays go: each kind has a package that answers by own means.

A package of such answers defines functions of the names below; whoever adds a kind adds one line.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

_ALL = {"matrix_rank", "fundamental_subspaces", "identifiability"}

# kind: the package that answers, what it answers, what to do for everything else with a matrix A.
_HOMES: dict[str, tuple[str, set[str], str]] = {
    "sparse": (
        "fastsub.sparse",
        {*_ALL, "null_space", "orth", "row_space", "left_null_space", "lstsq", "solutions"},
        "pass {A}.toarray(), or use scipy.sparse.linalg where it is too large for that",
    ),
    "operator": (
        "fastsub.operators",
        {*_ALL, "interpolative", "low_rank"},
        "{A} is known by its products: use fundamental_subspaces, whose subspaces project without "
        "a basis, and for least squares scipy.sparse.linalg.lsmr",
    ),
    "stream": (
        "fastsub.streams",
        {*_ALL, "null_space", "orth", "row_space", "lstsq", "rref"},
        "{A} is read in blocks: use matrix_rank, null_space, row_space, orth, lstsq, rref, "
        "identifiability or fundamental_subspaces",
    ),
}


def kind_of(A: Any) -> str:
    """Return "array", "sparse", "operator" or "stream"."""
    if isinstance(A, (np.ndarray, list, tuple)):
        return "array"
    if hasattr(A, "toarray"):
        return "sparse"
    if hasattr(A, "row_blocks"):
        return "stream"
    return "operator" if hasattr(A, "matvec") else "array"


def answered(kind: str) -> set[str]:
    """Return the names of the functions that answer for a kind by own means."""
    return _HOMES[kind][1] if kind in _HOMES else set()


def elsewhere(A: Any, function: F) -> F | None:
    """Return the namesake of `function` that answers for A; None where A is to be a dense array.

    Raises
    ------
    TypeError
        If A is of a kind for which there is no such function; the message names the way out.
    """
    kind = kind_of(A)
    if kind not in _HOMES:
        return None
    package, _, instead = _HOMES[kind]
    name = function.__name__
    if name not in answered(kind):
        argument = function.__code__.co_varnames[0]
        raise TypeError(f"{name} does not take a {type(A).__name__}; {instead.format(A=argument)}")
    answer: F = getattr(import_module(package), name)
    return answer


def sparse_options(A: Any, **options: Any) -> dict[str, Any]:
    """Return the options that were given, which are for sparse matrices alone.

    Raises
    ------
    TypeError
        If there are any, and A is not sparse.
    """
    given = {name: value for name, value in options.items() if value}
    if given and kind_of(A) != "sparse":
        name, value = next(iter(given.items()))
        raise TypeError(f"{name}={value!r} is for a scipy.sparse A, got a {type(A).__name__}")
    return given
