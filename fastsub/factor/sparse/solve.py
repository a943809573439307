"""Sparse least squares of minimum norm, for any shape and rank, by two augmented systems.

With J columns and I rows of A that are independent, as many as the rank, A_J and A_I of full rank:

    ( alpha I  A_J ) (r / alpha)   ( b )     y: least squares by the columns J, r the residual
    (  A_J^H    0  ) (    y    ) = ( 0 )

    ( alpha I  A_I^H ) (    x     )   (      0      )     x: of all solutions of A_I x = A_IJ y the
    (  A_I      0    ) (-alpha z  ) = (   A_IJ y    )     one in the row space

Most matrices do without, by conjugate gradients (conjugate.py), preconditioned where normal
equations are sparse enough (regularised.py). Else each is solved by the elimination of lu.py and
refined in fixed precision. alpha near sigma_min / sqrt 2 makes the condition of the augmented
matrix that of A, not its square.

References
----------
Bjorck, Iterative refinement of linear least squares solutions I, BIT 7 (1967).
Bjorck, Numerical Methods for Least Squares Problems (1996), sections 2.5.3 and 2.7: alpha, basic
solutions and their step to minimum norm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array

from fastsub.factor.arrays import Array
from fastsub.factor.least_squares.refine import Answer
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.rank.cutoff import EPS
from fastsub.factor.sparse.arrays import blocks_of
from fastsub.factor.sparse.bases import particular_basis
from fastsub.factor.sparse.conjugate import conjugate_gradients
from fastsub.factor.sparse.core import Core
from fastsub.factor.sparse.lu import SparseLU
from fastsub.factor.sparse.rank import SparseFactors
from fastsub.factor.sparse.regularised import Regularised

# Steps of refinement at the most, and how much each must gain.
_STEPS, _GAIN = 5, 0.5
# Times ||S||, an estimate of 1 / sigma_r: longer than any step of conjugate gradients by far.
# That times the singular values that are not counted: its square is small beside a pass's gain.
_LONG, _APART = 10.0, 1e-4
# Iterations of conjugate gradients that are few; multiplications of a factorisation that
# elimination would exceed by far; what the first iterations must gain with it at hand, and without.
_FEW, _WORK = 100.0, 3e10
_SOON, _LATE = 1e-4, 1e-2
# Steps of the power method for ||S||, of which only the size matters.
_POWER = 4


def solve_sparse(F: SparseFactors, B: Array) -> Answer:
    """Return the least-squares solutions of minimum norm, shape (n, k), of A X = B.

    Parameters
    ----------
    F : SparseFactors
    B : ndarray, shape (m, k)
        Finite, of magnitudes near 1; float64, or complex128 as A is.

    Notes
    -----
    A here is the scaled one, F.matrix. The backward error of the certificate is a bound of the
    Karlson-Walden estimate mu = ||(A^H A + theta^2 I)^-1/2 A^H r|| / ||x||, theta = ||r|| / ||x||:
    as ||(A^H A + theta^2 I)^-1/2 A^H|| <= 1 and ||(A^H A + theta^2 I)^-1/2|| <= 1 / theta,

        mu <= ||r - s|| / ||x|| + ||A^H s|| / ||r||     for any s;

    the residual of the first system is one, 0 and r are others.
    """
    A, (m, n), r = F.matrix, F.matrix.shape, F.rank
    B = np.asarray(B, A.dtype)
    X, S, quick = np.zeros((n, B.shape[1]), A.dtype), np.zeros_like(B), None
    if r and B.shape[1] and not r == m == n:
        quick = _by_products(F, B)
    if quick is not None:
        X, S = quick
    elif r and B.shape[1]:
        alpha = 1 / (math.sqrt(2) * solver_norm(F))
        rows, cols = independent(F)
        right = B[rows]
        if r < m:
            zero = np.zeros((r, B.shape[1]), A.dtype)
            S, X[cols] = Augmented(A[:, cols], alpha).solve(B, zero)
            S *= alpha
            right = A[rows] @ X
        if r == m == n:
            X = refine(lambda X: B - A @ X, lambda R: F.lu.solve(R, F.cores), X)
        elif r < n:
            adjoint = A[rows].conj().T.tocsr()
            X = Augmented(adjoint, alpha).solve(np.zeros_like(X), right)[0]
    R = B - A @ X
    residuals, lengths = np.linalg.norm(R, axis=0), np.linalg.norm(X, axis=0)
    errors = np.full(B.shape[1], np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        for near in (np.zeros_like(B), S, R):
            apart, gradients = (np.linalg.norm(V, axis=0) for V in (R - near, A.conj().T @ near))
            bound = np.where(apart > 0, apart / lengths, 0.0)
            bound += np.where(gradients > 0, gradients / residuals, 0.0)
            errors = np.fmin(errors, bound)
    norm = float(np.linalg.norm(A.data)) or 1.0
    error = float(np.where(residuals > 0, errors, 0.0).max(initial=0.0)) / norm
    return Answer(X, residuals**2, replace(F.certificate, backward_error=error))


def _by_products(F: SparseFactors, B: Array) -> tuple[Array, Array] | None:
    """Return what conjugate gradients do, preconditioned or not, the likely cheaper way first."""
    A, (m, n), r, norm = F.matrix, F.matrix.shape, F.rank, solver_norm(F)
    if r < n and not _LONG * norm * F.outside <= _APART:
        return None
    longest = math.inf if r == n else (_LONG * norm) ** 2
    K = Regularised(A, 1 / norm, F.sigma_1, r == min(m, n))
    cheap = K.work <= _FEW * (4.0 * A.nnz + 8.0 * (m + n)) * B.shape[1]
    possible = K.work <= _WORK
    found = None
    if not cheap:
        found = _conjugate_gradients(A, B, longest, None, _SOON if possible else _LATE)
    if found is None and possible:
        found = _conjugate_gradients(A, B, longest, K)
        if found is not None and m > n > r:
            # A gradient divided by the square of the condition does not stay in the row space.
            X = _orthogonal_to(particular_basis(F), found[0])
            found = None if X is None else (X, found[1])
    if found is None and cheap:
        found = _conjugate_gradients(A, B, longest)
    return found


def _conjugate_gradients(
    A: csr_array, B: Array, longest: float, K: Regularised | None = None, hope: float = _LATE
) -> tuple[Array, Array] | None:
    with np.errstate(over="ignore", invalid="ignore"):
        return conjugate_gradients(A, B, longest, None if K is None else K.apply, hope)


def _orthogonal_to(Z: csr_array, X: Array) -> Array | None:
    """Return X less its part in the range of Z, sigma_min(Z) >= 1; None where that is dear."""
    norm, adjoint = float(np.linalg.norm(Z.data)), Z.conj().T.tocsr()
    K = Regularised(Z, 0.0, norm, True)
    if K.work > _WORK:
        return None
    for _ in range(_STEPS):
        S = adjoint @ X
        if (np.linalg.norm(S, axis=0) <= EPS["d"] * norm * np.linalg.norm(X, axis=0)).all():
            return X
        X = X - Z @ K.apply(X, S)
    return None


def independent(F: SparseFactors) -> tuple[Array, Array]:
    """Return rows I and columns J, as many as the rank, such that A_IJ is not singular."""
    rows, cols = [F.lu.p.astype(np.intp)], [F.lu.q.astype(np.intp)]
    for core in F.cores:
        if core.rank:
            C = F.lu.core[core.rows][:, core.cols].toarray()
            chosen = RRQR(C, rank=core.rank).p[: core.rank]
            cols.append(core.cols[chosen])
            rows.append(core.rows[RRQR(C[:, chosen].conj().T, rank=core.rank).p[: core.rank]])
    return np.concatenate(rows), np.concatenate(cols)


class Augmented:
    """The factored augmented matrix of M, shape (p, r), of full column rank."""

    def __init__(self, M: csr_array, alpha: float) -> None:
        self._M, self._adjoint, self._alpha = M, M.conj().T.tocsr(), alpha
        identity = alpha * eye_array(M.shape[0], dtype=M.dtype)
        K = csr_array(block_array([[identity, M], [self._adjoint, None]], format="csr"))
        K.indices, K.indptr = K.indices.astype(np.intc), K.indptr.astype(np.intc)
        K.sort_indices()
        count, labels, _ = blocks_of(K)
        self._lu = SparseLU(K, labels, np.zeros(count, np.uint8), 0.0)
        self._cores = [Core(*part, 0.0) for part in self._lu.components(np.zeros(K.shape[0]))[0]]

    def solve(self, f: Array, g: Array) -> tuple[Array, Array]:
        """Return s and y with alpha s + M y = f and M^H s = g."""
        p = f.shape[0]

        def residual(Z: Array) -> Array:
            s, y = Z[:p], Z[p:]
            return np.concatenate([f - self._alpha * s - self._M @ y, g - self._adjoint @ s])

        Z = np.zeros((p + g.shape[0], f.shape[1]), f.dtype)
        Z = refine(residual, lambda R: self._lu.solve(R, self._cores), Z)
        return Z[:p], Z[p:]


def refine(residual: Callable[[Array], Array], solve: Callable[[Array], Array], X: Array) -> Array:
    """Return X after steps of fixed-precision refinement, as long as they become smaller.

    One of them makes elimination backward stable (Skeel 1980; Higham 2002, theorem 12.4).
    """
    last = np.full(X.shape[1], np.inf)
    for _ in range(_STEPS):
        step = solve(residual(X))
        size = np.linalg.norm(step, axis=0)
        better = size < _GAIN * last
        if not better.any():
            break
        X = X + np.where(better, step, 0)
        last = np.where(better, size, 0.0)
    return X


def solver_norm(F: SparseFactors) -> float:
    """Return an estimate of ||S||, from below."""
    n = F.matrix.shape[1]
    x = np.cos(np.arange(n) ** 2.0).astype(F.matrix.dtype)[:, None]
    norm = 0.0
    for _ in range(_POWER):
        y = F.lu.solve_adjoint(x / np.linalg.norm(x), F.cores)
        norm = max(norm, float(np.linalg.norm(y)))
        x = F.lu.solve(y, F.cores)
    return norm
