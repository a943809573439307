"""Hansen's discrete ill-posed problems: singular values that decay without any gap.

Each is a Fredholm or Volterra equation of the first kind, ``∫ K(s, t) f(t) dt = g(s)``, discretised
on n equal cells, either by the midpoint rule (unknowns f(t_j)) or by Galerkin's method with the
orthonormal box functions h^(-1/2) on a cell (unknowns h^(-1/2) times the integral of f over it).

References
----------
P. C. Hansen, 2007, "Regularization Tools version 4.0 for Matlab 7.3", Numer. Algorithms 46.
P. C. Hansen, 1994, "Regularization Tools", Numer. Algorithms 6, section 4: the equations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import toeplitz

from fastsub.testing.spectra import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)  # on (-1, 1)


class IllPosedProblem(NamedTuple):
    """A x = b up to the discretisation error: ``A`` (n, n), ``x`` (n,), ``b`` (n,)."""

    A: Array
    x: Array
    b: Array


def _midpoints(a: float, b: float, n: int) -> tuple[Array, float]:
    h = (b - a) / n
    return a + h * (np.arange(n) + 0.5), h


def _boxes(f: Callable[[Array], Array], a: float, b: float, n: int) -> Array:
    """Coefficients of f for the box functions, by Gauss-Legendre with 4 points in each cell."""
    t, h = _midpoints(a, b, n)
    values = f(t[:, None] + 0.5 * h * _NODES)  # (n, 4)
    return np.asarray(np.sqrt(h) * 0.5 * (values @ _WEIGHTS))


def shaw_problem(n: int) -> IllPosedProblem:
    """Image restoration; see :func:`shaw`."""
    t, h = _midpoints(-np.pi / 2, np.pi / 2, n)
    u = np.add.outer(np.sin(t), np.sin(t))
    A = h * np.add.outer(np.cos(t), np.cos(t)) ** 2 * np.sinc(u) ** 2
    x = 2 * np.exp(-6 * (t - 0.8) ** 2) + np.exp(-2 * (t + 0.5) ** 2)
    return IllPosedProblem(A, x, A @ x)


def shaw(n: int) -> Array:
    """K = (cos s + cos t)^2 (sin u / u)^2, u = pi (sin s + sin t), on (-pi/2, pi/2).

    Parameters
    ----------
    n : int
        Order.

    Returns
    -------
    A : (n, n) ndarray
        Symmetric; about 20 singular values stand above rounding.

    References
    ----------
    C. B. Shaw, 1972; Hansen 1994, ``shaw``. Midpoint rule.
    """
    return shaw_problem(n).A


def deriv2_problem(n: int) -> IllPosedProblem:
    """Second derivative, f(t) = t; see :func:`deriv2`."""
    t, h = _midpoints(0, 1, n)
    # Off the diagonal the kernel is bilinear on a cell: its mean is its value at the midpoint.
    A = h * np.minimum.outer(t, t) * (np.maximum.outer(t, t) - 1)
    # On it the mean of s t is t_i^2 and that of min(s, t) is t_i - h/6.
    np.fill_diagonal(A, h * (t * (t - 1) + h / 6))
    b = _boxes(lambda s: (s**3 - s) / 6, 0, 1, n)
    return IllPosedProblem(A, _boxes(lambda t: t, 0, 1, n), b)


def deriv2(n: int) -> Array:
    """Green's function of the second derivative: s(t - 1) for s < t, t(s - 1) otherwise, on (0, 1).

    Parameters
    ----------
    n : int
        Order.

    Returns
    -------
    A : (n, n) ndarray
        Symmetric negative definite; mildly ill-posed, the condition number is about 1.2 n^2.

    References
    ----------
    Hansen 1994, ``deriv2``. Galerkin, exact integrals.
    """
    return deriv2_problem(n).A


def phillips_problem(n: int) -> IllPosedProblem:
    """Phillips' "famous" equation; see :func:`phillips`."""
    if n % 4 or n < 4:
        raise ValueError(f"phillips needs a positive multiple of 4, got n={n}.")
    h, k, third = 12 / n, np.arange(n // 4 + 1), np.pi / 3

    # The integral of (h - |d|) phi(kh + d) / h over |d| < h, phi = 1 + cos(pi x / 3).
    column = np.zeros(n)
    column[: k.size] = h + (2 * np.sin(third * h / 2) / third) ** 2 * np.cos(third * h * k) / h
    column[n // 4] /= 2  # phi ends at x = 3, in the middle of that hat

    def phi(x: Array) -> Array:
        return np.where(np.abs(x) < 3, 1 + np.cos(third * x), 0.0)

    def g(s: Array) -> Array:
        r = np.abs(s)
        return (6 - r) * (1 + np.cos(third * r) / 2) + 9 / (2 * np.pi) * np.sin(third * r)

    return IllPosedProblem(np.asarray(toeplitz(column)), _boxes(phi, -6, 6, n), _boxes(g, -6, 6, n))


def phillips(n: int) -> Array:
    """K = phi(s - t), phi(x) = 1 + cos(pi x / 3) for abs(x) < 3 and 0 beyond, on (-6, 6).

    Parameters
    ----------
    n : int
        Order, a multiple of 4.

    Returns
    -------
    A : (n, n) ndarray
        Symmetric banded Toeplitz; sigma_i decays like i^-3.

    Raises
    ------
    ValueError
        n is not a positive multiple of 4.

    References
    ----------
    D. L. Phillips, 1962; Hansen 1994, ``phillips``. Galerkin, exact integrals.
    """
    return phillips_problem(n).A


def heat_problem(n: int, kappa: float = 1.0) -> IllPosedProblem:
    """Inverse heat equation with a smooth pulse as solution; see :func:`heat`."""
    t, h = _midpoints(0, 1, n)
    k = h / (2 * kappa * np.sqrt(np.pi)) * t**-1.5 * np.exp(-1 / (4 * kappa**2 * t))
    A = np.asarray(toeplitz(k, np.r_[k[0], np.zeros(n - 1)]))
    x = np.exp(-(((t - 0.3) / 0.1) ** 2))
    return IllPosedProblem(A, x, A @ x)


def heat(n: int, kappa: float = 1.0) -> Array:
    """Volterra kernel k(s - t), k(t) = t^(-3/2) exp(-1/(4 kappa^2 t)) / (2 kappa sqrt(pi)).

    Parameters
    ----------
    n : int
        Order.
    kappa : float
        1 is severely ill-posed, 5 well conditioned.

    Returns
    -------
    A : (n, n) ndarray
        Lower triangular Toeplitz, with a tail of singular values that ends abruptly.

    References
    ----------
    Hansen 1994, ``heat``. Collocation with the midpoint rule on (0, 1).
    """
    return heat_problem(n, kappa).A


def baart_problem(n: int) -> IllPosedProblem:
    """Solution f(t) = sin t, g(s) = 2 sinh(s)/s; see :func:`baart`."""
    (s, hs), (t, ht) = _midpoints(0, np.pi / 2, n), _midpoints(0, np.pi, n)
    s = (s[:, None] + 0.5 * hs * _NODES).ravel()  # (4 n,)
    t = (t[:, None] + 0.5 * ht * _NODES).ravel()
    values = np.exp(np.multiply.outer(s, np.cos(t))).reshape(n, 4, n, 4)
    A = np.sqrt(hs * ht) / 4 * np.einsum("ipjq,p,q->ij", values, _WEIGHTS, _WEIGHTS)
    b = _boxes(lambda s: 2 * np.sinh(s) / s, 0, np.pi / 2, n)
    return IllPosedProblem(A, _boxes(np.sin, 0, np.pi, n), b)


def baart(n: int) -> Array:
    """K = exp(s cos t), s on (0, pi/2), t on (0, pi).

    Parameters
    ----------
    n : int
        Order.

    Returns
    -------
    A : (n, n) ndarray
        Severely ill-posed: about 11 singular values stand above rounding.

    References
    ----------
    M. L. Baart, 1982; Hansen 1994, ``baart``. Galerkin, Gauss-Legendre with 4 x 4 points a cell.
    """
    return baart_problem(n).A


def foxgood_problem(n: int) -> IllPosedProblem:
    """Solution f(t) = t, g(s) = ((1 + s^2)^(3/2) - s^3)/3; see :func:`foxgood`."""
    t, h = _midpoints(0, 1, n)
    A = h * np.sqrt(np.add.outer(t**2, t**2))
    return IllPosedProblem(A, t, ((1 + t**2) ** 1.5 - t**3) / 3)


def foxgood(n: int) -> Array:
    """K = sqrt(s^2 + t^2) on (0, 1).

    Parameters
    ----------
    n : int
        Order.

    Returns
    -------
    A : (n, n) ndarray
        Symmetric, severely ill-posed.

    References
    ----------
    L. Fox and E. T. Goodwin, 1953; Hansen 1994, ``foxgood``. Midpoint rule.
    """
    return foxgood_problem(n).A


def wing_problem(n: int) -> IllPosedProblem:
    """Solution 1 on (1/3, 2/3) and 0 elsewhere; see :func:`wing`."""
    t, h = _midpoints(0, 1, n)
    A = h * t * np.exp(-np.multiply.outer(t, t**2))
    overlap = np.minimum(t + h / 2, 2 / 3) - np.maximum(t - h / 2, 1 / 3)
    b = (np.exp(-t / 9) - np.exp(-4 * t / 9)) / (2 * t)
    return IllPosedProblem(A, np.clip(overlap / h, 0, 1), b)


def wing(n: int) -> Array:
    """K = t exp(-s t^2) on (0, 1), with a discontinuous solution.

    Parameters
    ----------
    n : int
        Order.

    Returns
    -------
    A : (n, n) ndarray
        Severely ill-posed: about 8 singular values stand above rounding.

    References
    ----------
    G. M. Wing and J. D. Zahrt, 1991, p. 109; Hansen 1994, ``wing``. Midpoint rule.
    """
    return wing_problem(n).A


def gravity_problem(n: int, depth: float = 0.25) -> IllPosedProblem:
    """Solution f(t) = sin(pi t) + sin(2 pi t)/2; see :func:`gravity`."""
    t, h = _midpoints(0, 1, n)
    A = h * depth / (depth**2 + np.subtract.outer(t, t) ** 2) ** 1.5
    x = np.sin(np.pi * t) + np.sin(2 * np.pi * t) / 2
    return IllPosedProblem(A, x, A @ x)


def gravity(n: int, depth: float = 0.25) -> Array:
    """K = d (d^2 + (s - t)^2)^(-3/2) on (0, 1): the field of a mass at depth d.

    Parameters
    ----------
    n : int
        Order.
    depth : float
        d; the deeper, the faster sigma_i decays.

    Returns
    -------
    A : (n, n) ndarray
        Symmetric Toeplitz, positive definite before rounding.

    References
    ----------
    Hansen 2007, ``gravity``. Midpoint rule.
    """
    return gravity_problem(n, depth).A
