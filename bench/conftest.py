"""Collect ``bench_*.py`` here: ``python -m pytest bench -m benchmark``.

The peers that take tens of seconds go by ``-m slow`` instead.
"""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Take the files of timings for modules of tests."""
    if file_path.match("bench_*.py"):
        return pytest.Module.from_parent(parent, path=file_path)
    return None
