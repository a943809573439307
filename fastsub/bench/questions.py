"""What is asked of the thresholds of `fastsub.factor.choose`: shapes on both sides of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Shape = tuple[int, int, int]  # m, n, rank


@dataclass(frozen=True)
class Question:
    """One threshold.

    Attributes
    ----------
    constant : str
        Its name in `fastsub.factor.choose`.
    text : str
        What is asked.
    function : str
        The function of fastsub that is timed.
    vary : str
        A field of `Plan`; ``"small"`` or ``"tall"``, the path that goes before a plan; or what else
        is chosen by a predicate (`audit.CHOICES`).
    values : tuple
        The alternatives.
    shapes : tuple of (m, n, rank)
        On both sides of the threshold.
    dtype : str
    sides : int
        Right-hand sides, where the function solves.
    entries : int
        Of each row, where the matrix is sparse.
    is_price : bool
        Not a question but the other side of one: what the choice costs where it is in vain.
    """

    constant: str
    text: str
    function: str
    vary: str
    values: tuple[Any, ...]
    shapes: tuple[Shape, ...]
    dtype: str = "float64"
    sides: int = 0
    entries: int = 0
    is_price: bool = False


def _squares(*sizes: int, deficiency: float = 0.05) -> tuple[Shape, ...]:
    return tuple((n, n, n - max(1, int(deficiency * n))) for n in sizes)


def _tall(n: int, *ratios: float, deficiency: float = 0.05) -> tuple[Shape, ...]:
    return tuple((int(ratio * n), n, n - int(deficiency * n)) for ratio in ratios)


QUESTIONS = (
    Question(
        "_DENSE_PRODUCTS",
        "a sparse matrix of few entries: as a dense one, or by elimination?",
        "null_space",
        "dense",
        (True, False),
        ((100, 100, 80), (200, 200, 160), (300, 300, 240), (600, 600, 480), (1000, 1000, 800)),
        entries=2,
    ),
    Question(
        "_DENSE_PER_ENTRY",
        "a sparse matrix of some entries: as a dense one, or by elimination?",
        "matrix_rank",
        "dense",
        (True, False),
        ((200, 200, 200), (400, 400, 400), (800, 800, 800), (1000, 1000, 1000)),
        entries=6,
    ),
    Question(
        "_DENSE_LIMIT",
        "and what does it cost not to make large ones dense?",
        "matrix_rank",
        "dense",
        (True, False),
        ((400, 400, 400), (1000, 1000, 1000), (3500, 3500, 3500)),
        entries=80,
        is_price=True,
    ),
    Question(
        "SMALL_ENTRIES",
        "one unblocked pass, or blocks?",
        "null_space",
        "small",
        (True, False),
        (*_squares(64, 100, 150, 200, 250, 300, 400), *_tall(100, 2, 4, 8)),
    ),
    Question(
        "SMALL_SIDE",
        "one unblocked pass, or blocks, where a complement is long?",
        "null_space",
        "small",
        (True, False),
        ((8, 200, 4), (40, 400, 20), (5, 500, 5), (16, 1000, 15), (2, 1000, 1)),
    ),
    Question(
        "_SKETCH_FROM",
        "pivots by a sketch in blocks of so many columns, or by all norms (0)?",
        "rrqr",
        "sketch",
        (0, 32, 48, 64, 96, 128),
        _squares(200, 300, 400, 500, 600, 800, 1000, 1500, 2000),
    ),
    Question(
        "_REDUCE_FROM",
        "first an unpivoted QR, where pivots are wanted?",
        "rrqr",
        "reduce",
        (False, True),
        _tall(500, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 4),
    ),
    Question(
        "_REDUCE_COLUMNS",
        "first an unpivoted QR, where pivots are wanted and columns are few?",
        "rrqr",
        "reduce",
        (False, True),
        ((20000, 16, 15), (20000, 32, 30), (20000, 48, 45), (20000, 64, 60), (20000, 96, 90)),
    ),
    Question(
        "_TALL_FROM",
        "a sketch and one more pass, or a QR?",
        "null_space",
        "tall",
        (True, False),
        _tall(300, 1.5, 2, 3, 4, 6, 10),
    ),
    Question(
        "_LEFT_FROM",
        "null space of a wide matrix: its right side, or the left side of the transpose?",
        "null_space",
        "adjoint",
        (False, True),
        tuple((500, n, 450) for n in (600, 800, 1000, 1500, 2500)),
    ),
    Question(
        "_LEFT_FROM",
        "and what does it cost at full rank?",
        "null_space",
        "adjoint",
        (False, True),
        tuple((500, n, 500) for n in (600, 800, 1000, 1500, 2500)),
        is_price=True,
    ),
    Question(
        "_SKETCH_COLUMNS",
        "of few columns: first the Gram matrix, or a sketch?",
        "matrix_rank",
        "tall",
        (True, False),
        ((20000, 8, 8), (20000, 16, 16), (20000, 32, 32), (20000, 64, 64), (20000, 128, 128)),
    ),
    Question(
        "_GRAM_FROM",
        "first the Gram matrix, where it proves full rank?",
        "matrix_rank",
        "gram",
        (False, True),
        _tall(300, 1.5, 2, 3, 5, 10, 30, deficiency=0),
    ),
    Question(
        "_GRAM_FROM",
        "and what does it cost where it proves nothing?",
        "matrix_rank",
        "gram",
        (False, True),
        _tall(300, 1.5, 3, 10, 30),
        is_price=True,
    ),
    Question(
        "_PACKED_COLUMNS",
        "the Gram matrix from packed rows, or by the BLAS?",
        "matrix_rank",
        "packed",
        (True, False),
        tuple((max(4 * n, 10000), n, n) for n in (20, 50, 100, 200, 500, 800, 1000, 1200, 1600)),
    ),
    Question(
        "_FUSED_COLUMNS",
        "a column space: all products in one pass, or one after the other by the BLAS?",
        "orth",
        "fused",
        (True, False),
        tuple((20000, n, n - n // 20) for n in (50, 100, 200, 300, 400, 500, 700)),
    ),
    Question(
        "block",
        "columns a block of unpivoted QR",
        "null_space",
        "block",
        (32, 48, 64, 96, 128),
        ((1500, 500, 450), (5000, 500, 450), (3000, 1000, 900), (500, 2500, 500)),
    ),
    Question(
        "panel",
        "columns a panel of pivoted QR",
        "rrqr",
        "panel",
        (8, 16, 32, 48, 64),
        _squares(210, 300, 400, 500),
    ),
    Question(
        "_MANY_FROM",
        "an explicit Q, or refinement of every right-hand side?",
        "lstsq",
        "many",
        (True, False),
        tuple((4 * n, n, n) for n in (200, 250, 300, 350, 450, 600, 800)),
        sides=200,
    ),
    Question(
        "_SEMINORMAL_FROM",
        "factored once, solved once: by the Gram matrix, or by QR?",
        "factorize",
        "seminormal",
        (True, False),
        (*_tall(400, 1.5, 2, 4, deficiency=0), *_tall(200, 2, 4, 8, 16, 64, deficiency=0)),
        sides=1,
    ),
    Question(
        "_SEMINORMAL_FROM",
        "and where many solutions follow?",
        "factorize",
        "seminormal",
        (True, False),
        _tall(200, 2, 4, 8, 16, 64, deficiency=0),
        sides=100,
        is_price=True,
    ),
)
