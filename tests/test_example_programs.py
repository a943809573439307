"""The example programs run, and show what they say."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = [
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("torch", "sklearn"))),
        reason="the examples need torch and scikit-learn",
    ),
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
]


@pytest.fixture
def example(monkeypatch):
    """Return a function that imports an example by its name."""
    monkeypatch.syspath_prepend(EXAMPLES)

    def load(name):
        for module in ("digits", name):
            sys.modules.pop(module, None)
        return importlib.import_module(name)

    return load


def test_flat_directions(example, capsys):
    flat, steep = example("flat_directions").main()
    ratios = [a / b for a, b in pairwise(flat)]
    assert all(3.8 < ratio < 4.2 for ratio in ratios[2:])
    assert all(1.9 < a / b < 2.1 for a, b in pairwise(steep[2:]))
    assert flat[-1] < steep[-1] / 1e3
    text = capsys.readouterr().out
    assert "1210 parameters, 500 predictions" in text
    assert "rank 450, nullity 760" in text


def test_rank_ceiling(example, capsys):
    kept = example("rank_ceiling").main()
    assert kept == sorted(kept)
    assert kept[-1] == pytest.approx(1)
    assert "W is 16 x 64, of rank 16." in capsys.readouterr().out
