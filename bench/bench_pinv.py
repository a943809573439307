"""pinv against SciPy's."""

from __future__ import annotations

from typing import Any

from bench.contenders import parametrize, run
from fastsub.bench import Case


@parametrize("pinv")
def test_pinv(benchmark: Any, case: Case, contender: str) -> None:
    """One contender of one case."""
    run(benchmark, case, contender)
