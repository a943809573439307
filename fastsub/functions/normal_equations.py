"""The normal equations A^H A x = A^H b, formed and solved as they stand, with a word on the cost.

    G = D^-1 A^H A D^-1 = R^H R,    D the lengths of the columns of A,    x = D^-1 R^-1 R^-H D^-1 c

kappa(G) = kappa(A D^-1)^2: half of the digits that `lstsq` would have. The scaling is free: columns
of unit length are within sqrt(n) of the best scaling that there is.

References
----------
van der Sluis, Condition numbers and equilibration of matrices, Numer. Math. 14 (1969), theorem 3.5.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 10.1 and 20.4.
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 6.2.2: constraints by their null
    space.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from fastsub.errors import ConditionWarning, InconsistentError, RankDeficientError
from fastsub.factor.arrays import (
    Array,
    as_array,
    check_finite_magnitude,
    check_weights,
    unscale,
    working_copy,
)
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.products import herk, product
from fastsub.factor.rank.decide import sigma_1_lower
from fastsub.factor.rank.inverse import Inverse
from fastsub.kernels import blas, gram


def normal_equations(
    A: Any,
    b: Any,
    *,
    weights: Any = None,
    constraints: tuple[Any, Any] | None = None,
    check_finite: bool = True,
) -> Any:
    """Solve ``A^H W A x = A^H W b`` by Cholesky, W = diag(weights), perhaps subject to C x = d.

    For those who want exactly these equations. `lstsq` minimises the same ``norm(A @ x - b)`` in
    much the same time and keeps twice the digits.

    Parameters
    ----------
    A : array_like, shape (m, n) or (m,)
        Real or complex matrix of independent columns; a vector is one column.
    b : array_like, shape (m,) or (m, k)
    weights : array_like, shape (m,), optional
        Nonnegative weights of the rows: ``sum(weights * abs(A @ x - b)**2)`` is minimised.
    constraints : (C, d), optional
        Equations that must hold exactly: C of shape (p, n), or (n,) for one; d of shape (p,), or
        (p, k) with many right-hand sides, or a number. Dependent ones may be there if they agree.
    check_finite : bool, default True
        Raise on NaN and infinity.

    Returns
    -------
    x : ndarray, shape (n,) or (n, k); where A is a vector, a number or shape (k,)

    Raises
    ------
    RankDeficientError
        The columns of A are dependent (on the null space of C), or so nearly that ``A^H A`` is
        singular to working precision; it carries the rank of A. Then: `lstsq`.
    InconsistentError
        No x satisfies the constraints.
    ValueError
        NaN or infinity, mismatched shapes, negative weights.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    Warns
    -----
    ConditionWarning
        More than half of the digits are lost.

    See Also
    --------
    lstsq : the same minimiser without the loss, and for any rank.
    LeastSquares : a fit that can be updated, with standard deviations.

    Notes
    -----
    Cost: m n^2 + n^3 flops; with p constraints about 2 m n (n - p) more.

    References
    ----------
    .. [1] Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 20.4.

    Examples
    --------
    2x = 1, 3x = 2, 4x = 2: one column a, and x is a^T b / a^T a, that is (2 + 6 + 8) / 29.

    >>> import fastsub
    >>> float(fastsub.normal_equations([2, 3, 4], [1, 2, 2]) * 29)
    16.0

    The line through (0, 0) and the points (1, 1), (2, 3), (3, 4), as c + s t with c = 0:

    >>> A, b = [[1, 1], [1, 2], [1, 3]], [1, 3, 4]
    >>> fastsub.normal_equations(A, b, constraints=([1, 0], 0)).round(4) + 0
    array([0.    , 1.3571])
    """
    A, B = as_array(A), as_array(b, "b")
    if A.ndim not in (1, 2):
        raise ValueError(f"A must be a matrix or one column, got {A.ndim}-d of shape {A.shape}")
    one_column, one_side = A.ndim == 1, B.ndim == 1
    A = A[:, None] if one_column else A
    if B.ndim not in (1, 2) or len(B) != len(A):
        raise ValueError(
            f"b must be a vector or matrix with the {len(A)} rows of A, got shape {B.shape}"
        )
    B = B[:, None] if one_side else B
    arrays = [A, B]
    if constraints is not None:
        arrays += _as_constraints(constraints, A.shape[1], B.shape[1])
    dtype = np.result_type(*arrays)
    names = ("A", "b", "C", "d")
    for array, name in zip(arrays, names, strict=False):
        if check_finite and array.size:
            check_finite_magnitude(array, name)
    A, B, *equations = (array.astype(dtype, copy=False) for array in arrays)
    if weights is not None:
        root = np.sqrt(check_weights(weights, len(A)))
        root = (root / max(root.max(initial=0.0), np.finfo(float).tiny)).astype(B.real.dtype)
        A, B = A * root[:, None], B * root[:, None]
    better = "fastsub.lstsq(A, b)"
    if weights is not None:
        better += " with rows times sqrt(weights)"
    if equations:
        C, d = equations
        X = _constrained(A, B, C, d, better)
    else:
        X = _solve(A, B, "A", better)
    X = X[:, 0] if one_side else X
    return X[0] if one_column else X


def _as_constraints(constraints: tuple[Any, Any], n: int, k: int) -> list[Array]:
    try:
        C, d = constraints
    except (TypeError, ValueError):
        raise ValueError("constraints must be a pair (C, d) of C x = d") from None
    C, d = as_array(C, "C"), as_array(d, "d")
    C = C[None, :] if C.ndim == 1 else C
    if C.ndim != 2 or C.shape[1] != n:
        raise ValueError(f"C must have the {n} columns of A, got shape {C.shape}")
    d = d.reshape(1) if d.ndim == 0 else d
    d = d[:, None] if d.ndim == 1 else d
    if d.ndim != 2 or len(d) != len(C) or d.shape[1] not in (1, k):
        raise ValueError(
            f"d must have the {len(C)} rows of C, and one column or the {k} of b; got {d.shape}"
        )
    return [C, np.broadcast_to(d, (len(d), k))]


def _constrained(A: Array, B: Array, C: Array, d: Array, better: str) -> Array:
    """Return X = X0 + N Y: C X0 = d, N the null space of C, Y a fit without constraints.

    Consistent: the normwise backward error ||d - C x0|| / (||C|| ||x0|| + ||d||) is rounding.
    """
    F = COD(C, name="C")
    X = F.solve(np.asarray(d))
    miss = product(C, X) - d
    for j in range(d.shape[1]):
        size = _norm(C) * _norm(X[:, j]) + _norm(d[:, j])
        if _norm(miss[:, j]) > max(C.shape) * float(np.finfo(C.dtype).eps) * size:
            raise InconsistentError(
                f"the constraints C x = d contradict one another: C has rank {F.rank} of "
                f"{len(C)} rows, and the best x misses d by {_norm(miss[:, j]):.1e}; drop some, or "
                "give them as rows of A with large weights",
                F.rank,
            )
    N = F.null_space()
    if N.shape[1]:
        Y = _solve(product(A, N), B - product(A, X), "A on the null space of C", better)
        X = X + product(N, Y)
    return X


def _norm(array: Array) -> float:
    """Return the Frobenius norm, without overflow."""
    largest = float(np.abs(array).max(initial=0.0))
    return largest * float(np.linalg.norm(array / largest)) if largest > 0 else 0.0


def _solve(A: Array, B: Array, name: str, better: str) -> Array:
    """Solve A^H A X = A^H B; in errors name says what A is, better who keeps more digits."""
    n = A.shape[1]
    if n == 0:
        return np.zeros((0, B.shape[1]), B.dtype)
    scaled, right = working_copy(A, name), working_copy(B, "b")
    W, exponents = scaled.W, np.full(n, scaled.exponent)
    G = herk(W)
    lengths = np.sqrt(np.diagonal(G).real)
    tiny, eps = (float(x) for x in (np.finfo(A.dtype).tiny, np.finfo(A.dtype).eps))
    if not lengths.min() > math.sqrt(tiny) / eps:
        # Squares of short columns are lost beside long ones: each gets a power of two of its own.
        up = -np.frexp(np.abs(W).max(axis=0, initial=0))[1]
        for column, power in zip(W.T, up.tolist(), strict=True):
            unscale(column, -power)
        exponents, G = exponents + up, herk(W)
        lengths = np.sqrt(np.diagonal(G).real)
    condition = math.inf
    if lengths.all():
        G /= np.outer(lengths, lengths)
        if gram.py_cholesky(G) == 0:
            with Inverse(G, n) as inverse:
                condition = sigma_1_lower(G, n, 30) * inverse.norm_lower()
    u = eps / 2
    if not condition**2 * n * u < 1:
        _raise_singular(A, name, condition, better)
    if condition**2 > u**-0.5:
        _warn(condition, u, name, better)
    Y = product(W, right.W, adjoint=True) / lengths[:, None]
    Y = np.asfortranarray(Y, dtype=A.dtype)
    for trans in ("C", "N"):
        blas.py_trsm("L", "U", trans, "N", G, Y)
    Y /= lengths[:, None]
    for row, power in zip(Y, exponents.tolist(), strict=True):
        unscale(row, right.exponent - power)
    return Y


def _raise_singular(A: Array, name: str, condition: float, better: str) -> None:
    n, F = A.shape[1], COD(A)
    if F.rank < n:
        reason = f"{name} has rank {F.rank} of {n} columns, so the equations have many solutions"
    else:
        condition = condition if math.isfinite(condition) else F.condition
        reason = (
            f"{name} has full rank {n}, but A^H A, whose condition number is the square of its "
            f"{condition:.0e}, is singular to working precision"
        )
    raise RankDeficientError(f"{reason}; use {better}", F.rank)


def _warn(condition: float, u: float, name: str, better: str) -> None:
    digits, lost = -math.log10(u), math.log10(condition)
    warnings.warn(
        f"{name}, its columns scaled to unit length, has a condition number of about "
        f"{condition:.0e}; A^H A squares it, so that {2 * lost:.0f} of {digits:.0f} digits may be "
        f"lost where {better} loses {lost:.0f}",
        ConditionWarning,
        stacklevel=4,
    )
