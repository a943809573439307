"""A least-squares fit that can be updated, with the statistics of a linear regression.

    b = A x + noise of variance sigma^2,    x = A^+ b,    cov(x) = sigma^2 (A^H A)^+

Kept are the triangle R of A = Q R with g = Q^H b and the residual sum of squares
(factor/updating.py), and the rows themselves; never Q.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections 5.3 and 6.5.
Searle, Linear Models (1971), section 5.4: which coefficients are estimable.
Hoaglin & Welsch, The hat matrix in regression and ANOVA, The American Statistician 32 (1978).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    check_finite_magnitude,
    check_tolerance,
    check_weights,
    is_safe,
    magnitude,
    product,
    unscale,
    working_copy,
)
from fastsub.factor.certificate import Certificate
from fastsub.factor.cod import COD
from fastsub.factor.decide import rounding_margin, tail_norms
from fastsub.factor.updating import UpdatableTriangle
from fastsub.models.rows import Rows


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
    refactorizations : int
        How often the rows had to be factored anew.

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
        self._rtol = check_tolerance(rtol, "rtol")
        self._many = B.ndim == 2
        self._n, self._k = A.shape[1], B.shape[1] if self._many else 1
        self.dtype: np.dtype[Any] = np.result_type(A, B)
        self._rows = Rows(*self._as_rows(A, B, weights))
        self.refactorizations = -1
        self._refactor()

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

    def _refactor(self) -> None:
        """Factor all rows anew."""
        *tables, root = self._rows.all()
        scaled = []
        for table in tables:
            weighted = np.array(table * root[:, None], self.dtype, order="F")
            scaled.append(working_copy(weighted, "A", overwrite=True, check_finite=False))
        self._exponents = [each.exponent for each in scaled]
        self._observations = int(np.count_nonzero(root))
        self._factor = UpdatableTriangle(*(each.W for each in scaled))
        self.refactorizations += 1
        self._state: COD | None = None

    def _in_scale(self, tables: list[Array], root: Array) -> list[Array]:
        pairs = zip(tables, self._exponents, strict=True)
        return [self._weighted(table, root, exponent) for table, exponent in pairs]

    def _weighted(self, table: Array, root: Array, exponent: int) -> Array:
        """Return rows times their weights, in the scale of the factor."""
        weighted = np.array(table * root[:, None], self.dtype, order="F")
        unscale(weighted, -exponent)
        return weighted

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
        *tables, root = self._as_rows(A, B, weights)
        self._rows.append(*tables, root)
        scaled = self._in_scale(tables, root)
        if self._rows.count == len(A) or not all(_fits(X) for X in scaled):
            self._refactor()
            return self
        self._factor.add(*scaled)
        self._observations += int(np.count_nonzero(root))
        self._state = None
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
        positions = self._rows.find(rows)
        *tables, root = self._rows.at(positions)
        left = self._rows.count - len(positions)
        self._rows.drop(positions)
        # Rotations take 3 n^2 flops a row and memory speed, QR 2 n^2 at three times that speed.
        if left < self._n or 4 * len(positions) > left:
            self._refactor()
            return self
        self._state = None
        scaled = self._in_scale(tables, root)
        for z, b, weight in zip(*scaled, root, strict=True):
            if weight and not self._factor.remove(z, b):
                self._refactor()
                return self
            self._observations -= bool(weight)
        return self

    @property
    def rows(self) -> Array:
        """Numbers of the present rows, ascending, shape (m,)."""
        return self._rows.numbers

    @property
    def shape(self) -> tuple[int, int]:
        """Present rows and columns."""
        return self._rows.count, self._n

    # ---- the fit ----

    def _decide(self) -> COD:
        """Return the decomposition of R, factoring the rows anew where R no longer proves a rank.

        R is that of A + E, ||E|| <= margin (decide.py) for each unitary step, more after removals.
        """
        if self._state is None:
            while True:
                R = self._factor.R
                rtol = self._rtol
                if rtol is None:
                    rtol = float(np.finfo(self.dtype).eps) * max(self.shape)
                F = COD(R, rtol, check_finite=False)
                certificate = F.certificate
                margin = self._factor.loss * rounding_margin(
                    float(tail_norms(R, self._n, 0.0)[0]), max(self.shape), self.dtype
                )
                lower = max(0.0, certificate.sigma_r_lower - margin)
                above = certificate.sigma_next_upper
                if F.rank < self._n:
                    above += margin
                proved = above <= certificate.tol < lower
                if proved or self._factor.loss == 1.0:
                    break
                self._refactor()
            e = -self._exponents[0]
            with np.errstate(over="ignore", under="ignore"):
                tol, lower, above = (float(np.ldexp(x, e)) for x in (certificate.tol, lower, above))
            # The decision on R is the singular values' own where bounds do not carry over to A.
            decided_by = certificate.decided_by if proved else "svd"
            self._certificate = replace(
                certificate,
                tol=tol,
                sigma_r_lower=lower,
                sigma_next_upper=above,
                decided_by=decided_by,
                method="qr+" + certificate.method,
            )
            self._state = F
        return self._state

    @property
    def rank(self) -> int:
        """Numerical rank of A."""
        return self._decide().rank

    @property
    def certificate(self) -> Certificate:
        """Bounds of the singular values of A on both sides of the rank."""
        self._decide()
        return self._certificate

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
        F = self._decide()
        A, _, root = self._rows.all()
        B = as_array(b, "b")
        if B.ndim not in (1, 2) or len(B) != len(A):
            raise ValueError(f"b must have the {len(A)} rows of A, got shape {B.shape}")
        if B.size:
            check_finite_magnitude(np.atleast_2d(B), "b")
        if B.dtype.kind == "c" and self.dtype.kind != "c":
            raise TypeError("b is complex beside real rows; solve for its parts")
        right = working_copy(B.reshape(len(B), -1).astype(self.dtype), "b", check_finite=False)
        W, C = self._weighted(A, root, self._exponents[0]), self._weighted(right.W, root, 0)
        X = F.solve(F.solve_adjoint(product(W, C, adjoint=True)))
        X += F.solve(F.solve_adjoint(product(W, C - product(W, X), adjoint=True)))
        unscale(X, right.exponent - self._exponents[0])
        return X if B.ndim == 2 else X[:, 0]

    @property
    def coefficients(self) -> Array:
        """The x of least norm that minimises the residual, shape (n,) or (n, k)."""
        X = self._decide().solve(self._factor.g)
        unscale(X, self._exponents[1] - self._exponents[0])
        return X if self._many else X[:, 0]

    @property
    def estimable(self) -> Array:
        """Mask of the coefficients that every minimiser shares, shape (n,)."""
        N = self._decide().null_space()
        return np.asarray(np.linalg.norm(N, axis=1) <= math.sqrt(np.finfo(self.dtype).eps))

    @property
    def residual_dof(self) -> int:
        """Degrees of freedom of the residual: observations of positive weight less the rank."""
        return self._observations - self.rank

    @property
    def residual_sd(self) -> Any:
        """Estimate of sigma, ``sqrt(rss / residual_dof)``, a float or shape (k,).

        nan where no degree of freedom is left.
        """
        F, dof = self._decide(), self.residual_dof
        rss = self._factor.rss
        if F.rank < self._n:
            # What of g the columns of R do not reach.
            g = self._factor.g
            missed = g - product(self._factor.R, F.solve(g))
            rss = rss + np.linalg.norm(missed, axis=0).astype(float) ** 2
        sd = np.sqrt(rss / dof) if dof > 0 else np.full(self._k, math.nan)
        with np.errstate(over="ignore", under="ignore"):
            sd = np.ldexp(sd, -self._exponents[1])
        return sd if self._many else float(sd[0])

    def _root(self) -> Array:
        """X (n, n) with (A^H A)^+ = X X^H, in the scale of the factor."""
        return self._decide().pinv()

    @property
    def covariance(self) -> Array:
        """Estimated covariance ``sigma**2 (A^H W A)^+`` of the coefficients, (n, n) or (k, n, n).

        Of the estimator of least norm, where the rank is deficient.
        """
        X = self._root()
        unscale(X, -self._exponents[0])
        cov = product(X, np.asfortranarray(X.conj().T))
        variance = np.square(self.residual_sd)
        return np.asarray(np.multiply.outer(variance, cov) if self._many else variance * cov)

    @property
    def coefficient_sd(self) -> Array:
        """Standard deviations of the coefficients, shape (n,) or (n, k); nan if not `estimable`."""
        lengths = np.linalg.norm(self._root(), axis=1).astype(float)
        lengths[~self.estimable] = math.nan
        with np.errstate(over="ignore", under="ignore"):
            lengths = np.ldexp(lengths, self._exponents[0])
        sd = self.residual_sd
        return np.asarray(np.multiply.outer(lengths, sd) if self._many else lengths * sd)

    @property
    def leverage(self) -> Array:
        """Diagonal of the hat matrix ``A (A^H W A)^+ A^H W``, one for each of `rows`, shape (m,).

        2 m n^2 flops.
        """
        A, _, root = self._rows.all()
        W = self._weighted(A, root, self._exponents[0])
        return np.asarray(np.sum(np.abs(product(W, self._root())) ** 2, axis=1, dtype=float))

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<LeastSquares of {m} x {n} {self.dtype}: rank {self.rank}>"


def _fits(array: Array) -> bool:
    """Whether squares of the entries neither overflow nor underflow."""
    largest = magnitude(array) if array.size else 0.0
    return largest == 0 or is_safe(largest, array.dtype)
