"""URV decomposition of a tall or square W: a unitary U, a triangle T, a unitary V.

    W = U [T 0; 0 0] V^H,    U (m, m), V (n, n), T (r, r) nonsingular,  m >= n

1. QR that pivots only where it must, with early stop, at the speed of gemm; most often bounds of
   its triangle prove the rank (decide.py);
2. where another choice of columns might, QR with column pivoting of that triangle (Chan's trick);
3. RZ of its first r rows, when a basis of the row side is asked for.

Where singular values had to decide and no gap separates the two sides, U and V are the singular
vectors of the triangle instead: then the bases are the best there are, as from SciPy's SVD.

References
----------
Chan, An improved algorithm for computing the singular value decomposition, ACM TOMS 8 (1982).
Stewart, Updating a rank-revealing ULV decomposition, SIAM J. Matrix Anal. Appl. 14 (1993).
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import svd

from fastsub.factor.arrays import Array, empty, product, zeros
from fastsub.factor.choose import Plan
from fastsub.factor.decide import (
    WEAK,
    Cutoff,
    Decision,
    Doubt,
    Scale,
    decide_by_sigma,
    prove,
    sigma_1_lower,
    singular_values,
    smallest_pivot,
    stopping_norm,
    tail_norms,
)
from fastsub.factor.fullrank import prove_by_gram
from fastsub.factor.reflectors import AvoidingQR, Product, Reflectors, pivoted_qr
from fastsub.kernels import blas, gram, qrcp, rz, triangular

# U, B and T of kernels/rz.pyx.
RZ = tuple[Array, Array, Array]

# Times the stopping norm: what is left of dependent columns may be noise up to here.
_NOISE = 1e4


class URV:
    """The decomposition, its rank and who decided it.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Fortran-ordered, m >= n; it is overwritten.
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
    rank : int
    decision : Decision
    method : str
        The path that answered.
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
        self.driver = driver
        self._bases = bases
        self.p = np.arange(W.shape[1], dtype=np.intc)
        self.left = Product()
        self.R, self.k = W, 0
        self.method, self.decision = self._factor(W, cutoff, rng)
        self.rank = self.decision.rank

    def _factor(self, W: Array, cutoff: Cutoff, rng: Any) -> tuple[str, Decision]:
        """Fill in left, R, p and k, and decide."""
        (m, n), plan = W.shape, self.plan
        if n == 0:
            return "empty", Decision(0, cutoff.absolute or 0.0, math.inf, 0.0, "bounds", 0.0)
        if plan.gram:
            proved = prove_by_gram(W, cutoff)
            if proved is not None:
                return "gram+cholesky", proved
        scale = Scale.of(W)
        stop = stopping_norm(scale, m, cutoff)
        limit = max(stop, math.sqrt(np.finfo(self.dtype).eps) * scale.sigma_1)
        qr = AvoidingQR(W, plan, limit)
        method, rank, noise = "qr", qr.k, qr.left
        if m > n and noise > (min(stop, self._rounding(scale.sigma_1)) if plan.left else stop):
            qr.complete()  # what is left becomes a small triangle
        self.p, self.k = qr.p, qr.k
        sigma_1 = max(scale.sigma_1, sigma_1_lower(W, rank))
        sizes: dict[str, Any] = {"size": m, "full": n, "cutoff": cutoff}
        decision: Decision | Doubt = Doubt(pivot=True)
        tried = False
        if noise > max(stop, 0.0):
            stop = stopping_norm(replace(scale, sigma_1=sigma_1), m, cutoff)
        # What is left of dependent columns is their noise, times up to ||R11^-1 R12||.
        if 0 < rank < n and noise <= _NOISE * stop:
            weak = WEAK * cutoff.bracket(sigma_1, scale.norm)[1]
            if noise > stop or smallest_pivot(W, rank) < weak:
                decision, tried = self._prove_by_rz(rank, noise, sigma_1, **sizes), True
        if isinstance(decision, Doubt):
            if qr.left > max(stop, 0.0):
                qr.finish(stop)
                self.k, tried = qr.k, False
            if not tried:
                decision = prove(
                    W, self.k, qr.left, **sizes, sigma_1=sigma_1, in_place=not plan.left
                )
                if isinstance(decision, Doubt) and 0 < self.k < n:
                    decision = self._prove_by_rz(self.k, qr.left, sigma_1, **sizes)
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

    def _prove_by_rz(
        self, rank: int, noise: float, sigma_1: float, *, size: int, full: int, cutoff: Cutoff
    ) -> Decision | Doubt:
        """Decide the rank from the RZ factorisation of R1, whatever columns R1 began with.

        sigma_{r+1} <= ||A N|| = ||R2 N2||, N = (N1; N2) the null space of R1: N2 is small just
        where R11^-1 R12 is large. sigma_r >= sigma_r(R1) = sigma_min(U).
        """
        n, residual = self.shape[1], noise
        rz_factors = self._factor_rz(rank, in_place=False)
        if noise > self._rounding(sigma_1):
            R2 = self.R[rank : self.height, rank:]
            R2 = np.triu(R2) if self.k == n else np.asfortranarray(R2)
            N = self._rz_columns(rz_factors, rank, n, np.arange(n, dtype=np.intc))
            norms = np.empty(2 * (n - rank))
            residual = qrcp.py_column_norms(product(R2, np.asfortranarray(N[rank:])), norms)
            residual += (n - rank) ** 1.5 * float(np.finfo(self.dtype).eps) * noise
        U = rz_factors[0]
        decision = prove(
            U,
            rank,
            residual,
            size=size,
            full=full,
            cutoff=cutoff,
            sigma_1=sigma_1,
            factors=2,
            in_place=True,
        )
        if isinstance(decision, Doubt):
            return decision
        if decision.rank != rank:
            return Doubt(pivot=True)
        decision.residual = noise
        self._rz = rz_factors
        return decision

    def _all_sigma(self, left: float, sigma_1: float, cutoff: Cutoff) -> Array:
        """Return the singular values of the factor, where need be with their vectors.

        The SVD is the one thing here that costs as much as its users', so there is only one: with
        vectors if a look at the triangle says that no other basis would be as good.
        """
        tails = tail_norms(self.R, self.k, left)
        diagonal = np.abs(np.diagonal(self.R)[: self.k])
        rank = int(np.count_nonzero(diagonal > cutoff.bracket(sigma_1, sigma_1)[0]))
        if not self._bases or tails[rank:].min() <= self._rounding(sigma_1):
            return self.sigma
        return self._svd[1]

    # ---- bases ----

    def left_basis(self) -> Array:
        """First r columns of U: the column space, shape (m, r)."""
        r = self.rank
        if r == 0:
            return empty((self.shape[0], 0), self.dtype)
        if self._is_clean and len(self.left.factors) == 1:
            return self.left.factors[0].first(r).columns(0, r)
        Q, start = self._turned
        # A product of many reflectors is orthonormal but for their rounding: Cholesky QR is safe.
        U1 = Q.columns(start, start + r)
        G = np.empty((r, r), self.dtype, order="F")
        gram.py_gram(U1, G)
        gram.py_cholesky(G)
        blas.py_trsm("R", "U", "N", "N", G, U1)
        return U1

    def left_null(self) -> Array:
        """Last m - r columns of U: the left null space, shape (m, m - r)."""
        m, r = self.shape[0], self.rank
        if r == m:
            return empty((m, 0), self.dtype)
        if self._is_clean and len(self.left.factors) == 1:
            return self.left.factors[0].first(r).columns(r, m)
        Q, start = self._turned
        if start and self.height == m:
            return Q.columns(0, start)
        # As r reflectors instead of n and more: half the work, and reflectors of columns that are
        # rounding noise add no noise of their own.
        return Reflectors.of_qr(self.left_basis(), self.plan.block).columns(r, m)

    @cached_property
    def _turned(self) -> tuple[Product, int]:
        """The left factor, turned where QR's is not the best, and where its column space starts.

        In coordinates of V, Q^H W = (R1; R2) is [T 0; E G]: a turn by about ||E|| / sigma_r leaves
        of ||R2|| only ||G||, that is sigma_{r+1} (one step of QR iteration; Stewart 1993). Of the
        two sides the smaller is turned: (y; I) with T^H y = -E^H spans the left null space.
        """
        rows, r = self.height, self.rank
        if self._is_clean:
            return self.left, 0
        start = 0
        if self._vectors is not None:
            G = self._vectors[0][:, :r].copy(order="F")
        elif rows - r > r:
            return Product(*self.left.factors, self._from_row_space), 0
        else:
            start = rows - r
            V1 = self.right_basis()[self.p]
            E = product(self.whole[r:, r:], V1[r:])
            y = np.asfortranarray(-E.conj().T)
            # R1 = J U^H V1^H, so U J y = -E^H.
            blas.py_trsm("L", "U", "N", "N", self._rz[0], y)
            G = empty((rows, start), self.dtype)
            G[:r] = y[::-1]
            G[r:] = np.eye(start)
        return Product(*self.left.factors, Reflectors.of_qr(G, self.plan.block)), start

    @cached_property
    def _from_row_space(self) -> Reflectors:
        """QR of (R1; R2) V1, V1 the row space: the triangle takes its coordinates to U1's."""
        G = product(self.whole, self.right_basis()[self.p])
        return Reflectors.of_qr(G, self.plan.block)

    @cached_property
    def _right_vectors(self) -> Reflectors:
        """V by the reflectors of its first r columns: LAPACK's are only nearly orthonormal.

        Of A = U1 S1 V1^H + U2 S2 V2^H + E nothing is left but S2 and E on what is orthogonal to
        V1, whatever the angle between the computed V1 and V2.
        """
        assert self._vectors is not None
        V1 = self._unpermute(self._vectors[2][: self.rank].conj().T)
        return Reflectors.of_qr(V1, self.plan.block)

    def right_basis(self) -> Array:
        """First r columns of V: the row space, shape (n, r)."""
        n, r = self.shape[1], self.rank
        if r == 0:
            return empty((n, 0), self.dtype)
        if r == n:
            return self._unpermute(np.eye(n, dtype=self.dtype))
        if self._vectors is not None:
            return self._right_vectors.columns(0, r)
        return self._rz_columns(self._rz, 0, r, self.p)

    @cached_property
    def _row_space(self) -> Array:
        """The same, for many right-hand sides."""
        return self.right_basis()

    def right_null(self) -> Array:
        """Last n - r columns of V: the null space, shape (n, n - r)."""
        n, r = self.shape[1], self.rank
        if r == n:
            return empty((n, 0), self.dtype)
        if self._vectors is not None:
            return self._right_vectors.columns(r, n)
        if 2 * r > n:
            return self._rz_columns(self._rz, r, n, self.p)
        B, T = self._rz[1:]
        C = empty((n, n - r), self.dtype)
        # R is done with if nobody wants the left side.
        Y = np.empty((n, r), self.dtype, order="F") if self.plan.left else self.R[:, :r]
        if Y.shape[0] != n or not Y.flags.f_contiguous:
            Y = np.empty((n, r), self.dtype, order="F")
        rz.py_rz_complement(B, T, self.p, C, Y, np.empty(n * r, self.dtype))
        return C

    def _rz_columns(self, rz_factors: RZ, start: int, stop: int, rows: Array) -> Array:
        """Return columns of diag(J, I) Z, row i put at rows[i]."""
        B, T = rz_factors[1:]
        C = empty((self.shape[1], stop - start), self.dtype)
        if C.size:
            work = np.empty(max(T.shape[0] * C.shape[1], C.shape[0]), self.dtype)
            rz.py_rz_columns(B, T, rows, C, start, work)
        return C

    @cached_property
    def _rz(self) -> RZ:
        return self._factor_rz(self.rank, in_place=not self.plan.left)

    def _factor_rz(self, r: int, *, in_place: bool) -> RZ:
        """Return U, B, T of kernels/rz.pyx; 0 < r < n."""
        n = self.shape[1]
        block = min(32, r)
        B, T = (empty(shape, self.dtype) for shape in ((n - r, r), (block, r)))
        work = np.empty(block * r, self.dtype)
        if in_place:
            rz.py_rz_in_place(self.R, B, T, work)
            return self.R, B, T
        U = empty((r, r), self.dtype)
        rz.py_rz(self.R, U, B, T, work)
        return U, B, T

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

    def _unpermute(self, rows: Array) -> Array:
        out = np.empty_like(rows, order="F")
        out[self.p] = rows
        return out

    @property
    def _is_clean(self) -> bool:
        """Whether ||R2|| is at rounding level, so that no other basis annihilates any better."""
        return self.decision.residual <= min(self._rounding(self._largest), self.decision.tol)

    def _rounding(self, norm: float) -> float:
        """Return the residual that no other basis would be much below."""
        return 20 * float(np.finfo(self.dtype).eps) * norm

    @cached_property
    def _largest(self) -> float:
        sigma = self.decision.sigma
        if sigma is not None:
            return float(sigma[0])
        return sigma_1_lower(self.R, self.k)

    @cached_property
    def _svd(self) -> tuple[Array, Array, Array]:
        """U, sigma, V^H of Q^H W P."""
        factors: tuple[Array, Array, Array] = svd(
            self.whole, full_matrices=False, check_finite=False, lapack_driver=self.driver
        )
        return factors

    @cached_property
    def _vectors(self) -> tuple[Array, Array, Array] | None:
        """The same; None where RZ's right side is as good.

        With the gap ||R2|| <= sigma_min(R11), that is in every decision by bounds, RZ's null space
        has ||A N|| <= sqrt(2) sigma_{r+1}: the (2, 1) block R2 V1 can only rotate it by
        ||R2 V1 T^-1|| <= 1 (Stewart, Updating a rank-revealing ULV decomposition, SIMAX 14, 1993).
        """
        decision = self.decision
        if decision.sigma is None or self._is_clean:
            return None
        following = decision.sigma[self.rank] if self.rank < decision.sigma.size else 0.0
        if self.rank > 0 and decision.residual <= min(3 * float(following), decision.tol):
            return None
        return self._svd

    # ---- solving; B (m, k) or (n, k) is Fortran-ordered and overwritten ----

    def solve(self, B: Array) -> Array:
        """W x = b: x = V1 T^-1 U1^H b."""
        r, n = self.rank, self.shape[1]
        if self._vectors is not None:
            self.left.apply(B, adjoint=True)
            U, sigma, Vh = self._vectors
            C = product(U[:, :r], B[: U.shape[0]], adjoint=True) / sigma[:r, None]
            return self._unpermute(product(Vh[:r], C, adjoint=True))
        self.left.apply(B, adjoint=True)
        C = np.asfortranarray(B[:r])
        if r == n:
            blas.py_trsm("L", "U", "N", "N", self._triangle, C)
            return self._unpermute(C)
        if not self._is_clean:
            # R2 may be more than the cutoff: only R2 V1 matters, and matters not to V1's side.
            Q = self._from_row_space
            C = np.asfortranarray(B[: self.height])
            Q.apply(C, adjoint=True)
            C = np.asfortranarray(C[:r])
            blas.py_trsm("L", "U", "N", "N", np.asfortranarray(Q.V[:r]), C)
            return product(self.right_basis(), C)
        # [R11 R12] = J U^H J [J 0] Z^H: reverse, solve with U^H, and lift by V1 = Z[:, :r].
        C = np.asfortranarray(C[::-1])
        blas.py_trsm("L", "U", "C", "N", self._rz[0], C)
        return product(self.right_basis(), C)

    def solve_adjoint(self, B: Array) -> Array:
        """W^H x = b: x = U1 T^-H V1^H b."""
        if self._vectors is not None:
            return self._lift_adjoint(product(self._vectors[2][: self.rank], B[self.p]))
        if self.rank == self.shape[1]:
            return self._lift_adjoint(np.asfortranarray(B[self.p]))
        return self._lift_adjoint(product(self._row_space, B, adjoint=True))

    def pinv_adjoint(self) -> Array:
        """Return the pseudoinverse of W^H, U1 T^-H V1^H, shape (m, n)."""
        r, n = self.rank, self.shape[1]
        if self._vectors is not None:
            V1 = self._unpermute(self._vectors[2][:r].conj().T)
        elif r < n or len(self.left.factors) > 1:
            V1 = self._row_space
        else:
            # Columns of Q, and a triangular solve of as many rows, cost less than Q times a matrix.
            U1 = self.left.columns(0, r)
            blas.py_trsm("R", "U", "C", "N", self._triangle, U1)
            if np.array_equal(self.p, np.arange(n)):
                return U1
            X = empty(U1.shape, self.dtype)
            X[:, self.p] = U1
            return X
        return self._lift_adjoint(np.array(V1.conj().T, order="F"))

    def _lift_adjoint(self, C: Array) -> Array:
        """Return U1 T^-H C, C (r, k) in coordinates of V1 and overwritten."""
        r, m = self.rank, self.shape[0]
        X = zeros((m, C.shape[1]), self.dtype)
        if self._vectors is not None:
            U, sigma, _ = self._vectors
            X[: U.shape[0]] = product(U[:, :r], C / sigma[:r, None])
        elif r == self.shape[1]:
            blas.py_trsm("L", "U", "C", "N", self._triangle, C)
            X[:r] = C
        else:
            self._lift_by_rz(X, C)
        self.left.apply(X)
        return X

    def _lift_by_rz(self, X: Array, C: Array) -> None:
        """Fill X (m, k) with (T; E)^+H C, (T; E) = (R1; R2) V1; X comes as zeros.

        (T; E)^+H = (I; F) T^-H (I + F^H F)^-1 with F = E T^-1, which is noise over sigma_r at most:
        its square is dropped below the unit roundoff.
        """
        r, height = self.rank, self.height
        F = None
        if not self._is_clean:
            F = product(self.whole[r:, r:], self._row_space[self.p][r:])
            # R1 V1 = T = J U^H.
            blas.py_trsm("R", "U", "C", "N", self._rz[0], F)
            norm = qrcp.py_column_norms(F, np.empty(2 * r))
            if norm * norm > np.finfo(self.dtype).eps / 2:
                Q = self._from_row_space
                blas.py_trsm("L", "U", "C", "N", np.asfortranarray(Q.V[:r]), C)
                D = zeros((height, C.shape[1]), self.dtype)
                D[:r] = C
                Q.apply(D)
                X[:height] = D
                return
        blas.py_trsm("L", "U", "N", "N", self._rz[0], C)
        X[:r] = C[::-1]
        if F is not None:
            X[r:height] = product(F, C)

    @property
    def _triangle(self) -> Array:
        """R11 in Fortran order (its lower part is not zero)."""
        return np.asfortranarray(self.R[: self.rank, : self.rank])

    # ---- spectrum ----

    @cached_property
    def sigma(self) -> Array:
        """Singular values of the trapezoid, descending, shape (k,)."""
        if "_svd" in self.__dict__:
            return self._svd[1][: self.k]
        return singular_values(self.R, self.k, self.driver)

    @cached_property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_r``, within a small factor; nan at rank 0."""
        r = self.rank
        if r == 0:
            return math.nan
        if self.decision.sigma is not None:
            return float(self.decision.sigma[0] / self.decision.sigma[r - 1])
        # Its first columns may be a bad choice: of the rows that the rank keeps T tells more.
        T = self.R if r == self.shape[1] else self._rz[0]
        X = np.empty((r, r), self.dtype, order="F")
        triangular.py_inverse(T, X)
        work = np.empty(2 * r, self.dtype)
        return self._largest * float(triangular.py_sigma_max_lower(X, r, work, 10))
