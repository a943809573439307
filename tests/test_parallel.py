"""Pieces of work for threads of our own: all are done, in order, and nothing is left behind."""

import _thread
import os
import threading
import time

import pytest

from fastsub.factor import parallel
from fastsub.factor.parallel import map_pieces


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    monkeypatch.setattr(parallel, "thread_count", lambda: 3)


def test_results_in_order():
    assert map_pieces(lambda piece: piece * piece, 50) == [piece * piece for piece in range(50)]


def test_an_error_of_any_thread_is_raised():
    def fail(piece):
        raise ArithmeticError(f"piece {piece}")

    before = _thread._count()
    with pytest.raises(ArithmeticError, match="piece"):
        map_pieces(fail, 5)
    deadline = time.monotonic() + 10
    while _thread._count() > before and time.monotonic() < deadline:
        time.sleep(0.001)  # helping threads end by themselves
    assert _thread._count() <= before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux binds threads")
def test_our_threads_leave_the_callers_processor_alone(monkeypatch):
    allowed = os.sched_getaffinity(0)
    ours = min(allowed)
    monkeypatch.setattr(parallel, "_processor", lambda: ours)
    caller, together = threading.get_ident(), threading.Barrier(3)

    def look(piece):
        together.wait(10)
        return threading.get_ident(), os.sched_getaffinity(0)

    for thread, processors in map_pieces(look, 3):
        alone = thread == caller or len(allowed) == 1
        assert processors == (allowed if alone else allowed - {ours})
    assert os.sched_getaffinity(0) == allowed


def test_the_processor_is_one_that_may_be_used():
    if parallel._processor() >= 0:
        assert parallel._processor() in os.sched_getaffinity(0)
