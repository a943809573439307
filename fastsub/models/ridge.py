"""Ridge regression: the minimiser of ||A x - b||^2 + alpha ||x||^2 for many alpha at once.

With A = U S V^H every alpha costs one diagonal:

    x(alpha) = V diag(f) U^H b,   f = s / (s^2 + alpha),   dof = sum of s^2 / (s^2 + alpha)

Where condition permits S^2 and V come from the smaller Gram matrix, in half the flops of a QR, and
refinement against A itself gives back the digits that it lost (gram path); else U, S, V from the
triangle of a QR (svd path). Singular values below eps * max(m, n) * s_1 are rounding noise and left
out, so that x(alpha) tends to the least-squares solution of least norm as alpha -> 0, and is it at
alpha = 0.

References
----------
Hoerl & Kennard, Ridge regression, Technometrics 12 (1970).
Golub, Heath & Wahba, Generalized cross-validation as a method for choosing a good ridge parameter,
    Technometrics 21 (1979), equation (1.4).
Bjorck, Numerical Methods for Least Squares Problems (1996), section 2.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_array, as_matrix, check_finite_magnitude
from fastsub.html import card
from fastsub.models.spectral import Path, gram_path, svd_path

# Where nobody names a grid: this many values, from below the least sigma^2 to above the largest.
_GRID = 50
_BEYOND = 100.0


@dataclass(frozen=True, slots=True, repr=False)
class Ridge:
    """A ridge fit, or a path of them; unpacks as ``coefficients, intercept``.

    Attributes
    ----------
    coefficients : ndarray, shape (n,) or (n, k); for a path (p, n) or (p, n, k)
    intercept : float or ndarray, shape () or (k,); for a path (p,) or (p, k)
        0 if none was fitted.
    alpha : float or None
        The alpha of `coefficients`; None for a path.
    alphas : ndarray, shape (p,)
        All that were computed: the path, or the grid that generalised cross-validation chose from.
    gcv : ndarray, shape (p,) or (p, k)
        Generalised cross-validation: m ||A x - b||^2 / (m - dof)^2.
    effective_dof : ndarray, shape (p,)
        Trace of the matrix that takes b to A x, the intercept included.
    rank : int
        Singular values that are not rounding noise.
    method : {"gram", "svd"}
    """

    coefficients: Array
    intercept: Any
    alpha: float | None
    alphas: Array
    gcv: Array
    effective_dof: Array
    rank: int
    method: str

    def __iter__(self) -> Iterator[Any]:
        return iter((self.coefficients, self.intercept))

    def __repr__(self) -> str:
        n = self.coefficients.shape[0 if self.alpha is not None else 1]
        which = f"{self.alphas.size} alphas" if self.alpha is None else f"alpha {self.alpha:.3g}"
        return f"<Ridge of {n} columns: {which}, rank {self.rank}>"

    def _repr_html_(self) -> str:
        rows = {"coefficients": self.coefficients, "intercept": self.intercept}
        rows |= {"alpha": self.alphas if self.alpha is None else self.alpha}
        return card(repr(self), rows | {"rank": self.rank, "method": self.method})


def ridge(
    A: Any,
    b: Any,
    alpha: Any = "gcv",
    *,
    alphas: Any = None,
    intercept: bool = False,
    check_finite: bool = True,
) -> Ridge:
    """Return the x that minimises ``norm(A @ x - b)**2 + alpha * norm(x)**2``.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    b : array_like, shape (m,) or (m, k)
    alpha : float, array_like of shape (p,), or "gcv"
        One nonnegative number, in the unit of A squared; many, for the path; or the one of `alphas`
        of least generalised cross-validation, summed over the columns of b.
    alphas : array_like, shape (p,), optional
        The grid for ``alpha="gcv"``; by default 50 values between a hundredth of the least and a
        hundred times the largest squared singular value.
    intercept : bool, default False
        Add a constant column that is not penalised.
    check_finite : bool, default True
        Raise on NaN and infinity.

    Returns
    -------
    Ridge
        Coefficients, alphas, generalised cross-validation, effective degrees of freedom.

    Raises
    ------
    ValueError
        NaN or infinity, mismatched shapes, a negative alpha.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    lstsq : ``alpha = 0``, sooner.
    sklearn.linear_model.Ridge : one alpha a call; its `fit_intercept` is on by default.

    Notes
    -----
    Cost for m >= n: m n^2 + 9 n^3 flops and 8 m n for each alpha and column of b by the Gram
    matrix; 2 m n^2 + 20 n^3 and 2 n^2 by the SVD. A wide matrix costs as its transpose: the dual
    problem in m unknowns is solved.

    References
    ----------
    .. [1] Golub, Heath & Wahba, Generalized cross-validation as a method for choosing a good ridge
       parameter, Technometrics 21 (1979).

    Examples
    --------
    Two equal columns: the data cannot tell them apart, and ridge shares between them.

    >>> import fastsub
    >>> fit = fastsub.ridge([[1, 1], [2, 2], [3, 3]], [2, 4, 6], 0.01)
    >>> fit.coefficients.round(3)
    array([1., 1.])
    >>> fastsub.ridge([[2], [3], [4]], [1, 2, 2], [0, 29]).coefficients * 29
    array([[16.],
           [ 8.]])
    """
    A, B = as_matrix(A), as_array(b, "b")
    m, n = A.shape
    if B.ndim not in (1, 2) or len(B) != m:
        raise ValueError(
            f"b must be a vector or matrix with the {m} rows of A, got shape {B.shape}"
        )
    if check_finite:
        for array, name in ((A, "A"), (B, "b")):
            if array.size:
                check_finite_magnitude(array, name)
    choose = isinstance(alpha, str)
    if choose and alpha != "gcv":
        raise ValueError(f'alpha must be a number, an array of them or "gcv", got {alpha!r}')
    if alphas is not None and not choose:
        raise ValueError('alphas is the grid for alpha="gcv"; give a path as alpha')
    grid = _as_grid(alphas, "alphas") if choose else _as_grid(alpha, "alpha")
    dtype = np.result_type(A, B)
    A, columns = A.astype(dtype, copy=False), B.astype(dtype, copy=False)
    columns = columns[:, None] if B.ndim == 1 else columns
    means = np.zeros(n, dtype), np.zeros(columns.shape[1], dtype)
    if intercept and m:
        means = A.mean(axis=0), columns.mean(axis=0)
        A, columns = A - means[0], columns - means[1]
    single = grid is not None and grid.ndim == 0 and not choose
    path = None
    if grid is not None:
        grid = np.atleast_1d(grid)
        path = gram_path(A, columns, grid)
    if path is None:
        path = svd_path(A, columns, grid, _default_grid)
    return _report(path, B, means, choose, bool(intercept), single)


def _as_grid(value: Any, name: str) -> Array | None:
    if value is None:
        return None
    grid = as_array(value, name)
    if grid.ndim > 1 or grid.dtype.kind == "c" or not (np.isfinite(grid) & (grid >= 0)).all():
        raise ValueError(f"{name} must be nonnegative and finite: a number or 1-d, got {value!r}")
    if grid.ndim and not grid.size:
        raise ValueError(f"{name} must hold a number at least, got none")
    return grid.astype(np.float64)


def _default_grid(sigma: Array) -> Array:
    """Return alphas around the squares of the singular values, ascending."""
    if not sigma.size:
        return np.geomspace(1 / _BEYOND, _BEYOND, _GRID)
    ends = np.array([sigma[-1], sigma[0]], float) * (_BEYOND**-0.5, _BEYOND**0.5)
    with np.errstate(over="ignore", under="ignore"):
        ends = np.clip(ends**2, np.finfo(float).tiny, np.finfo(float).max)
        return np.geomspace(float(ends[0]), float(ends[1]), _GRID)


def _report(
    path: Path,
    B: Array,
    means: tuple[Array, Array],
    choose: bool,
    intercept: bool,
    single: bool,
) -> Ridge:
    """Shape the answer as it was asked for."""
    m = len(B)
    # What is left of m after the trace, without cancellation where little is.
    left = (m - path.rank - int(intercept and m > 0)) + path.complement
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scores = m * path.rss / np.maximum(left, 0.0)[:, None] ** 2
    scores[np.isnan(scores)] = np.inf
    # The choice is made where nothing has left the range yet.
    best = int(np.argmin(scores.sum(axis=1)))
    with np.errstate(over="ignore", under="ignore"):
        gcv = np.ldexp(scores, -2 * path.exponent)
    X = path.X  # (p, n, k)
    offsets = (
        means[1] - np.einsum("n,pnk->pk", means[0], X)
        if intercept
        else np.zeros((X.shape[0], X.shape[2]), X.dtype)
    )
    if B.ndim == 1:
        X, offsets, gcv = X[:, :, 0], offsets[:, 0], gcv[:, 0]
    alpha = None
    if choose or single:
        best = best if choose else 0
        alpha, X, offsets = float(path.alphas[best]), X[best], offsets[best]
    offset: Any = offsets.item() if np.ndim(offsets) == 0 else offsets
    return Ridge(X, offset, alpha, path.alphas, gcv, m - left, path.rank, path.method)
