"""How many calls were served, and how many passed on for which reason."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


class PassOn(Exception):  # noqa: N818  (not an error: the peer answers)
    """The peer is to answer this call; the reason is the argument."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one replaced function.

    Attributes
    ----------
    served : int
        Those that fastsub answered.
    passed_on : dict of str to int
        Those that the peer answered, by reason.
    """

    served: int = 0
    passed_on: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return self.served + sum(self.passed_on.values())


_lock = threading.Lock()
_counts: Counter[tuple[str, str]] = Counter()  # (function, reason); "" where served


def count(function: str, reason: str = "") -> None:
    """Count a call of `function`: served, or passed on for a reason."""
    with _lock:
        _counts[function, reason] += 1


def calls() -> dict[str, Calls]:
    """Return how many calls of each replaced function were served, and why others were not.

    Counts are those of the process, of all its threads, since it began or since `reset_calls`.

    Returns
    -------
    dict of str to Calls
        By the name of the function; those never called are left out.

    Examples
    --------
    >>> import scipy.linalg
    >>> from fastsub.patch import calls, patched, reset_calls
    >>> reset_calls()
    >>> with patched():
    ...     N = scipy.linalg.null_space([[1.0, 1.0]])
    ...     N = scipy.linalg.null_space([[1.0, 1.0]], rcond=-1)
    >>> calls()
    {'scipy.linalg.null_space': Calls(served=1, passed_on={'a negative or NaN tolerance': 1})}
    """
    with _lock:
        counts = sorted(_counts.items())
    result: dict[str, Calls] = {}
    for (function, reason), number in counts:
        entry = result.get(function, Calls())
        passed_on = entry.passed_on | ({reason: number} if reason else {})
        result[function] = Calls(entry.served if reason else number, passed_on)
    return result


def reset_calls() -> None:
    """Set all counts to zero."""
    with _lock:
        _counts.clear()
