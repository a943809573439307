"""Square least squares of deficient rank from an LU whose last pivots vanish: minimum norm.

    P W = L U,    L = (L11 0; L21 *),  U = (U11 U12; 0 S),  S at the level of rounding

* N, an orthonormal basis of (-U11^-1 U12; I), annihilates: sigma_{r+1}(A) <= ||A N|| (Courant &
  Fischer), a product with A itself, however much noise U12 amplifies.
* sigma_r(A) >= sigma_r of the first r columns of W >= sigma_r(L11) sigma_r(U11) - mu, as in lu.py.
* Y, an orthonormal basis of P^T (-L11^-H L21^H; I), is what W does not reach, and any inverse on
  the inside of two projectors is the pseudoinverse: with W^- = (U11^-1 L11^-1 0; 0 0) P,

      W^+ = (I - N N^H) W^- (I - Y Y^H)       (Ben-Israel & Greville 2003, chapter 2, theorem 10)

Y is only as good as S is small. The gradient A^H (b - A x) is made with A itself, so that refine.py
reaches the solution with the row space that N leaves: of A - A N N^H, which is A up to rounding.

Where pivots vanish on the way, their columns go last, once, and LU begins again. Where that does
not do, or nothing is proved, the answer is None.

References
----------
Ben-Israel & Greville, Generalized Inverses, 2nd ed. (2003).
Miranian & Gu, Strong rank revealing LU factorizations, Linear Algebra Appl. 367 (2003).
"""

from __future__ import annotations

import math

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.least_squares.backward import weigh
from fastsub.factor.least_squares.lu import LU, sigma_1_lower, sigma_min
from fastsub.factor.least_squares.refine import Answer, describe, refine
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
from fastsub.factor.rank.decide import Cutoff, Decision, certify, rounding_margin
from fastsub.factor.rank.inverse import frobenius
from fastsub.kernels import blas, lu

# ||A N||_F in units of eps ||A||_F: below, no other basis annihilates any better.
_CLEAN = 4.0
# Part of the order that the rank may lack, or a few: the bases of what it lacks are the memory that
# is taken beyond that of one copy.
_LACK, _FEW = 1 / 16, 8
_BLOCK = 32
# Columns of N at a time, that products with them take little memory.
_PANEL = 48


class DeficientFactor:
    """W^+ of the module's docstring, for A, as refine.py wants it.

    Attributes
    ----------
    decision : Decision or None
        None if the rank is not proved.
    N, Y : ndarray, shape (n, n - r)
        Orthonormal bases of what A annihilates and of what it does not reach.
    """

    scale: Array | None = None

    def __init__(self, A: Array, factor: LU, cutoff: Cutoff, *, honest: bool) -> None:
        n = len(A)
        self.decision: Decision | None = None
        self.squares, self.norm = factor.squares, factor.norm
        self._A = A if honest else None
        order, vanishing = np.arange(n), _vanishing(factor)
        r = n - int(np.count_nonzero(vanishing))
        if not 0 < n - r <= max(_FEW, _LACK * n) or r == 0:
            return
        if vanishing[:r].any():
            order = np.argsort(vanishing, kind="stable")
            factor.release()
            factor = LU(A, order)
            if not np.array_equal(_vanishing(factor), np.arange(n) >= r):
                return
        W, self._transposed = factor.W, factor.transposed
        self._rows, self._columns = factor.p[:r], order[:r]
        # (M; -I) for the M of the docstring's bases, once the inverses are there.
        Y, N = _above_identity(W[r:, :r].conj().T), _above_identity(W[:r, r:])
        self._T = T = _leading(W, r)
        del W
        factor.release()
        tops = lu.py_norms(T)
        # With the -I: bounds all the same.
        norms = [math.hypot(top, frobenius(C)) for top, C in zip(tops, (Y, N), strict=True)]
        lower = sigma_min(T, norms[1], lower=False)
        lower *= max(0.0, sigma_min(T, norms[0], lower=True)) if lower > 0 else 0.0
        lower -= rounding_margin(norms[0] * norms[1], n, A.dtype)
        tol_low, tol_high = factor.bracket(cutoff)
        if not lower > tol_high:
            return
        # The inverses stand in the place of L11 and U11 now.
        blas.py_trmm("L", "L", "C", "U", T, Y[:r])
        blas.py_trmm("L", "U", "N", "N", T, N[:r])
        self.Y = _orthonormal(Y, factor.p)
        del Y
        self.N = _orthonormal(N, order)
        del N
        if self._transposed:
            # W = A^T: what A annihilates is what W does not reach, and the other way round.
            self.Y, self.N = self.N.conj(), self.Y.conj()
        # What the conditions of U11 and (-M; I) have lost: N := N - A^+ A N.
        eps, lost, residual = float(np.finfo(A.dtype).eps), 0.0, 0.0
        panels = [slice(start, start + _PANEL) for start in range(0, n - r, _PANEL)]
        for panel in panels:
            change = self.rest(product(A, self.N[:, panel]))
            lost = math.hypot(lost, frobenius(change))
            self.N[:, panel] -= change
        if not lost**2 <= eps:  # or N would not stay orthonormal
            return
        for panel in panels:
            residual = math.hypot(residual, frobenius(product(A, self.N[:, panel])))
        upper = residual + rounding_margin(self.norm, n, A.dtype)
        if not (residual <= _CLEAN * eps * self.norm and upper <= tol_low):
            return
        self.decision = Decision(r, tol_low, lower, upper, "bounds", residual)

    def half(self, G: Array) -> Array:
        """Return A^+H G; G is lost."""
        return _project(self.Y, self._inside(_project(self.N, G), adjoint=True))

    def rest(self, Z: Array) -> Array:
        """Return A^+ Z; Z is lost."""
        X = self._inside(_project(self.Y, Z), adjoint=False)
        # Twice: what an ill-conditioned U11 amplified is cancelled to the level of X itself.
        return _project(self.N, _project(self.N, X))

    def weigh(self, theta: float, G: Array, *, plain: bool = False) -> Array | None:
        """Return K^-H G by the QR of (A; theta I), if an honest estimate is worth that."""
        del plain
        return None if self._A is None else weigh(self._A, theta, _project(self.N, G))

    def _inside(self, B: Array, *, adjoint: bool) -> Array:
        """Return A^- B, or A^-H B, from A^- = W^- or its transpose."""
        # W^- reads the pivot rows and writes the pivot columns; W^-T and W^-H the other way round.
        transposed = self._transposed != adjoint
        source, target = self._rows, self._columns
        if transposed:
            source, target = target, source
        C = np.asfortranarray(B[source])
        if adjoint:
            C = np.conj(C, out=C)
        lu.py_apply(self._T, C, transposed, True)
        X = np.zeros(B.shape, B.dtype, order="F")
        X[target] = C.conj() if adjoint else C
        return X


def solve_deficient(
    A: Array, B: Array, factor: LU, cutoff: Cutoff, *, honest: bool
) -> Answer | None:
    """Return the least-squares solution of A X = B of minimum norm, or None: not proved.

    Parameters
    ----------
    A : ndarray, shape (n, n)
        Such as `normal.py_reads` says.
    B : ndarray, shape (n, k)
        Fortran-ordered, finite.
    factor : LU
        Of A, safe; it is released.
    cutoff : Cutoff
    honest : bool
        Whether the backward error itself is wanted, not a bound that suffices.
    """
    inverse = DeficientFactor(A, factor, cutoff, honest=honest)
    decision = inverse.decision
    if decision is None:
        return None
    solution = refine(A, B, inverse, honest=honest)
    if solution is None:
        return None
    if honest:
        decision.tol = cutoff.bracket(sigma_1_lower(A, factor.norm), factor.norm)[0]
    certificate = certify(decision, f"lu, {describe(solution.steps)}", 0, solution.backward_error)
    return Answer(_project(inverse.N, solution.X), solution.residuals**2, certificate)


def _leading(W: Array, r: int) -> Array:
    """Return the leading r x r block in the memory of W, which is lost, without a copy of it."""
    flat = W.reshape(-1, order="F")
    for j in range(1, r):
        flat[j * r : (j + 1) * r] = W[:r, j]
    return flat[: r * r].reshape((r, r), order="F")


def _vanishing(factor: LU) -> Array:
    """Say of every pivot whether it is as small as PAQR puts off (orthogonal/reveal.py)."""
    pivots = np.abs(np.diagonal(factor.W))
    return np.asarray(pivots <= math.sqrt(float(np.finfo(pivots.dtype).eps)) * pivots.max())


def _above_identity(M: Array) -> Array:
    """Return (M; -I)."""
    r, C = len(M), zeros((sum(M.shape), M.shape[1]), M.dtype)
    C[:r] = M
    np.fill_diagonal(C[r:], -1)
    return C


def _orthonormal(C: Array, order: Array) -> Array:
    """Return an orthonormal basis of C, which is lost, its row i put at order[i]."""
    Q = Reflectors.of_qr(C, _BLOCK).columns(0, C.shape[1])
    C[order] = Q
    return C


def _project(V: Array, B: Array) -> Array:
    """Return (I - V V^H) B in the place of B."""
    blas.py_gemm("N", "N", V, product(V, B, adjoint=True), B, alpha=-1, beta=1)
    return B
