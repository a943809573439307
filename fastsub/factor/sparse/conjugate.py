"""Sparse least squares of minimum norm by products alone: conjugate gradients, begun again.

    r = b - A x,  s = A^H r       CGLS from 0 for A d = r, then x += d: all that is added lies in
                                  the row space, so x has minimum norm whatever the rank

A pass ends when s has become small beside what it was; the next begins with the residual of x
itself, so that what rounding has spoilt is seen. It is fixed-precision refinement, which reaches
the backward error of a direct method wherever a pass converges.

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

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.arrays import Array
from fastsub.factor.rank.cutoff import EPS

# Passes, what one has to gain, and iterations in all: more cost more than elimination does.
_PASSES, _GAIN, _ITERATIONS = 6, 1e-6, 1200
# Times u ||A||_F ||r||: a gradient that need not become smaller, where the rank is full, and where
# what rounding adds to it outside of the row space is not to be resolved.
_BEST, _DEFICIENT = 1 / 16, 1 / 2
# Iterations after which the gradient must have become that small, or there is no hope.
_LOOK, _HOPE = 150, 1e-2


def conjugate_gradients(A: csr_array, B: Array, longest: float) -> Array | None:
    """Return X (n, k) with ``||A^H (B - A X)|| <= u ||A||_F ||B - A X||``; None if it is far away.

    Parameters
    ----------
    A : csr_array, shape (m, n)
    B : ndarray, shape (m, k)
    longest : float
        The longest step that is credible, for a gradient of length 1.
    """
    adjoint = A.conj().T.tocsr()
    X = np.zeros((A.shape[1], B.shape[1]), A.dtype)
    u, norm, done = EPS["d"] / 2, float(np.linalg.norm(A.data)), 0
    best = _BEST if np.isinf(longest) else _DEFICIENT
    last = np.full(B.shape[1], np.inf)
    for _ in range(_PASSES):
        R = B - A @ X
        S = adjoint @ R
        gradient, rest = np.linalg.norm(S, axis=0), np.linalg.norm(R, axis=0)
        # Of a consistent system the residual is what the rounding of A x leaves.
        consistent = rest <= u * norm * np.linalg.norm(X, axis=0)
        if (consistent | (gradient <= best * u * norm * rest)).all():
            return X
        done_well = bool((consistent | (gradient <= u * norm * rest)).all())
        if not (consistent | (gradient < 0.1 * last)).all():
            return X if done_well else None
        last = gradient
        D, used = _pass(A, adjoint, R, S, best * u * norm, _ITERATIONS - done, done == 0)
        done += used
        if D is None or not (np.linalg.norm(D, axis=0) <= longest * gradient).all():
            return X if done_well else None
        X = X + D
    return None


def _pass(
    A: csr_array, adjoint: csr_array, R: Array, S: Array, goal: float, most: int, first: bool
) -> tuple[Array | None, int]:
    """Return a step from X = 0 that makes A^H R small, R = B; None if it takes too long."""
    X, P = np.zeros_like(S), S
    size = np.einsum("ij,ij->j", S, S.conj()).real
    start = np.sqrt(size)
    for step in range(1, most + 1):
        Q = A @ P
        squares = np.einsum("ij,ij->j", Q, Q.conj()).real
        alpha = np.where(squares > 0, size / np.where(squares > 0, squares, 1), 0)
        X, R = X + alpha * P, R - alpha * Q
        S = adjoint @ R
        before, size = size, np.einsum("ij,ij->j", S, S.conj()).real
        gradient = np.sqrt(size)
        enough = np.maximum(_GAIN * start, goal * np.linalg.norm(R, axis=0))
        if (gradient <= enough).all():
            return X, step
        if not np.isfinite(gradient).all():
            break
        if first and step == _LOOK and not (gradient <= _HOPE * start).all():
            break
        P = S + np.where(before > 0, size / np.where(before > 0, before, 1), 0) * P
    return None, most
