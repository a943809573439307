"""Which functions are replaced, and by what."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from fastsub.patch import numpy_functions, scipy_functions

_HOMES = {
    "scipy.linalg": (
        scipy_functions,
        ("null_space", "orth", "lstsq", "pinv", "subspace_angles", "qr"),
    ),
    "numpy.linalg": (numpy_functions, ("matrix_rank", "lstsq", "pinv")),
}


class Place(NamedTuple):
    """Where a function of a peer stands, and who answers in its place."""

    module: Any
    attribute: str
    answer: Callable[..., Any]

    @property
    def name(self) -> str:
        """The dotted name under which users know it."""
        return f"{self.module.__name__}.{self.attribute}"


def places() -> list[Place]:
    """Return all functions that are replaced."""
    return [
        Place(import_module(home), name, getattr(answers, name))
        for home, (answers, names) in _HOMES.items()
        for name in names
    ]
