"""Types of the compiled module direct_qr."""

from typing import Any

from numpy.typing import NDArray

def py_pivoted(
    A: object, entries: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]] | None: ...
