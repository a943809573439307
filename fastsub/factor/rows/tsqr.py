"""The triangle of a matrix that is seen once, block of rows by block of rows: sequential TSQR.

    [R]         [R']
    [X]  =  Q   [0 ]       R' stands for all rows so far; Q is never kept; R'' likewise for [R; R']

Blocks of many rows may take half the flops, by Gram matrices, wherever these lose no more than
Householder QR may (block_gram.py): those of the columns as they are, or, if these depend on one
another, of what the triangle so far makes of them. They are added up, the sum judged as each was,
until one does not fit in.

R stands for A + E with ||E||_2 <= (sqrt(h) u + t) ||A||_F, h the rows of all stacks that were
factored (their errors are independent and add up like lengths at right angles), t the largest of
what Gram matrices have lost (the blocks have no row in common).

References
----------
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012): any tree of such steps is backward stable.
Higham & Mary, A new approach to probabilistic rounding error analysis, SISC 41 (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, is_safe, magnitude, upper
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.rows import block_gram
from fastsub.factor.rows.block_gram import UNIT, Coordinates

# Columns of a block of QR, and the most rows that a stack adds to a triangle: it stays in the
# second-level cache.
_BLOCK, _STACK = 32, 1 << 11
# Blocks that go to QR at once after one that a Gram matrix could not have served.
_PATIENCE = 15
# Rows that wait for company, in columns: a stack of few rows costs as much as one of many.
_WAITING = 4


class NotFiniteError(ValueError):
    """A block holds NaN or infinity; `row` and `column` say where, counted from 0 in the block."""

    def __init__(self, row: int, column: int, value: Any) -> None:
        super().__init__(f"{value} at row {row}, column {column}")
        self.row, self.column, self.value = row, column, value


_ARRAYS = ("R", "waiting", "gram")


@dataclass(frozen=True, slots=True, eq=False)
class Triangle:
    """What stands for all rows so far; never changed, only replaced.

    Attributes
    ----------
    R : ndarray, shape (h, n)
        Upper trapezoidal, Fortran-ordered, h <= n. Column j is ``2**exponents[j]`` times the true
        one.
    exponents : ndarray of int, shape (n,)
        0 unless squares of a column would be lost.
    waiting : ndarray, shape (w, n)
        Rows, in their own scale, that are not in R yet.
    gram : ndarray, shape (n, n) or (0, n)
        Gram matrix, its upper triangle, of certified blocks that are not in R yet.
    coordinates : Coordinates, optional
        Those of `gram`, and of Gram matrices to come.
    rows : int
        All rows.
    units : int
        Blocks in `gram`.
    height : float
        h of the module's docstring.
    loss : float
        t of the module's docstring, in units of u.
    patience : int
        Blocks to go before a Gram matrix is tried again.
    """

    R: Array
    exponents: Array
    waiting: Array
    gram: Array
    coordinates: Coordinates | None = None
    rows: int = 0
    units: int = 0
    height: float = 0.0
    loss: float = 0.0
    patience: int = 0

    @classmethod
    def of(cls, n: int, dtype: Any) -> Triangle:
        """Return that of no rows and n columns."""
        empty_rows = np.empty((0, n), dtype, order="F")
        return cls(empty_rows, np.zeros(n, np.int64), empty_rows, empty_rows)

    @property
    def columns(self) -> int:
        """Columns, with those of right-hand sides."""
        return int(self.R.shape[1])

    def astype(self, dtype: Any) -> Triangle:
        """Return the same in another dtype, to which it can be promoted."""
        if self.R.dtype == dtype:
            return self
        state = self._with_gram()
        arrays = {name: getattr(state, name).astype(dtype, order="F") for name in _ARRAYS}
        return replace(state, coordinates=None, **arrays)

    def gram_of(self, X: Array, Y: Array, p: int) -> Array | None:
        """Return the Gram matrix of (X Y), of p rows that `add` or `take` gets, or of some of them.

        Made by this thread; None if none is asked for.
        """
        if X.dtype != self.R.dtype or p > UNIT or not self._asks(p):
            return None
        return block_gram.gram_of(X, Y, self.coordinates, alone=True)

    def add(self, X: Array, Y: Array, G: Array | None = None) -> Triangle:
        """Return that of the rows (X Y) as well, X (p, n - k) and Y (p, k) of its dtype.

        G is what `gram_of` made of them, if anybody asked; it is destroyed.

        Raises
        ------
        NotFiniteError
            NaN or infinity in the block.
        """
        p, n = X.shape[0], self.columns
        if len(self.waiting) + p <= _WAITING * n:
            block = np.concatenate([X, Y], axis=1)
            _check_finite(block)
            return replace(self, waiting=np.concatenate([self.waiting, block]), rows=self.rows + p)
        state = self if p >= _WAITING * n else self._with_waiting()
        for first in range(0, p, UNIT):
            rows = slice(first, min(first + UNIT, p))
            try:
                state = state._add_unit(X[rows], Y[rows], G)
            except NotFiniteError as error:
                raise NotFiniteError(error.row + first, error.column, error.value) from None
        return state

    def merge(self, other: Triangle) -> Triangle:
        """Return that of the rows of both."""
        few = len(self.waiting) + len(other.waiting) <= _WAITING * self.columns
        a, b = (self, other) if few else (self.settled(), other.settled())
        a, b = a._with_gram(), b._with_gram()
        exponents = _exponents(
            np.maximum(_tops(a.R) - a.exponents, _tops(b.R) - b.exponents), a.R.dtype
        )
        a, b = a._in_scale(exponents), b._in_scale(exponents)
        R, height = (a.R, 0) if not len(b.R) else (b.R, 0) if not len(a.R) else _stack(a.R, b.R)
        return Triangle(
            R,
            exponents,
            np.concatenate([a.waiting, b.waiting]),
            a.gram,
            rows=a.rows + b.rows,
            height=a.height + b.height + height,
            loss=max(a.loss, b.loss),
            patience=max(a.patience, b.patience),
        )

    def settled(self) -> Triangle:
        """Return the same with everything in R."""
        return self._with_waiting()._with_gram()

    def margin(self, norm: float) -> float:
        """Return the bound on ``||E||_2`` of the module's docstring; norm is ``||A||_F``."""
        complex_factor = math.sqrt(2) if self.R.dtype.kind == "c" else 1.0
        u = EPS[self.R.dtype.char] / 2
        return complex_factor * (math.sqrt(self.height) + self.loss) * u * norm

    # ---- steps ----

    def _with_waiting(self) -> Triangle:
        if not len(self.waiting):
            return self
        alone = replace(self, waiting=self.waiting[:0])
        return alone._by_qr(self.waiting, self.waiting[:, :0])

    def _with_gram(self) -> Triangle:
        if not self.units:
            return self
        alone = replace(self, gram=self.gram[:0], units=0)
        R = block_gram.triangle_of(self.gram, self.coordinates)
        assert R is not None  # as it was when the last block was added
        if self.coordinates is not None:
            R = self.coordinates.back(R)
        elif not len(self.R):
            return replace(alone, R=R)
        R, height = _stack(self.R, R)
        return replace(alone, R=R, height=self.height + height)

    def _asks(self, p: int) -> bool:
        """Whether a Gram matrix of p rows is tried."""
        if self.patience or self.exponents.any():
            return False
        early = self.coordinates is not None and self.rows + p < block_gram.least_rows(self.columns)
        return block_gram.is_worth(p, self.columns, self.R.dtype) and not early

    def take(self, G: Array, p: int, own: int) -> Triangle | None:
        """Return that of p more rows as well, unseen; None if their Gram matrix loses too much.

        Parameters
        ----------
        G : ndarray, shape (n, n)
            What `gram_of` made of the rows, or the sum of what it made of at most eight pieces.
        own : int
            Columns that are no right-hand sides.
        """
        return self._joined(G.copy(order="F"), p, own)[0] if self._asks(p) else None

    def _joined(self, G: Array, p: int, own: int) -> tuple[Triangle | None, float]:
        """Return that of p more rows of the Gram matrix G, which is destroyed, and the loss."""
        if self.units:
            G += self.gram
        units, rows = self.units + 1, self.rows + p
        loss = block_gram.loss(G, own, p, units, self.coordinates)
        if not loss <= block_gram.allowed(p, self.columns, rows, self.coordinates):
            return None, loss
        return replace(self, gram=G, units=units, loss=max(self.loss, loss), rows=rows), loss

    def _add_unit(self, X: Array, Y: Array, G: Array | None) -> Triangle:
        p, rows = X.shape[0], self.rows + X.shape[0]
        if self._asks(p):
            if G is None:
                G = block_gram.gram_of(X, Y, self.coordinates)
                assert G is not None
            joined, loss = self._joined(G, p, X.shape[1])
            if joined is not None:
                return joined
            state = self._by_qr(X, Y)
            # Other coordinates help unless they were of no use to the very next block.
            helpless = self.coordinates is not None and not self.units
            helpless = helpless and loss > block_gram.allowed(p, self.columns, rows, None)
            return replace(
                state,
                coordinates=None if state.exponents.any() else Coordinates.of(state.R),
                patience=_PATIENCE if helpless else 0,
                rows=rows,
            )
        state = replace(self._by_qr(X, Y), patience=max(0, self.patience - 1), rows=rows)
        if self.coordinates is not None and rows < block_gram.least_rows(self.columns) <= rows + p:
            state = replace(state, coordinates=Coordinates.of(state.R))
        return state

    def _by_qr(self, X: Array, Y: Array) -> Triangle:
        """Householder QR of the triangle on top of some rows, and of the next rows."""
        state, n = self._with_gram(), self.columns
        step = _stacked(n)
        for first in range(0, len(X), step):
            block = np.concatenate([X[first : first + step], Y[first : first + step]], axis=1)
            try:
                largest = _check_finite(block)
            except NotFiniteError as error:
                raise NotFiniteError(error.row + first, error.column, error.value) from None
            if largest and (state.exponents.any() or not is_safe(largest, block.dtype)):
                tops = np.maximum(_tops(state.R) - state.exponents, _tops(block))
                state = state._in_scale(_exponents(tops, block.dtype))
                block = _times_power(block, state.exponents)
            R, height = _stack(state.R, block)
            state = replace(state, R=R, height=state.height + height)
        return state

    def _in_scale(self, exponents: Array) -> Triangle:
        if np.array_equal(exponents, self.exponents):
            return self
        R = np.asfortranarray(_times_power(self.R, exponents - self.exponents))
        return replace(self, R=R, exponents=exponents)


def memory(n: int, dtype: Any) -> int:
    """Return the bytes that a triangle of n columns takes, with the workspace of a step."""
    # R, its successor, rows that wait; Gram matrices; coordinates; a stack and what it is made of.
    numbers = (2 + _WAITING + 12 + 4) * n * n + 3 * (n + _stacked(n)) * n
    return int(numbers * np.dtype(dtype).itemsize)


def _stacked(n: int) -> int:
    """Return the most rows that are put below a triangle of n columns."""
    return max(_STACK, _WAITING * n)


def _stack(R: Array, block: Array) -> tuple[Array, float]:
    """Return the triangle of R on top of a block, and the height of the two."""
    h, (p, n) = len(R), block.shape
    S = empty((h + p, n), block.dtype)
    S[:h], S[h:] = R, block
    Reflectors.of_qr(S, _BLOCK)
    return upper(S, min(h + p, n)), float(h + p)


def _check_finite(block: Array) -> float:
    """Return max |a_ij|."""
    largest = magnitude(block) if block.size else 0.0
    if not math.isfinite(largest):
        row, column = np.argwhere(~np.isfinite(block))[0].tolist()
        raise NotFiniteError(row, column, block[row, column])
    return largest


def _tops(A: Array) -> Array:
    """Return for every column the exponent of its largest entry; very small for a zero column."""
    parts = np.abs(A.real)
    if A.dtype.kind == "c":
        parts = np.maximum(parts, np.abs(A.imag))
    largest = parts.max(axis=0, initial=0.0).astype(np.float64)
    return np.where(largest > 0, np.frexp(largest)[1], -(1 << 20)).astype(np.int64)


def _exponents(tops: Array, dtype: np.dtype[Any]) -> Array:
    """Return the powers of two by which columns are multiplied: 0 where squares are safe."""
    safe = 100 if dtype.char in "dD" else 20
    away = (np.abs(tops) > safe) & (tops > -(1 << 19))
    return np.where(away, -tops, 0)


def _times_power(A: Array, exponents: Array) -> Array:
    """Return A with column j times ``2**exponents[j]``: exact, but for what leaves the range."""
    with np.errstate(over="ignore", under="ignore"):
        scaled: Array = np.ldexp(A.real, exponents)
        if A.dtype.kind == "c":
            scaled = (scaled + 1j * np.ldexp(A.imag, exponents)).astype(A.dtype)
        return scaled
