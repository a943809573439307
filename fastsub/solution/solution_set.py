"""Every solution of A x = b: one of them, and the directions in which it may move.

Two questions decide how many there are: is b in the image of A, and is the null space trivial?
Where b is not in the image the set describes the least-squares solutions instead: those of
A x = p, p the nearest point of the image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import norm as scaled_norm

from fastsub.factor.arrays import Array, as_array
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.products import product
from fastsub.html import card
from fastsub.kernels import blas
from fastsub.solution.factors import Factors
from fastsub.subspace.subspace import Subspace
from fastsub.subspace.vectors import Vectors, column_norms, default_tol

_SEED = 19870314
_WORDS = {
    "unique": "exactly one solution",
    "infinite": "infinitely many solutions",
    "none": "no solution; below are those of least squares",
}


class SolutionSet:
    """The set of all x with A x = b, as `fastsub.solutions` returns it; b a vector or columns.

    Attributes
    ----------
    kind : str, or ndarray of str, shape (k,)
        ``"unique"``, ``"infinite"`` or ``"none"``.
    particular : ndarray, shape (n,) or (n, k)
        The solution of least norm; the least-squares solution of least norm where there is none.
    directions : Subspace
        The null space of A: the differences of two solutions.
    residual : ndarray, shape (m,) or (m, k)
        ``b - A @ particular``, orthogonal to the image.
    residual_norm : float, or ndarray, shape (k,)
        How far b is from the image.
    nearest_b : ndarray, shape (m,) or (m, k)
        The point of the image that is nearest to b: its projection.
    backward_error : float, or ndarray, shape (k,)
        ``norm(b - A x) / (norm(A) norm(x) + norm(b))``, Frobenius norm of A (Rigal & Gaches 1967):
        how much A and b must change, relatively, for x to be a solution.
    rtol : float
        The backward error up to which b counts as in the image.
    certificate : Certificate
        Of the rank of A.

    Notes
    -----
    It unpacks as ``particular, directions``. A is kept by reference, for ``x in S``.

    Examples
    --------
    >>> import fastsub
    >>> S = fastsub.solutions([[1, 2], [3, 6], [4, 8]], [5, 15, 20])
    >>> S.kind, S.particular.round(12), S.directions.equations()
    ('infinite', array([1., 2.]), ['x₁ + 2x₂ = 0'])
    >>> [5, 0] in S, [0, 0] in S
    (True, False)
    """

    def __init__(
        self, A: Array, b: Any, factors: Factors, directions: Subspace, rtol: float | None = None
    ) -> None:
        vectors = Vectors(b, A.shape[0], A.dtype, "b")
        self._A, self._turn = A, factors.turn
        self.directions, self.certificate = directions, factors.certificate
        self._norm = self._frobenius()
        B = vectors.columns
        X = factors.solve(B)
        R = np.subtract(B, self._image(X), order="F")
        error = self._backward_error(*map(vectors.norms, (X, B, R)))
        self.rtol = max(A.shape) * float(np.finfo(A.dtype).eps) if rtol is None else rtol
        if np.any(error > self.rtol):
            # One step of refinement: what is left then is b's, not the factorisation's.
            X2 = X + factors.solve(R)
            R2 = np.subtract(B, self._image(X2), order="F")
            error2 = self._backward_error(*map(vectors.norms, (X2, B, R2)))
            X, R = (vectors.where(error2 < error, *pair) for pair in ((X2, X), (R2, R)))
            error = np.minimum(error, error2)
        consistent = error <= self.rtol
        one = "unique" if directions.dim == 0 else "infinite"
        kinds = np.where(consistent, one, "none")
        self.kind = str(kinds[0]) if vectors.alone else kinds
        self.backward_error = float(error[0]) if vectors.alone else error
        self.residual_norm = vectors.lengths(vectors.norms(R))
        self.nearest_b = vectors.restore(np.subtract(B, R, order="F"))
        self.residual = vectors.restore(R)
        self.particular = vectors.restore(X)
        self._b = vectors.restore(B)

    def _frobenius(self) -> float:
        # nrm2 scales as it goes; the entries themselves may have squares out of range.
        A = self._A
        return float(scaled_norm(A.ravel(order="K"), check_finite=False)) if A.size else 0.0

    def _image(self, X: Array) -> Array:
        """Return A X."""
        return product(self._A, X)

    def _backward_error(self, x: Array, b: Array, r: Array) -> Array:
        """Return r / (norm(A) x + b) of norms, in an order that does not overflow."""
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            error = 1 / (self._norm * (x / r) + b / r)
        return np.where(r == 0, 0.0, error)

    @cached_property
    def determined(self) -> Array:
        """Mask of the components that are the same in every solution, shape (n,).

        Those where every direction is zero, to what the cutoff of the rank explains.
        """
        n, (half, complemented) = self.directions.ambient_dim, self.directions.held
        tol = max(self.directions.tol, self._turn)
        lengths = np.linalg.norm(half, axis=1)
        if not complemented:
            return np.asarray(lengths <= tol)
        # 1 - length^2 would lose half of the digits: look closer where it is near 0.
        near = np.flatnonzero(lengths**2 > 0.5)
        E = np.zeros((n, near.size), half.dtype, order="F")
        E[near, np.arange(near.size)] = 1
        E -= product(half, np.asfortranarray(half[near].conj().T))
        mask = np.zeros(n, bool)
        mask[near] = np.linalg.norm(E, axis=0) <= tol
        return mask

    def __contains__(self, x: Any) -> bool:
        """Whether A x = b: of columns, for every one of them. Never, where there is none."""
        shape = self.particular.shape
        x = as_array(x, "x")
        if x.shape != shape:
            raise ValueError(f"x must have shape {shape}, got {x.shape}")
        if np.any(np.asarray(self.kind) == "none"):
            return False
        if not np.all(np.isfinite(x)):
            return False
        tol = max(self.rtol, self.directions.tol, default_tol(x.dtype, shape[0]))
        real = self._A.dtype.kind != "c"
        X, B = (np.atleast_2d(v.T).T for v in (x, self._b))
        if real and (X.dtype.kind == "c" or B.dtype.kind == "c"):
            X, B = (np.hstack([V.real, V.imag]) for V in (X, B))
        X, B = (np.asfortranarray(V, self._A.dtype) for V in (X, B))
        with np.errstate(over="ignore", invalid="ignore"):
            R = B - self._image(X)
        norms = [column_norms(V) for V in (X, B, R)]
        return bool(np.all(self._backward_error(*norms) <= tol))

    def sample(self, rng: Any = None) -> Array:
        """Return a solution at random: the particular one and a normal vector of the directions.

        Parameters
        ----------
        rng : seed or Generator, optional
            Without it every call returns the same.
        """
        rng = np.random.default_rng(_SEED if rng is None else rng)
        x = self.particular
        g = rng.standard_normal(x.shape)
        if x.dtype.kind == "c":
            g = g + 1j * rng.standard_normal(x.shape)
        return np.asarray(x + self.directions.project(g.astype(x.dtype)), x.dtype)

    def closest_to(self, x0: Any) -> Array:
        """Return the solution that is nearest to x0.

        Parameters
        ----------
        x0 : array_like, shape (n,) or, for columns of b, (n, k) too
        """
        step = self.directions.project(x0)
        if step.ndim < self.particular.ndim:
            step = step[:, None]
        elif step.shape != self.particular.shape:
            raise ValueError(f"x0 must have shape {self.particular.shape}, got {np.shape(x0)}")
        return np.asarray(self.particular + step)

    def basic(self) -> Array:
        """Return a solution with at most rank(A) nonzero components.

        A x = b says V^H x = V^H x*, V the row space, x* the particular solution: columns of V^H
        chosen by pivoted QR solve it. Of a small null space the rows N x_0 are chosen instead that
        can be made zero.
        """
        half, complemented = self.directions.held
        vectors = Vectors(self.particular, half.shape[0], half.dtype, "particular")
        half, X, k = half.astype(vectors.dtype, copy=False), vectors.columns, half.shape[1]
        Q, R, p = RRQR(half.conj().T, rank=k)
        R, chosen = np.asfortranarray(R[:, :k]), p[:k]
        if complemented:
            y = product(Q, product(half, X, adjoint=True), adjoint=True)
            if k:
                blas.py_trsm("L", "U", "N", "N", R, y)
            X[...] = 0
            X[chosen] = y
        elif k:
            y = np.asfortranarray(X[chosen])
            blas.py_trsm("L", "U", "C", "N", R, y)
            X -= product(half, product(Q, y))
            X[chosen] = 0
        return vectors.restore(X)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.particular, self.directions))

    def __repr__(self) -> str:
        m, n = self._A.shape
        kinds = self.kind
        if not isinstance(kinds, str):
            counts = Counter(kinds.tolist())
            kinds = ", ".join(f"{counts[k]} {k}" for k in sorted(counts)) or "no right-hand side"
        d = self.directions.dim
        return f"<SolutionSet of {m} x {n}: {kinds}, {d} direction{'' if d == 1 else 's'}>"

    def _repr_html_(self) -> str:
        d = self.directions.dim
        rows = {
            "A x = b has": self.kind if not isinstance(self.kind, str) else _WORDS[self.kind],
            "particular": self.particular,
            "distance of b from the image": self.residual_norm,
            "dimension": d,
        }
        if d > 0 and self.directions.ambient_dim <= 12:
            rows["directions"] = self.directions.equations()
            rows["the same in all solutions"] = self.determined
        return card(repr(self), rows, proof=self.certificate)
