"""A least-squares fit that can be updated, with the statistics of a linear regression.

    b = A x + noise of variance sigma^2,    x = A^+ b,    cov(x) = sigma^2 (A^H A)^+

Kept are the triangle R of A = Q R with g = Q^H b and the residual sum of squares, and the rows
(observations.py); never Q.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections 5.3 and 6.5.
Searle, Linear Models (1971), section 5.4: which coefficients are estimable.
Hoaglin & Welsch, The hat matrix in regression and ANOVA, The American Statistician 32 (1978).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    check_finite_magnitude,
    check_tolerance,
    check_weights,
    unscale,
    working_copy,
)
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.html import card
from fastsub.models.observations import Observations


class LeastSquares:
    """A fit of ``A x = b`` by least squares, to which rows can be added and taken away.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix, one observation a row. m may be 0: rows can come later.
    b : array_like, shape (m,) or (m, k)
    weights : array_like, shape (m,), optional
        Nonnegative weights of the rows: ``sum(weights * abs(b - A @ x)**2)`` is minimised, as for
        observations of variance ``sigma**2 / weights``. A row of weight 0 is no observation.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.

    Attributes
    ----------
    shape : tuple of int
        (m, n) at present.
    dtype : dtype

    Raises
    ------
    ValueError
        NaN or infinity, mismatched shapes, negative weights, a negative or NaN `rtol`.
    TypeError
        Strings, masked entries, sparse or dask arrays; a complex row beside real ones.

    See Also
    --------
    lstsq : a solution alone.
    statsmodels.api.WLS, scipy.linalg.qr_insert : the statistics; the update of a whole Q.

    Notes
    -----
    Cost: 2 m n^2 - 2 n^3 / 3 flops to begin with, 2 p n^2 for p rows added and 3 p n^2 for p rows
    removed, 5 n^3 at most for what is asked after a change; the rows are copied.

    Rows are taken away by plane rotations as long as that is safe. All rows are factored anew,
    2 m n^2 flops, where

    - the removal would leave the factor, or a residual sum of squares, with fewer than three
      quarters of its digits, counted over all changes since the last factorisation: a row of
      leverage h costs a factor 1 / (1 - h);
    - so many rows go that it is cheaper;
    - after changes the bounds no longer prove the rank, or new rows are so large or small that
      squares of them would be lost beside the present scale.

    With a deficient rank the coefficients are those of least norm. `estimable` says which of them
    every solution shares; the others have no standard deviation (nan).

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 6.5.

    Examples
    --------
    >>> import numpy as np
    >>> import fastsub
    >>> fit = fastsub.LeastSquares([[1, 0], [1, 1], [1, 2]], [1, 3, 5])
    >>> fit
    <LeastSquares of 3 x 2 float64: rank 2>
    >>> fit.coefficients.round(12)
    array([1., 2.])
    >>> fit.add_rows([[1, 3]], [8])
    <LeastSquares of 4 x 2 float64: rank 2>
    >>> fit.coefficients.round(12), float(round(fit.residual_sd, 6))
    (array([0.8, 2.3]), 0.387298)
    >>> fit.remove_rows(3).coefficients.round(12)
    array([1., 2.])
    """

    def __init__(self, A: Any, b: Any, *, weights: Any = None, rtol: float | None = None) -> None:
        A, B = as_array(A), as_array(b, "b")
        if A.ndim != 2:
            raise ValueError(f"A must be a matrix (2-d), got {A.ndim}-d of shape {A.shape}")
        if B.ndim not in (1, 2):
            raise ValueError(f"b must be a vector or a matrix, got {B.ndim}-d")
        rtol = check_tolerance(rtol, "rtol")
        self._many = B.ndim == 2
        self._n, self._k = A.shape[1], B.shape[1] if self._many else 1
        self.dtype: np.dtype[Any] = np.result_type(A, B)
        self._seen = Observations(*self._as_rows(A, B, weights), rtol)

    # ---- rows ----

    def _as_rows(self, A: Array, B: Array, weights: Any) -> tuple[Array, Array, Array]:
        """Check rows and return them as tables of A, b and square roots of weights."""
        m = len(A)
        if A.shape != (m, self._n):
            raise ValueError(f"A must have {self._n} columns, got shape {A.shape}")
        if B.shape != ((m, self._k) if self._many else (m,)):
            raise ValueError(
                f"b must have the {m} rows of A"
                + (f" and {self._k} columns" if self._many else "")
                + f", got shape {B.shape}"
            )
        for array, name in ((A, "A"), (B, "b")):
            if array.size:
                check_finite_magnitude(np.atleast_2d(array), name)
            if array.dtype.kind == "c" and self.dtype.kind != "c":
                raise TypeError(f"{name} is complex beside real rows; begin with complex ones")
        root = np.ones(m) if weights is None else np.sqrt(check_weights(weights, m))
        return A.astype(self.dtype), B.reshape(m, self._k).astype(self.dtype), root

    def add_rows(self, A: Any, b: Any, weights: Any = None) -> LeastSquares:
        """Add observations; 2 p n^2 flops.

        Parameters
        ----------
        A : array_like, shape (p, n) or (n,)
            One row may be given as a vector.
        b : array_like, shape (p,) or (p, k); for one row also () or (k,)
        weights : array_like, shape (p,), optional

        Returns
        -------
        LeastSquares
            This object.
        """
        A, B = as_array(A), as_array(b, "b")
        if A.ndim == 1:
            A, B = A[None, :], B[None, ...]
            weights = None if weights is None else np.atleast_1d(weights)
        self._seen.add(*self._as_rows(A, B, weights))
        return self

    def remove_rows(self, rows: Any) -> LeastSquares:
        """Take observations away; 3 p n^2 flops, or a new factorisation (see Notes).

        Parameters
        ----------
        rows : int or array_like of int, shape (p,)
            Numbers of the rows, counted from 0 in the order in which they were added; rows keep
            their number when others go.

        Returns
        -------
        LeastSquares
            This object.

        Raises
        ------
        IndexError
            A row that is not there (any more), or is named twice; nothing is changed.
        """
        self._seen.remove(rows)
        return self

    @property
    def rows(self) -> Array:
        """Numbers of the present rows, ascending, shape (m,)."""
        return self._seen.rows.numbers

    @property
    def shape(self) -> tuple[int, int]:
        """Present rows and columns."""
        return self._seen.rows.count, self._n

    @property
    def refactorizations(self) -> int:
        """How often the rows had to be factored anew."""
        return self._seen.refactorizations

    # ---- the fit ----

    @property
    def rank(self) -> int:
        """Numerical rank of A."""
        return self._seen.decide()[0].rank

    @property
    def certificate(self) -> Certificate:
        """Bounds of the singular values of A on both sides of the rank."""
        return self._seen.decide()[1]

    def solve(self, b: Any = None) -> Array:
        """Return the coefficients; for another right-hand side if `b` is given.

        Parameters
        ----------
        b : array_like, shape (m,) or (m, l), optional
            One entry for each present row, in the order of `rows`. From the normal equations of R,
            with one step of refinement: 8 m n flops a column.

        Returns
        -------
        x : ndarray, shape (n,), (n, k) or (n, l)
        """
        if b is None:
            return self.coefficients
        F = self._seen.decide()[0]
        A, _, root = self._seen.rows.all()
        B = as_array(b, "b")
        if B.ndim not in (1, 2) or len(B) != len(A):
            raise ValueError(f"b must have the {len(A)} rows of A, got shape {B.shape}")
        if B.size:
            check_finite_magnitude(np.atleast_2d(B), "b")
        if B.dtype.kind == "c" and self.dtype.kind != "c":
            raise TypeError("b is complex beside real rows; solve for its parts")
        right = working_copy(B.reshape(len(B), -1).astype(self.dtype), "b", check_finite=False)
        W, C = (
            self._seen.weighted(A, root, self._seen.exponents[0]),
            self._seen.weighted(right.W, root, 0),
        )
        X = F.solve(F.solve_adjoint(product(W, C, adjoint=True)))
        X += F.solve(F.solve_adjoint(product(W, C - product(W, X), adjoint=True)))
        unscale(X, right.exponent - self._seen.exponents[0])
        return X if B.ndim == 2 else X[:, 0]

    @property
    def coefficients(self) -> Array:
        """The x of least norm that minimises the residual, shape (n,) or (n, k)."""
        X = self._seen.decide()[0].solve(self._seen.factor.g)
        unscale(X, self._seen.exponents[1] - self._seen.exponents[0])
        return X if self._many else X[:, 0]

    @property
    def estimable(self) -> Array:
        """Mask of the coefficients that every minimiser shares, shape (n,)."""
        N = self._seen.decide()[0].null_space()
        return np.asarray(np.linalg.norm(N, axis=1) <= math.sqrt(np.finfo(self.dtype).eps))

    @property
    def residual_dof(self) -> int:
        """Degrees of freedom of the residual: observations of positive weight less the rank."""
        return self._seen.count - self.rank

    @property
    def residual_sd(self) -> Any:
        """Estimate of sigma, ``sqrt(rss / residual_dof)``, a float or shape (k,).

        nan where no degree of freedom is left.
        """
        (F, _), dof = self._seen.decide(), self.residual_dof
        rss = self._seen.factor.rss
        if F.rank < self._n:
            # What of g the columns of R do not reach.
            g = self._seen.factor.g
            missed = g - product(self._seen.factor.R, F.solve(g))
            rss = rss + np.linalg.norm(missed, axis=0).astype(float) ** 2
        sd = np.sqrt(rss / dof) if dof > 0 else np.full(self._k, math.nan)
        with np.errstate(over="ignore", under="ignore"):
            sd = np.ldexp(sd, -self._seen.exponents[1])
        return sd if self._many else float(sd[0])

    def _root(self) -> Array:
        """X (n, n) with (A^H A)^+ = X X^H, in the scale of the factor."""
        return self._seen.decide()[0].pinv()

    @property
    def covariance(self) -> Array:
        """Estimated covariance ``sigma**2 (A^H W A)^+`` of the coefficients, (n, n) or (k, n, n).

        Of the estimator of least norm, where the rank is deficient.
        """
        X = self._root()
        unscale(X, -self._seen.exponents[0])
        cov = product(X, np.asfortranarray(X.conj().T))
        variance = np.square(self.residual_sd)
        return np.asarray(np.multiply.outer(variance, cov) if self._many else variance * cov)

    @property
    def coefficient_sd(self) -> Array:
        """Standard deviations of the coefficients, shape (n,) or (n, k); nan if not `estimable`."""
        lengths = np.linalg.norm(self._root(), axis=1).astype(float)
        lengths[~self.estimable] = math.nan
        with np.errstate(over="ignore", under="ignore"):
            lengths = np.ldexp(lengths, self._seen.exponents[0])
        sd = self.residual_sd
        return np.asarray(np.multiply.outer(lengths, sd) if self._many else lengths * sd)

    @property
    def leverage(self) -> Array:
        """Diagonal of the hat matrix ``A (A^H W A)^+ A^H W``, one for each of `rows`, shape (m,).

        2 m n^2 flops.
        """
        A, _, root = self._seen.rows.all()
        W = self._seen.weighted(A, root, self._seen.exponents[0])
        return np.asarray(np.sum(np.abs(product(W, self._root())) ** 2, axis=1, dtype=float))

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<LeastSquares of {m} x {n} {self.dtype}: rank {self.rank}>"

    def _repr_html_(self) -> str:
        m, n = self.shape
        rows: dict[str, Any] = {"observations": m, "parameters": n, "rank": self.rank}
        if m:
            rows |= {"coefficients": self.coefficients, "determined by the data": self.estimable}
        return card(repr(self), rows, proof=self.certificate)
