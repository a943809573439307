"""Equations, inverse and determinant, over the rationals or modulo a prime."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt, lcm, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.errors import RankDeficientError
from fastsub.exact import eliminate, modular
from fastsub.exact.bareiss import determinant
from fastsub.exact.crt import Residues
from fastsub.exact.entries import as_array, as_decimals, compact
from fastsub.exact.numbers import Dense, Sparse, read
from fastsub.exact.rational import RationalMatrix
from fastsub.exact.reduction import Reduction
from fastsub.factor.modular import elimination as residues

Array = NDArray[Any]

# Up to this order Python integers are as fast as primes.
_TINY = 16


def solve(A: Any, b: Any, *, mod: int | None = None, decimals: bool = False) -> Any:
    """Solve ``A x = b`` exactly.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (m, n)
        As in `rref`; of any rank.
    b : array_like, shape (m,) or (m, k)
        The same kinds of numbers.
    mod, decimals
        As in `rref`.

    Returns
    -------
    RationalMatrix, shape (n,) or (n, k)
        The solution; if there are many, the one that is zero outside the pivots of `rref`. Add any
        combination of `null_space` for the others.

    Raises
    ------
    RankDeficientError
        If there is no solution; ``rank`` is that of A.

    Notes
    -----
    Cost: one inverse modulo a prime, 2 r^3 operations, and 4 r^2 for each right-hand side and 23
    bits of its solution [1]_.

    References
    ----------
    .. [1] Dixon, Exact solution of linear equations using p-adic expansions, Numer. Math. 40
       (1982).

    Examples
    --------
    >>> from fastsub import exact
    >>> x = exact.solve([[2, 1], [1, 3]], [1, 0])
    >>> x.numerators, x.denominator
    (array([ 3, -1]), 5)
    """
    if mod is not None:
        if decimals:
            A, b = as_decimals(A), as_decimals(b, "b")
        return modular.solve(A, b, mod)
    M = _dense(read(A, decimals=decimals))
    if not hasattr(b, "tocoo"):
        b = as_array(b, "b")
    shape = b.shape
    if len(shape) not in (1, 2) or shape[0] != M.shape[0]:
        raise ValueError(f"b must have {M.shape[0]} rows as A has, got shape {shape}")
    Y, below = _over_one(
        _dense(read(b.reshape(shape if len(shape) == 2 else (-1, 1)), "b", decimals=decimals))
    )
    m, n = M.shape
    Y = Y.reshape(m, -1)
    if M.rows is not None:
        Y = compact(Y.astype(object) * np.array(M.rows, dtype=object)[:, None])
    X, d, pivots = _particular(M.Z, Y)
    x = np.zeros((n, Y.shape[1]), X.dtype)
    x[list(pivots)] = X
    if M.columns is not None:
        x = x.astype(object) * np.array(M.columns, dtype=object)[:, None]
    return _reduced(x.reshape((n, *shape[1:])), d * below)


def inverse(A: Any, *, mod: int | None = None, decimals: bool = False) -> Any:
    """Inverse of a square matrix.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (n, n)
        As in `rref`.
    mod, decimals
        As in `rref`.

    Returns
    -------
    RationalMatrix, shape (n, n)

    Raises
    ------
    RankDeficientError
        If A is singular; it carries the rank.

    Notes
    -----
    ``4 n^3`` operations for each 23 bits of the entries; to solve equations use `solve`.

    References
    ----------
    .. [1] Dixon, Exact solution of linear equations using p-adic expansions, Numer. Math. 40
       (1982).

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.inverse([["0.5", 0], [0, 3]]).to_fractions().diagonal().tolist()
    [Fraction(2, 1), Fraction(1, 3)]
    """
    if mod is not None:
        return modular.inverse(as_decimals(A) if decimals else A, mod)
    M = _square(_dense(read(A, decimals=decimals)))
    n = M.shape[0]
    X, d, pivots = _particular(M.Z, np.eye(n, dtype=np.int64), whole=True)
    if len(pivots) < n:
        raise RankDeficientError(
            f"A is singular: rank {len(pivots)} of {n}; see null_space(A)", len(pivots)
        )
    for scale, axis in ((M.columns, 0), (M.rows, 1)):
        if scale is not None:
            X = X.astype(object) * np.expand_dims(np.array(scale, dtype=object), 1 - axis)
    return _reduced(X, d)


def det(A: Any, *, mod: int | None = None, decimals: bool = False) -> Any:
    """Determinant.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (n, n)
        As in `rref`.
    mod, decimals
        As in `rref`.

    Returns
    -------
    int or Fraction
        An int where A holds integers.

    Raises
    ------
    ValueError
        If A is not square; else as `rref`.

    Notes
    -----
    The denominator of one solution of ``A x = b`` divides the determinant and is most of it; what
    is left is found modulo as many primes as Hadamard's bound asks for [1]_.

    References
    ----------
    .. [1] Abbott, Bronstein & Mulders, Fast deterministic computation of determinants of dense
       matrices, ISSAC (1999).

    Examples
    --------
    >>> from fastsub import exact
    >>> exact.det([[1, 2], [3, 4]])
    -2
    >>> exact.det([[0.1, 0], [0, 3]], decimals=True)
    Fraction(3, 10)
    """
    if mod is not None:
        return int(modular.det(as_decimals(A) if decimals else A, mod))
    M = _square(_dense(read(A, decimals=decimals)))
    below = prod(M.rows or ()) * prod(M.columns or ())
    found = determinant(M.Z) if M.shape[0] <= _TINY else _determinant(M.Z)
    return found if below == 1 else Fraction(found, below)


def _particular(Z: Array, Y: Array, *, whole: bool = False) -> tuple[Array, int, tuple[int, ...]]:
    """Return X (r, k), d and pivots with ``Z[:, pivots] X = d Y``, proved.

    Raises RankDeficientError if there is none; with `whole`, a singular square Z is not tried.
    """
    m, n = Z.shape
    augmented = np.concatenate([Z, Y], axis=1)
    small = eliminate.small(augmented)
    if small is not None:
        return _of_reduction(small, n, Y.shape[1], whole)
    for p in eliminate.primes(min(m, n)):
        E = residues.rref_mod(eliminate.residues(Z if whole else augmented, p), p)
        pivots = tuple(j for j in E.pivots.tolist() if j < n)
        r = len(pivots)
        if len(E.pivots) > r or (whole and r < n):
            # Modulo p there is no solution: is there none?
            rank = len(eliminate.independent(Z))
            if whole and rank < n:
                return Y, 1, tuple(range(rank))
            if not whole and len(eliminate.independent(augmented)) > rank:
                raise _no_solution(rank)
            continue
        X = eliminate.lifted_columns(Z, E.rows.tolist(), list(pivots), Y, p)
        if X is not None:
            return *X, pivots
    raise AssertionError("there are infinitely many primes")


def _of_reduction(
    reduction: Reduction, n: int, k: int, whole: bool
) -> tuple[Array, int, tuple[int, ...]]:
    """Read the solutions off the reduction of ``[Z Y]``."""
    pivots = tuple(j for j in reduction.pivots if j < n)
    if not whole and len(pivots) < reduction.rank:
        raise _no_solution(len(pivots))
    return reduction.X[: len(pivots), reduction.X.shape[1] - k :], reduction.d, pivots


def _no_solution(rank: int) -> RankDeficientError:
    return RankDeficientError(
        f"A x = b has no solution: b is not in the column space of A (rank {rank}); "
        "fastsub.lstsq finds the nearest",
        rank,
    )


def _determinant(Z: Array) -> int:
    """Return det Z: a divisor by lifting, the cofactor by remainders."""
    n = len(Z)
    for p in eliminate.primes(n):
        E = residues.rref_mod(eliminate.residues(Z, p), p)
        if E.rank == n:
            break
        if len(eliminate.independent(Z)) < n:
            return 0
    b = np.random.default_rng(1729).integers(1, 128, (n, 1))
    found = eliminate.lifted_columns(Z, E.rows.tolist(), list(range(n)), b, p)
    assert found is not None  # every right-hand side has a solution
    d = found[1]
    bound = _hadamard(Z) // d
    cofactor = Residues()
    q = 2**25
    while cofactor.modulus <= 2 * bound:
        q = residues.previous_prime(q)
        if d % q:
            remainder = residues.det_mod(eliminate.residues(Z, q), q)
            cofactor.add(remainder * pow(d, -1, q) % q, q)
    return d * cofactor.balanced()


def _hadamard(Z: Array) -> int:
    """Return a bound of ``|det Z|``: the product of the norms of rows or of columns."""
    squares = Z.astype(object) ** 2
    return min(isqrt(prod(squares.sum(axis=axis).tolist())) + 1 for axis in (0, 1))


def _dense(M: Dense | Sparse) -> Dense:
    return M.dense() if isinstance(M, Sparse) else M


def _square(M: Dense) -> Dense:
    if M.shape[0] != M.shape[1]:
        raise ValueError(f"A must be square, got shape {M.shape}")
    return M


def _over_one(M: Dense) -> tuple[Array, int]:
    """Return integers and one denominator for all of them."""
    Y = M.Z
    for scale, axis in ((M.rows, 1), (M.columns, 0)):
        if scale is not None:
            below = lcm(*scale)
            factors = np.array([below // c for c in scale], dtype=object)
            return compact(Y.astype(object) * np.expand_dims(factors, axis)), below
    return Y, 1


def _reduced(X: Array, d: int) -> RationalMatrix:
    """Divide by the content."""
    content = gcd(d, *(int(x) for x in X.flat))
    X = X if content == 1 else X // content
    return RationalMatrix(compact(X), d // content)
