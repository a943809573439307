"""Sparse ranks and null spaces against dense ones."""

from __future__ import annotations

from typing import Any

from bench.contenders import parametrize, run
from fastsub.bench import Case


@parametrize("sparse")
def test_sparse(benchmark: Any, case: Case, contender: str) -> None:
    """One contender of one case."""
    run(benchmark, case, contender)
