"""A spinner with the elapsed time, for work that lasts, where somebody is looking."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fastsub.cli.text import printable

PATIENCE = 0.5  # seconds of work before anything is shown


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show ``what`` and the time it has taken on stderr, if that is a terminal, while inside."""
    console = Console(stderr=True)
    if not console.is_interactive:
        yield
        return
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    progress.add_task(escape(printable(what)), total=None)
    timer = threading.Timer(PATIENCE, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        progress.stop()
