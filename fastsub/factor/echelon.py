"""Reduced row echelon form by Gaussian elimination with partial pivoting, as an object.

    T A = R,    T (m, m) nonsingular, R in reduced row echelon form

Backward error: P A = L U + E with |E| <= r u |L| |U| (Higham 2002, theorem 9.3), so E is of the
order of `growth`, in practice a small multiple of u max|a_ij|; what is dropped as dependent is at
most rtol times the columns concerned (kernels/echelon.pyx).

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), chapter 9.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import (
    Array,
    as_matrix,
    check_finite_magnitude,
    check_tolerance,
    magnitude,
    whole_strides,
)
from fastsub.factor.memory import empty, zeros
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.rank.certificate import Certificate
from fastsub.html import card
from fastsub.kernels import echelon, layout, qrcp

# Exponents of norms up to which no square of a column, nor a quotient of two, is lost.
_SAFE_EXPONENT = {"f": 20, "F": 20, "d": 100, "D": 100}
# Whether a column is independent is in doubt within this factor of the tolerance.
_DOUBT = 10.0


class Echelon:
    """Reduced row echelon form of a matrix, pivots in the leftmost independent columns.

    Made by `rref`.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    rtol : float, optional
        A column depends on the pivot columns to its left if perturbing these columns, each by no
        more than ``rtol`` relative to its norm, makes it so; ``eps * max(m, n)`` by default.
    transform : bool
        Whether `T` is wanted; it doubles the work.
    check_finite : bool
        Whether A is searched for NaN and infinity.

    Attributes
    ----------
    R : ndarray, shape (m, n)
        The reduced row echelon form; rows from `rank` on are zero.
    pivots : tuple of int
        The pivot columns, ascending.
    shape : tuple of int
    dtype : dtype
    ambiguous : tuple of int
        Columns that a tolerance 10 times larger or smaller would have taken for the opposite.
    growth : float
        The largest entry met by the elimination over the largest of A: the factor by which its
        backward error may exceed the unit roundoff.

    Notes
    -----
    Cost: 2 m n r - (m + n) r^2 + 2 r^3 / 3 flops for the elimination, r^2 (n - r) for the
    reduction. Not for a rank or an orthonormal basis (`matrix_rank`, `null_space`): elimination
    decides column by column, and its bases are only as well-conditioned as the leftmost columns.

    Examples
    --------
    >>> import fastsub
    >>> E = fastsub.rref([[1, 2], [3, 6], [4, 8]])
    >>> R, pivots = E
    >>> R
    array([[1., 2.],
           [0., 0.],
           [0., 0.]])
    >>> pivots, E.free
    ((0,), (1,))
    >>> E.null_basis
    array([[-2.],
           [ 1.]])
    """

    def __init__(
        self,
        A: Any,
        rtol: float | None = None,
        *,
        transform: bool = False,
        check_finite: bool = True,
    ) -> None:
        given, A = A, as_matrix(A)
        rtol = check_tolerance(rtol, "rtol")
        m, n = self.shape = A.shape
        self.dtype = A.dtype
        self.rtol = float(np.finfo(A.dtype).eps) * max(m, n, 1) if rtol is None else rtol
        W = empty(A.shape, A.dtype)
        layout.py_copy(whole_strides(A), W)
        largest = check_finite_magnitude(W, "A") if check_finite else magnitude(W)
        # For the certificate, which must speak of the matrix as it is now.
        self._A = A.copy(order="K") if np.may_share_memory(A, np.asarray(given)) else A
        norms, exponents = _balance(W)
        if exponents is not None:
            largest = magnitude(W)
        if transform:
            W = np.asfortranarray(np.hstack([W, np.eye(m, dtype=A.dtype)]))
        most = min(m, n)
        pivots, rows = np.empty(most, np.intc), np.empty(most, np.intc)
        errors, x = np.zeros(n), np.empty(most, A.dtype)
        r = echelon.py_eliminate(W, n, self.rtol, norms, pivots, rows, errors, x)
        self._errors = errors
        self.pivots: tuple[int, ...] = tuple(pivots[:r].tolist())
        R = empty(W.shape, A.dtype)
        met = echelon.py_reduce(W, pivots, norms, errors, r, R)
        self.growth = max(met / largest, 1.0) if largest else 1.0
        if exponents is not None:
            # W = A diag(2^exponents); R is that of A once its pivots are 1 again.
            shifts = -np.r_[exponents, np.zeros(W.shape[1] - n, exponents.dtype)]
            R[:r] = _times_power(R[:r], shifts + exponents[pivots[:r], None])
        self._T: Array | None
        self.R, self._T = (np.asfortranarray(R[:, :n]), R[:, n:]) if transform else (R, None)

    @property
    def rank(self) -> int:
        """The number of pivot columns; `certificate` says what the singular values say."""
        return len(self.pivots)

    @cached_property
    def free(self) -> tuple[int, ...]:
        """The columns without a pivot, ascending."""
        return tuple(np.setdiff1d(np.arange(self.shape[1]), self.pivots).tolist())

    @property
    def ambiguous(self) -> tuple[int, ...]:
        """Columns that a tolerance 10 times larger or smaller would have taken for the opposite."""
        low, high = self.rtol / _DOUBT, self.rtol * _DOUBT
        noise = _noise(self.dtype, self.shape)
        doubtful = (self._errors > max(low, noise)) & (self._errors <= high)
        return tuple(np.flatnonzero(doubtful).tolist())

    @property
    def T(self) -> Array:
        """A nonsingular T with ``T @ A = R``, shape (m, m); its last rows span the left null space.

        Raises
        ------
        ValueError
            Unless ``transform=True`` was given.
        """
        if self._T is None:
            raise ValueError("T was not asked for; call rref(A, transform=True)")
        return self._T

    @property
    def null_basis(self) -> Array:
        """The textbook special solutions, one for each free column, shape (n, n - rank)."""
        free = list(self.free)
        N = zeros((self.shape[1], len(free)), self.dtype)
        N[list(self.pivots)] = -self.R[: self.rank, free]
        N[free, np.arange(len(free))] = 1
        return N

    @property
    def row_basis(self) -> Array:
        """The nonzero rows of R, which span the row space, shape (rank, n)."""
        return self.R[: self.rank]

    def pivot_columns(self, A: Any) -> Array:
        """Return the pivot columns of A, a basis of its column space, shape (m, rank).

        Parameters
        ----------
        A : array_like, shape (m, n)
            The matrix that was reduced.
        """
        A = as_matrix(A)
        if A.shape != self.shape:
            raise ValueError(f"A must be of shape {self.shape}, as what was reduced, got {A.shape}")
        columns: Array = A[:, list(self.pivots)]
        return columns

    @cached_property
    def certificate(self) -> Certificate:
        """The rank by singular values above ``rtol * sigma_1``, which may differ from `rank`.

        Computed when first asked for, as `matrix_rank` does.
        """
        return COD(self._A, self.rtol, want="rank", check_finite=False).certificate

    def __iter__(self) -> Iterator[Any]:
        return iter((self.R, self.pivots))

    def __repr__(self) -> str:
        m, n = self.shape
        doubt = f", in doubt at column {self.ambiguous[0]}" if self.ambiguous else ""
        return f"<Echelon of {m} x {n} {self.dtype}: rank {self.rank}{doubt}>"

    def _repr_html_(self) -> str:
        rows = {"R": self.R, "pivot columns": str(self.pivots), "free columns": str(self.free)}
        if self.ambiguous:
            rows["in doubt"] = f"columns {self.ambiguous}"
        return card(repr(self), rows, proof=self.certificate)


def _balance(W: Array) -> tuple[Array, Array | None]:
    """Scale columns of W whose squares might be lost by ``2**exponents``; return norms and these.

    The norms are those of the scaled columns; None if no column is scaled.
    """
    n = W.shape[1]
    norms = np.zeros(2 * n)
    if not W.size:
        return norms, None
    total = qrcp.py_column_norms(W, norms)
    safe = _SAFE_EXPONENT[W.dtype.char]
    if total <= 2.0**safe and norms[:n].min() >= 2.0**-safe:
        return norms, None
    exponents = np.zeros(n, np.intc)
    # Not "outside": the norm of a column that overflows may be NaN.
    for j in np.flatnonzero(~((norms[:n] >= 2.0**-safe) & (norms[:n] <= 2.0**safe))):
        largest = magnitude(W[:, j : j + 1])
        if largest > 0:
            exponents[j] = -np.frexp(largest)[1]
            W[:, j] = _times_power(W[:, j], exponents[j])
            norms[j] = np.linalg.norm(W[:, j])
    return norms, exponents if exponents.any() else None


def _times_power(A: Array, exponents: Any) -> Array:
    """Return A times 2**exponents, exactly but for what leaves the range of the dtype."""
    with np.errstate(over="ignore", under="ignore"):
        scaled: Array = np.ldexp(A.real, exponents)
        if A.dtype.kind == "c":
            scaled = scaled + 1j * np.ldexp(A.imag, exponents)
        return scaled


def _noise(dtype: np.dtype[Any], shape: tuple[int, int]) -> float:
    """Return what rounding leaves of a dependent column, relative to the size of its dependence."""
    return float(np.finfo(dtype).eps) * math.sqrt(max(*shape, 1))
