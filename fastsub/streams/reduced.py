"""What the triangle of all rows says of the matrix: everything of its row side, and least squares.

A + E = Q R, ||E||_2 <= margin (factor/rows/tsqr.py), so |sigma_i(A) - sigma_i(R)| <= margin for all
i (Weyl): the certificate of R becomes that of A when its bounds are moved apart by the margin.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections 5.3 and 8.6.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, unscale
from fastsub.factor.least_squares.backward import karlson_walden
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.products import column_norms
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.cutoff import EPS, Cutoff, ldexp
from fastsub.factor.rows.tsqr import Triangle
from fastsub.html import card


class Reduced:
    """The row side of a matrix whose rows were reduced, and its least-squares solutions.

    Made by `Reducer.result`.

    Attributes
    ----------
    shape : tuple of int
        All rows, and columns without right-hand sides.
    dtype : dtype
    R : ndarray, shape (min(m, n), n)
        Upper trapezoidal, ``2**exponent`` times the R factor of the rows.
    exponent : int
    rank : int
    certificate : Certificate
        Of the rank of all rows.
    margin : float
        Bound on the backward error of every column of R, relative to its length.
    own : tuple of ndarray
        The same R, of which column j is ``2**exponents[j]`` times the true one, and the exponents.
    """

    def __init__(
        self, triangle: Triangle, n: int, sides: int | None, rtol: float | None, tol: float | None
    ) -> None:
        state = triangle.settled()
        self.shape = (state.rows, n)
        self.dtype = state.R.dtype
        self._sides, self._vector = sides, sides == -1
        height = min(len(state.R), n)
        self.exponent, R = _common(state.R[:height, :n], state.exponents[:n])
        self.R = R
        if rtol is None:
            rtol = EPS[self.dtype.char] * max(self.shape)
        cutoff = Cutoff(rtol, tol).scaled(self.exponent)
        self._cod = COD(R, rtol, tol=cutoff.absolute, check_finite=False)
        self.rank = self._cod.rank
        margin = state.margin(float(np.linalg.norm(R)))
        self.margin = state.margin(1.0)
        self.own = state.R[:height, :n], state.exponents[:n]
        self.certificate = _carried(self._cod, margin, self.exponent, min(self.shape))
        # Right-hand sides, each in a scale of its own: Q^H b, and what of it is outside C(A).
        self._exponents = state.exponents[n:]
        self._inside, self._outside = state.R[:height, n:], state.R[height:, n:]

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<Reduced of {m} x {n} {self.dtype}: rank {self.rank}>"

    def _repr_html_(self) -> str:
        rows = {"rank": self.rank, "nullity": self.shape[1] - self.rank}
        return card(repr(self), rows, proof=self.certificate)

    def row_space(self) -> Array:
        """Return an orthonormal basis of the row space, shape (n, rank)."""
        return self._cod.row_space()

    def null_space(self) -> Array:
        """Return an orthonormal basis of the null space, shape (n, n - rank)."""
        return self._cod.null_space()

    def solve(self) -> Array:
        """Return the least-squares solution of minimum norm, shape (n,) or (n, k).

        Raises
        ------
        ValueError
            If there was no right-hand side.
        """
        X = self._solution.copy(order="F")
        for j, exponent in enumerate(self._exponents.tolist()):
            unscale(X[:, j : j + 1], exponent - self.exponent)
        return X[:, 0] if self._vector else X

    @cached_property
    def _solution(self) -> Array:
        """That of R x = Q^H b as they are scaled here."""
        if self._sides is None:
            raise ValueError("there was no right-hand side: reduce pairs (X, y), or give b")
        return self._cod.solve(self._inside)

    @property
    def residues(self) -> Any:
        """Squared norms of b - A x, shape (k,) or a number; empty unless m > n = rank."""
        real = self._inside.real.dtype
        if not self.shape[0] > self.shape[1] == self.rank:
            return np.empty(0, real)
        with np.errstate(over="ignore", under="ignore"):
            squares = column_norms(np.asfortranarray(self._outside)) ** 2
            squares = np.ldexp(squares, -2 * self._exponents).astype(real)
        return squares[0] if self._vector else squares

    @cached_property
    def residual_norms(self) -> Array:
        """Norms of b - A x, shape (k,), in double, whatever the rank."""
        rest = column_norms(self._residual(self._solution))
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(np.ldexp(rest, -self._exponents))

    def _residual(self, X: Array) -> Array:
        """Return Q^H (b - A x)."""
        top = self._inside - self.R @ X
        return np.asfortranarray(np.concatenate([top, self._outside]))

    def solution_certificate(self) -> Certificate:
        """Return the certificate with a bound on the backward error of `solve`.

        The Karlson-Walden estimate of the reduced problem, plus what the reduction may have added.
        """
        X = self._solution
        rest = self._residual(X)
        R = zeros((len(rest), self.shape[1]), self.dtype)
        R[: len(self.R)] = self.R
        error = karlson_walden(self._cod, R, rest, X) if X.size and R.size else 0.0
        return replace(self.certificate, backward_error=error + self.margin)

    def condition(self) -> float:
        """Return an estimate of ``sigma_1 / sigma_rank``, within a small factor."""
        return self._cod.condition


def _common(R: Array, exponents: Array) -> tuple[int, Array]:
    """Bring columns with own exponents to a common one, that of the largest entry."""
    if not exponents.any():
        return 0, np.asfortranarray(R)
    largest = np.abs(R).max(axis=0, initial=0.0).astype(np.float64)
    tops = np.frexp(largest)[1][largest > 0] - exponents[largest > 0]
    common = -int(tops.max(initial=0))
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(R.real, common - exponents)
        if R.dtype.kind == "c":
            scaled = scaled + 1j * np.ldexp(R.imag, common - exponents)
    return common, np.asfortranarray(scaled, R.dtype)


def _carried(F: COD, margin: float, exponent: int, full: int) -> Certificate:
    """Return the certificate of a matrix within `margin` of that which F decomposes.

    Where its bounds do not prove the rank any more, the singular values of R are what decided.
    """
    own = F.certificate
    lower = max(0.0, own.sigma_r_lower - margin)
    upper = own.sigma_next_upper + margin if F.rank < full else 0.0
    by = own.decided_by if upper <= own.tol < lower else "svd"
    return replace(
        own,
        tol=ldexp(own.tol, -exponent, sys.float_info.max),
        sigma_r_lower=ldexp(lower, -exponent, sys.float_info.max if F.rank else np.inf),
        sigma_next_upper=ldexp(upper, -exponent, np.inf),
        decided_by=by,
        method="tsqr+" + own.method,
    )
