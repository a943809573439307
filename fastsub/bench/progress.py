"""What is being measured, and for how much longer: guessed costs, corrected by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from fastsub.bench.case import Case

Item = TypeVar("Item")

# A guess of what an SVD does a second, and of what a comparison costs besides its calls.
_SVD_FLOPS, _BESIDES = 2e10, 0.1
# Seconds of a call that nobody waits for: of a large sparse matrix no SVD is taken.
_MOST = 20.0


def _call_seconds(case: Case) -> float:
    """Guess the seconds of one call of a peer's: an SVD with the vectors that SciPy makes."""
    m, n = case.shape
    long, short = max(m, n), min(m, n)
    vectors = 4.0 * long**2 * short if case.group == "null_space" else 4.0 * long * short**2
    return min(_MOST, (vectors + 8.0 * long * short**2) / _SVD_FLOPS)


def seconds_of_case(case: Case, budget: float) -> float:
    """Guess how long the comparisons of a case take."""
    calls = _call_seconds(case)
    return len(case.peers) * (_BESIDES + 2 * calls + max(budget, 3 * calls))


def seconds_of_batch(cases: list[Case]) -> float:
    """Guess how long a batch of a sweep takes."""
    return sum(_BESIDES + 1.5 * _call_seconds(case) for case in cases)


class Progress:
    """Says before each item what it is and how long all that are left will take.

    Parameters
    ----------
    say : callable
        Gets each line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.done = self.left = 0.0
        self.started = time.monotonic()

    def follow(
        self, items: Iterable[Item], cost: Callable[[Item], float], name: Callable[[Item], str]
    ) -> Iterator[Item]:
        """Return the items one by one; their guessed `cost` counts from now on."""
        planned = [(item, cost(item)) for item in items]
        self.left += sum(seconds for _, seconds in planned)
        return self._follow(planned, name)

    def _follow(
        self, planned: list[tuple[Item, float]], name: Callable[[Item], str]
    ) -> Iterator[Item]:
        for item, seconds in planned:
            self.say(f"{self.remaining():>12}  {name(item)}")
            yield item
            self.done += seconds
            self.left -= seconds

    def remaining(self) -> str:
        """Return the time left in words."""
        speed = (time.monotonic() - self.started) / self.done if self.done else 1.0
        seconds = speed * self.left
        return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"
