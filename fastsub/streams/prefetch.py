"""Reading ahead: threads read while another computes, a bounded number of blocks in hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any


class Prefetch:
    """What `load` makes of the items of an iterator, in their order, by threads of its own.

    Parameters
    ----------
    items : iterator
        Advanced by one thread at a time.
    slots : int
        Items that may exist: those that are being loaded and those that `done` was not said of.
    load : callable, optional
        Applied by the threads, to several items at once.
    threads : int
    """

    def __init__(
        self,
        items: Iterator[Any],
        slots: int,
        load: Callable[[Any], Any] | None = None,
        threads: int = 1,
    ) -> None:
        self._items, self._load = items, load
        self._free = threading.Semaphore(slots)
        self._turn = threading.Lock()
        self._ready: dict[int, tuple[str, Any]] = {}
        self._change = threading.Condition()
        self._read, self._next = 0, 0
        self._stopped = False
        for _ in range(threads):
            threading.Thread(target=self._work, name="fastsub-reader", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._free.acquire()
            with self._turn:
                if self._stopped:
                    self._free.release()
                    return
                number = self._read
                self._read += 1
                try:
                    found: tuple[str, Any] = "item", next(self._items)
                except StopIteration:
                    found = "end", None
                except BaseException as error:  # raised again where the answer is waited for
                    found = "error", error
                self._stopped = self._stopped or found[0] != "item"
            if found[0] == "item" and self._load is not None:
                try:
                    found = "item", self._load(found[1])
                except BaseException as error:  # likewise
                    found = "error", error
            with self._change:
                self._ready[number] = found
                self._change.notify()

    def get(self) -> Any:
        """Return the next item; None at the end.

        An item is returned again and again until `done` is said: whoever is interrupted before
        has lost nothing.
        """
        with self._change:
            self._change.wait_for(lambda: self._next in self._ready)
            kind, item = self._ready[self._next]
        if kind == "error":
            raise item
        return item

    def done(self) -> None:
        """Say that the item is no more needed."""
        with self._change:
            del self._ready[self._next]
            self._next += 1
        self._free.release()

    def close(self) -> None:
        """End the threads, after the items that they are reading."""
        self._stopped = True
        self._free.release()
