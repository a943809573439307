"""Exact linear algebra modulo a prime: what `fastsub.exact` does with ``mod=p``.

Entries are residues 0..p-1. Every echelon form is checked against the matrix before it is used:
A[:, free] = A[:, pivots] R[:, free] modulo p, which is A N = 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastsub.exact.residues import residues
from fastsub.factor.modular import elimination as modular
from fastsub.factor.modular.elimination import ModularEchelon, check_prime
from fastsub.html import card

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class ResidueEchelon:
    """The reduced row echelon form modulo p; unpacks as ``R, pivots``.

    Attributes
    ----------
    R : ndarray, shape (m, n)
        Entries 0..p-1, int64 (uint8 for p = 2), zero rows last.
    pivots : tuple of int
        The leftmost independent columns.
    p : int
        The modulus.

    Examples
    --------
    >>> from fastsub import exact
    >>> E = exact.rref([[1, 2, 3], [4, 5, 6], [7, 8, 9]], mod=7)
    >>> E
    <ResidueEchelon 3×3 modulo 7, rank 2>
    >>> E.pivots, E.free
    ((0, 1), (2,))
    """

    R: Array
    pivots: tuple[int, ...]
    p: int

    @property
    def rank(self) -> int:
        """Number of pivots."""
        return len(self.pivots)

    @property
    def free(self) -> tuple[int, ...]:
        """Columns without a pivot."""
        return tuple(sorted(set(range(self.shape[1])) - set(self.pivots)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `R`."""
        return self.R.shape

    def __iter__(self) -> Iterator[Any]:
        return iter((self.R, self.pivots))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ResidueEchelon):
            return NotImplemented
        return self.p == other.p and np.array_equal(self.R, other.R)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        m, n = self.R.shape
        return f"<ResidueEchelon {m}×{n} modulo {self.p}, rank {self.rank}>"

    def _repr_html_(self) -> str:
        return card(repr(self), {"R": self.R, "pivot columns": str(self.pivots)})


def _echelon(A: Any, p: Any) -> tuple[Array, ModularEchelon]:
    """Return A as residues and its echelon form, verified."""
    p = check_prime(p, "mod")
    Z = residues(A, p)
    return Z, modular.rref_mod(Z, p, verify=True)


def _null_basis(E: ModularEchelon) -> Array:
    """One column for each free column: 1 there, minus the column of R at the pivots."""
    free = E.free
    N = np.zeros((E.padded.shape[1], len(free)), E.padded.dtype)
    N[free, np.arange(len(free))] = 1
    X = E.R[:, free]
    N[E.pivots] = X if E.p == 2 else np.where(X, E.p - X, 0)
    return N


def rref(A: Any, p: int) -> ResidueEchelon:
    """Return the reduced row echelon form modulo p.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (m, n)
        Integers of any size, fractions with denominators prime to p, whole floats.
    p : int
        A prime below 2**63.

    Returns
    -------
    ResidueEchelon
        Unpacks as ``R, pivots``.

    Raises
    ------
    ValueError
        If p is no prime below 2**63, or A no matrix of whole numbers.
    TypeError
        If A holds no numbers.

    Notes
    -----
    2 m n r - r**2 (m + n) + 2 r**3 / 3 + r**2 (n - r) operations, by gemm, and 2 m r (n - r) for
    the check; for p = 2 bits are packed. Over the rationals leave the modulus out.

    References
    ----------
    Dumas, Giorgi & Pernet, Dense linear algebra over word-size prime fields: the FFLAS and FFPACK
    packages, ACM TOMS 35 (2008).

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> R, pivots = modular.rref([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 7)
    >>> R
    array([[1, 0, 6],
           [0, 1, 2],
           [0, 0, 0]])
    >>> pivots
    (0, 1)
    """
    _, E = _echelon(A, p)
    return ResidueEchelon(E.padded, tuple(E.pivots.tolist()), E.p)


def rank(A: Any, p: int) -> int:
    """Return the rank modulo p, at most the rank over the rationals; parameters as `rref`.

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.rank([[1, 2], [3, 4]], 2), modular.rank([[1, 2], [3, 4]], 3)
    (1, 2)
    """
    p = check_prime(p, "mod")
    return modular.rank_mod(residues(A, p), p)


def null_space(A: Any, p: int) -> Array:
    """Return a basis of {x : A x = 0 mod p} as columns, (n, n - r); parameters as `rref`.

    The special solutions of the textbook: column k has a one at the k-th free column and zeros at
    the others. A N = 0 has been verified.

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.null_space([[1, 2], [3, 6], [4, 8]], 7)
    array([[5],
           [1]])
    """
    return _null_basis(_echelon(A, p)[1])


def left_null_space(A: Any, p: int) -> Array:
    """Return a basis of {y : y A = 0 mod p} as columns, (m, m - r); parameters as `rref`.

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.left_null_space([[1, 2], [3, 6], [4, 8]], 7)
    array([[4, 3],
           [1, 0],
           [0, 1]])
    """
    p = check_prime(p, "mod")
    return _null_basis(modular.rref_mod(residues(A, p).T, p, verify=True))


def column_space(A: Any, p: int) -> Array:
    """Return the pivot columns of A modulo p, a basis of its column space, (m, r).

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.column_space([[1, 2, 3], [4, 8, 6]], 5)
    array([[1, 3],
           [4, 1]])
    """
    Z, E = _echelon(A, p)
    if E.p == 2:
        return (Z[:, E.pivots] & 1).astype(np.uint8)
    basis: Array = np.mod(Z[:, E.pivots], Z.dtype.type(E.p)).astype(np.int64)
    return basis


def row_space(A: Any, p: int) -> Array:
    """Return the topmost rows that are independent modulo p, as columns, (n, r).

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.row_space([[1, 2, 3], [4, 8, 6]], 5)
    array([[1, 4],
           [2, 3],
           [3, 1]])
    """
    p = check_prime(p, "mod")
    return column_space(residues(A, p).T, p)


def solve(A: Any, b: Any, p: int) -> Array:
    """Return a solution of A x = b modulo p, zero at the columns without pivots.

    Parameters
    ----------
    A : array_like or scipy.sparse, shape (m, n)
        As `rref`.
    b : array_like, shape (m,) or (m, k)
        The same.
    p : int
        A prime below 2**63.

    Returns
    -------
    ndarray, shape (n,) or (n, k)

    Raises
    ------
    RankDeficientError
        If there is none; it carries the rank of A.

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.solve([[1, 2], [3, 4]], [5, 6], 101)
    array([97, 55])
    """
    p = check_prime(p, "mod")
    Z, z = residues(A, p), residues(b, p, "b", (1, 2))
    if len(Z) != len(z):
        raise ValueError(f"A has {len(Z)} rows, b has {len(z)}: they must be equal")
    both = np.result_type(Z, z)
    if both.kind == "f":  # int64 with uint64
        Z, z = (np.mod(x, x.dtype.type(p)).astype(np.int64) for x in (Z, z))
    return modular.solve_mod(Z, z, p)


def det(A: Any, p: int) -> int:
    """Return the determinant of a square matrix modulo p, in 0..p-1; parameters as `rref`.

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.det([[1, 2], [3, 4]], 101)
    99
    """
    p = check_prime(p, "mod")
    return modular.det_mod(_square(residues(A, p)), p)


def inverse(A: Any, p: int) -> Array:
    """Return the inverse of a square matrix modulo p; parameters as `rref`.

    Raises
    ------
    RankDeficientError
        If A is singular modulo p; it carries the rank.

    Examples
    --------
    >>> from fastsub.exact import modular
    >>> modular.inverse([[1, 2], [3, 4]], 101)
    array([[99,  1],
           [52, 50]])
    """
    p = check_prime(p, "mod")
    return modular.inverse_mod(_square(residues(A, p)), p)


def _square(Z: Array) -> Array:
    if Z.shape[0] != Z.shape[1]:
        raise ValueError(f"A must be square, got shape {Z.shape}")
    return Z
