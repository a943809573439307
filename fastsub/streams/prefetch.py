"""Reading ahead: one thread reads while another computes, a bounded number of blocks in hand."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any


class Prefetch:
    """The items of an iterator, fetched by a thread of its own, at most `slots` at a time.

    Parameters
    ----------
    items : iterator
        Advanced by the reading thread alone.
    slots : int
        Items that may exist: the one that is being read and those that `done` was not said of.
    """

    def __init__(self, items: Iterator[Any], slots: int) -> None:
        self._items = items
        self._free = threading.Semaphore(slots)
        self._ready: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._stopped = False
        self._last: tuple[str, Any] | None = None
        self._thread = threading.Thread(target=self._read, name="fastsub-reader", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while True:
                self._free.acquire()
                if self._stopped:
                    return
                try:
                    item = next(self._items)
                except StopIteration:
                    self._ready.put(("end", None))
                    return
                self._ready.put(("item", item))
        except BaseException as error:  # raised again where the answer is waited for
            self._ready.put(("error", error))

    def get(self) -> Any:
        """Return the next item; None at the end.

        An item is returned again and again until `done` is said: whoever is interrupted before
        has lost nothing.
        """
        if self._last is None:
            self._last = self._ready.get()
        kind, item = self._last
        if kind == "error":
            raise item
        return item

    def done(self) -> None:
        """Say that the item is no more needed."""
        self._last = None
        self._free.release()

    def close(self) -> None:
        """End the thread, after the item that it is reading."""
        self._stopped = True
        self._free.release()
