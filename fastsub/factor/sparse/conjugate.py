"""Sparse least squares of minimum norm by products alone: conjugate gradients, begun again.

    r = b - A x,  s = A^H r       CGLS from 0 for A d = r, then x += d: all that is added lies in
                                  the row space, so x has minimum norm whatever the rank

A pass ends when s has become small beside what it was; the next begins with the residual of x
itself, so that what rounding has spoilt is seen. It is fixed-precision refinement, which reaches
the backward error of a direct method wherever a pass converges. Preconditioned, the directions are
M^-1 s, M^-1 such that they lie in the row space, too.

What rounding leaves of r in the range of A is not seen by ||A^H r||, which is large then: of a
last pass, which ends with the residual s, it is r - s, and the backward error is at most
||r - s|| / ||x|| + ||A^H s|| / ||r|| (solve.py).

Where rank(A) < n, A may have singular values sigma that the rank does not count, and that are not
to be resolved: x would have u^H r / sigma in such a direction. A pass resolves what is above its
gain in s, and that shows: the step then is longer than the counted singular values allow,
||s|| / sigma_r^2, by the gain times (sigma_r / sigma)^2. Whoever calls knows that to be large.

References
----------
Hestenes & Stiefel, Methods of conjugate gradients for solving linear systems, J. Res. NBS 49
    (1952), section 10.
Bjorck, Elfving & Strakos, Stability of conjugate gradient and Lanczos methods for linear least
    squares problems, SIAM J. Matrix Anal. Appl. 19 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.rank.cutoff import EPS

# Passes, what one has to gain, and iterations in all: more cost more than elimination does.
_PASSES, _GAIN, _ITERATIONS = 6, 1e-6, 1200
# Times u ||A||_F ||r||: a gradient that need not become smaller, where the rank is full, and where
# what rounding adds to it outside of the row space is not to be resolved.
_BEST, _DEFICIENT = 1 / 16, 1 / 2
# Iterations after which the gradient must have become small, or there is no hope.
_LOOK = 150
# What rounding may add to a residual.
_GROWTH = 1 + 1e-6
# Iterations in which a preconditioned gradient must be halved, or nothing more is to be had.
_STUCK = 20

# Of residuals and their gradients.
Preconditioner = Callable[[Array, Array], Array]


def conjugate_gradients(
    A: csr_array,
    B: Array,
    longest: float,
    precondition: Preconditioner | None = None,
    hope: float = 1e-2,
) -> tuple[Array, Array] | None:
    """Return X (n, k) of backward errors below ``u ||A||_F``, and residuals; None if far away.

    Parameters
    ----------
    A : csr_array, shape (m, n)
    B : ndarray, shape (m, k)
    longest : float
        The longest step that is credible, for a gradient of length 1.
    precondition : callable, optional
        Returns the directions for residuals and gradients.
    hope : float
        What the first iterations must gain.

    Returns
    -------
    X : ndarray, shape (n, k)
    S : ndarray, shape (m, k)
        Vectors near B - A X, and as nearly orthogonal to the range.
    """
    adjoint = A.conj().T.tocsr()
    X = np.zeros((A.shape[1], B.shape[1]), A.dtype)
    u, norm, done = EPS["d"] / 2, float(np.linalg.norm(A.data)), 0
    best = _BEST if np.isinf(longest) else _DEFICIENT
    last = np.full(B.shape[1], np.inf)
    for _ in range(_PASSES):
        R = B - A @ X
        G = adjoint @ R
        gradient, rest = _lengths(G), _lengths(R)
        # Of a consistent system the residual is what the rounding of A x leaves.
        consistent = rest <= u * norm * _lengths(X)
        if (consistent | (gradient <= best * u * norm * rest)).all():
            return X, R
        done_well = (X, R) if (consistent | (gradient <= u * norm * rest)).all() else None
        stagnant = not (consistent | (gradient < 0.1 * last)).all()
        last = gradient
        D, S, used = _pass(
            A, adjoint, R, G, best * u * norm, _ITERATIONS - done, precondition, hope
        )
        done, hope = done + used, math.inf
        if D is None or not (_lengths(D) <= longest * gradient).all():
            return done_well
        near = _lengths(R - S) <= u * norm * _lengths(X)
        if (consistent | (near & (_lengths(adjoint @ S) <= u * norm * rest))).all():
            return X + D, S
        if stagnant:
            return done_well
        X = X + D
    return None


def _lengths(V: Array) -> Array:
    return np.asarray(np.linalg.norm(V, axis=0))


def _pass(
    A: csr_array,
    adjoint: csr_array,
    R: Array,
    S: Array,
    goal: float,
    most: int,
    precondition: Preconditioner | None,
    hope: float,
) -> tuple[Array | None, Array, int]:
    """Return a step from X = 0 that makes A^H R small, R = B, and R; None if it takes too long."""
    T = S if precondition is None else precondition(R, S)
    X, P = np.zeros_like(S), T
    size = np.einsum("ij,ij->j", S.conj(), T).real
    start, longest = _lengths(S), _GROWTH * _lengths(R)
    least, at = float(start.max()), 0
    for step in range(1, most + 1):
        Q = A @ P
        squares = np.einsum("ij,ij->j", Q, Q.conj()).real
        alpha = np.where(squares > 0, size / np.where(squares > 0, squares, 1), 0)
        X, R = X + alpha * P, R - alpha * Q
        S = adjoint @ R
        gradient, rest = _lengths(S), _lengths(R)
        # In exact arithmetic residuals become shorter; of noise they may become anything.
        if not (rest <= longest).all():
            break
        if (gradient <= np.maximum(_GAIN * start, goal * rest)).all():
            return X, R, step
        if step == _LOOK and not (gradient <= hope * start).all():
            break
        if precondition is not None:
            if gradient.max() < 0.5 * least:
                least, at = float(gradient.max()), step
            if step - at == _STUCK:
                return X, R, step
        T = S if precondition is None else precondition(R, S)
        before, size = size, np.einsum("ij,ij->j", S.conj(), T).real
        P = T + np.where(before > 0, size / np.where(before > 0, before, 1), 0) * P
    return None, R, most
