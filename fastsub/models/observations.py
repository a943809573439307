"""Weighted rows of a least-squares problem, the triangle that stands for them, and its rank.

What is kept in step: the rows as they were given (rows.py), (R g) of the weighted rows in a scale
in which squares are safe (factor/rows/updating.py), and the decomposition of R, made when asked
for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, is_safe, magnitude, unscale, working_copy
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import rounding_margin, tail_norms
from fastsub.factor.rows.updating import UpdatableTriangle
from fastsub.models.rows import Rows


class Observations:
    """Rows (A b) with weights; all arrays are checked, and of one dtype.

    Parameters
    ----------
    A : ndarray, shape (m, n)
    B : ndarray, shape (m, k)
    root : ndarray, shape (m,)
        Square roots of the weights, in double.
    rtol : float or None
        Relative cutoff of the rank; ``eps * max(m, n)`` if None.

    Attributes
    ----------
    rows : Rows
        Tables of A, B and `root`.
    factor : UpdatableTriangle
        Of ``2**exponents[0]`` A and ``2**exponents[1]`` B, weighted.
    exponents : list of int
    count : int
        Rows of positive weight.
    refactorizations : int
    """

    def __init__(self, A: Array, B: Array, root: Array, rtol: float | None) -> None:
        self.n, self.dtype = A.shape[1], A.dtype
        self._rtol = rtol
        self.rows = Rows(A, B, root)
        self.refactorizations = -1
        self.refactor()

    def refactor(self) -> None:
        """Factor all rows anew."""
        *tables, root = self.rows.all()
        scaled = []
        for table in tables:
            weighted = np.array(table * root[:, None], self.dtype, order="F")
            scaled.append(working_copy(weighted, "A", overwrite=True, check_finite=False))
        self.exponents = [each.exponent for each in scaled]
        self.count = int(np.count_nonzero(root))
        self.factor = UpdatableTriangle(*(each.W for each in scaled))
        self.refactorizations += 1
        self._state: tuple[COD, Certificate] | None = None

    def weighted(self, table: Array, root: Array, exponent: int) -> Array:
        """Return rows times the roots of their weights and ``2**exponent``."""
        weighted = np.array(table * root[:, None], self.dtype, order="F")
        unscale(weighted, -exponent)
        return weighted

    def _in_scale(self, tables: list[Array], root: Array) -> list[Array]:
        pairs = zip(tables, self.exponents, strict=True)
        return [self.weighted(table, root, exponent) for table, exponent in pairs]

    def add(self, A: Array, B: Array, root: Array) -> None:
        """Add rows."""
        self.rows.append(A, B, root)
        scaled = self._in_scale([A, B], root)
        if self.rows.count == len(A) or not all(_fits(X) for X in scaled):
            self.refactor()
            return
        self.factor.add(*scaled)
        self.count += int(np.count_nonzero(root))
        self._state = None

    def remove(self, numbers: Any) -> None:
        """Take rows away by their numbers."""
        positions = self.rows.find(numbers)
        *tables, root = self.rows.at(positions)
        left = self.rows.count - len(positions)
        self.rows.drop(positions)
        # Rotations take 3 n^2 flops a row at the speed of memory, QR 2 n^2 at some times that.
        if left < self.n or 4 * len(positions) > left:
            self.refactor()
            return
        self._state = None
        for z, b, weight in zip(*self._in_scale(tables, root), root, strict=True):
            if weight and not self.factor.remove(z, b):
                self.refactor()
                return
            self.count -= bool(weight)

    def decide(self) -> tuple[COD, Certificate]:
        """Return the decomposition of R and the certificate of the weighted A.

        R is that of A + E, ||E|| <= margin (factor/rank/decide.py) for each unitary step, more
        after removals; rows are factored anew where, after changes, that proves no rank.
        """
        while self._state is None:
            R, size = self.factor.R, max(self.rows.count, self.n)
            rtol = self._rtol
            if rtol is None:
                rtol = float(np.finfo(self.dtype).eps) * size
            F = COD(R, rtol, check_finite=False)
            norm = float(tail_norms(R, self.n, 0.0)[0])
            margin = self.factor.loss * rounding_margin(norm, size, self.dtype)
            certificate = F.certificate
            lower = max(0.0, certificate.sigma_r_lower - margin)
            above = certificate.sigma_next_upper + (margin if F.rank < self.n else 0.0)
            proved = above <= certificate.tol < lower
            if not proved and self.factor.loss > 1.0:
                self.refactor()
                continue
            with np.errstate(over="ignore", under="ignore"):
                tol, lower, above = (
                    float(np.ldexp(x, -self.exponents[0])) for x in (certificate.tol, lower, above)
                )
            self._state = (
                F,
                replace(
                    certificate,
                    tol=tol,
                    sigma_r_lower=lower,
                    sigma_next_upper=above,
                    # The singular values of R decided, where bounds do not carry over to A.
                    decided_by=certificate.decided_by if proved else "svd",
                    method="qr+" + certificate.method,
                ),
            )
        return self._state


def _fits(array: Array) -> bool:
    """Whether squares of the entries neither overflow nor underflow."""
    largest = magnitude(array) if array.size else 0.0
    return largest == 0 or is_safe(largest, array.dtype)
