"""Own threads around kernels that call no BLAS: fixed pieces, so the bits never depend on them."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

# What users set to say how many threads numerical code may take.
_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def thread_count() -> int:
    """Return the number of processors that may be used: the affinity's, at most what users set."""
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        available = os.cpu_count() or 1
    wanted = (os.environ.get(name, "") for name in _VARIABLES)
    return max(1, min([available, *(int(text) for text in wanted if text.isdecimal())]))


def _processor() -> int:
    """Return the number of the processor that runs this thread; -1: unknown."""
    try:
        with open("/proc/thread-self/stat", "rb") as status:
            return int(status.read().rpartition(b")")[2].split()[36])
    except OSError:  # not Linux
        return -1


def _keep_off(processor: int) -> None:
    """Let this thread, one of our own, run on any other processor.

    The threads of a BLAS spin for 0.1 s after their last call. With one of them on one processor
    and two of ours on the other, no scheduler sees what there is to balance: 105 ms became 85.
    """
    # Where that is not Linux's, or not allowed, it is done all the same, later perhaps.
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {processor})


def map_pieces(function: Callable[[int], T], count: int) -> list[T]:
    """Return ``[function(0), ..., function(count - 1)]``, computed by as many threads as may run.

    The calling thread is one of them: to wait would cost as much as to start another.

    Parameters
    ----------
    function : callable
        Releases the GIL where it works; what it does depends on its argument alone.
    count : int
        How many pieces: to be chosen from the input, never from the number of threads.
    """
    threads = min(count, thread_count())
    if threads <= 1:
        return [function(piece) for piece in range(count)]
    pieces = deque(range(count))
    results: list[Any] = [None] * count
    ours = _processor()

    def work() -> None:
        while True:
            try:
                piece = pieces.popleft()
            except IndexError:
                return
            try:
                results[piece] = function(piece)
            except BaseException:  # Ctrl-C too: the other threads shall take no more pieces
                pieces.clear()
                raise

    with ThreadPoolExecutor(threads - 1, initializer=_keep_off, initargs=(ours,)) as pool:
        others = [pool.submit(work) for _ in range(threads - 1)]
        work()
        for other in others:
            other.result()
    return results
