"""One factorisation, many right-hand sides: what suits the matrix is chosen once."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_array,
    as_matrix,
    check_finite_magnitude,
    check_tolerance,
    unscale,
    working_copy,
)
from fastsub.factor.choose import prefers_seminormal
from fastsub.factor.least_squares.lu import Nonsingular
from fastsub.factor.least_squares.seminormal import Seminormal
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import Cutoff
from fastsub.html import card


class Factorization:
    """A factored matrix; made by `factorize`.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    rank : int
    certificate : Certificate
        Its `method` says which factorisation it is.
    """

    def __init__(self, inner: Nonsingular | Seminormal | COD) -> None:
        self._inner = inner
        self.shape = inner.shape
        self.dtype = inner.dtype

    @property
    def rank(self) -> int:
        """The rank."""
        return int(self._inner.rank)

    @property
    def certificate(self) -> Certificate:
        """Bounds of the singular values on both sides of the rank, and the method."""
        return self._inner.certificate

    @property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_rank``, within a small factor; nan at rank 0."""
        return float(self._inner.condition)

    def solve(self, b: Any) -> Array:
        """Return the least-squares solution of A x = b of least norm; A^-1 b if A has an inverse.

        Parameters
        ----------
        b : array_like, shape (m,) or (m, k)

        Returns
        -------
        x : ndarray, shape (n,) or (n, k)
        """
        return self._solve(b, self.shape[0], self._inner.solve)

    def solve_adjoint(self, b: Any) -> Array:
        """Return the least-squares solution of A^H x = b of least norm.

        Parameters
        ----------
        b : array_like, shape (n,) or (n, k)

        Returns
        -------
        x : ndarray, shape (m,) or (m, k)
        """
        return self._solve(b, self.shape[1], self._inner.solve_adjoint)

    def _solve(self, b: Any, rows: int, solve: Any) -> Array:
        B = as_array(b, "b")
        if B.ndim not in (1, 2) or len(B) != rows:
            raise ValueError(
                f"b must be a vector or a matrix with {rows} rows for a {self.shape[0]} x "
                f"{self.shape[1]} matrix, got shape {B.shape}"
            )
        if B.size:
            check_finite_magnitude(B, "b")
        dtype = np.result_type(self.dtype, B.dtype)
        columns = B[:, None] if B.ndim == 1 else B
        k = columns.shape[1]
        # A complex b beside a real matrix is two real right-hand sides.
        split = self.dtype.kind != "c" and dtype.kind == "c"
        if split:
            columns = np.hstack([columns.real, columns.imag])
        scaled = working_copy(columns.astype(self.dtype, copy=False), "b", check_finite=False)
        X = solve(scaled.W)
        unscale(X, scaled.exponent)
        if split:
            X = X[:, :k] + 1j * X[:, k:]
        X = np.asarray(X, dtype)
        return X[:, 0] if B.ndim == 1 else X

    def __repr__(self) -> str:
        m, n = self.shape
        method = self.certificate.method
        return f"<Factorization of {m} x {n} {self.dtype}: {method}, rank {self.rank}>"

    def _repr_html_(self) -> str:
        rows = {
            "rank": self.rank,
            "nullity": self.shape[1] - self.rank,
            "condition": self.condition,
        }
        return card(repr(self), rows, proof=self.certificate)


def factorize(A: Any, rtol: float | None = None, *, check_finite: bool = True) -> Factorization:
    """Factor a matrix once, to solve with it many times.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count; ``eps * max(m, n)`` by default.
    check_finite : bool, default True
        Raise on NaN and infinity.

    Returns
    -------
    F : Factorization
        Has `solve`, `solve_adjoint`, `rank`, `certificate` and `condition`.

    Raises
    ------
    ValueError
        NaN or infinity, wrong number of dimensions, a negative or NaN `rtol`.
    TypeError
        Strings, masked entries, sparse or dask arrays.

    See Also
    --------
    lstsq : one right-hand side, or all at once.
    COD : all four subspaces, too.

    Notes
    -----
    A square matrix is factored as P A = L U if that proves full rank (4 n^3 / 3 flops, the proof
    included; 2 n^2 for a right-hand side). A large one with six times as many rows as columns is
    kept with the Cholesky factor of its Gram matrix if that proves full rank (m n^2 flops; 8 m n or
    more for a right-hand side, refined until its backward error is that of QR). Any other is
    factored by the complete orthogonal decomposition (2 m n^2 - 2 n^3 / 3 flops for m >= n, up to
    4 m n + 4 n^2 for a right-hand side).

    References
    ----------
    .. [1] Golub & Van Loan, Matrix Computations, 4th ed. (2013), sections 3.4 and 5.5.

    Examples
    --------
    >>> import fastsub
    >>> F = fastsub.factorize([[2, 1], [1, 1]])
    >>> F
    <Factorization of 2 x 2 float64: lu, rank 2>
    >>> F.solve([3, 2])
    array([1., 1.])
    """
    A = as_matrix(A)
    rtol = check_tolerance(rtol, "rtol")
    m, n = A.shape
    if m == n > 0:
        proved = Nonsingular.prove(A, Cutoff.of(A, rtol), check_finite=check_finite)
        if proved is not None:
            return Factorization(proved)
    if prefers_seminormal(m, n, A.dtype):
        tall = Seminormal.prove(A, Cutoff.of(A, rtol), check_finite=check_finite)
        if tall is not None:
            return Factorization(tall)
    return Factorization(COD(A, rtol, check_finite=check_finite))
