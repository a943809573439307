"""Reading ahead: threads read while another computes, a bounded number of blocks in hand.

Ctrl-C may strike whoever takes the items between any two instructions, so it shares with the
threads only what one instruction changes: queues of tokens and a dictionary. An interrupt may free
a slot twice, never lose one, nor an item.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any


class Prefetch:
    """What `load` makes of the items of an iterator, in their order, by threads of its own.

    Parameters
    ----------
    items : iterator
        Advanced by one thread at a time.
    slots : int
        Items that may exist: those that are being loaded and those that are not dropped.
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
        self._turn = threading.Lock()
        self._free: SimpleQueue[None] = SimpleQueue()
        self._news: SimpleQueue[None] = SimpleQueue()
        self._ready: dict[int, tuple[str, Any]] = {}
        self._read, self._oldest = 0, 0
        self._stopped = False
        self._threads, self._started = threads, 0
        for _ in range(slots):
            self._free.put(None)

    def _work(self) -> None:
        while True:
            self._free.get()
            with self._turn:
                if self._stopped:
                    self._free.put(None)
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
            self._ready[number] = found
            found = "", None  # nothing of it is held while the next is waited for
            self._news.put(None)

    def get(self, number: int) -> Any:
        """Return the item of a number, counted from 0; None at the end.

        Those before it are dropped. The same item may be asked for again.
        """
        while self._oldest < number:
            self._ready.pop(self._oldest, None)
            self._free.put(None)
            self._oldest += 1
        while self._started < self._threads:
            threading.Thread(target=self._work, name="fastsub-reader", daemon=True).start()
            self._started += 1
        while number not in self._ready:
            self._news.get()
        kind, item = self._ready[number]
        if kind == "error":
            raise item
        return item

    def close(self) -> None:
        """End the threads, after the items that they are reading."""
        self._stopped = True
        self._free.put(None)
