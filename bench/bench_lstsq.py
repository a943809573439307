"""lstsq against every driver of SciPy's, NumPy's, and the bare normal equations."""

from __future__ import annotations

from typing import Any

from bench.contenders import parametrize, run
from fastsub.bench import Case


@parametrize("lstsq")
def test_lstsq(benchmark: Any, case: Case, contender: str) -> None:
    """One contender of one case."""
    run(benchmark, case, contender)
