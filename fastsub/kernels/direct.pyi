"""Types of the compiled module direct."""

from typing import Any

from numpy.typing import NDArray

def py_basis(
    A: object, rcond: object, row_side: bool, complement: bool, entries: int, side: int
) -> NDArray[Any] | None: ...
def py_rank(A: object, tol: object, rtol: object, entries: int) -> int | None: ...
def py_decide(
    A: NDArray[Any],
    row_side: bool,
    complement: bool,
    want_basis: bool,
    rtol: float,
    tol: float,
    svd_too: bool,
    iterate: bool = False,
) -> tuple[int, float, float, float, str, str, NDArray[Any] | None] | int | None: ...
