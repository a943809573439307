"""Which path a matrix takes: one pure function of shape, dtype and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Want = Literal["rank", "row", "column", "all", "rrqr", "qr"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A path through the factorisations.

    Attributes
    ----------
    adjoint : bool
        Factor the conjugate transpose.
    gram : bool
        First try to prove full rank from the Gram matrix.
    left : bool
        Keep the left factor of the array that is factored; without it memory is reused.
    right : bool
        The right side may be asked for; else memory is reused, too.
    reduce : bool
        Before pivoting reduce to a square triangle by unpivoted QR.
    block : int
        Columns a block of unpivoted QR and of compact WY.
    panel : int
        Columns a panel of pivoted QR.
    sketch : int
        Columns a block of QR pivoted by a random sketch; 0 without one.
    """

    adjoint: bool
    gram: bool
    left: bool
    right: bool
    reduce: bool
    block: int
    panel: int
    sketch: int


# Rows per column from which an unpivoted QR first pays: pivoting then touches an n x n triangle
# instead of all of A in half of its flops (Chan 1982 has 5/3 for the SVD, by its flop count).
_REDUCE_FROM = 1.2
# Order from which pivots by a sketch pay, and the blocks above: `python -m bench compare rrqr`.
_SKETCH_FROM = 250
# Below this many columns pivoting everything is as fast, and leaves fewer reflectors behind.
_REDUCE_COLUMNS = 48
# Rows per column from which a Gram matrix, at half the flops of QR, is worth the risk of a failure.
_GRAM_FROM = 3.0


# Columns of a wide matrix per row from which its bases are made as left ones of the transpose.
# Below that RZ makes right ones in the memory of one copy; it takes a tenth longer at full rank,
# half the time at a lower one.
_LEFT_FROM = 2.0


# Largest number of entries, and of rows of a complement (often the longer side, and then nearly as
# many columns), up to which one pass without the BLAS beats blocks.
SMALL_ENTRIES = 200 * 200
SMALL_SIDE = 400


# Rows per column from which a sketch, and one more pass over A, beat a QR.
_TALL_FROM = 4.0


def is_tall(m: int, n: int) -> bool:
    """Whether an m x n matrix is one for a sketch.

    Examples
    --------
    >>> from fastsub.factor.choose import is_tall
    >>> is_tall(20000, 500), is_tall(500, 20000), is_tall(600, 500)
    (True, False, False)
    """
    return n > 0 and m >= _TALL_FROM * n


# Columns below which a Gram matrix proves full rank sooner than a sketch does.
_SKETCH_COLUMNS = 32


def prefers_gram(m: int, n: int, dtype: Any) -> bool:
    """Whether the rank of an m x n matrix is asked of its Gram matrix before any sketch.

    Examples
    --------
    >>> from fastsub.factor.choose import prefers_gram
    >>> prefers_gram(100000, 20, "float64"), prefers_gram(100000, 20, "float32")
    (True, False)
    """
    return min(m, n) < _SKETCH_COLUMNS and choose(m, n, dtype, want="rank").gram


# Real columns up to which packed rows of a tall matrix beat the BLAS at its Gram matrix: then what
# is packed and its products stay in the cache.
_PACKED_COLUMNS = 800


def is_packed(m: int, n: int, dtype: Any) -> bool:
    """Whether the Gram matrix of an m x n matrix is made of packed rows, not by the BLAS.

    Examples
    --------
    >>> from fastsub.factor.choose import is_packed
    >>> is_packed(100000, 200, "float64"), is_packed(100000, 800, "complex128")
    (True, False)
    """
    parts = 2 if np.dtype(dtype).kind == "c" else 1
    return is_tall(m, n) and parts * n <= _PACKED_COLUMNS


# Real columns up to which one pass without the BLAS beats its products, one after the other.
_FUSED_COLUMNS = 300


def is_fused(n: int, dtype: Any) -> bool:
    """Whether a tall matrix of n columns meets all that it is multiplied by in one pass.

    Examples
    --------
    >>> from fastsub.factor.choose import is_fused
    >>> is_fused(200, "float64"), is_fused(200, "complex128"), is_fused(1000, "float64")
    (True, False, False)
    """
    return (2 if np.dtype(dtype).kind == "c" else 1) * n <= _FUSED_COLUMNS


def is_small(m: int, n: int, complement: int = 0) -> bool:
    """Whether an m x n matrix, not empty, is one for kernels/small.pyx.

    Parameters
    ----------
    m, n : int
    complement : int
        Rows of the basis, where the orthogonal complement of what A spans is asked for.

    Examples
    --------
    >>> from fastsub.factor.choose import is_small
    >>> is_small(100, 100), is_small(1000, 1000), is_small(0, 3), is_small(8, 1000, 1000)
    (True, False, False, False)
    """
    return 0 < m * n <= SMALL_ENTRIES and complement <= SMALL_SIDE


# Products m n min(m, n) up to which a sparse matrix is made dense whatever it holds; for each entry
# that it holds; and never beyond.
_DENSE_PRODUCTS = 2.5e7
_DENSE_PER_ENTRY = 6e4
_DENSE_LIMIT = 3e10


def is_dense(m: int, n: int, nnz: int) -> bool:
    """Whether a sparse m x n matrix is made dense: elimination would take no less.

    Examples
    --------
    >>> from fastsub.factor.choose import is_dense
    >>> is_dense(100, 100, 500), is_dense(1000, 1000, 2000), is_dense(1000, 1000, 50000)
    (True, False, True)
    """
    products = float(m) * n * min(m, n)
    return products <= min(_DENSE_PRODUCTS + _DENSE_PER_ENTRY * nnz, _DENSE_LIMIT)


def choose(m: int, n: int, dtype: Any, *, want: Want, c_order: bool = False) -> Plan:
    """Return the plan for an m x n matrix.

    Parameters
    ----------
    m, n : int
        Shape of A.
    dtype : dtype
        One of the four.
    want : {"rank", "row", "column", "all", "rrqr", "qr"}
        What is asked: a rank alone, which a Gram matrix may answer; row space and null space;
        column space and left null space; all four; or the factors of A itself, so never of its
        transpose, ``"qr"`` with the classical pivots.
    c_order : bool
        Whether A is C-ordered: of a square A the transpose is then the one that is column-major.

    Examples
    --------
    >>> from fastsub.factor.choose import choose
    >>> plan = choose(20000, 500, "float64", want="row")
    >>> plan.adjoint, plan.left, plan.right, plan.block
    (False, False, True, 32)
    """
    of_itself = want in ("rrqr", "qr")
    adjoint = m < n
    if m == n and want in ("rank", "all"):
        adjoint = c_order
    elif want in ("row", "column") and max(m, n) < _LEFT_FROM * min(m, n):
        # The right side costs less than the left one, more than a transposing copy does.
        adjoint = want == "column"
    adjoint = adjoint and not of_itself
    rows, columns = (n, m) if adjoint else (m, n)
    tall = rows >= _REDUCE_FROM * columns and columns >= _REDUCE_COLUMNS
    # In single precision a Gram matrix proves full rank up to a condition of some thousands only.
    double = np.dtype(dtype).char in "dD"
    gram = want == "rank" and rows >= _GRAM_FROM * columns and double
    left = want not in ("rank", "column" if adjoint else "row")
    right = want == "all" or not left
    order = columns if tall else min(rows, columns)
    sketch = 0
    if want != "qr" and order >= _SKETCH_FROM:
        sketch = 32 if order < 800 else 64 if order < 1500 else 96 if order < 3000 else 128
    block = 32 if columns <= 600 else 64 if columns <= 1500 else 96
    return Plan(adjoint, gram, left, right, tall, block, panel=32, sketch=sketch)


# Rows per column from which a matrix to be solved with often is not factored by QR.
_SEMINORMAL_FROM = 6.0


def prefers_seminormal(m: int, n: int, dtype: Any) -> bool:
    """Whether an m x n matrix is kept with its Cholesky factor, to be solved with often.

    Examples
    --------
    >>> from fastsub.factor.choose import prefers_seminormal
    >>> prefers_seminormal(5000, 100, "d"), prefers_seminormal(50, 10, "d")
    (True, False)
    """
    return n > 0 and m >= _SEMINORMAL_FROM * n and choose_solver(m, n, dtype) == "normal"


# Right-hand sides per column from which an explicit Q, made once, beats refinement of them all.
_MANY_FROM = 0.4


def is_many(n: int, k: int) -> bool:
    """Whether k right-hand sides are many beside n columns.

    Examples
    --------
    >>> from fastsub.factor.choose import is_many
    >>> is_many(500, 2000), is_many(500, 3)
    (True, False)
    """
    return k >= max(8, _MANY_FROM * n)


Solver = Literal["direct", "normal", "adjoint", "square"]


def choose_solver(m: int, n: int, dtype: Any) -> Solver | None:
    """Return the path that a least-squares problem takes first; None: a COD at once.

    One compiled call, the normal equations of A, or of A^H if it is wide, or LU if it is square.

    Examples
    --------
    >>> from fastsub.factor.choose import choose_solver
    >>> [choose_solver(*shape, "d") for shape in ((5000, 30), (30, 5000), (300, 300), (4, 30))]
    ['normal', 'adjoint', 'square', 'direct']
    """
    if m * n <= SMALL_ENTRIES:
        return "direct"
    if m == n:
        # In single precision the rounding of an LU leaves no room to prove a rank.
        return "square" if np.dtype(dtype).char in "dD" else None
    return "normal" if m > n else "adjoint"
