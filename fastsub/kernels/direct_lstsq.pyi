from typing import Any

def py_lstsq(
    A: object, b: object, cond: object, entries: int, certify: bool = False
) -> tuple[Any, ...] | None: ...
