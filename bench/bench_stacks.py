"""Stacks of small matrices against SciPy's and NumPy's."""

from __future__ import annotations

from typing import Any

from bench.contenders import parametrize, run
from fastsub.bench import Case


@parametrize("stacks")
def test_stacks(benchmark: Any, case: Case, contender: str) -> None:
    """One contender of one case."""
    run(benchmark, case, contender)
