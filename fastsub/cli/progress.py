"""A line about work that lasts, where somebody is looking: how long it has taken, and will take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text
from scipy.sparse import issparse

from fastsub.cli.text import printable

PATIENCE = 0.5  # seconds of work before anything is shown
# A factorisation in flops of a matrix product of the same count: 1.5 to 6 for the usual ones.
_BESIDE_GEMM = 3.0
_SAMPLE = 384


class _Times(ProgressColumn):
    """The seconds gone by and, where they can be guessed, those that are left."""

    def render(self, task: Task) -> Text:
        """Return both."""
        gone = task.elapsed or 0.0
        if task.total is None:
            return Text(in_words(gone))
        left = task.total - gone
        guess = f"about {in_words(left)} left" if left >= 1 else "any moment"
        return Text(f"{in_words(gone)}, {guess if gone < 2 * task.total else 'longer than usual'}")


@contextmanager
def working(what: str, flops: float | None = None) -> Iterator[None]:
    """Show ``what`` and its times on stderr, if that is a terminal, while inside.

    Parameters
    ----------
    what : str
    flops : float, optional
        Of the work, from which the time left is guessed.
    """
    console = Console(stderr=True)
    if not console.is_interactive:
        yield
        return
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), _Times(), console=console, transient=True
    )
    # A short job needs no guess.
    long = flops is not None and flops > 1e10
    progress.add_task(escape(printable(what)), total=_guess(flops) if flops and long else None)
    timer = threading.Timer(PATIENCE, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        progress.stop()


def _guess(flops: float) -> float:
    """Return the seconds that work of so many flops takes, by the speed of a small product."""
    A = np.ones((_SAMPLE, _SAMPLE))
    A @ A
    start = time.perf_counter()
    A @ A
    return _BESIDE_GEMM * flops / (2 * _SAMPLE**3) * (time.perf_counter() - start)


def in_words(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def factoring(A: Any) -> float | None:
    """Return the flops of a QR factorisation with its orthogonal factor; None if A is sparse."""
    if issparse(A):
        return None
    m, n = map(int, A.shape)
    return 4.0 * max(m, n) * min(m, n) ** 2
