"""The inverse of a leading triangle, and how large it is at the least and at the most.

The bounds from above cost more the closer they are:

    its halves (halves.pyx)          no X is made, r^3 / 12 flops
    ||X||_F                          within sqrt(r) of the 2-norm, r^3 / 3 flops to make X
    (sum ||X_i X_i^H||_F)^(1/2)      between it and the next, X_i 128 rows of X: 128 r^2 flops
    ||X X^H||_F^(1/2)                within r^(1/4), r^3 / 3 flops (Schatten 4-norm)
    a Cholesky that succeeds         within a few percent, 4 r^3 / 3 flops (sharpen.py)

Where it stands, its transpose sharing an array with another triangle:

    apart    below    over           R a triangle, X = R^-1
    R R      R R      S S            over: what is inverted is U^T, below another triangle S, in
      R      X'R      U'S            its place (kernels/rz.pyx)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Literal

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.rank.sharpen import norm_upper
from fastsub.kernels import blas, halves, qrcp, triangular

# Columns of a Gram matrix at a time.
_BLOCK = 128
# Order from which the bound by halves is worth a look.
_HALVES = 256
# Steps of the power method where the norm itself is wanted, not a bound.
_STEPS = 30


class Inverse:
    """X = R11^-1, the leading r x r triangle; a context, within which X exists.

    Parameters
    ----------
    R : ndarray, shape (>= r, n)
        Fortran-ordered; R11 in its upper triangle.
    r : int
    place : {"apart", "below", "over"}
        Where X goes, as above; only `"apart"` takes memory.
    diagonal : ndarray, shape (r,)
        For `"over"`: that of the triangle below, which has no room for it.

    Notes
    -----
    At the end the upper triangle of `R` is what it was.
    """

    def __init__(
        self,
        R: Array,
        r: int,
        place: Literal["apart", "below", "over"] = "apart",
        diagonal: Array | None = None,
    ) -> None:
        self._R, self._r, self._place = R, r, place
        # Of the two diagonals the one that does not stand in R.
        self._diagonal = diagonal

    def _exchange(self) -> None:
        if self._diagonal is not None:
            head = self._R[: self._r, : self._r]
            diagonal = np.diagonal(head).copy()
            np.fill_diagonal(head, self._diagonal)
            self._diagonal = diagonal

    def __enter__(self) -> Inverse:
        self._exchange()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exchange()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let the upper triangle of R be what it was, for the time of a context."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def smallest_pivot(self) -> float:
        """Return the smallest ``|r_ii|``, above sigma_min(R11)."""
        return smallest_pivot(self._R, self._r)

    def sigma_min_estimate(self) -> float:
        """Return an estimate of sigma_min(R11) from above, by inverse iteration; before X."""
        work = np.empty(self._r, self._R.dtype)
        return float(triangular.py_sigma_min_upper(self._R, work, 2, self._place == "over"))

    @cached_property
    def frobenius(self) -> float:
        """``||X||_F``, and from now on there is X; inf if R11 is singular."""
        if self._place == "over":
            return triangular.py_inverse_lower(self._R, self._r)
        if self._place == "below":
            self._diagonal = np.empty(self._r, self._R.dtype)
            return triangular.py_inverse_below(self._R, self._diagonal)
        return triangular.py_inverse(self._R, self._apart)

    @cached_property
    def _apart(self) -> Array:
        return np.empty((self._r, self._r), self._R.dtype, order="F")

    @property
    def _lower(self) -> bool:
        return self._place != "apart"

    @property
    def _X(self) -> Array:
        _ = self.frobenius  # made here
        return self._R if self._lower else self._apart

    def norm_lower(self, steps: int = _STEPS) -> float:
        """Return a lower bound of ``||X||_2`` that is nearly attained, by the power method."""
        if not math.isfinite(self.frobenius):
            return math.inf
        work = np.empty(2 * self._r, self._R.dtype)
        return float(triangular.py_sigma_max_lower(self._X, self._r, work, steps, self._lower))

    def blocks(self) -> float:
        """Return an upper bound of ``||X||_2`` by the Gram matrices of blocks of X."""
        return blocks(self._X, self._r, lower=self._lower)

    def schatten(self) -> float:
        """Return ``||X X^H||_F^(1/2)``, an upper bound of ``||X||_2``."""
        return schatten(self._X, self._r, lower=self._lower)

    def norm_upper(self, estimate: float) -> float:
        """Return an upper bound that exceeds `estimate` by a few percent, if it can be proved."""
        r, frobenius = self._r, self.frobenius
        mask = np.tril if self._lower else None
        return norm_upper(self._X[:r, :r], estimate, frobenius, mask)


def inverse_by_halves(R: Array, r: int, margin: float, least: float) -> float:
    """Return an upper bound of ``||R11^-1||_2``, or inf if one above ``1 / least`` is due.

    What is below the diagonal of R is lost. The rounding of two inverses, `margin` each, is paid
    for (kernels/triangular.pyx).
    """
    if r < _HALVES or not smallest_pivot(R, r) > least:
        return math.inf
    h = (r + 1) // 2
    # At least so large are the norms of the inverses, and of B by its first column.
    pivots = 1 / np.abs(np.diagonal(R)[:r]).astype(float)
    a, c = float(np.linalg.norm(pivots[:h])), float(np.linalg.norm(pivots[h:]))
    if not max(a, c, a * float(np.linalg.norm(R[:h, h])) * c) * least < 1:
        return math.inf
    a, b, c = halves.py_halves_below(R, np.empty(r, R.dtype))
    if not margin * max(a, c) < 1:
        return math.inf
    a, c = a / (1 - margin * a), c / (1 - margin * c)
    return math.hypot(a, c, a * b * c)


def smallest_pivot(R: Array, rank: int) -> float:
    """Return the smallest ``|r_ii|``, above sigma_min(R11); inf at rank 0."""
    return float(np.abs(np.diagonal(R)[:rank]).min(initial=math.inf))


def schatten(R: Array, k: int, *, lower: bool = False) -> float:
    """Return an upper bound of the 2-norm of the k-row upper trapezoid of R, or lower triangle."""
    work = np.empty(_BLOCK * max(R.shape[1], k), R.dtype)
    return math.sqrt(triangular.py_gram_norm(R, k, work, lower))


def blocks(R: Array, k: int, *, lower: bool = False) -> float:
    """Return an upper bound of the 2-norm of the same by the Gram matrices of blocks of columns.

    ||R||_2^2 <= sum ||R_i||_2^2 <= sum ||R_i^H R_i||_F, of a lower triangle by blocks of rows;
    between the Frobenius norm, one column a block, and the Schatten 4-norm, all in one. Rounding as
    in the latter (kernels/triangular.pyx).
    """
    n = k if lower else R.shape[1]
    total = trace = 0.0
    for j in range(0, n, _BLOCK):
        stop = min(j + _BLOCK, n)
        above = min(j, k)
        G = np.zeros((stop - j, stop - j), R.dtype, order="F")
        if above:
            part = R[j:stop, :j] if lower else R[:above, j:stop]
            blas.py_herk("U", "N" if lower else "C", part, G)
        if j < k:
            corner = R[j : min(stop, k), j:stop]
            corner = np.asfortranarray(np.tril(corner) if lower else np.triu(corner))
            blas.py_herk("U", "N" if lower else "C", corner, G, 1.0, 1.0)
        diagonal = np.abs(np.diagonal(G)).astype(float)
        square = 2 * frobenius(G) ** 2 - float(diagonal @ diagonal)
        if not math.isfinite(square):
            return math.inf
        total += math.sqrt(max(square, 0.0))
        trace += float(diagonal.sum())
    return math.sqrt(total + 2 * (max(n, k) + 2) * EPS[R.dtype.char] * trace)


def frobenius(A: Array) -> float:
    """Return ``||A||_F`` of a Fortran-ordered A."""
    return qrcp.py_column_norms(A, np.empty(2 * A.shape[1]))


def sigma_1_lower(R: Array, k: int, steps: int = 5) -> float:
    """Return a lower bound of the largest singular value, by the power method."""
    if k == 0:
        return 0.0
    work = np.empty(k + R.shape[1], R.dtype)
    power = triangular.py_sigma_max_lower(R, k, work, steps)
    # The quotient itself is rounded.
    return float(power * (1 - 4 * math.sqrt(R.shape[1]) * EPS[R.dtype.char]))


def sigma_r_lower(R: Array, rank: int) -> float:
    """Return ``1 / ||R11^-1||_F``; inf at rank 0, 0 if the triangle is singular."""
    if rank == 0:
        return math.inf
    norm = Inverse(R, rank).frobenius
    return 1 / norm if norm > 0 else 0.0
