"""URV decomposition of W: a unitary U, a triangle T, a unitary V; all four bases, and solving.

    W = U [T 0; 0 0] V^H,    U (m, m), V (n, n), T (r, r) nonsingular

U is the left factor of a rank-revealing QR (reveal.py) as reflectors, V that of the RZ
factorisation of its first r rows (rz.py), made when a basis of the row side is asked for.

Where singular values had to decide and no gap separates the two sides, U and V are the singular
vectors of the triangle instead: then the bases are the best there are, as from SciPy's SVD.

A plan for one side alone keeps no memory for the other: what is dead is overwritten, or let go.

References
----------
Stewart, Updating a rank-revealing ULV decomposition, SIAM J. Matrix Anal. Appl. 14 (1993).
Golub & Van Loan, Matrix Computations, 4th ed. (2013), section 5.4.7.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from fastsub.factor import substitution
from fastsub.factor.arrays import Array
from fastsub.factor.memory import empty, zeros
from fastsub.factor.orthogonal.pseudoinverse import divide_by_trapezoid, move_columns
from fastsub.factor.orthogonal.reflectors import ALTERNATIVE, Product, Reflectors
from fastsub.factor.orthogonal.reveal import RevealingQR
from fastsub.factor.orthogonal.row_space import OnRowSpace
from fastsub.factor.orthogonal.rz import RZ
from fastsub.factor.products import product
from fastsub.kernels import blas, triangular

# Columns of a pseudoinverse at a time, where it is made by solving.
_PANEL = 256


class URV:
    """The decomposition.

    Parameters
    ----------
    qr : RevealingQR
        Of W, shape (m, n); the left side is there if its plan keeps it, and wants m >= n.
    """

    def __init__(self, qr: RevealingQR) -> None:
        self.qr = qr
        self.dtype = qr.dtype
        self.shape = qr.shape
        self.rank = qr.rank

    # ---- bases ----

    def left_basis(self) -> Array:
        """First r columns of U: the column space, shape (m, r)."""
        r = self.rank
        if r == 0:
            return empty((self.shape[0], 0), self.dtype)
        if "_compressed" in self.__dict__:
            return self._compressed.columns(0, r)
        if self._is_single:
            return self.qr.left.factors[0].first(r).columns(0, r)
        Q, start = self._turned
        # A product of many reflectors is orthonormal but for their rounding: Cholesky QR is safe.
        U1 = Q.columns(start, start + r)
        G = empty((r, r), self.dtype) if self.qr.plan.right else self.qr.R[:r, :r]
        blas.py_herk("U", "C", U1, G)
        blas.py_potrf("U", G)
        blas.py_trsm("R", "U", "N", "N", G, U1)
        return U1

    def left_null(self) -> Array:
        """Last m - r columns of U: the left null space, shape (m, m - r)."""
        m, r = self.shape[0], self.rank
        if r == m:
            return empty((m, 0), self.dtype)
        if self._is_single:
            one = self.qr.left.factors[0].first(r)
            return one.columns(r, m, consume=not self.qr.plan.right)
        if not self._turned[1]:
            # No name here holds the factors, which may be let go.
            return self._compressed.columns(r, m, consume=True)
        Q, start = self._turned
        C = empty((m, m - r), self.dtype, ALTERNATIVE)
        Q.columns(0, start, out=C[:, :start])
        if m > self.qr.height:
            consume = not self.qr.plan.right
            Q.columns(self.qr.height, m, consume=consume, out=C[:, start:])
        return C

    @property
    def _is_single(self) -> bool:
        """Whether the reflectors of the first columns alone make the best bases."""
        return self.qr.is_clean and len(self.qr.left.factors) == 1

    @cached_property
    def _compressed(self) -> Reflectors:
        """U as r reflectors instead of n and more.

        Half the work for the columns from r on, and reflectors of columns that are rounding noise
        add no noise of their own.
        """
        U1 = self.left_basis()
        if not self.qr.plan.right:
            self.qr.release()
            self.__dict__.pop("_turned")
        return Reflectors.of_qr(U1, self.qr.plan.block)

    @cached_property
    def _turned(self) -> tuple[Product, int]:
        """The left factor, turned where QR's is not the best, and where its column space starts.

        In coordinates of V, Q^H W = (R1; R2) is [T 0; E G]: a turn by about ||E|| / sigma_r leaves
        of ||R2|| only ||G||, that is sigma_{r+1} (one step of QR iteration; Stewart 1993). Of the
        two sides the smaller is turned: (y; I) with T^H y = -E^H spans the left null space.
        """
        qr = self.qr
        rows, r = qr.height, self.rank
        if qr.is_clean:
            return qr.left, 0
        start = 0
        if self._vectors is not None:
            G = self._vectors[0][:, :r].copy(order="F")
            turn = Reflectors.of_qr(G, qr.plan.block)
        elif rows - r > r:
            turn = self._from_row_space
        else:
            start = rows - r
            # E^H, the first rows of Z^H (0; R2^H)
            C = empty((self.shape[1], start), self.dtype)
            C[:r] = 0
            np.conj(qr.remainder.T, out=C[r:])
            qr.rz.apply(C, adjoint=True)
            y = np.asfortranarray(-C[:r])
            # R1 = J U^H V1^H, so U J y = -E^H.
            blas.py_trsm("L", "U", "N", "N", qr.rz.U, y)
            G = empty((rows, start), self.dtype)
            G[:r] = y[::-1]
            G[r:] = np.eye(start)
            turn = Reflectors.of_qr(G, qr.plan.block)
        if not qr.plan.right:
            qr.release_rz()
        return Product(*qr.left.factors, turn), start

    @cached_property
    def _from_row_space(self) -> Reflectors:
        """QR of (R1; R2) V1 = (J U^H; E), V1 the row space: its coordinates to U1's."""
        qr, r = self.qr, self.rank
        G = empty((qr.height, r), self.dtype)
        G[:r] = np.triu(qr.rz.U).conj().T[::-1]
        if qr.height > r:
            R2, start = qr.remainder, 0
            for V1 in qr.rz.bottom_rows(0, r):
                G[r:, start : start + V1.shape[1]] = product(R2, V1)
                start += V1.shape[1]
        return Reflectors.of_qr(G, qr.plan.block)

    @cached_property
    def _right_vectors(self) -> Reflectors:
        """V by the reflectors of its first r columns: LAPACK's are only nearly orthonormal.

        Of A = U1 S1 V1^H + U2 S2 V2^H + E nothing is left but S2 and E on what is orthogonal to
        V1, whatever the angle between the computed V1 and V2.
        """
        assert self._vectors is not None
        V1 = self._unpermute(self._vectors[2][: self.rank].conj().T)
        return Reflectors.of_qr(V1, self.qr.plan.block)

    def right_basis(self) -> Array:
        """First r columns of V: the row space, shape (n, r)."""
        n, r = self.shape[1], self.rank
        if r == 0:
            return empty((n, 0), self.dtype)
        if r == n:
            return self._unpermute(np.eye(n, dtype=self.dtype))
        if self._vectors is not None:
            return self._right_vectors.columns(0, r)
        return self._right().columns(0, r, self.qr.p)

    def right_null(self) -> Array:
        """Last n - r columns of V: the null space, shape (n, n - r)."""
        n, r = self.shape[1], self.rank
        if r == n:
            return empty((n, 0), self.dtype)
        if self._vectors is not None:
            return self._right_vectors.columns(r, n)
        return self._right().null_space(self.qr.p)

    def _right(self) -> RZ:
        """The factors of the right side, and if nobody wants the left one, nothing else."""
        rz = self.qr.rz
        if not self.qr.plan.left:
            self.qr.release()
        return rz

    def _unpermute(self, rows: Array) -> Array:
        out = np.empty_like(rows, order="F")
        out[self.qr.p] = rows
        return out

    @cached_property
    def _vectors(self) -> tuple[Array, Array, Array] | None:
        """U, sigma, V^H of Q^H W P; None where RZ's right side is as good.

        With the gap ||R2|| <= sigma_min(R11), that is in every decision by bounds, RZ's null space
        has ||A N|| <= sqrt(2) sigma_{r+1}: the (2, 1) block R2 V1 can only rotate it by
        ||R2 V1 T^-1|| <= 1 (Stewart, Updating a rank-revealing ULV decomposition, SIMAX 14, 1993).
        """
        decision = self.qr.decision
        if decision.sigma is None or self.qr.is_clean:
            return None
        following = decision.sigma[self.rank] if self.rank < decision.sigma.size else 0.0
        if self.rank > 0 and decision.residual <= min(3 * float(following), decision.tol):
            return None
        return self.qr.svd

    # ---- solving; B (m, k) or (n, k) is Fortran-ordered and overwritten ----

    def solve(self, B: Array) -> Array:
        """W x = b: x = V1 T^-1 U1^H b."""
        r, n = self.rank, self.shape[1]
        if self._vectors is not None:
            self.qr.left.apply(B, adjoint=True)
            U, sigma, Vh = self._vectors
            C = product(U[:, :r], B[: U.shape[0]], adjoint=True) / sigma[:r, None]
            return self._unpermute(product(Vh[:r], C, adjoint=True))
        self.qr.left.apply(B, adjoint=True)
        C = np.asfortranarray(B[:r])
        if r == n:
            blas.py_trsm("L", "U", "N", "N", self._triangle, C)
            return self._unpermute(C)
        if self._on_row_space.terms is None:
            # R2 may be more than the cutoff: only R2 V1 matters, and matters not to V1's side.
            Q = self._from_row_space
            C = np.asfortranarray(B[: self.qr.height])
            Q.apply(C, adjoint=True)
            C = np.asfortranarray(C[:r])
            blas.py_trsm("L", "U", "N", "N", np.asfortranarray(Q.V[:r]), C)
            return product(self.right_basis(), C)
        C = self._on_row_space.fit(C, B[r : self.qr.height])
        return self._unpermute(self._on_row_space.lift(C))

    def solve_adjoint(self, B: Array) -> Array:
        """W^H x = b: x = U1 T^-H V1^H b."""
        if self._vectors is not None:
            return self._lift_adjoint(product(self._vectors[2][: self.rank], B[self.qr.p]))
        if self.rank == self.shape[1]:
            return self._lift_adjoint(np.asfortranarray(B[self.qr.p]))
        return self._lift_adjoint(self._on_row_space.coordinates(B[self.qr.p]))

    def pinv_adjoint(self, *, consume: bool = False) -> Array:
        """Return the pseudoinverse of W^H, U1 T^-H V1^H, shape (m, n).

        consume: the factors may be lost, and the result is all the memory that is taken.
        """
        (m, n), r, qr = self.shape, self.rank, self.qr
        direct = self._vectors is None
        terms = self._on_row_space.terms if direct and r < n else None
        if consume and terms in (0, 1):
            self.__dict__.pop("_on_row_space")
            qr.release_rz()
            return self._pinv_in_place(is_clean=terms == 0)
        X = empty((m, n), self.dtype)
        if direct and r == n:
            qr.left.columns(0, n, out=X)
            substitution.divide(X, qr.R[:n, :n], adjoint=True)
            move_columns(X, qr.p)
            return X
        for start in range(0, n, _PANEL):
            stop = min(start + _PANEL, n)
            X[:, start:stop] = self.solve_adjoint(
                np.eye(n, stop - start, -start, dtype=self.dtype, order="F")
            )
        return X

    def _pinv_in_place(self, *, is_clean: bool) -> Array:
        """Return the pseudoinverse of W^H; the factors are lost."""
        (m, n), r, qr = self.shape, self.rank, self.qr
        X, R = empty((m, n), self.dtype), qr.R
        if is_clean:
            qr.left.columns(0, r, out=X[:, :r])
        elif qr.k == n:
            qr.left.columns(0, n, out=X)
            blas.py_trmm("R", "U", "N", "N", R[r:n, r:], X[:, r:])
        else:
            qr.left.columns(0, r, out=X[:, :r])
            X[:, r:] = 0
            X[r : qr.height, r:] = qr.remainder
            qr.left.apply(X[:, r:])
        qr.release()
        # What is below the diagonal is dead now.
        divide_by_trapezoid(X, RZ(R, r, below=True), R, qr.p, is_clean=is_clean)
        return X

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
        self.qr.left.apply(X)
        return X

    @cached_property
    def _on_row_space(self) -> OnRowSpace:
        return OnRowSpace(self.qr)

    def _lift_by_rz(self, X: Array, C: Array) -> None:
        """Fill X (m, k) with (T; E)^+H C, (T; E) = (R1; R2) V1; X comes as zeros."""
        qr, r = self.qr, self.rank
        if self._on_row_space.terms is None:
            Q = self._from_row_space
            blas.py_trsm("L", "U", "C", "N", np.asfortranarray(Q.V[:r]), C)
            D = zeros((qr.height, C.shape[1]), self.dtype)
            D[:r] = C
            Q.apply(D)
            X[: qr.height] = D
            return
        X[:r], below = self._on_row_space.fit_adjoint(C)
        if below is not None:
            X[r : qr.height] = below

    @property
    def _triangle(self) -> Array:
        """R11 in Fortran order (its lower part is not zero)."""
        return np.asfortranarray(self.qr.R[: self.rank, : self.rank])

    @cached_property
    def condition(self) -> float:
        """Estimate of ``sigma_1 / sigma_r``, within a small factor; nan at rank 0."""
        r, sigma = self.rank, self.qr.decision.sigma
        if r == 0:
            return math.nan
        if sigma is not None:
            return float(sigma[0] / sigma[r - 1])
        # Its first columns may be a bad choice: of the rows that the rank keeps T tells more.
        T = self.qr.R if r == self.shape[1] else self.qr.rz.U
        X = np.empty((r, r), self.dtype, order="F")
        triangular.py_inverse(T, X)
        work = np.empty(2 * r, self.dtype)
        return self.qr.sigma_1 * float(triangular.py_sigma_max_lower(X, r, work, 10))
