"""Rank, reduced echelon form and the four subspaces, over the rationals or modulo a prime."""

from __future__ import annotations

from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact import eliminate, modular, sparse
from fastsub.exact.bareiss import echelon64
from fastsub.exact.entries import as_decimals, compact
from fastsub.exact.numbers import Dense, Sparse, read
from fastsub.exact.rational import RationalEchelon
from fastsub.exact.reduction import primitive

Array = NDArray[Any]

_INT64 = np.dtype(np.int64)


def rref(A: Any, *, mod: int | None = None, decimals: bool = False) -> Any:
    """Reduced row echelon form.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (m, n)
        Python or NumPy integers of any size, `fractions.Fraction`, `decimal.Decimal`, strings such
        as ``"0.1"`` or ``"1/3"``, or floats, which are the binary fractions that they are.
    mod : int, optional
        A prime below 2**63: compute modulo it; denominators must be prime to it.
    decimals : bool, default: False
        Take a float for the shortest decimal that prints it: 0.1 is 1/10.

    Returns
    -------
    RationalEchelon
        Integer ``numerators`` (m, n) over one ``denominator``, ``pivots``, ``rank``; unpacks as
        ``R, pivots`` with R in Fractions, as SymPy's. With `mod`, what
        `fastsub.exact.modular.rref` returns.

    Raises
    ------
    TypeError
        For complex numbers and for what is no number.
    ValueError
        For NaN and infinity, for what is not 2-d, for a modulus that is not a prime.

    Notes
    -----
    Small matrices: fraction-free elimination [1]_. Larger ones: pivots modulo a prime,
    then p-adic lifting of the free columns [2]_, about ``4 r^2 (n - r)`` operations for
    each 23 bits of the answer, and a proof by its size. Sparse ones: pivots 1 and -1 that cost
    least are eliminated first. For rounded data use a floating-point method: exact elimination
    sees noise as rank.

    References
    ----------
    .. [1] Bareiss, Sylvester's identity and multistep integer-preserving Gaussian elimination,
       Math. Comp. 22 (1968).
    .. [2] Dixon, Exact solution of linear equations using p-adic expansions, Numer. Math. 40
       (1982).

    Examples
    --------
    >>> from fastsub import exact
    >>> R, pivots = exact.rref([[2, 4, 1], [1, 2, 3]])
    >>> pivots
    (0, 2)
    >>> exact.rref([[0.1, 0.3]], decimals=True).numerators
    array([[1, 3]])
    """
    if mod is not None:
        return modular.rref(as_decimals(A) if decimals else A, mod)
    if type(A) is np.ndarray and A.ndim == 2 and (small := _in_64_bits(A)) is not None:
        return small
    M = read(A, decimals=decimals)
    if isinstance(M, Dense) and M.columns is None and (small := _in_64_bits(M.Z)) is not None:
        return small
    reduction = eliminate.reduce(M)
    return RationalEchelon(reduction.rows(M.shape[0]), reduction.d, reduction.pivots)


def rank(A: Any, *, mod: int | None = None, decimals: bool = False) -> int:
    """Rank, proved.

    Parameters
    ----------
    A, mod, decimals
        As in `rref`.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        As `rref`.

    Notes
    -----
    One elimination modulo a prime where the rank is full; otherwise the vectors of the smaller of
    the two null spaces are computed as proof.

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.rank([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    2
    >>> exact.rank([[1, 2], [3, 1]], mod=5)
    1
    """
    if mod is not None:
        return int(modular.rank(as_decimals(A) if decimals else A, mod))
    return len(_independent(read(A, decimals=decimals)))


def null_space(A: Any, *, mod: int | None = None, decimals: bool = False) -> Array:
    """Basis of ``{x : A x = 0}`` in integers.

    Parameters
    ----------
    A, mod, decimals
        As in `rref`.

    Returns
    -------
    ndarray, shape (n, n - rank)
        Columns of integers without a common divisor, int64 if all fit, Python integers otherwise;
        ``exact.to_fractions`` and ``exact.to_sympy`` convert them. For a dense A column k is the
        special solution of the k-th free column of `rref`, times its denominator; for a sparse one
        the free columns are others, those that elimination leaves at least cost.

    Raises
    ------
    TypeError, ValueError
        As `rref`.

    See Also
    --------
    fastsub.null_space : Orthonormal, in floating point.

    Notes
    -----
    Cost: as `rref`.

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.null_space([[1, 2], [3, 6], [4, 8]])
    array([[-2],
           [ 1]])
    """
    if mod is not None:
        return np.asarray(modular.null_space(as_decimals(A) if decimals else A, mod))
    return _null_space(read(A, decimals=decimals))


def left_null_space(A: Any, *, mod: int | None = None, decimals: bool = False) -> Array:
    """Basis of ``{y : A^T y = 0}`` in integers.

    Parameters
    ----------
    A, mod, decimals
        As in `rref`.

    Returns
    -------
    ndarray, shape (m, m - rank)
        As `null_space` of the transpose.

    Raises
    ------
    TypeError, ValueError
        As `rref`.

    Notes
    -----
    Cost: as `rref`, of the transpose.

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.left_null_space([[1, 2], [3, 6]])
    array([[-3],
           [ 1]])
    """
    if mod is not None:
        return np.asarray(modular.left_null_space(as_decimals(A) if decimals else A, mod))
    return _null_space(read(A, decimals=decimals).T)


def column_space(A: Any, *, mod: int | None = None, decimals: bool = False) -> Array:
    """Independent columns of A, which span all of them.

    Parameters
    ----------
    A, mod, decimals
        As in `rref`.

    Returns
    -------
    ndarray, shape (m, rank)
        Columns of A, each scaled to integers without a common divisor.

    Raises
    ------
    TypeError, ValueError
        As `rref`.

    Notes
    -----
    Cost: pivots modulo a prime, and the null vectors that prove the rank.

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.column_space([[1, 2, 3], [4, 8, 6]])
    array([[1, 1],
           [4, 2]])
    """
    if mod is not None:
        return np.asarray(modular.column_space(as_decimals(A) if decimals else A, mod))
    return _columns(read(A, decimals=decimals))


def row_space(A: Any, *, mod: int | None = None, decimals: bool = False) -> Array:
    """Independent rows of A, as columns; the rows of `rref` are the other usual basis.

    Parameters
    ----------
    A, mod, decimals
        As in `rref`.

    Returns
    -------
    ndarray, shape (n, rank)
        As `column_space` of the transpose.

    Raises
    ------
    TypeError, ValueError
        As `rref`.

    Notes
    -----
    Cost: as `rref`, of the transpose.

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.row_space([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    array([[1, 4],
           [2, 5],
           [3, 6]])
    """
    if mod is not None:
        return np.asarray(modular.row_space(as_decimals(A) if decimals else A, mod))
    return _columns(read(A, decimals=decimals).T)


def _in_64_bits(Z: Array) -> RationalEchelon | None:
    """Return the reduced echelon form of small integers whose minors fit; None for all others."""
    if Z.dtype is not _INT64 or Z.size > eliminate.SMALL:
        return None
    found = echelon64(Z)
    return None if found is None else RationalEchelon(*found)


def _null_space(M: Dense | Sparse) -> Array:
    return sparse.null_space(M) if isinstance(M, Sparse) else eliminate.reduce(M).null_space()


def _independent(M: Dense | Sparse) -> tuple[int, ...]:
    return sparse.independent(M) if isinstance(M, Sparse) else eliminate.independent(M.Z)


def _columns(M: Dense | Sparse) -> Array:
    pivots = list(_independent(M))
    Z = M.select(pivots)
    if M.rows is not None:
        common = lcm(*M.rows)
        Z = Z.astype(object) * np.array([common // row for row in M.rows], dtype=object)[:, None]
        return primitive(compact(Z))
    return primitive(Z)
