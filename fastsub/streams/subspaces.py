"""The four subspaces of a stream: the row side as bases, the column side implicit.

A basis of the column space has as many numbers as the rank times the rows. What is asked of it,
projections, distances and membership, least squares answers by passes over the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.rank.certificate import Certificate
from fastsub.streams.range import multiply
from fastsub.streams.reduced import Reduced
from fastsub.subspace.subspace import Subspace
from fastsub.subspace.vectors import Vectors, default_tol


class StreamedSubspaces:
    """Column space, left null space, row space and null space; all is read when first asked.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank, nullity : int
    row_space, null_space : Subspace
    column_space, left_null_space : ImplicitSubspace
    certificate : Certificate

    Notes
    -----
    It unpacks as column space, null space, row space, left null space.

    Examples
    --------
    >>> import fastsub
    >>> F = fastsub.fundamental_subspaces(fastsub.stream([[[1.0, 2], [3, 6]], [[4, 8]]]))
    >>> F
    <StreamedSubspaces of 3 x 2 float64: rank 1, nullity 1>
    >>> F.null_space.equations(), F.column_space
    (['x₁ + 2x₂ = 0'], <ImplicitSubspace of R^3: dimension 1>)
    >>> F.column_space.distance([1, 3, 4]) < 1e-14
    True
    """

    def __init__(self, A: Any, rtol: float | None) -> None:
        self._A, self._rtol = A, rtol

    @cached_property
    def _result(self) -> Reduced:
        result: Reduced = self._A.reduce().result(self._rtol)
        return result

    @property
    def shape(self) -> tuple[int, int]:
        return self._result.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._result.dtype

    @property
    def rank(self) -> int:
        return self._result.rank

    @property
    def nullity(self) -> int:
        return self.shape[1] - self.rank

    @property
    def certificate(self) -> Certificate:
        return self._result.certificate

    @cached_property
    def row_space(self) -> Subspace:
        """The part of the input that the map transmits."""
        n, r = self.shape[1], self.rank
        half = self._result.null_space() if 2 * r > n else self._result.row_space()
        return Subspace.held_by(half, self.certificate, complemented=2 * r > n)

    @property
    def null_space(self) -> Subspace:
        """All x with A x = 0."""
        return self.row_space.complement()

    @property
    def column_space(self) -> ImplicitSubspace:
        """All A x."""
        return ImplicitSubspace(self._A, self._result, self._rtol, complemented=False)

    @property
    def left_null_space(self) -> ImplicitSubspace:
        """All y with A^H y = 0."""
        return ImplicitSubspace(self._A, self._result, self._rtol, complemented=True)

    @property
    def is_injective(self) -> bool:
        """Whether different inputs have different outputs."""
        return self.nullity == 0

    @property
    def is_surjective(self) -> bool:
        """Whether every b is an A x."""
        return self.rank == self.shape[0]

    def solve(self, b: Any) -> Array:
        """Return the least-squares solution of least norm, by one pass."""
        x: Array = self._A.reduce(b).result(self._rtol).solve()
        return x

    def __iter__(self) -> Iterator[Any]:
        return iter((self.column_space, self.null_space, self.row_space, self.left_null_space))

    def __repr__(self) -> str:
        m, n = self.shape
        return (
            f"<StreamedSubspaces of {m} x {n} {self.dtype}: "
            f"rank {self.rank}, nullity {self.nullity}>"
        )


class ImplicitSubspace:
    """The column space of a stream, or its complement, without a basis.

    Attributes
    ----------
    dim, ambient_dim : int
    dtype : dtype
    certificate : Certificate
    tol : float
        The sine up to which a vector counts as in the subspace.
    """

    def __init__(self, A: Any, result: Reduced, rtol: float | None, *, complemented: bool) -> None:
        self._A, self._result, self._rtol = A, result, rtol
        self._complemented = complemented
        m, r = result.shape[0], result.rank
        self.ambient_dim, self.dim, self.dtype = m, m - r if complemented else r, result.dtype
        self.certificate = result.certificate
        self.tol = default_tol(result.dtype, m)

    @property
    def basis(self) -> Array:
        """There is none: raises MemoryError, which says what to do instead."""
        size = self.ambient_dim * self.dim * self.dtype.itemsize
        raise MemoryError(
            f"a basis of shape ({self.ambient_dim}, {self.dim}) takes {size:,} bytes and is not "
            "made of a stream; project(), distance() and `in` need none"
            + ("" if self._complemented else ", and fastsub.orth(stream, out=path) writes one")
        )

    def complement(self) -> ImplicitSubspace:
        """Return the orthogonal complement."""
        return ImplicitSubspace(
            self._A, self._result, self._rtol, complemented=not self._complemented
        )

    def project(self, x: Any) -> Array:
        """Return the nearest vector of the subspace, shape (m,) or (m, k), by two passes."""
        vectors = Vectors(x, self.ambient_dim, self.dtype)
        image = self._image(vectors.columns)
        if self._complemented:
            image = np.asfortranarray(vectors.columns - image)
        return vectors.restore(image)

    def distance(self, x: Any) -> Any:
        """Return the distance of a vector to the subspace; of columns, shape (k,)."""
        vectors = Vectors(x, self.ambient_dim, self.dtype)
        return vectors.lengths(vectors.norms(self._away(vectors.columns)))

    def __contains__(self, x: Any) -> bool:
        vectors = Vectors(x, self.ambient_dim, self.dtype)
        lengths = vectors.norms(vectors.columns)
        return bool(np.all(vectors.norms(self._away(vectors.columns)) <= self.tol * lengths))

    def _image(self, B: Array) -> Array:
        """Return the projections of columns on the column space."""
        x = self._A.reduce(B).result(self._rtol).solve()
        return multiply(self._A, x, np.result_type(self.dtype, B))

    def _away(self, B: Array) -> Array:
        """Return columns as long as what the projection takes away, one row each."""
        if self._complemented:
            return self._image(B)
        away: Array = self._A.reduce(B).result(self._rtol).residual_norms[None]
        return away

    def __repr__(self) -> str:
        field = "C" if self.dtype.kind == "c" else "R"
        return f"<ImplicitSubspace of {field}^{self.ambient_dim}: dimension {self.dim}>"
