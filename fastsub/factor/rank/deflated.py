"""Singular values near the cutoff that a gap parts from all others: those of a small block.

With Z of orthogonal/rz.py, (R1; R2) Z = [T 0; E G], T of order k, G = R2 N2 as many columns as are
left. Let theta = ||R2|| / sigma_min(T) < 1. Then, for every i,

    sigma_i(G) / (1 + theta) <= sigma_{k+i}(A) <= sigma_i(G).

The right one is interlacing: columns left out (Horn & Johnson 2013, corollary 7.3.6). The left one:
diag(T, G) = L^-1 [T 0; E G], L = [I 0; E T^-1 I], ||L^-1|| <= 1 + theta, and the singular values of
a product are at most those of one factor times the norm of the other (Horn & Johnson, Topics in
Matrix Analysis, 1991, theorem 3.3.16 (d)); those of T are above theta^-1 ||R2|| >= ||G||.

So an SVD of G, O(p^3) for the p columns left, decides as one of all of A would, where theta is
small: typically 1e-10. The error in G is that of its factors, as for any SVD of a factor.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, svd

from fastsub.errors import ConvergenceError
from fastsub.factor.arrays import Array
from fastsub.factor.rank.cutoff import Cutoff, rounding_margin, svd_margin
from fastsub.factor.rank.decide import Decision
from fastsub.factor.rank.inverse import Inverse

# The largest theta: singular values are then known to that.
_THETA = 0.01
# How much larger than the lower bound of it sigma_1 may be: a tie within that is left to an SVD.
_SPREAD = 1.03
# Columns of the block, as a part of all: beyond, another SVD is as good.
_PART = 0.25


def is_small_block(rank: int, n: int) -> bool:
    """Whether what the first `rank` of n columns leave is so small that an SVD of it costs little.

    Examples
    --------
    >>> from fastsub.factor.rank.deflated import is_small_block
    >>> is_small_block(490, 500), is_small_block(10, 500)
    (True, False)
    """
    return n - rank <= _PART * n


def is_gap(noise: float, smallest: float) -> bool:
    """Whether a pivot, and so perhaps sigma_min(T), is that far above what is left.

    Examples
    --------
    >>> from fastsub.factor.rank.deflated import is_gap
    >>> is_gap(1e-12, 1e-3), is_gap(1e-12, 1e-11)
    (True, False)
    """
    return noise < _THETA * smallest


def decide_by_block(
    G: Array,
    T: Inverse,
    k: int,
    noise: float,
    norm: float,
    sigma_1: float,
    lower: float,
    *,
    size: int,
    full: int,
    cutoff: Cutoff,
) -> tuple[Decision, Array, Array] | None:
    """Decide the rank by the singular values of G; None: they cannot.

    Parameters
    ----------
    G : ndarray
        Destroyed.
    T : Inverse
        Of the triangle with the singular values of (R11 R12), of order k.
    noise : float
        ``||R2||_F``.
    norm : float
        ``||A||_F``.
    sigma_1 : float
        A lower bound of the largest singular value, nearly attained.
    lower : float
        A lower bound of sigma_min(T), if one is known.
    size, full, cutoff
        As for `decide.prove`.

    Returns
    -------
    decision : Decision
    U : ndarray
        Left singular vectors of G.
    following : ndarray
        The singular values of G that do not count.
    """
    margin = svd_margin(norm, size, G.dtype)
    # Of the two factorisations, and of the inverse.
    threefold = 3 * rounding_margin(norm, size, G.dtype)
    wanted = (noise + margin) / _THETA
    if not lower > wanted:
        with T as X:
            if not X.smallest_pivot() > wanted or not X.sigma_min_estimate() > wanted:
                return None
            lower = 1 / X.frobenius - threefold
            if not lower > wanted:
                lower = 1 / X.blocks() - threefold
        if not lower > wanted:
            return None
    theta = (noise + margin) / lower
    try:
        U, sigma, _ = svd(G, full_matrices=False, overwrite_a=True, check_finite=False)
    except LinAlgError as error:
        raise ConvergenceError(f"the SVD of the small factor failed: {error}") from error
    tol = cutoff.bracket(sigma_1, sigma_1)[0]
    high = cutoff.bracket(_SPREAD * sigma_1, 0.0)[0] * (1 + theta)
    above = int(np.count_nonzero(sigma > tol))
    if above and not sigma[above - 1] > high:
        return None
    rank = k + above
    if above:
        lower = max(0.0, float(sigma[above - 1]) / (1 + theta) - margin)
    following = float(sigma[above]) if above < sigma.size else 0.0
    upper = 0.0 if rank == full else following + margin
    return Decision(rank, tol, lower, upper, "svd", noise), U, sigma[above:]
