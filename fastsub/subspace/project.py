"""Projection on the column space of a matrix, and orthogonality of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    as_matrix,
    check_finite_magnitude,
    check_tolerance,
    working_copy,
)
from fastsub.factor.products import product
from fastsub.subspace.projector import Projector
from fastsub.subspace.subspace import Subspace
from fastsub.subspace.vectors import default_tol


def project(A: Any, b: Any, *, rcond: float | None = None) -> Array:
    """Return the projection of b on the column space of A: the nearest A x.

    Parameters
    ----------
    A : array_like, shape (m,) or (m, n)
        A matrix of any rank; a vector a is one column.
    b : array_like, shape (m,) or (m, k)
        A vector, or one in each column.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.

    Returns
    -------
    p : ndarray, shape (m,) or (m, k)
        ``b - p`` is orthogonal to every column of A. b itself where b is in the column space, zero
        where it is in the left null space.

    Raises
    ------
    ValueError
        NaN or infinity, mismatched shapes, a negative or NaN `rcond`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    projector : for many b.
    lstsq : the x of the nearest A x.

    Notes
    -----
    Cost: an orthonormal basis (`orth`) and 4 m n flops for each b.

    References
    ----------
    .. [1] Strang, Introduction to Linear Algebra, 6th ed. (2023), section 4.2.

    Examples
    --------
    On the line through a, p = a (a^T b) / (a^T a):

    >>> import fastsub
    >>> fastsub.project([1, 2, 2], [3, 3, 0])
    array([1., 2., 2.])
    """
    return Subspace.span(as_columns(A), check_tolerance(rcond, "rcond")).project(b)


def projector(A: Any, *, rcond: float | None = None) -> Any:
    """Return the orthogonal projector on the column space of A, P = A A^+.

    Parameters
    ----------
    A : array_like, shape (m,) or (m, n)
        A matrix of any rank; a vector a is one column, and P = a a^T / a^T a.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.

    Returns
    -------
    P : LinearOperator, shape (m, m)
        ``P @ b`` projects; ``P.to_matrix()`` is the matrix, the identity where the columns of A
        fill the space.

    Raises
    ------
    ValueError, TypeError
        As `project`.

    See Also
    --------
    is_projector : whether a matrix is one.

    Notes
    -----
    Cost: an orthonormal basis (`orth`); 2 m^2 min(n, m - n) flops more for the matrix. Not for a
    single b: `project`.

    References
    ----------
    .. [1] Strang, Introduction to Linear Algebra, 6th ed. (2023), section 4.2.

    Examples
    --------
    >>> import fastsub
    >>> P = fastsub.projector([1, 1])
    >>> P.to_matrix().round(12)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    return Subspace.span(as_columns(A), check_tolerance(rcond, "rcond")).projector()


def as_columns(A: Any) -> Array:
    """Return A as a matrix; a vector is one column."""
    A = as_array(A)
    return as_matrix(A[:, None] if A.ndim == 1 else A)


def is_projector(P: Any, *, tol: float | None = None) -> bool:
    """Return whether a square matrix is an orthogonal projector: P^2 = P and P^H = P.

    Parameters
    ----------
    P : array_like, shape (n, n), or what `projector` returns
    tol : float, optional
        Bound of ``norm(P @ P - P)`` and of ``norm(P - P.conj().T)``, Frobenius norms, relative to
        the larger of 1 and ``norm(P)``; ``100 * eps * sqrt(n)`` by default.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        NaN or infinity in P, not a square matrix, a negative or NaN `tol`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    projector : makes one.

    Notes
    -----
    Cost: 2 n^3 flops. An oblique projector (P^2 = P alone) is none in this sense.

    References
    ----------
    .. [1] Trefethen & Bau, Numerical Linear Algebra (1997), lecture 6.

    Examples
    --------
    >>> import fastsub
    >>> fastsub.is_projector([[0.5, 0.5], [0.5, 0.5]]), fastsub.is_projector([[1, 1], [0, 0]])
    (True, False)
    """
    P = as_matrix(P.to_matrix() if isinstance(P, Projector) else P, "P")
    largest, tol = check_finite_magnitude(P, "P") if P.size else 0.0, check_tolerance(tol, "tol")
    n = P.shape[0]
    if n != P.shape[1]:
        raise ValueError(f"P must be a square matrix, got shape {P.shape}")
    if largest > 2:
        return False  # no entry of a projector exceeds 1; squares of such might overflow
    if tol is None:
        tol = default_tol(P.dtype, n)
    limit = tol * max(1.0, float(np.linalg.norm(P)))
    if float(np.linalg.norm(P - P.conj().T)) > limit:
        return False
    return float(np.linalg.norm(product(P, P) - P)) <= limit


def is_orthogonal(x: Any, y: Any, *, tol: float | None = None) -> bool:
    """Return whether vectors are orthogonal, y^H x = 0; of matrices, every column to every other.

    Parameters
    ----------
    x : array_like, shape (n,) or (n, k)
    y : array_like, shape (n,) or (n, l)
    tol : float, optional
        Bound of ``abs(y.conj() @ x)`` relative to the product of the norms; ``100 * eps * sqrt(n)``
        by default.

    Returns
    -------
    bool
        True where a vector is zero.

    Raises
    ------
    ValueError
        NaN or infinity, different numbers of entries, a negative or NaN `tol`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    Subspace.is_orthogonal_to : for subspaces.

    Notes
    -----
    Cost: 2 n k l flops.

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 2.1.

    Examples
    --------
    >>> import fastsub
    >>> fastsub.is_orthogonal([1, 2], [-2, 1]), fastsub.is_orthogonal([1, 1j], [1, -1j])
    (True, True)
    """
    tol = check_tolerance(tol, "tol")
    units, coarsest = [], 0.0
    for vectors, name in ((x, "x"), (y, "y")):
        V = as_array(vectors, name)
        if V.ndim not in (1, 2):
            raise ValueError(f"{name} must be a vector or a matrix of columns, got {V.ndim}-d")
        V = V[:, None] if V.ndim == 1 else V
        coarsest = max(coarsest, default_tol(V.dtype, V.shape[0]))
        W = working_copy(V, name).W
        norms = np.linalg.norm(W, axis=0)
        units.append(np.divide(W, norms, out=W, where=norms > 0))
    X, Y = units
    if X.shape[0] != Y.shape[0]:
        raise ValueError(
            f"x and y must have the same number of entries, got {X.shape[0]} and {Y.shape[0]}"
        )
    dtype = np.result_type(X, Y)
    cosines = product(Y.astype(dtype, copy=False), X.astype(dtype, copy=False), adjoint=True)
    largest = float(np.abs(cosines).max(initial=0.0))
    return largest <= (coarsest if tol is None else tol) and math.isfinite(largest)
