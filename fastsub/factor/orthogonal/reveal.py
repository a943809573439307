"""A rank-revealing QR: which columns come first, how many of them count, and who decided.

    W P = Q (R1; 0 R2),    R1 (r, n) upper trapezoidal, r the rank of W up to the cutoff

1. QR that pivots only where it must, with early stop, at the speed of gemm; most often bounds of
   its triangle prove the rank (rank/decide.py);
2. where the first columns were a bad choice, RZ of R1 (rz.py) undoes it;
3. where another choice might do, QR with column pivoting of the triangle (Chan's trick);
4. else singular values of the triangle decide.

References
----------
Chan, An improved algorithm for computing the singular value decomposition, ACM TOMS 8 (1982).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import svd

from fastsub.factor.arrays import Array
from fastsub.factor.choose import Plan
from fastsub.factor.orthogonal.by_rz import ByRZ
from fastsub.factor.orthogonal.reflectors import AvoidingQR, Product, pivoted_qr
from fastsub.factor.orthogonal.rz import RZ
from fastsub.factor.rank.cutoff import Cutoff, Scale, stopping_norm
from fastsub.factor.rank.decide import (
    WEAK,
    Decision,
    Doubt,
    decide_by_sigma,
    prove,
    singular_values,
    tail_norms,
)
from fastsub.factor.rank.deflated import is_gap, is_small_block
from fastsub.factor.rank.fullrank import prove_by_gram
from fastsub.factor.rank.inverse import sigma_1_lower, smallest_pivot

# ||A N|| in units of eps ||A|| that is as good as any; the rounding of N itself is added to it.
_CLEAN = 16.0
# Times the stopping norm: what is left of dependent columns may be noise up to here.
_NOISE = 1e4


class RevealingQR:
    """The factorisation, its rank and who decided it.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Fortran-ordered; it is overwritten.
    plan : Plan
        The path.
    cutoff : Cutoff
        In the scale of W.
    driver : str
        LAPACK's SVD, where one is needed.
    rng : seed or Generator, optional
        For the sketch.
    bases : bool
        Whether bases will be asked for, so that an SVD had better make vectors at once.

    Attributes
    ----------
    R : ndarray, shape (>= k, n)
        (R1; R2): the first k rows in its upper trapezoid, what is left below and to the right.
    k : int
        Columns factored.
    p : ndarray of intc, shape (n,)
        ``(W P)[:, j] = W[:, p[j]]``.
    left : Product
        Q, empty if the plan does not keep it: then what R has below its diagonal is lost.
    decision : Decision
    method : str
        The path that answered.
    bases : bool
        As given.
    """

    def __init__(
        self,
        W: Array,
        plan: Plan,
        cutoff: Cutoff,
        driver: str = "gesdd",
        rng: Any = None,
        *,
        bases: bool = True,
    ) -> None:
        self.dtype = W.dtype
        self.shape = W.shape
        self.plan = plan
        self._driver = driver
        self.bases = bases
        self.p = np.arange(W.shape[1], dtype=np.intc)
        self.left = Product()
        self.R, self.k = W, 0
        self.method, self.decision = self._factor(W, cutoff, rng)

    @property
    def rank(self) -> int:
        """Columns that count."""
        return self.decision.rank

    def _factor(self, W: Array, cutoff: Cutoff, rng: Any) -> tuple[str, Decision]:
        """Fill in left, R, p and k, and decide."""
        (m, n), plan = W.shape, self.plan
        if min(m, n) == 0:
            return "empty", Decision(0, cutoff.absolute or 0.0, math.inf, 0.0, "bounds", 0.0)
        if plan.gram:
            proved = prove_by_gram(W, cutoff)
            if proved is not None:
                return "gram+cholesky", proved
        sizes: dict[str, Any] = {"size": max(m, n), "full": min(m, n), "cutoff": cutoff}
        scale = Scale.of(W)
        stop = stopping_norm(scale, sizes["size"], cutoff)
        limit = max(stop, math.sqrt(np.finfo(self.dtype).eps) * scale.sigma_1)
        qr = AvoidingQR(W, plan, limit)
        method, rank, noise = "qr", qr.k, qr.left
        if m > n and noise > (min(stop, self.rounding(scale.sigma_1)) if plan.left else stop):
            qr.complete()  # what is left becomes a small triangle
        self.p, self.k = qr.p, qr.k
        sigma_1 = max(scale.sigma_1, sigma_1_lower(W, rank))
        by_rz = ByRZ(self, qr, scale.norm, sigma_1, **sizes)
        decision: Decision | Doubt = Doubt(pivot=True)
        tried = False
        if noise > max(stop, 0.0):
            stop = stopping_norm(replace(scale, sigma_1=sigma_1), sizes["size"], cutoff)
        # What is left of dependent columns is their noise, times up to ||R11^-1 R12||, or what
        # a gap parts from all others.
        if 0 < rank < n:
            pivot = smallest_pivot(W, rank)
            weak = WEAK * cutoff.bracket(sigma_1, scale.norm)[1]
            gap = self.is_one_sided and is_gap(noise, pivot) and is_small_block(rank, n)
            if pivot < weak if noise <= stop else noise <= _NOISE * stop or gap:
                decision, tried = by_rz.decide(rank, noise), True
        if isinstance(decision, Doubt):
            if qr.left > max(stop, 0.0):
                qr.finish(stop)
                self.k, tried = qr.k, False
            if not tried:
                decision = prove(
                    W,
                    self.k,
                    qr.left,
                    **sizes,
                    sigma_1=sigma_1,
                    lower=by_rz.by_halves(self.k),
                    in_place=not plan.left,
                )
                if isinstance(decision, Doubt) and 0 < self.k < n:
                    decision = by_rz.decide(self.k, qr.left)
        factors = [qr.Q] if plan.left else []
        self.left = Product(*factors)
        left = qr.left
        if isinstance(decision, Doubt) and decision.pivot:
            core = np.asfortranarray(self.whole)
            Q, p, self.k, left = pivoted_qr(core, plan, stop=stop, rng=rng)
            self.left, self.p, self.R = Product(*factors, Q), self.p[p], core
            method = "qr+qrcp"
            decision = prove(core, self.k, left, **sizes, sigma_1=sigma_1, factors=2)
        if isinstance(decision, Doubt):
            decision = decide_by_sigma(
                self._all_sigma(left, sigma_1, cutoff), self.R, self.k, left, **sizes
            )
        return method, decision

    def _all_sigma(self, left: float, sigma_1: float, cutoff: Cutoff) -> Array:
        """Return the singular values of the factor, where need be with their vectors.

        The SVD is the one thing here that costs as much as its users', so there is only one: with
        vectors if a look at the triangle says that no other basis would be as good.
        """
        tails = tail_norms(self.R, self.k, left)
        diagonal = np.abs(np.diagonal(self.R)[: self.k])
        rank = int(np.count_nonzero(diagonal > cutoff.bracket(sigma_1, sigma_1)[0]))
        if not self.bases or tails[rank:].min() <= self.rounding(sigma_1):
            return self.sigma
        return self.svd[1]

    @property
    def is_one_sided(self) -> bool:
        """Whether nobody will solve: bases of one side are good enough without an SVD."""
        return not (self.plan.left and self.plan.right)

    def rounding(self, norm: float) -> float:
        """Return the residual that no other basis would be much below."""
        return _CLEAN * float(np.finfo(self.dtype).eps) * norm

    # ---- the factor ----

    @property
    def height(self) -> int:
        """Rows of `whole` that are not zero."""
        return self.k if self.k == self.shape[1] else int(self.R.shape[0])

    @property
    def whole(self) -> Array:
        """Q^H W P = (R1; R2): the trapezoid, and what the factorisation left below it."""
        rows = np.triu(self.R[: self.height])
        rows[self.k :, self.k :] = self.R[self.k : self.height, self.k :]
        return rows

    @property
    def remainder(self) -> Array:
        """R2, beside the first `rank` columns."""
        r, k = self.rank, self.k
        rows = np.triu(self.R[r : self.height, r:])
        rows[k - r :, k - r :] = self.R[k : self.height, k:]
        return rows

    @cached_property
    def rz(self) -> RZ:
        """RZ of R1; 0 < r < n."""
        return RZ(self.R, self.rank, below=not self.plan.left)

    def release(self) -> None:
        """Let the factors go; the rank, its proof and the RZ factorisation stay."""
        self.R = np.empty((0, self.shape[1]), self.dtype, order="F")
        self.left = Product()

    def release_rz(self) -> None:
        """Let the RZ factorisation go, if there is one."""
        self.__dict__.pop("rz", None)

    @cached_property
    def svd(self) -> tuple[Array, Array, Array]:
        """U, sigma, V^H of `whole`."""
        factors: tuple[Array, Array, Array] = svd(
            self.whole, full_matrices=False, check_finite=False, lapack_driver=self._driver
        )
        return factors

    @cached_property
    def sigma(self) -> Array:
        """Singular values of the trapezoid, descending, shape (k,)."""
        if "svd" in self.__dict__:
            return self.svd[1][: self.k]
        return singular_values(self.R, self.k, self._driver)

    @cached_property
    def sigma_1(self) -> float:
        """The largest, or a lower bound of it."""
        sigma = self.decision.sigma
        return sigma_1_lower(self.R, self.k) if sigma is None else float(sigma[0])

    @cached_property
    def is_clean(self) -> bool:
        """Whether ||R2|| is at rounding level, so that no other basis annihilates any better."""
        return self.decision.residual <= min(self.rounding(self.sigma_1), self.decision.tol)
