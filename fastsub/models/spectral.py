"""Paths of ridge solutions in the basis of singular vectors: by the Gram matrix, or by an SVD.

    A = U S V^H,    x(alpha) = V diag(s / (s^2 + alpha)) U^H b

Gram path: V and S^2 are the eigenvectors and eigenvalues of A^H A (of A A^H if A is wide: the dual
y(alpha) = (A A^H + alpha I)^-1 b, x = A^H y). They are wrong by some eps s_1^2, so that a solution
is by about delta = eps s_1^2 / s_n^2 at most; each step of refinement, with the residual of A
itself, takes another delta off, down to what a QR would have left (Bjorck 1987: one step of the
corrected seminormal equations, as long as delta is small).

SVD path: QR of A, or of A^H if A is wide, and the SVD of its triangle.

References
----------
Bjorck, Stability analysis of the method of seminormal equations, Linear Algebra Appl. 88 (1987).
Saunders, Gammerman & Vovk, Ridge regression learning algorithm in dual variables, ICML (1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, eigh, svd

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array, is_safe, magnitude, unscale, upper, working_copy
from fastsub.factor.choose import choose
from fastsub.factor.memory import zeros
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import herk, product

# Of eps s_1^2 / s_n^2: above it refinement would be too slow to be worth trying.
_SLOW = 1e-3
# Steps of refinement at most; two at a condition of 1e5.
_STEPS = 4
# Columns of solutions per column of A from which the SVD, without refinement, is cheaper.
_MANY = 1.0


@dataclass(slots=True)
class Path:
    """Solutions for every alpha.

    Attributes
    ----------
    X : ndarray, shape (p, n, k)
    alphas : ndarray, shape (p,)
    rss : ndarray, shape (p, k)
        ``norm(A @ x - b)**2``, of ``2**exponent`` b.
    complement : ndarray, shape (p,)
        ``sum(alpha / (s**2 + alpha))`` over the singular values that count.
    rank : int
        How many count.
    method : str
    exponent : int
        0 unless squares of b would be lost.
    """

    X: Array
    alphas: Array
    rss: Array
    complement: Array
    rank: int
    method: str
    exponent: int = 0


def gram_path(A: Array, B: Array, alphas: Array) -> Path | None:
    """Return the path from the smaller Gram matrix, or None: too ill-conditioned, or too many x.

    Parameters
    ----------
    A : ndarray, shape (m, n)
    B : ndarray, shape (m, k)
        Of the same dtype.
    alphas : ndarray, shape (p,)
    """
    (m, n), (p, k) = A.shape, (alphas.size, B.shape[1])
    dtype, q = A.dtype, min(A.shape)
    # Alphas that differ by more than the dtype holds, or would spoil it, are for the other path.
    if not 0 < p * k <= _MANY * q or not _is_plain(A, B) or not (alphas < _huge(dtype)).all():
        return None
    wide = m <= n
    G = herk(A.T if wide else A)
    if wide and dtype.kind == "c":
        np.conj(G, out=G)
    try:
        eigenvalues, V = eigh(G, lower=False, overwrite_a=True, check_finite=False, driver="evd")
    except LinAlgError as error:
        raise ConvergenceError(f"eigenvalues of the Gram matrix failed: {error}") from error
    V = np.asfortranarray(V)
    eigenvalues = np.maximum(eigenvalues.astype(float), 0.0)
    eps, top = float(np.finfo(dtype).eps), eigenvalues[-1]
    # Not with alpha: rounding in directions that A does not see would come out divided by it.
    if not eps * top * q**0.5 < _SLOW * eigenvalues[0]:
        return None
    # Column i k + j: alpha i and right-hand side j.
    shift = np.repeat(alphas, k)
    denominator = eigenvalues[:, None] + shift
    goal = eps * np.sqrt((top + shift) / (eigenvalues[0] + shift))

    def solve(C: Array) -> Array:
        spectral = product(V, C, adjoint=True) / denominator
        return product(V, spectral.astype(dtype))

    right = np.tile(B, (1, p))
    X = np.zeros((q, p * k), dtype, order="F")
    scaled_shift = shift.astype(A.real.dtype)
    for step in range(_STEPS + 1):
        if wide:
            residual = right - product(A, product(A, X, adjoint=True)) if step else right
            gradient = residual - scaled_shift * X
            D = solve(gradient)
        else:
            residual = right - product(A, X) if step else right
            gradient = product(A, residual, adjoint=True)
            D = solve(gradient - scaled_shift * X)
        X += D
        if step:
            change, size = np.linalg.norm(D, axis=0), np.linalg.norm(X, axis=0)
            # What is left after a change by c is about c^2.
            if (change**2 <= goal * size**2).all():
                break
    else:
        return None
    if wide:
        # The residual is alpha y: no cancellation where it is small.
        X, R = product(A, X, adjoint=True), X * scaled_shift
    else:
        R = right - product(A, X)
    rss = np.sum(np.abs(R.astype(np.promote_types(dtype, float))) ** 2, axis=0)
    return Path(
        np.ascontiguousarray(X.reshape(n, p, k).transpose(1, 0, 2)),
        alphas,
        rss.reshape(p, k),
        np.sum(alphas[:, None] / (eigenvalues + alphas[:, None]), axis=1),
        q,
        "gram",
    )


def _huge(dtype: np.dtype[Any]) -> float:
    return math.sqrt(np.finfo(dtype).max)


def _is_plain(A: Array, B: Array) -> bool:
    """Whether squares of the entries neither overflow nor underflow."""
    if not (A.size and B.size):
        return False
    norms = magnitude(A), magnitude(B)
    return is_safe(norms[0], A.dtype) and (norms[1] == 0 or is_safe(norms[1], A.dtype))


def svd_path(A: Array, B: Array, alphas: Array | None, grid: Callable[[Array], Array]) -> Path:
    """Return the path from the singular values; `grid` makes alphas of them if there are none."""
    (m, n), k = A.shape, B.shape[1]
    wide, q, dtype = m < n, min(A.shape), A.dtype
    double = np.promote_types(dtype, float)
    working = working_copy(A, "A", adjoint=wide, check_finite=False)
    right = working_copy(B, "b", check_finite=False)
    W, C = working.W, right.W
    Q = Reflectors.of_qr(W, choose(W.shape[0], q, dtype, want="all").block)
    try:
        U, s, Vh = svd(upper(W, q), check_finite=False, overwrite_a=True)
    except LinAlgError as error:
        raise ConvergenceError(f"the SVD of the triangle failed: {error}") from error
    rank = int(np.count_nonzero(s > np.finfo(dtype).eps * max(m, n) * s.max(initial=0)))
    sigma = np.ldexp(s[:rank].astype(float), -working.exponent)
    rest = np.zeros(k)
    if wide:
        U, Vh = Vh.conj().T, U.conj().T
    else:
        if C.size:
            Q.apply(C, adjoint=True)
        rest = _sumsq(C[q:].astype(double))
        C = C[:q]
    beta = product(np.asfortranarray(U), C, adjoint=True) if C.size else np.zeros((q, k), dtype)
    beta = beta.astype(double)
    # What the left singular vectors that do not count reach is residual.
    rest, beta = rest + _sumsq(beta[rank:]), beta[:rank]
    if alphas is None:
        alphas = grid(sigma)
    p = alphas.size
    # alpha / s, so that no square leaves the range.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        ratio = alphas[:, None] / sigma
        kept = ratio / (sigma + ratio)
        coordinates = beta[None] * (1 / (sigma + ratio))[:, :, None]  # (p, rank, k)
    kept[np.isnan(kept)] = 1.0
    rss = np.sum(np.abs(kept[:, :, None] * beta) ** 2, axis=1) + rest
    flat = np.asfortranarray(coordinates.transpose(1, 0, 2).reshape(rank, p * k))
    unscale(flat, right.exponent)
    X = zeros((n, p * k), dtype)
    if rank and p * k:
        small = product(np.asfortranarray(Vh[:rank]), flat.astype(dtype), adjoint=True)
        X[: small.shape[0]] = small
        if wide:
            Q.apply(X)
    return Path(
        np.ascontiguousarray(X.reshape(n, p, k).transpose(1, 0, 2)),
        alphas,
        rss,
        kept.sum(axis=1),
        rank,
        "svd",
        right.exponent,
    )


def _sumsq(A: Array) -> Array:
    return np.asarray(np.sum(np.abs(A) ** 2, axis=0))
