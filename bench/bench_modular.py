"""Echelon forms modulo primes against python-flint and galois."""

from __future__ import annotations

from typing import Any

from bench.contenders import parametrize, run
from fastsub.bench import Case


@parametrize("modular")
def test_modular(benchmark: Any, case: Case, contender: str) -> None:
    """One contender of one case."""
    run(benchmark, case, contender)
