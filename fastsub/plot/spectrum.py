"""The singular values, the cutoff between those that count and noise, and what was proved."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg

from fastsub.factor.arrays import Array, as_matrix, check_finite_magnitude
from fastsub.factor.rank.certificate import Certificate
from fastsub.functions.rank import matrix_rank
from fastsub.plot.style import Theme, canvas, entitle, key

_DECIDED = {
    "bounds": "proved by bounds, without an SVD",
    "svd": "decided by an SVD of a small factor",
    "exact": "exact",
    "probabilistic": "probable",
}


def rank_spectrum(
    A: Any,
    *,
    rtol: float | None = None,
    certificate: Certificate | None = None,
    ax: Any = None,
    theme: str | None = None,
) -> Any:
    """Draw the singular values, the cutoff, and the bounds that the certificate proved.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex, not empty.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count, as in `matrix_rank`.
    certificate : Certificate, optional
        Whose bounds are drawn; that of `matrix_rank` by default.
    ax : Axes, optional
    theme : {"light", "dark"}, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        NaN or infinity, an empty matrix, not a matrix.
    ModuleNotFoundError
        Without matplotlib.

    Notes
    -----
    The picture needs all singular values, the decision does not: it costs an SVD, about
    2.7 n^3 flops for a square matrix.

    Examples
    --------
    >>> import fastsub.plot
    >>> ax = fastsub.plot.rank_spectrum([[1, 2], [3, 6], [4, 8]])
    >>> print(ax.get_title(loc="left"))
    Rank 1: 1 of 2 singular values counts
    proved by bounds, without an SVD
    """
    A = as_matrix(A)
    if not A.size:
        raise ValueError(f"A must not be empty to have a spectrum, got shape {A.shape}")
    check_finite_magnitude(A, "A")
    if certificate is None:
        _, certificate = matrix_rank(A, rtol=rtol, full_output=True)
    sigma = scipy.linalg.svdvals(A).astype(np.float64)
    (axes,), colours = canvas(ax, theme, (7.4, 4.8))
    floor = _draw_values(axes, sigma, certificate, colours)
    _draw_cutoff(axes, sigma.size, certificate, floor, colours)
    _draw_bounds(axes, certificate, floor, colours)
    r, k = int(certificate.rank), sigma.size
    axes.set(xlabel="number of the singular value, from the largest", xlim=(0.4, k + 0.6))
    axes.set_ylabel("singular value")
    entitle(
        axes,
        colours,
        f"Rank {r}: {r or 'none'} of {k} singular value{'s' * (k > 1)} count{'s' * (r < 2)}\n"
        f"{_DECIDED[certificate.decided_by]}",
    )
    key(axes, colours, columns=2 if axes.figure.get_figwidth() > 6 else 1)
    return axes


def _draw_values(ax: Any, sigma: Array, certificate: Certificate, theme: Theme) -> float:
    """Draw the singular values; return where zeros are drawn, below everything else."""
    from matplotlib.ticker import MaxNLocator

    r = int(certificate.rank)
    marks = [*sigma, certificate.tol, certificate.sigma_next_upper, certificate.sigma_r_lower]
    positive = [float(x) for x in marks if 0 < x < math.inf]
    low, high = (min(positive), max(positive)) if positive else (0.1, 1.0)
    floor = max(low * 10 ** (-1 - 0.05 * math.log10(high / low)), 1e-322)
    numbers = np.arange(1, sigma.size + 1)
    shown = np.where(sigma > 0, sigma, floor)
    size = float(np.clip(90 / sigma.size, 2.5, 7))
    style: dict[str, Any] = {"linestyle": "none", "markersize": size}
    if r:
        ax.plot(
            numbers[:r], shown[:r], "o", color=theme.column, gid="counted", label="counts", **style
        )
    if r < sigma.size:
        ax.plot(
            numbers[r:],
            shown[r:],
            "X",
            color=theme.muted,
            gid="noise",
            label="counts as zero",
            **style,
        )
    ax.set_yscale("log")
    ax.set_ylim(floor / 2, high * (high / floor) ** 0.06)
    ax.grid(which="major", axis="y", color=theme.faint, linewidth=0.7)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    if not positive:
        ax.set_yticks([])
        ax.minorticks_off()
    if np.any(sigma == 0):
        ax.axhline(floor, color=theme.faint, linewidth=0.7)
        zeros = numbers[sigma == 0]
        ax.annotate(
            "exactly 0",
            (zeros[0], floor),
            (0, 7),
            textcoords="offset points",
            ha="center",
            color=theme.muted,
            fontsize=8,
        )
    return floor


def _draw_cutoff(ax: Any, k: int, certificate: Certificate, floor: float, theme: Theme) -> None:
    tol, r = float(certificate.tol), int(certificate.rank)
    if tol > 0:
        ax.axhline(
            tol,
            color=theme.null,
            linestyle="--",
            linewidth=1.8,
            gid="cutoff",
            label=f"cutoff {tol:.1e}",
        )
        ax.axhspan(ax.get_ylim()[0], tol, color=theme.null, alpha=0.07, linewidth=0)
    above, below = float(certificate.sigma_r_lower), float(certificate.sigma_next_upper)
    if 0 < r < k and below > 0 and above > below:
        ratio = above / below
        ax.axhspan(
            below,
            above,
            color=theme.row,
            alpha=0.13,
            linewidth=0,
            gid="gap",
            label=f"proved gap: nothing within a factor {ratio:.2g}",
        )


def _draw_bounds(ax: Any, certificate: Certificate, floor: float, theme: Theme) -> None:
    """Draw the two bounds as brackets that point to the side where the singular value lies."""
    r = int(certificate.rank)
    style: dict[str, Any] = {
        "linestyle": "none",
        "color": theme.ink,
        "markersize": 9,
        "fillstyle": "none",
        "markeredgewidth": 1.4,
    }
    if r and certificate.sigma_r_lower > 0:
        ax.plot(
            [r],
            [certificate.sigma_r_lower],
            marker="^",
            gid="lower bound",
            label=f"singular value {r} is at least {certificate.sigma_r_lower:.1e}",
            **style,
        )
    if certificate.sigma_next_upper > 0:
        which = f"number {r + 1}" if r else "the largest"
        ax.plot(
            [r + 1],
            [certificate.sigma_next_upper],
            marker="v",
            gid="upper bound",
            label=f"{which} is at most {certificate.sigma_next_upper:.1e}",
            **style,
        )
