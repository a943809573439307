"""Complete orthogonal decomposition: one factorisation, all four subspaces, every solution.

    A = U [T 0; 0 0] V^H,    U (m, m) and V (n, n) unitary, T (r, r) nonsingular

It is the URV decomposition of A, or of A^H where that one is tall (or, square, the column-major
one; or, nearly square, the one whose right side is wanted), scaled by a power of two where squares
of its entries would be lost.

References
----------
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix, check_tolerance, unscale, working_copy
from fastsub.factor.choose import Want, choose
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.reveal import RevealingQR
from fastsub.factor.orthogonal.urv import URV
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.factor.rank.decide import certify
from fastsub.html import card


class COD:
    """Complete orthogonal decomposition of a matrix, with its rank and certificate.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.
    tol : float, optional
        Absolute cutoff; goes before `rtol`.
    atol : float, default 0
        Added to the relative cutoff.
    want : {"all", "row", "column", "rank"}
        What will be asked, so that the cheapest path can be chosen and memory reused: everything,
        row space and null space alone, column space and left null space alone, or no basis.
    overwrite_a, check_finite : bool
        Whether the memory of A may be reused, and whether A is searched for NaN and infinity.
    lapack_driver : {"gesdd", "gesvd"}
        The SVD of the small factor, where one is needed.
    rng : seed or Generator, optional
        For the sketch that chooses pivots; it never changes whether an answer is right.
    name : str
        How errors call the matrix.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank : int
    certificate : Certificate

    Notes
    -----
    Cost: 2 m n^2 - 2 n^3 / 3 flops for m >= n, at most 4 n^3 / 3 more if its triangle must be
    pivoted; each basis costs what its size times the rank says.

    Examples
    --------
    >>> from fastsub.factor.orthogonal.cod import COD
    >>> F = COD([[1, 2], [3, 6], [4, 8]])
    >>> F.rank, F.null_space().shape, F.left_null_space().shape
    (1, (2, 1), (3, 2))
    """

    def __init__(
        self,
        A: Any,
        rtol: float | None = None,
        *,
        tol: float | None = None,
        atol: float = 0.0,
        want: Want = "all",
        overwrite_a: bool = False,
        check_finite: bool = True,
        lapack_driver: str = "gesdd",
        rng: Any = None,
        name: str = "A",
    ) -> None:
        A = as_matrix(A, name)
        rtol, tol = check_tolerance(rtol, "rtol"), check_tolerance(tol, "tol")
        added = check_tolerance(atol, "atol") or 0.0
        self.shape: tuple[int, int] = A.shape
        self.dtype = A.dtype
        m, n = A.shape
        plan = choose(m, n, A.dtype, want=want, c_order=bool(A.flags.c_contiguous))
        self._adjoint, self._want = plan.adjoint, want
        working = working_copy(
            A, name, adjoint=plan.adjoint, overwrite=overwrite_a, check_finite=check_finite
        )
        self._exponent = working.exponent
        cutoff = Cutoff.of(A, rtol, tol, added).scaled(working.exponent)
        qr = RevealingQR(working.W, plan, cutoff, lapack_driver, rng, bases=want != "rank")
        self._qr, self._urv = qr, URV(qr)
        self.rank = qr.rank
        self.certificate = certify(qr.decision, qr.method, self._exponent)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<COD of {m} x {n} {self.dtype}: rank {self.rank}>"

    def _repr_html_(self) -> str:
        m, n = self.shape
        rows = {"rank": self.rank, "nullity": n - self.rank, "rows": m, "columns": n}
        return card(repr(self), rows, proof=self.certificate)

    @property
    def exponent(self) -> int:
        """The matrix that was factored is ``2**exponent`` times A."""
        return self._exponent

    def _ask(self, side: Want = "all") -> URV:
        """Return the factors, if they were wanted."""
        if self._want not in ("all", side):
            raise ValueError(
                f"this COD was made with want={self._want!r}, which does not keep what that needs; "
                "make it with want='all'"
            )
        return self._urv

    # ---- the four subspaces ----

    def column_space(self) -> Array:
        """Return an orthonormal basis of the column space, shape (m, rank)."""
        if self.rank == self.shape[0]:
            return _identity(self.rank, self.dtype)
        F = self._ask("column")
        return F.right_basis() if self._adjoint else F.left_basis()

    def left_null_space(self) -> Array:
        """Return an orthonormal basis of the null space of A^H, shape (m, m - rank)."""
        if self.rank == 0:
            return _identity(self.shape[0], self.dtype)
        F = self._ask("column")
        return F.right_null() if self._adjoint else F.left_null()

    def row_space(self) -> Array:
        """Return an orthonormal basis of the row space (column space of A^H), shape (n, rank)."""
        if self.rank == self.shape[1]:
            return _identity(self.rank, self.dtype)
        F = self._ask("row")
        return F.left_basis() if self._adjoint else F.right_basis()

    def null_space(self) -> Array:
        """Return an orthonormal basis of the null space, shape (n, n - rank)."""
        if self.rank == 0:
            return _identity(self.shape[1], self.dtype)
        F = self._ask("row")
        return F.left_null() if self._adjoint else F.right_null()

    # ---- solving ----

    def solve(self, b: Array) -> Array:
        """Return the minimum-norm least-squares solution of A x = b, shape (n,) or (n, k).

        Parameters
        ----------
        b : ndarray, shape (m,) or (m, k)
            Finite; of a dtype that `A` can be promoted to without becoming complex.
        """
        return self._solve(b, adjoint=False)

    def solve_adjoint(self, b: Array) -> Array:
        """Return the minimum-norm least-squares solution of A^H x = b, shape (m,) or (m, k).

        Parameters
        ----------
        b : ndarray, shape (n,) or (n, k)
            As for `solve`.
        """
        return self._solve(b, adjoint=True)

    def _solve(self, b: Array, *, adjoint: bool) -> Array:
        B = np.array(b[:, None] if b.ndim == 1 else b, dtype=self.dtype, order="F")
        if self.rank == 0 or B.shape[1] == 0:
            X = zeros((self.shape[0 if adjoint else 1], B.shape[1]), self.dtype)
        else:
            F = self._ask()
            X = F.solve_adjoint(B) if self._adjoint != adjoint else F.solve(B)
            # The factors are those of 2^exponent A.
            unscale(X, -self._exponent)
        return X[:, 0] if b.ndim == 1 else X

    def pinv(self, *, consume: bool = False) -> Array:
        """Return the Moore-Penrose inverse of what the rank keeps of A, shape (n, m).

        consume: nothing else will be asked, and the factors may be lost.
        """
        m, n = self.shape
        if self.rank == 0:
            return zeros((n, m), self.dtype)
        X = self._ask().pinv_adjoint(consume=consume)
        unscale(X, -self._exponent)
        if self._adjoint:
            return X
        if X.dtype.kind == "c":
            np.conj(X, out=X)
        return X.T

    # ---- A in small orthonormal coordinates ----

    def small_factor(self) -> Array:
        """Return a matrix with the singular values of the scaled A, min(m, n) columns at most.

        2^exponent A = X M Y^H with orthonormal X, Y: M is Q^H W P, or its conjugate transpose.
        """
        self._ask()
        M = self._qr.whole
        return M.conj().T if self._adjoint else M

    def small_adjoint(self, G: Array) -> Array:
        """Return Y^H G for the Y of `small_factor`; G, shape (n, k), may be destroyed."""
        self._ask()
        if not self._adjoint:
            return np.asfortranarray(G[self._qr.p])
        self._qr.left.apply(G, adjoint=True)
        return np.asfortranarray(G[: self._qr.height])

    # ---- spectrum ----

    def singular_values(self) -> Array:
        """Return all singular values, descending, shape (min(m, n),).

        Those that the early stop left out are below the cutoff and returned as zero.
        """
        sigma = np.zeros(min(self.shape), self.dtype.type(0).real.dtype)
        self._ask()
        if self._qr.k:
            sigma[: self._qr.k] = np.ldexp(self._qr.sigma, -self._exponent)
        return sigma

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_rank``, within a small factor; nan at rank 0."""
        return self._ask().condition


def _identity(n: int, dtype: Any) -> Array:
    basis = zeros((n, n), dtype, "it is the whole space: no basis is needed")
    np.fill_diagonal(basis, 1)
    return basis
