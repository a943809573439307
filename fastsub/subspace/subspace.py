"""A subspace of R^n or C^n, held by the smaller of its orthonormal basis and its complement's.

A basis of the left null space of a 1 000 000 x 50 matrix would fill 8 TB; its complement's, 400 MB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    as_matrix,
    check_finite_magnitude,
    check_tolerance,
)
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import rounding_margin
from fastsub.functions.subspaces import null_space, orth, row_space
from fastsub.html import card
from fastsub.subspace.angles import angles_between
from fastsub.subspace.equations import equations_of
from fastsub.subspace.frame import Frame, complement_of
from fastsub.subspace.lattice import intersection, is_inside
from fastsub.subspace.vectors import Vectors, default_tol


class Subspace:
    """A linear subspace of R^n or C^n.

    Parameters
    ----------
    basis : array_like, shape (n, k)
        Orthonormal columns; for vectors that are not, see `Subspace.span`.
    tol : float, optional
        Sines up to which a vector counts as in the subspace, two subspaces as equal, an angle as
        zero; ``100 * eps * sqrt(n)`` by default.

    Attributes
    ----------
    dim, ambient_dim : int
        Its dimension and n.
    dtype : dtype
    certificate : Certificate
        Of the matrix that it came from: its rank is `dim`, or `ambient_dim` less that.

    Raises
    ------
    ValueError
        If the columns are not orthonormal, or not finite.

    Notes
    -----
    ``x in V`` asks whether x is in V; ``V <= W`` whether V is inside W, ``V == W`` whether both
    are the same; ``V + W`` is the sum, ``V & W`` the intersection. A projection costs 4 n k flops,
    k the smaller of `dim` and its complement's; a sum O(n k^2). Equality allows for rounding, so
    that subspaces cannot be keys of a dict.

    Examples
    --------
    >>> import fastsub
    >>> V = fastsub.Subspace.kernel([[1, 2], [3, 6], [4, 8]])
    >>> V, V.equations()
    (<Subspace of R^2: dimension 1>, ['x₁ + 2x₂ = 0'])
    >>> [-2, 1] in V, [1, 1] in V
    (True, False)
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, basis: Any, *, tol: float | None = None) -> None:
        basis = as_matrix(basis, "basis").copy()
        n, k = basis.shape
        check_finite_magnitude(basis, "basis")
        error = product(basis, basis, adjoint=True)
        np.fill_diagonal(error, np.diagonal(error) - 1)
        loss = float(np.linalg.norm(error)) + rounding_margin(math.sqrt(k), n, basis.dtype)
        if k > n or loss > default_tol(basis.dtype, n) * math.sqrt(max(1, k)):
            raise ValueError(
                f"basis must have orthonormal columns, got norm(Q^H Q - I) = {loss:.1e}; use "
                "Subspace.span for vectors that are not"
            )
        certificate = Certificate(
            k, loss, 1 - loss if k else math.inf, 0.0, "bounds", "orthonormal"
        )
        self._fill(basis, False, certificate, check_tolerance(tol, "tol"))

    def _fill(
        self, half: Array | Frame, complemented: bool, certificate: Certificate, tol: float | None
    ) -> None:
        if not isinstance(half, Frame):
            n, k = half.shape
            if 2 * k > n:
                half, complemented, k = complement_of(half), not complemented, n - k
            half = Frame(half, n, k, half.dtype)
        self._frame, self._complemented = half, complemented
        self.certificate = certificate
        self._tol = tol
        self.ambient_dim, self.dtype = half.n, half.dtype
        self.dim = half.n - half.k if complemented else half.k

    @classmethod
    def held_by(
        cls,
        half: Array | Frame,
        certificate: Certificate,
        *,
        complemented: bool = False,
        tol: float | None = None,
    ) -> Subspace:
        """Return the span of an orthonormal basis, or its complement, without a check."""
        V = cls.__new__(cls)
        V._fill(half, complemented, certificate, tol)
        return V

    @classmethod
    def span(cls, vectors: Any, rtol: float | None = None, *, tol: float | None = None) -> Subspace:
        """Return the span of the columns of a matrix, or of one vector.

        Parameters
        ----------
        vectors : array_like, shape (n,) or (n, k)
        rtol : float, optional
            Singular values above ``rtol`` times the largest count, as in `orth`.
        tol : float, optional

        Examples
        --------
        >>> import fastsub
        >>> fastsub.Subspace.span([[1, 4, 7], [2, 5, 8], [3, 6, 9]])
        <Subspace of R^3: dimension 2>
        """
        A = as_array(vectors, "vectors")
        A = as_matrix(A[:, None] if A.ndim == 1 else A, "vectors")
        try:
            basis, certificate = orth(A, check_tolerance(rtol, "rtol"), full_output=True)
        except ValueError:
            check_finite_magnitude(A, "vectors")  # by the name that the user knows
            raise
        return cls.held_by(basis, certificate, tol=check_tolerance(tol, "tol"))

    @classmethod
    def kernel(cls, A: Any, rtol: float | None = None, *, tol: float | None = None) -> Subspace:
        """Return the null space of a matrix: all x with A x = 0.

        Parameters
        ----------
        A : array_like, shape (m, n)
        rtol : float, optional
            Singular values above ``rtol`` times the largest count, as in `null_space`.
        tol : float, optional

        Examples
        --------
        >>> import fastsub
        >>> fastsub.Subspace.kernel([[1, 1, 1]]).equations()
        ['x₁ + x₂ + x₃ = 0']
        """
        A, rtol, tol = as_matrix(A), check_tolerance(rtol, "rtol"), check_tolerance(tol, "tol")
        # Of few equations the row space is the smaller.
        complemented = 2 * A.shape[0] <= A.shape[1]
        basis_of = row_space if complemented else null_space
        basis, certificate = basis_of(A, rtol, full_output=True)
        return cls.held_by(basis, certificate, complemented=complemented, tol=tol)

    # ---- what it is ----

    @property
    def tol(self) -> float:
        """Sines up to which a vector counts as in the subspace."""
        return default_tol(self.dtype, self.ambient_dim) if self._tol is None else self._tol

    @property
    def basis(self) -> Array:
        """An orthonormal basis, shape (ambient_dim, dim), read-only.

        Raises
        ------
        MemoryError
            If it cannot fit; the message states its size.
        """
        return self._frame.large if self._complemented else self._frame.small

    @property
    def held(self) -> tuple[Array, bool]:
        """The orthonormal basis that is held, read-only, and whether it is the complement's."""
        return self._frame.small, self._complemented

    def complement(self) -> Subspace:
        """Return the orthogonal complement, which shares the memory of this one."""
        return Subspace.held_by(
            self._frame, self.certificate, complemented=not self._complemented, tol=self._tol
        )

    def equations(self, names: Sequence[str] | None = None) -> list[str]:
        """Return equations that describe the subspace, as a textbook writes them.

        There are ``ambient_dim - dim``, in reduced row echelon form; `names` of the coordinates are
        x₁, x₂, ... by default.
        """
        return equations_of(self.complement().basis, 10 * self.tol, names)

    def __repr__(self) -> str:
        field = "C" if self.dtype.kind == "c" else "R"
        precision = "" if self.dtype.char in "dD" else f", {self.dtype}"
        return f"<Subspace of {field}^{self.ambient_dim}: dimension {self.dim}{precision}>"

    def _repr_html_(self) -> str:
        n = self.ambient_dim
        words = {0: "the zero vector alone", n: "the whole space"}
        rows: dict[str, Any] = {"dimension": f"{self.dim} of {n}"}
        if self.dim in words:
            rows["it is"] = words[self.dim]
        elif n <= 12:
            rows["equations"] = self.equations()
        return card(repr(self), rows, proof=self.certificate)

    # ---- vectors ----

    def project(self, x: Any) -> Array:
        """Return the nearest vector of the subspace.

        Parameters
        ----------
        x : array_like, shape (n,) or (n, k)
            A vector, or one in each column.
        """
        vectors = Vectors(x, self.ambient_dim, self.dtype)
        return vectors.restore(self._frame.project(vectors, self._complemented))

    def distance(self, x: Any) -> Any:
        """Return the distance of a vector to the subspace; of columns, shape (k,)."""
        vectors = Vectors(x, self.ambient_dim, self.dtype)
        return vectors.lengths(vectors.norms(self._frame.reject(vectors, self._complemented)))

    def __contains__(self, x: Any) -> bool:
        vectors = Vectors(x, self.ambient_dim, self.dtype)
        lengths = vectors.norms(vectors.columns)
        tol = self.tol
        if self._tol is None:
            tol = max(tol, default_tol(vectors.given, self.ambient_dim))
        rejected = self._frame.reject(vectors, self._complemented)
        return bool(np.all(vectors.norms(rejected) <= tol * lengths))

    def projector(self) -> Any:
        """Return the orthogonal projector, a LinearOperator with a method ``to_matrix()``."""
        from fastsub.subspace.projector import Projector

        return Projector(self)

    # ---- other subspaces ----

    def __and__(self, other: Subspace) -> Subspace:
        if not isinstance(other, Subspace):
            return NotImplemented
        X, Y, sides, tol = self._beside(other)
        half, complemented, certificate = intersection(X, Y, sides, tol)
        return Subspace.held_by(half, certificate, complemented=complemented, tol=tol)

    def __add__(self, other: Subspace) -> Subspace:
        if not isinstance(other, Subspace):
            return NotImplemented
        return (self.complement() & other.complement()).complement()

    def __le__(self, other: Subspace) -> bool:
        if not isinstance(other, Subspace):
            return NotImplemented
        X, Y, sides, tol = self._beside(other)
        return self.dim <= other.dim and is_inside(X, Y, sides, tol)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subspace):
            return NotImplemented
        same = (self.ambient_dim, self.dim) == (other.ambient_dim, other.dim)
        return same and self <= other

    def is_orthogonal_to(self, other: Subspace) -> bool:
        """Return whether every vector of one is orthogonal to every vector of the other."""
        return self <= other.complement()

    def angles(self, other: Subspace) -> Array:
        """Return the principal angles, descending, shape (min(dim, other.dim),), in radians.

        Accurate near 0 and near pi / 2.
        """
        X, Y, sides, _ = self._beside(other)
        return angles_between(X, Y, sides, min(self.dim, other.dim))

    def _beside(self, other: Subspace) -> tuple[Array, Array, tuple[bool, bool], float]:
        """Return what both are held by, in one dtype, how, and the coarser tolerance."""
        if self.ambient_dim != other.ambient_dim:
            raise ValueError(
                f"the subspaces must lie in the same space, got ambient dimensions "
                f"{self.ambient_dim} and {other.ambient_dim}"
            )
        dtype = np.result_type(self.dtype, other.dtype)
        X, Y = (V._frame.small.astype(dtype, copy=False) for V in (self, other))
        sides = self._complemented, other._complemented
        return X, Y, sides, max(self.tol, other.tol)
