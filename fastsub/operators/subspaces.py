"""Rank and four subspaces of a map that is known by its products."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from fastsub.factor.arrays import Array, check_tolerance, unscale
from fastsub.factor.products import product
from fastsub.factor.rank.cutoff import EPS, Cutoff
from fastsub.operators.products import Count, Products
from fastsub.operators.projection import Projection
from fastsub.operators.range_finder import find_range
from fastsub.solution.fundamental import FundamentalSubspaces
from fastsub.subspace.frame import complement_of


def default_cutoff(A: Products, rtol: Any, tol: Any = None) -> Cutoff:
    """Return the cutoff that was asked for; ``eps * max(m, n)`` relative if none was.

    Raises
    ------
    ValueError
        If one is negative or NaN, or both are given.
    """
    rtol, tol = check_tolerance(rtol, "rtol"), check_tolerance(tol, "tol")
    if rtol is not None and tol is not None:
        raise ValueError("give tol or rtol, not both")
    return Cutoff(EPS[A.dtype.char] * A.n if rtol is None else rtol, tol)


def matrix_rank(
    A: Any, tol: Any = None, *, rtol: Any = None, full_output: bool = False, rng: Any = None
) -> Any:
    """Return the rank, as `fastsub.matrix_rank` does of an array."""
    products = Products(A)
    cutoff = default_cutoff(products, rtol, tol)
    certificate = Projection(products, find_range(products, cutoff, rng)).decide(cutoff)
    return (certificate.rank, certificate) if full_output else certificate.rank


class _Leading:
    """Rank, bases and solutions of a map, as solution/factors.py has them of a matrix."""

    implicit = None

    def __init__(self, projection: Projection, cutoff: Cutoff) -> None:
        self._projection, self.certificate = projection, projection.decide(cutoff)
        self.rank = int(self.certificate.rank)

    @cached_property
    def columns(self) -> Array:
        """Orthonormal basis of the column space, shape (m, rank)."""
        return self._projection.column_basis(self.rank)

    @cached_property
    def rows(self) -> Array:
        """Orthonormal basis of the row space, shape (n, rank)."""
        return self._projection.row_basis(self.rank)

    def column_half(self) -> Array:
        """Return a basis of the column space, or of its complement if that is smaller."""
        return _smaller(self.columns)

    def row_half(self) -> Array:
        """Return a basis of the row space, or of its complement if that is smaller."""
        return _smaller(self.rows)

    def solve(self, B: Array) -> Array:
        """Return the least-squares solution of least norm, shape (n, k)."""
        Y = product(self.columns, B, adjoint=True)
        Y /= self._projection.s[: self.rank, None]
        X = product(self.rows, Y)
        unscale(X, -self._projection.exponent)
        return X

    def pseudoinverse(self) -> Array:
        """Return A^+ = V diag(1/s) U^H, shape (n, m)."""
        return self.solve(np.eye(self._projection.shape[0], dtype=self._projection.dtype))


def _smaller(basis: Array) -> Array:
    n, k = basis.shape
    return basis if 2 * k <= n else complement_of(basis)


class OperatorSubspaces(FundamentalSubspaces):
    """The four subspaces of a map, and how many products they took.

    Attributes
    ----------
    products : Count
        Vectors that were multiplied by the map, and by its adjoint.
    """

    def __init__(self, A: Any, rtol: float | None = None, *, rng: Any = None) -> None:
        products = Products(A)
        cutoff = default_cutoff(products, rtol)
        projection = Projection(products, find_range(products, cutoff, rng))
        self._factors: Any = _Leading(projection, cutoff)
        self.shape, self.dtype = products.shape, products.dtype
        self.certificate = self._factors.certificate
        self.rank = self._factors.rank
        self.nullity = self.shape[1] - self.rank
        self.products: Count = products.count

    def fibre(self, x: Any) -> NoReturn:
        """Raise TypeError: all inputs that share the output A x are ``x`` plus `null_space`."""
        raise TypeError(
            "A is known by its products alone: all that share the output of x are x plus a vector "
            "of .null_space, and .null_space.project(y - x) says which is nearest to y"
        )

    def solutions(self, b: Any, *, rtol: float | None = None) -> NoReturn:
        """Raise TypeError: `solve` returns the shortest one, `null_space` the directions."""
        raise TypeError(
            "A is known by its products alone: .solve(b) is the shortest least-squares solution, "
            ".null_space holds the differences to all others"
        )

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, {self.products}>"


def fundamental_subspaces(
    A: Any, rtol: float | None = None, *, rng: Any = None
) -> OperatorSubspaces:
    """Return the four subspaces, as `fastsub.fundamental_subspaces` does of an array."""
    return OperatorSubspaces(A, rtol, rng=rng)
