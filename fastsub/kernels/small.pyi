"""Types of the compiled module small."""

from typing import Any

from numpy.typing import NDArray

def py_decide_and_span(
    A: NDArray[Any],
    adjoint: bool,
    trailing: bool,
    want_basis: bool,
    rtol: float,
    tol: float,
) -> tuple[int, float, float, float, NDArray[Any] | None] | None: ...
