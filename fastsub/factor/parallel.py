"""Own threads around kernels that call no BLAS: fixed pieces, so the bits never depend on them."""

from __future__ import annotations

import os
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
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
    with suppress(AttributeError, OSError):
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
    threads = min(count, thread_count()) if count > 1 else 1
    if threads <= 1:
        return [function(piece) for piece in range(count)]
    pieces = deque(range(count))
    results: list[Any] = [None] * count
    ours = _processor()
    failures: list[BaseException] = []
    done: SimpleQueue[None] = SimpleQueue()

    def work() -> None:
        while True:
            try:
                piece = pieces.popleft()
            except IndexError:
                return
            try:
                if not failures:  # else the pieces that are left are skipped
                    results[piece] = function(piece)
            except BaseException as error:  # Ctrl-C too
                failures.append(error)
            done.put(None)

    def help_out() -> None:
        _keep_off(ours)
        work()

    # A Thread would make us wait until it runs: for milliseconds, where the threads of a BLAS spin.
    # These may come too late for any piece, and nobody waits for them then.
    for _ in range(threads - 1):
        with suppress(RuntimeError):  # no more threads: fewer do
            start_new_thread(help_out, ())
    try:
        work()
        for _ in range(count):
            done.get()
    except BaseException:  # Ctrl-C, while others work
        pieces.clear()
        raise
    if failures:
        raise failures[0]
    return results
