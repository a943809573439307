"""The four subspaces of a matrix as two pairs of squares that meet at right angles.

References
----------
Strang, The fundamental theorem of linear algebra, Amer. Math. Monthly 100 (1993), figure 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.plot.style import Theme, canvas, entitle, space
from fastsub.solution.fundamental import FundamentalSubspaces, fundamental_subspaces

_LARGEST = 2.2  # side of a square that stands for a whole space
_SMALLEST = 1.8  # side that its words still fit into
_LEFT, _RIGHT = np.array([-2.9, 0.0]), np.array([2.9, 0.0])


def four_subspaces(
    A: Any, *, rtol: float | None = None, ax: Any = None, theme: str | None = None
) -> Any:
    """Draw the row space and the null space, the column space and the left null space.

    Parameters
    ----------
    A : array_like, shape (m, n), or FundamentalSubspaces
        Of any shape, real or complex.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count, as in `fundamental_subspaces`.
    ax : Axes, optional
    theme : {"light", "dark"}, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        NaN or infinity, not a matrix.
    ModuleNotFoundError
        Without matplotlib.

    Examples
    --------
    >>> import fastsub.plot
    >>> ax = fastsub.plot.four_subspaces([[1, 2], [3, 6], [4, 8]])
    >>> print(ax.get_title(loc="left"))
    The four subspaces of a 3 × 2 matrix of rank 1
    """
    F = A if isinstance(A, FundamentalSubspaces) else fundamental_subspaces(A, rtol)
    (axes,), colours = canvas(ax, theme, (7.4, 6.2))
    m, n = F.shape
    complex_ = np.dtype(F.dtype).kind == "c"
    field, star = ("ℂ", "ᴴ") if complex_ else ("ℝ", "ᵀ")
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set(xlim=(-4.6, 4.6), ylim=(-3.75, 3.75))
    r = F.rank
    squares = [
        (_LEFT, 1, r, n, "row space", f"C(A{star})", colours.row),
        (_LEFT, -1, n - r, n, "null space", "N(A)", colours.null),
        (_RIGHT, 1, r, m, "column space", "C(A)", colours.column),
        (_RIGHT, -1, m - r, m, "left null space", f"N(A{star})", colours.left),
    ]
    for square in squares:
        _draw_square(axes, *square, colours)
    for corner, up, down in ((_LEFT, r, n - r), (_RIGHT, r, m - r)):
        if up and down:
            x, y = (corner + 0.17 * np.array([(1, 1), (2, 0), (1, -1)])).T
            axes.plot(x, y, color=colours.ink, linewidth=1.2, gid="right angle", zorder=4)
        axes.plot(*corner, "o", color=colours.ink, markersize=5, zorder=5)
        axes.annotate(
            "0",
            corner,
            (-14, 6),
            textcoords="offset points",
            va="center",
            ha="right",
            color=colours.ink,
            fontsize=9,
        )
    _draw_arrows(axes, F, colours)
    for corner, k, what, parts in (
        (_LEFT, n, "inputs x", f"{r} + {n - r} = {n} columns"),
        (_RIGHT, m, "outputs Ax", f"{r} + {m - r} = {m} rows"),
    ):
        axes.text(
            corner[0],
            3.7,
            f"{space(k, field)}: {what}",
            ha="center",
            va="top",
            color=colours.ink,
            fontsize=10,
            fontweight="bold",
        )
        axes.text(corner[0], -3.7, parts, ha="center", va="bottom", color=colours.muted, fontsize=9)
    entitle(axes, colours, f"The four subspaces of a {m} × {n} matrix of rank {r}")
    return axes


def _side(dim: int, ambient: int) -> float:
    """Return the side of a square: its area grows with the share of the dimension."""
    return _SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(dim / max(ambient, 1))


def _draw_square(
    ax: Any,
    corner: Array,
    sign: int,
    dim: int,
    ambient: int,
    name: str,
    symbol: str,
    color: str,
    theme: Theme,
) -> None:
    words = f"{name}\n{symbol}\ndimension {dim}"
    if dim == 0:
        ax.text(
            corner[0],
            sign * 0.45,
            f"{name} {symbol} = {{0}}\ndimension 0",
            ha="center",
            va="bottom" if sign > 0 else "top",
            color=theme.ink,
            fontsize=9,
        )
        return
    half = _side(dim, ambient) / math.sqrt(2)
    outline = corner + half * np.array([(0, 0), (1, sign), (0, 2 * sign), (-1, sign)])
    ax.fill(*outline.T, facecolor=color, alpha=0.22, linewidth=0)
    ax.fill(*outline.T, facecolor="none", edgecolor=color, linewidth=2, gid=name)
    ax.text(
        corner[0],
        sign * half,
        words,
        ha="center",
        va="center",
        color=theme.ink,
        fontsize=9,
        linespacing=1.4,
    )


def _draw_arrows(ax: Any, F: FundamentalSubspaces, theme: Theme) -> None:
    """Draw what A does: the row space goes to the column space, the null space to 0."""
    m, n = F.shape
    r = F.rank

    def arrow(start: Array, end: Array, color: str, text: str, lift: float) -> None:
        ax.annotate(
            "",
            end,
            start,
            arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 3, "shrinkB": 3},
        )
        ax.text(
            *((start + end) / 2 + np.array([0, lift])),
            text,
            ha="center",
            va="bottom" if lift > 0 else "top",
            color=theme.ink,
            fontsize=9,
        )

    if r:
        a, b = _side(r, n) / math.sqrt(2), _side(r, m) / math.sqrt(2)
        arrow(
            _LEFT + np.array([a, a]), _RIGHT + np.array([-b, b]), theme.row, "A: one to one", 0.12
        )
    if n - r:
        a = _side(n - r, n) / math.sqrt(2)
        start, end = _LEFT + np.array([a, -a]), _RIGHT - np.array([0.12, 0])
        arrow(start, end, theme.null, "A: all to 0", 0.45)
