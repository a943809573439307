"""Refinement of a least-squares solution against A itself, until its backward error is small.

R with R^H R near A^H A turns the gradient g = A^H (b - A x) into a correction R^-1 R^-H g. The
corrected solution has the accuracy of Householder QR whenever the step contracts (Bjorck 1987; for
R of a preconditioned matrix Epperly, Meier & Nakatsukasa 2024), and no theorem need be believed:
the estimate of Karlson and Walden of what was reached costs the next gradient, no more.

    mu(x) <= min(||R^-H g||, ||g|| / theta) / ||x||        free; if that is not small enough:
    mu(x) = ||(R^H R + theta^2 I)^-1/2 g|| / ||x||         backward.py, n^3 / 3 flops

References
----------
Bjorck, Stability analysis of the method of seminormal equations for linear least squares problems,
    Linear Algebra Appl. 88/89 (1987).
Epperly, Meier & Nakatsukasa, Fast randomized least-squares solvers can be just as accurate and
    stable as classical direct solvers, Comm. Pure Appl. Math. 79 (2026).
Karlson & Walden, Estimation of optimal backward perturbation bounds for the linear least squares
    problem, BIT 37 (1997).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.least_squares.backward import estimates
from fastsub.factor.memory import empty
from fastsub.factor.products import column_norms
from fastsub.factor.rank.certificate import Certificate
from fastsub.kernels import normal

# Backward error in units of eps ||A||_F that is good enough: that of Householder QR lies between
# 0.08 and 4, and one step more than needed reaches 0.05 (`python -m bench backward`).
ENOUGH = 0.5
# Steps at the most, and how much each must gain.
STEPS, GAIN = 5, 0.2
# Powers of two that the lengths of columns may lie apart before they are scaled.
_ALIKE = 2


@dataclass(slots=True)
class Solution:
    """A solution whose backward error is proved.

    Attributes
    ----------
    X : ndarray, shape (n, k)
    residuals : ndarray, shape (k,)
        Norms of b - A x.
    steps : int
        Of refinement.
    backward_error : float
        The largest estimate, relative to ``norm(A, "fro")``; without `honest` it may be larger
        than that, but is below the bound that was asked for.
    """

    X: Array
    residuals: Array
    steps: int
    backward_error: float


@dataclass(slots=True)
class Answer:
    """What a path returns: x, the squared norms of the residuals, and its certificate."""

    X: Array
    squares: Array
    certificate: Certificate


class Factor(Protocol):
    """R with R^H R near (A D)^H A D; G stands for D A^H R in what follows.

    Attributes
    ----------
    norm : float
        ``||A D||_F``.
    squares : ndarray, shape (n,)
        Squared norms of the columns of A.
    scale : ndarray, shape (n, 1), or None
        The diagonal of D, powers of two; None: the identity.
    """

    norm: float
    squares: Array
    scale: Array | None

    def half(self, G: Array) -> Array:
        """Return R^-H G, which may overwrite G."""

    def rest(self, Z: Array) -> Array:
        """Return R^-1 Z, which may overwrite Z."""

    def weigh(self, theta: float, G: Array, *, plain: bool = False) -> Array | None:
        """Return Z, ||Z|| = ||(D A^H A D + theta^2 I)^-1/2 G||; plain: + theta^2 D^2; or None."""


def equilibrate(squares: Array, dtype: np.dtype[Any]) -> tuple[Array | None, float]:
    """Return the scale of a `Factor` and its norm, from the squared norms of columns."""
    exponents = np.frexp(squares)[1] // 2
    if np.ptp(exponents) <= _ALIKE:
        return None, math.sqrt(squares.sum())
    norm = math.sqrt(np.ldexp(squares, -2 * exponents).sum())
    return np.ldexp(np.ones((squares.size, 1), dtype), -exponents[:, None]), norm


def ratios(residuals: Array, lengths: Array) -> float:
    """Return the largest ``||r|| / ||x||``, 0 where r is 0: it bounds the backward error."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        quotients = residuals / lengths
    return float(np.where(residuals == 0, 0.0, quotients).max(initial=0.0))


def describe(steps: int) -> str:
    """Return the number of steps in words."""
    return f"{steps} step" + "s" * (steps != 1)


def refine(
    A: Array, B: Array, factor: Factor, *, honest: bool, gradient: Array | None = None
) -> Solution | None:
    """Return a solution of small backward error, or None: steps do not gain enough.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        Such as `normal.py_reads` says.
    B : ndarray, shape (m, k)
        Fortran-ordered.
    factor : Factor
    honest : bool
        Whether the backward error itself is wanted in the end, not a bound of it.
    gradient : ndarray, shape (n, k), optional
        A^H B, if it is known.
    """
    n, k = A.shape[1], B.shape[1]
    D = factor.scale
    R, G = empty(B.shape, A.dtype), empty((n, k), A.dtype)
    if gradient is None:
        normal.py_adjoint(A, B, G)
    X = _corrected(factor, _scaled(G if gradient is None else gradient, D))
    enough = ENOUGH * float(np.finfo(A.dtype).eps) * factor.norm
    before = np.inf
    for steps in range(STEPS + 1):
        normal.py_residual(A, B, X, R)
        normal.py_adjoint(A, R, G)
        scaled = _scaled(G, D)
        residuals, lengths = column_norms(R), column_norms(X)
        widths = lengths if D is None else column_norms(np.asfortranarray(X / D))
        errors = _errors(scaled, residuals, widths, factor, enough)
        error = float(errors.max(initial=0.0))
        if error <= enough:
            norm = math.sqrt(factor.squares.sum())
            if honest:
                plain = partial(factor.weigh, plain=True)
                error = float(estimates(scaled, residuals, lengths, plain).max(initial=0.0))
            return Solution(X, residuals, steps, error / norm)
        if not error <= GAIN * before:
            return None
        before = error
        X += _corrected(factor, scaled)
    return None


def _scaled(G: Array, D: Array | None) -> Array:
    return G.copy(order="F") if D is None else np.asfortranarray(D * G)


def _corrected(factor: Factor, G: Array) -> Array:
    """Return D R^-1 R^-H G; G is lost."""
    X = factor.rest(factor.half(G))
    return X if factor.scale is None else np.asfortranarray(factor.scale * X)


def _errors(G: Array, residuals: Array, lengths: Array, factor: Factor, enough: float) -> Array:
    """Bound the backward error of every column, closely where a cheap bound is not enough."""
    half = column_norms(factor.half(G.copy(order="F")))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        errors = np.fmin(half / lengths, column_norms(G) / residuals)
    finite = np.isfinite(residuals) & np.isfinite(lengths)
    errors = np.where(finite & (residuals > 0), errors, np.where(finite, 0.0, np.inf))
    doubtful = ~(errors <= enough)
    # What is surely too much needs no estimate: sigma_1 <= ||A D||_F bounds it from below.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        theta = residuals / lengths
        surely = column_norms(G) / np.hypot(factor.norm, theta) / lengths > enough
    if doubtful.any() and not surely.any():
        some = np.asfortranarray(G[:, doubtful])
        errors[doubtful] = estimates(some, residuals[doubtful], lengths[doubtful], factor.weigh)
    return errors
