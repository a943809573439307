"""The inverse of a leading triangle, and how large it is at the least and at the most.

The bounds from above cost more the closer they are:

    ||X||_F                          within sqrt(r) of the 2-norm, and free
    ||X X^H||_F^(1/2)                within r^(1/4), r^3 / 3 flops (Schatten 4-norm)
    a Cholesky that succeeds         within a few percent, 4 r^3 / 3 flops (sharpen.py)
"""

from __future__ import annotations

import math
from types import TracebackType

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.sharpen import norm_upper
from fastsub.kernels import triangular

# Columns of a Gram matrix at a time.
_BLOCK = 128
# Steps of the power method where the norm itself is wanted, not a bound.
_STEPS = 30


class Inverse:
    """X = R11^-1, the leading r x r triangle; a context, within which X exists.

    Parameters
    ----------
    R : ndarray, shape (>= r, n)
        Fortran-ordered; R11 in its upper triangle.
    r : int
    in_place : bool
        Put X^T into the lower triangle of `R`, which nobody needs: no memory is taken, and the
        diagonal of R is restored at the end.

    Attributes
    ----------
    frobenius : float
        ``||X||_F``; inf if R11 is singular.
    """

    def __init__(self, R: Array, r: int, *, in_place: bool = False) -> None:
        self._r, self._in_place = r, in_place
        if in_place:
            self._X = R
            self._diagonal = np.empty(r, R.dtype)
            self.frobenius = triangular.py_inverse_below(R, self._diagonal)
        else:
            self._X = np.empty((r, r), R.dtype, order="F")
            self.frobenius = triangular.py_inverse(R, self._X)

    def __enter__(self) -> Inverse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._in_place:
            np.fill_diagonal(self._X[: self._r, : self._r], self._diagonal)

    def norm_lower(self, steps: int = _STEPS) -> float:
        """Return a lower bound of ``||X||_2`` that is nearly attained, by the power method."""
        if not math.isfinite(self.frobenius):
            return math.inf
        work = np.empty(2 * self._r, self._X.dtype)
        return float(triangular.py_sigma_max_lower(self._X, self._r, work, steps, self._in_place))

    def schatten(self) -> float:
        """Return ``||X X^H||_F^(1/2)``, an upper bound of ``||X||_2``."""
        return schatten(self._X, self._r, lower=self._in_place)

    def norm_upper(self, estimate: float) -> float:
        """Return an upper bound that exceeds `estimate` by a few percent, if it can be proved."""
        r = self._r
        X = np.tril(self._X[:r, :r]) if self._in_place else self._X
        return norm_upper(X, estimate, self.frobenius)


def schatten(R: Array, k: int, *, lower: bool = False) -> float:
    """Return an upper bound of the 2-norm of the k-row upper trapezoid of R, or lower triangle."""
    work = np.empty(_BLOCK * max(R.shape[1], k), R.dtype)
    return math.sqrt(triangular.py_gram_norm(R, k, work, lower))
