"""The four fundamental subspaces of a matrix from one factorisation, and what they say of the map.

References
----------
Strang, The fundamental theorem of linear algebra, Amer. Math. Monthly 100 (1993).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix, check_tolerance
from fastsub.factor.products import product
from fastsub.functions.sources import elsewhere
from fastsub.html import card, grid
from fastsub.solution.factors import Factors
from fastsub.solution.solution_set import SolutionSet
from fastsub.subspace.frame import Frame
from fastsub.subspace.subspace import Subspace
from fastsub.subspace.vectors import Vectors


class FundamentalSubspaces:
    """Column space, left null space, row space and null space of a matrix, and the map's nature.

    Parameters
    ----------
    A : array_like, shape (m, n)
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank, nullity : int
        rank + nullity = n: each dimension of the input is transmitted or annihilated.
    certificate : Certificate

    Notes
    -----
    It unpacks as column space, null space, row space, left null space; each is made when it is
    first asked for. A is kept by reference: do not change it while more may be asked.

    See Also
    --------
    fastsub.fundamental_subspaces : makes one, and says what it costs.

    Examples
    --------
    >>> import fastsub
    >>> F = fastsub.fundamental_subspaces([[1, 2], [3, 6], [4, 8]])
    >>> F
    <FundamentalSubspaces of 3 x 2 float64: rank 1, nullity 1>
    >>> F.null_space.equations(), F.is_injective
    (['x₁ + 2x₂ = 0'], False)
    """

    def __init__(self, A: Any, rtol: float | None = None) -> None:
        A = as_matrix(A)
        rtol = check_tolerance(rtol, "rtol")
        self._A, self._factors = A, Factors(A, rtol)
        self.shape: tuple[int, int] = A.shape
        self.dtype = A.dtype
        self.certificate = self._factors.certificate
        self.rank: int = self._factors.rank
        self.nullity: int = self.shape[1] - self.rank

    @cached_property
    def column_space(self) -> Subspace:
        """All A x: what the map can reach, a subspace of dimension rank."""
        m, r = self.shape[0], self.rank
        implicit = self._factors.implicit if self.shape[0] > self.shape[1] else None
        frame = Frame(self._factors.column_half, m, min(r, m - r), self.dtype, implicit)
        return Subspace.held_by(frame, self.certificate, complemented=2 * r > m)

    @property
    def left_null_space(self) -> Subspace:
        """All y with A^H y = 0: the complement of the column space."""
        return self.column_space.complement()

    @cached_property
    def row_space(self) -> Subspace:
        """All A^H y: the part of the input that the map transmits, a subspace of dimension rank."""
        n, r = self.shape[1], self.rank
        implicit = self._factors.implicit if self.shape[0] < self.shape[1] else None
        frame = Frame(self._factors.row_half, n, min(r, n - r), self.dtype, implicit)
        return Subspace.held_by(frame, self.certificate, complemented=2 * r > n)

    @property
    def null_space(self) -> Subspace:
        """All x with A x = 0: what the map destroys, the complement of the row space."""
        return self.row_space.complement()

    @property
    def is_injective(self) -> bool:
        """Whether different inputs have different outputs: the null space is {0}."""
        return self.nullity == 0

    @property
    def is_surjective(self) -> bool:
        """Whether every b is an A x: the column space is everything."""
        return self.rank == self.shape[0]

    @property
    def is_bijective(self) -> bool:
        """Whether A is invertible."""
        return self.is_injective and self.is_surjective

    def fibre(self, x: Any) -> SolutionSet:
        """Return all inputs that share the output A x: x and a translated null space.

        Parameters
        ----------
        x : array_like, shape (n,) or (n, k)
        """
        vectors = Vectors(x, self.shape[1], self.dtype)
        A = self._A.astype(vectors.dtype, copy=False)
        return self.solutions(vectors.restore(product(A, vectors.columns)))

    def solutions(self, b: Any, *, rtol: float | None = None) -> SolutionSet:
        """Return every solution of A x = b, as `fastsub.solutions`."""
        rtol = check_tolerance(rtol, "rtol")
        return SolutionSet(self._A, b, self._factors, self.null_space, rtol)

    def solve(self, b: Any) -> Array:
        """Return the least-squares solution of least norm, shape (n,) or (n, k).

        Parameters
        ----------
        b : array_like, shape (m,) or (m, k)
        """
        vectors = Vectors(b, self.shape[0], self.dtype, "b")
        X = self._factors.solve(np.asfortranarray(vectors.columns, self.dtype))
        return vectors.restore(np.asfortranarray(X, vectors.dtype))

    def pseudoinverse(self) -> Array:
        """Return the Moore-Penrose inverse, shape (n, m)."""
        return self._factors.pseudoinverse()

    def equations(self) -> dict[str, list[str]]:
        """Return the equations of all four, by name, as a textbook writes them."""
        names = ("column_space", "null_space", "row_space", "left_null_space")
        return {name: getattr(self, name).equations() for name in names}

    def __iter__(self) -> Iterator[Subspace]:
        return iter((self.column_space, self.null_space, self.row_space, self.left_null_space))

    def __repr__(self) -> str:
        m, n = self.shape
        return (
            f"<FundamentalSubspaces of {m} x {n} {self.dtype}: "
            f"rank {self.rank}, nullity {self.nullity}>"
        )

    def _repr_html_(self) -> str:
        m, n = self.shape
        names = ("column space", "null space", "row space", "left null space")
        meanings = ("what A reaches", "what A destroys", "what A passes on", "what A never reaches")
        rows: dict[str, list[Any]] = {
            "subspace": list(names),
            "which is": list(meanings),
            "dimension": [self.rank, self.nullity, self.rank, m - self.rank],
            "of": [m, n, n, m],
        }
        if max(m, n) <= 12:
            rows["equations"] = [
                ", ".join(V.equations()) or "none: all of it" if V.dim else "the zero vector alone"
                for V in self
            ]
        answers = {
            "rank + nullity": f"{self.rank} + {self.nullity} = {n} columns",
            "injective": self.is_injective,
            "surjective": self.is_surjective,
        }
        return card(repr(self), answers, grid(rows), proof=self.certificate)


def fundamental_subspaces(A: Any, rtol: float | None = None) -> FundamentalSubspaces:
    """Return the four subspaces of a matrix as objects, from one factorisation.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix, dense or `scipy.sparse`; integers are taken as float64.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.

    Returns
    -------
    FundamentalSubspaces
        ``.column_space .null_space .row_space .left_null_space``, each a `Subspace`, and `rank`,
        `nullity`, `is_injective`, `is_surjective`, `fibre`, `solve`, `pseudoinverse`.

    Raises
    ------
    ValueError
        NaN or infinity in A, not a matrix, a negative or NaN `rtol`.
    TypeError
        Strings, masked entries, dask arrays.

    See Also
    --------
    null_space, orth : one basis, as an array.

    Notes
    -----
    Cost: 2 m n^2 - 2 n^3 / 3 flops for m >= n, and 4 n^3 / 3 for the row side where the rank is
    deficient. Where one side is four times the other A is read, three times, and never copied. Of
    each pair of complements only the smaller is held, so that the left null space of a tall matrix
    takes no more memory than A; its basis is made only on request.

    References
    ----------
    .. [1] Strang, The fundamental theorem of linear algebra, Amer. Math. Monthly 100 (1993).

    Examples
    --------
    >>> import fastsub
    >>> column_space, null_space, row_space, left_null_space = fastsub.fundamental_subspaces(
    ...     [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    ... )
    >>> null_space.basis.shape, row_space.equations()
    ((3, 1), ['x₁ - 2x₂ + x₃ = 0'])
    """
    if (answer := elsewhere(A, fundamental_subspaces)) is not None:
        return answer(A, rtol)
    return FundamentalSubspaces(A, rtol)
