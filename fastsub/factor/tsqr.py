"""The triangle of a matrix that is seen once, block of rows by block of rows: sequential TSQR.

    [R]         [R']
    [X]  =  Q   [0 ]       R' stands for all rows so far; Q is never kept; R'' likewise for [R; R']

A block whose columns, scaled to one length, are far from dependent may take half the flops: R of
its Gram matrix, G + E = R^H R. With c_j the column lengths, |E_ij| <= d c_i c_j and v = c^T |R^-1|,

    ||R^-H E R^-1||_2 <= d ||v||_2^2 =: 2 t,     so R is the factor of X + F, ||F e_j|| <= t c_j

to first order, because X R^-1 has the Gram matrix I - R^-H E R^-1. Right-hand sides Y beside X:
R^-H E_Y <= d ||v|| c_j changes what they have in the column space of X, and the triangle S of the
rest, S^H S = Y^H Y - g^H g, has the Gram error d (1 + 2 ||v||) c_i c_j, to be judged by its own
w = c^T |S^-1|. The block takes all that only if every column has changed by at most ten times
sqrt(p n) u of its length; with one, this is what Householder QR of p rows and n columns is held to
(Higham 2002, theorem 19.4, by the square root law of cutoff.py). No scaling of columns changes it.
Gram matrices of such blocks are added up, the sum judged as each was, until one does not fit in.

The sum: R stands for A + E with ||E||_2 <= (sqrt(h) u + t) ||A||_F, h the rows of all stacks that
were factored (their errors are independent and add up like lengths at right angles), t the largest
of the blocks (which have no row in common).

References
----------
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012): any tree of such steps is backward stable.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 10.1 and 19.3.
Higham & Mary, A new approach to probabilistic rounding error analysis, SISC 41 (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, empty, is_safe, magnitude, upper, whole_strides
from fastsub.factor.choose import is_packed
from fastsub.factor.cutoff import EPS
from fastsub.factor.gram import gram_matrix
from fastsub.factor.reflectors import Reflectors
from fastsub.kernels import gram, triangular

# Rows per column from which a Gram matrix pays, and the columns of a block of QR.
_GRAM_FROM, _BLOCK = 16, 32
# The most rows that a Gram matrix is made of at once, and that a stack adds to a triangle: the
# first is large beside the cubes of the columns, the second stays in the second-level cache.
_UNIT, _STACK = 1 << 14, 1 << 11
# Times sqrt(p n) u: DESIGN's accuracy contract of least squares.
_AS_GOOD = 10.0
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
        arrays = {name: getattr(self, name).astype(dtype, order="F") for name in _ARRAYS}
        return replace(self, **arrays)

    def add(self, X: Array, Y: Array, G: Array | None = None) -> Triangle:
        """Return that of the rows (X Y) as well, X (p, n - k) and Y (p, k) of its dtype.

        G is what `gram_of` made of them, if anybody did; it is destroyed.

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
        if p > _UNIT or G is None or G.dtype != X.dtype:
            G = None
        for first in range(0, p, _UNIT):
            rows = slice(first, min(first + _UNIT, p))
            try:
                state = state._add_unit(X[rows], Y[rows], G)
            except NotFiniteError as error:
                raise NotFiniteError(error.row + first, error.column, error.value) from None
        return replace(state, rows=self.rows + p)

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
            a.rows + b.rows,
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
        R = self.gram.copy(order="F")
        info = gram.py_cholesky(R)
        assert info == 0  # as it was when the last block was added
        if not len(self.R):
            return replace(alone, R=R)
        R, height = _stack(self.R, R)
        return replace(alone, R=R, height=self.height + height)

    def _add_unit(self, X: Array, Y: Array, G: Array | None) -> Triangle:
        p, n = X.shape[0], self.columns
        if self.patience or p < _GRAM_FROM * n or not is_packed(p, n, X.dtype):
            return replace(self._by_qr(X, Y), patience=max(0, self.patience - 1))
        if not self.exponents.any():
            if G is None:
                G = gram_matrix(whole_strides(X), whole_strides(Y))
            if self.units:
                G += self.gram
            loss = _loss(G, X.shape[1], p, self.units + 1)
            if loss is not None:
                return replace(self, gram=G, units=self.units + 1, loss=max(self.loss, loss))
        return replace(self._by_qr(X, Y), patience=_PATIENCE)

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


def gram_of(X: Array, y: Array | None) -> Array | None:
    """Return the Gram matrix of (X y) by this thread alone; None where it would not be asked.

    Of arrays of any dtype, one that is not to be converted has it.
    """
    Y = X[:, :0] if y is None else y[:, None] if y.ndim == 1 else y
    (p, n), dtype = X.shape, X.dtype
    n += Y.shape[1]
    if dtype.char not in EPS or not dtype.isnative or Y.dtype != dtype:
        return None
    if not _GRAM_FROM * n <= p <= _UNIT or not is_packed(p, n, dtype):
        return None
    G, work = empty((n, n), dtype), np.empty(gram.py_gram_work_size(X, Y.shape[1]), dtype)
    gram.py_gram_with(X, Y, G, work)
    return G


def memory(n: int, dtype: Any) -> int:
    """Return the bytes that a triangle of n columns takes, with the workspace of a step."""
    # R, its successor, rows that wait; Gram matrices; a stack and what it is made of.
    numbers = (2 + _WAITING + 12) * n * n + 3 * (n + _stacked(n)) * n
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


def _loss(G: Array, own: int, p: int, units: int) -> float | None:
    """Return t / u of the module's docstring for a Gram matrix; None if it is too large.

    Parameters
    ----------
    G : ndarray, shape (n, n)
    own : int
        Columns that are no right-hand sides.
    p, units : int
        Rows of a block, and the blocks.
    """
    n = len(G)
    squares = np.diagonal(G).real.astype(np.float64)
    total, info = float(squares.sum()), np.finfo(G.dtype)
    # NaN and infinity show in the diagonal; so does a column whose squares are lost.
    if not (math.isfinite(total) and is_safe(math.sqrt(total), G.dtype)):
        return None
    if not squares.min() > float(info.tiny) / float(info.eps) ** 2:
        return None
    R = G.copy(order="F")
    if gram.py_cholesky(R) != 0:
        return None
    inverse = np.empty_like(R)
    if not math.isfinite(triangular.py_inverse(R, inverse)):
        return None
    # gram.pyx sums 128 rows, their sums, and those of at most 8 pieces; then Cholesky.
    d = math.sqrt(128 + p / 128 + 8 + units) + math.sqrt(n)
    lengths = np.sqrt(squares)
    v = lengths[:own] @ np.abs(inverse[:own, :own])
    loss = d * float(v @ v) / 2
    if n > own:
        length, S = math.sqrt(v @ v), R[own:, own:]
        w = lengths[own:] @ np.abs(inverse[own:, own:])
        rest = float(np.max(np.linalg.norm(S, axis=0) / lengths[own:]))
        loss = max(loss, d * (length + (1 + 2 * length) * float(w @ w) * rest / 2))
    return loss if loss <= _AS_GOOD * math.sqrt(p * n) else None


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
