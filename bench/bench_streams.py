"""Least squares of a file in blocks against a plain read of the file."""

from __future__ import annotations

from typing import Any

from bench.contenders import parametrize, run
from fastsub.bench import Case


@parametrize("streams")
def test_streams(benchmark: Any, case: Case, contender: str) -> None:
    """One contender of one case."""
    run(benchmark, case, contender)
