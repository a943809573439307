"""Rank-revealing QR, A P = Q R, as an object that unpacks.

References
----------
Chandrasekaran & Ipsen, On rank-revealing factorisations, SIAM J. Matrix Anal. Appl. 15 (1994).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix, check_tolerance, unscale, upper, working_copy
from fastsub.factor.choose import choose
from fastsub.factor.memory import empty
from fastsub.factor.orthogonal.leading import leading_columns
from fastsub.factor.orthogonal.reflectors import Product, Reflectors, pivoted_qr
from fastsub.factor.rank.certificate import Certificate
from fastsub.factor.rank.decide import (
    Cutoff,
    Decision,
    Scale,
    certify,
    decide,
    proposal,
    stopping_norm,
)
from fastsub.html import card
from fastsub.kernels import direct_qr

# Entries up to which one compiled call without panels is faster (`python -m bench compare rrqr`).
_DIRECT_ENTRIES = 64 * 64
# Columns of its compact WY blocks.
_DIRECT_BLOCK = 32


class RRQR:
    """QR factorisation with column pivoting: ``A[:, p] = Q @ R`` up to what the rank leaves out.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix.
    rank : int, optional
        Stop after this many columns.
    rtol : float, optional
        Stop at the numerical rank: the number of singular values above ``rtol`` times the largest.
        With neither the factorisation is complete, ``min(m, n)`` columns.
    overwrite_a, check_finite : bool
        Whether the memory of A may be reused, and whether A is searched for NaN and infinity.
    rng : seed or Generator, optional
        For the sketch that chooses pivots; it never changes whether a factorisation is right.

    Attributes
    ----------
    R : ndarray, shape (k, n)
        Upper trapezoidal.
    p : ndarray of intp, shape (n,)
        The pivots.
    Q : ndarray, shape (m, k)
        Orthonormal columns, formed when first asked for.
    rank : int
        The numerical rank, at most k; at `rank` or `rtol` it is k.
    certificate : Certificate
        Computed when first asked for.

    Notes
    -----
    Cost: 4 m n k - 2 (m + n) k^2 + 4 k^3 / 3 flops, or, for a few columns by `rank`, 6 m n k.
    Not for a rank alone (`matrix_rank`) nor for a basis alone (`orth`, `null_space`): those are
    cheaper.

    Examples
    --------
    >>> import numpy as np
    >>> import fastsub
    >>> A = np.array([[1.0, 2.0], [3.0, 6.0], [4.0, 8.0]])
    >>> F = fastsub.rrqr(A)
    >>> Q, R, p = F
    >>> bool(np.allclose(A[:, p], Q @ R)), F.rank
    (True, 1)
    >>> F
    <RRQR of 3 x 2 float64: 2 columns, rank 1>
    """

    def __init__(
        self,
        A: Any,
        *,
        rank: int | None = None,
        rtol: float | None = None,
        overwrite_a: bool = False,
        check_finite: bool = True,
        rng: Any = None,
    ) -> None:
        A = as_matrix(A)
        self._fixed, whole = rank, rank is None and rtol is None
        if whole and self._is_direct(A, 0):
            return
        rtol = check_tolerance(rtol, "rtol")
        m, n = self.shape = A.shape
        self.dtype = A.dtype
        full = min(m, n)
        if rank is not None and rtol is not None:
            raise ValueError("give rank or rtol, not both")
        if rank is not None and not 0 <= rank <= full:
            raise ValueError(f"rank must be between 0 and min(m, n) = {full}, got {rank}")
        self._cutoff = Cutoff.of(A, rtol)
        plan = choose(m, n, A.dtype, want="rrqr")
        leading = None if rank is None else leading_columns(A, rank, plan, rng)
        if leading is not None:
            self._exponent, self._core, self._k = 0, leading.R, len(leading.R)
            self._q, self._left = Product(leading.Q), leading.left
            self.p, self.R = leading.p.astype(np.intp), leading.R.copy(order="F")
            return
        working = working_copy(A, "A", overwrite=overwrite_a, check_finite=check_finite)
        if whole and self._is_direct(working.W, working.exponent):
            return
        self._exponent = working.exponent
        core, factors = working.W, []
        if plan.reduce and (rank is None or 2 * rank > full):
            factors.append(Reflectors.of_qr(core, plan.block))
            core = upper(core, full)
        stop = -1.0 if rtol is None else stopping_norm(Scale.of(core), max(m, n), self._cutoff)
        Q, p, k, left = pivoted_qr(core, plan, rank=rank, stop=stop, rng=rng)
        self._q = Product(*factors, Q)
        self._left = left
        self._core, self._k = core, k
        self.p = p.astype(np.intp)
        # What the rank leaves out is not part of the factors.
        kept = k if rtol is None else self._decision.rank
        if rank is not None:
            kept = rank
        self.R = upper(core, kept)
        unscale(self.R, self._exponent)

    def _is_direct(self, A: Array, exponent: int) -> bool:
        """Factor a small matrix by one compiled call; False if it is large, or wants scaling."""
        factors = direct_qr.py_pivoted(A, _DIRECT_ENTRIES)
        if factors is None:
            return False
        self._core, self.p, self._tau, self.R = factors
        self.shape, self.dtype = A.shape, A.dtype
        self._exponent, self._k, self._left = exponent, len(self.R), 0.0
        unscale(self.R, exponent)
        return True

    @cached_property
    def _q(self) -> Product:
        """Q of `_is_direct`, which not everybody asks for."""
        T = np.zeros((min(_DIRECT_BLOCK, self._k), self._k), self.dtype, order="F")
        return Product(Reflectors(self._core, T, self._tau))

    @cached_property
    def _cutoff(self) -> Cutoff:
        return Cutoff.of(self._core, None)

    @cached_property
    def _decision(self) -> Decision:
        m, n = self.shape
        if self._fixed is not None:
            return proposal(
                self._core, self._k, self._left, self._fixed, size=max(m, n), full=min(m, n)
            )
        return decide(
            self._core, self._k, self._left, size=max(m, n), full=min(m, n), cutoff=self._cutoff
        )

    @property
    def rank(self) -> int:
        """The numerical rank; with ``rank=`` the columns that were asked for."""
        return int(self._decision.rank)

    @property
    def certificate(self) -> Certificate:
        """Bounds of the singular values on both sides of the rank."""
        return certify(self._decision, self._method, self._exponent)

    @property
    def _method(self) -> str:
        return "qr+qrcp" if len(self._q.factors) > 1 else "qrcp"

    @cached_property
    def Q(self) -> Array:
        """Orthonormal columns, shape (m, k)."""
        k = self.R.shape[0]
        return self._q.columns(0, k) if k else empty((self.shape[0], 0), self.dtype)

    def __iter__(self) -> Iterator[Array]:
        return iter((self.Q, self.R, self.p))

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<RRQR of {m} x {n} {self.dtype}: {self.R.shape[0]} columns, rank {self.rank}>"

    def _repr_html_(self) -> str:
        return card(repr(self), {"R": self.R, "p": self.p}, proof=self.certificate)
