"""The rank of a QR by the RZ factorisation of its first rows, whatever columns came first.

    sigma_{r+1} <= ||A N|| = ||R2 N2||        N = (N1; N2) the null space of R1: N2 is small just
    sigma_r >= sigma_r(R1) = sigma_min(U)     where R11^-1 R12 is large

Where singular values near the cutoff are all that is left, a block of their size decides
(rank/deflated.py). What nobody wants, of the left side, gives its memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.orthogonal.reflectors import AvoidingQR, Reflectors
from fastsub.factor.orthogonal.rz import RZ
from fastsub.factor.products import product
from fastsub.factor.rank.cutoff import Cutoff, rounding_margin
from fastsub.factor.rank.decide import Decision, Doubt, prove, tail_norms
from fastsub.factor.rank.deflated import decide_by_block, is_small_block
from fastsub.factor.rank.inverse import frobenius, inverse_by_halves, sigma_1_lower
from fastsub.kernels import blas

if TYPE_CHECKING:
    from fastsub.factor.orthogonal.reveal import RevealingQR

# Of the power method, where the cutoff itself is wanted.
_STEPS = 30


class ByRZ:
    """What decides about one factorisation, of which it reads R, k, plan and shape.

    Parameters
    ----------
    F : RevealingQR
    qr : AvoidingQR
        What made its R; it may have to go on.
    norm, sigma_1 : float
        ``||A||_F``, and a lower bound of the largest singular value.
    size, full : int
    cutoff : Cutoff
        As for `decide.prove`.
    """

    def __init__(
        self,
        F: RevealingQR,
        qr: AvoidingQR,
        norm: float,
        sigma_1: float,
        *,
        size: int,
        full: int,
        cutoff: Cutoff,
    ) -> None:
        self._F, self._qr = F, qr
        self._norm, self._sigma_1 = norm, sigma_1
        self._size, self._full, self._cutoff = size, full, cutoff

    def decide(self, rank: int, noise: float) -> Decision | Doubt:
        """Decide from the first `rank` rows; noise is ``||R2||_F``."""
        F, n = self._F, self._F.shape[1]
        lower = self.by_halves(rank)
        rz, residual = RZ(F.R, rank, below=not F.plan.left), noise
        if noise > F.rounding(self._sigma_1):
            residual = math.hypot(*map(frobenius, self._times_null_space(rank, rz)))
            residual += (n - rank) ** 1.5 * float(np.finfo(F.dtype).eps) * noise
        decision = prove(
            F.R,
            rank,
            residual,
            size=self._size,
            full=self._full,
            cutoff=self._cutoff,
            sigma_1=self._sigma_1,
            factors=2,
            lower=lower,
            inverse=rz.inverse(F.R),
        )
        if isinstance(decision, Decision):
            decision.residual = noise
            F.rz = rz
        elif decision.above and F.is_one_sided and is_small_block(rank, n):
            return self._deflate(rank, noise, rz, lower) or decision
        return decision

    def by_halves(self, rank: int) -> float:
        """Return a lower bound of sigma_rank by two triangles of half its order; 0: not known.

        What R has below its diagonal is lost, so not where somebody wants the left side.
        """
        F = self._F
        if F.plan.left:
            return 0.0
        margin = rounding_margin(self._norm, self._size, F.dtype)
        least = self._cutoff.bracket(self._sigma_1, self._norm)[1] + margin
        return 1 / inverse_by_halves(F.R, rank, margin, least) - margin

    def _deflate(self, rank: int, noise: float, rz: RZ, lower: float) -> Decision | None:
        """Decide by the singular values of R2 N2; None: they cannot, or bases would be poor."""
        F = self._F
        G = np.concatenate(list(self._times_null_space(rank, rz)), axis=1)
        largest = max(self._sigma_1, sigma_1_lower(F.R, rank, _STEPS))
        answer = decide_by_block(
            G,
            rz.inverse(F.R),
            rank,
            noise,
            self._norm,
            largest,
            lower,
            size=self._size,
            full=self._full,
            cutoff=self._cutoff,
        )
        if answer is None:
            return None
        decision, U, following = answer
        if not F.bases:
            return decision
        if decision.rank == rank:
            F.rz = rz
            return decision
        return decision if self._span(rank, decision, U, following) else None

    def _span(self, k: int, decision: Decision, U: Array, following: Array) -> bool:
        """Bring the directions of R2 that count to its first rows; False: no gap, nothing is done.

        By their singular vectors U where only the right side is wanted, else by pivots.
        """
        F, qr, rank = self._F, self._qr, decision.rank
        if F.plan.left:
            if F.k < self._full:
                qr.finish(-1.0, rank)
                F.k = qr.k
            k, R2 = rank, self._remainder(rank)
            decision.residual = float(tail_norms(F.R, F.k, qr.left)[rank])
        else:
            R2, done = self._remainder(k), F.k
            rows = F.R[k:rank, k:]
            before = rows.copy()
            turned = product(U[:, : rank - k], R2, adjoint=True)
            Reflectors.of_qr(turned, min(turned.shape))
            rows[...] = turned
            F.k = rank
        if rank == self._F.shape[1]:
            return True
        rz = RZ(F.R, rank, below=not F.plan.left)
        got = math.hypot(
            *(frobenius(product(R2, N2)) for N2 in rz.bottom_rows(rank, F.shape[1], k))
        )
        # No null space of that dimension comes below the singular values that follow.
        best = max(3 * float(np.linalg.norm(following)), F.rounding(self._sigma_1))
        if got <= min(best, decision.tol):
            F.rz = rz
            return True
        if not F.plan.left:
            rows[...], F.k = before, done
        return False

    def _remainder(self, k: int) -> Array:
        """Return R2, what the first k columns leave."""
        F = self._F
        if F.k == F.shape[1]:
            return np.asfortranarray(np.triu(F.R[k : F.k, k:]))
        R2 = np.triu(F.R[k : F.height, k:])
        R2[F.k - k :, F.k - k :] = F.R[F.k : F.height, F.k :]
        return np.asfortranarray(R2)

    def _times_null_space(self, rank: int, rz: RZ) -> Iterator[Array]:
        """Yield R2 N2, some columns at a time."""
        F, n = self._F, self._F.shape[1]
        R2 = F.R[rank : F.height, rank:]
        for N2 in rz.bottom_rows(rank, n):
            if F.k == n:
                blas.py_trmm("L", "U", "N", "N", R2, N2)
                yield np.asfortranarray(N2)
            else:
                part = np.empty((R2.shape[0], N2.shape[1]), F.dtype, order="F")
                blas.py_gemm("N", "N", R2, N2, part)
                yield part
