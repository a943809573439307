"""Which path a matrix takes: one pure function of shape, dtype and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Want = Literal["rank", "null", "range", "rrqr", "qr"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A path through the factorisations.

    Attributes
    ----------
    adjoint : bool
        Factor the conjugate transpose.
    gram : bool
        First try to prove full rank from the Gram matrix.
    reduce : bool
        First reduce to a square triangle by unpivoted QR.
    block : int
        Columns a block of unpivoted QR and of compact WY.
    panel : int
        Columns a panel of pivoted QR.
    sketch : int
        Columns a block of QR pivoted by a random sketch; 0 without one.
    """

    adjoint: bool
    gram: bool
    reduce: bool
    block: int
    panel: int
    sketch: int


# Rows per column from which an unpivoted QR first pays: pivoting then touches an n x n triangle
# instead of all of A in half of its flops (Chan 1982 has 5/3 for the SVD, by its flop count).
_REDUCE_FROM = 1.2
# Order from which pivots by a sketch pay, and the blocks above: `python -m bench compare rrqr`.
_SKETCH_FROM = 600
# Below this many columns pivoting everything is as fast, and leaves fewer reflectors behind.
_REDUCE_COLUMNS = 48
# Rows per column from which a Gram matrix, at half the flops of QR, is worth the risk of a failure.
_GRAM_FROM = 3.0


# Largest number of entries, and of rows or columns, up to which one unblocked pass without the BLAS
# beats blocks: `python -m bench compare null_space rank` at 100, 150, 200 and 300 square.
SMALL_ENTRIES = 200 * 200
SMALL_SIDE = 1000


def is_small(m: int, n: int) -> bool:
    """Whether an m x n matrix, not empty, is one for kernels/small.pyx.

    Examples
    --------
    >>> from fastsub.factor.choose import is_small
    >>> is_small(100, 100), is_small(1000, 1000), is_small(0, 3)
    (True, False, False)
    """
    return 0 < m * n <= SMALL_ENTRIES and max(m, n) <= SMALL_SIDE


def choose(m: int, n: int, dtype: Any, *, want: Want, c_order: bool = False) -> Plan:
    """Return the plan for an m x n matrix.

    Parameters
    ----------
    m, n : int
        Shape of A.
    dtype : dtype
        One of the four.
    want : {"rank", "null", "range", "rrqr", "qr"}
        What is asked: a rank alone lets a Gram matrix answer; ``"rrqr"`` and ``"qr"`` are the
        factors of A itself, so never of its transpose; ``"qr"`` promises the classical pivots.
    c_order : bool
        Whether A is C-ordered: of a square A the transpose is then the one that is column-major.

    Examples
    --------
    >>> from fastsub.factor.choose import choose
    >>> choose(20000, 500, "float64", want="null")
    Plan(adjoint=False, gram=False, reduce=True, block=64, panel=32, sketch=0)
    """
    adjoint = want not in ("rrqr", "qr") and (m < n or (m == n and c_order))
    rows, columns = (n, m) if adjoint else (m, n)
    tall = rows >= _REDUCE_FROM * columns and columns >= _REDUCE_COLUMNS
    # In single precision a Gram matrix proves full rank up to a condition of some thousands only.
    double = np.dtype(dtype).char in "dD"
    gram = want == "rank" and rows >= _GRAM_FROM * columns and double
    order = columns if tall else min(rows, columns)
    sketch = 0
    if want != "qr" and order >= _SKETCH_FROM:
        sketch = 64 if order < 1500 else 96 if order < 3000 else 128
    return Plan(adjoint, gram, tall, 64 if columns <= 1000 else 96, panel=32, sketch=sketch)
