"""The point of the column space that is nearest to b, and the error at a right angle to it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_array
from fastsub.plot.flats import draw_axes, draw_flat, frame
from fastsub.plot.style import Theme, canvas, entitle, key
from fastsub.solution.fundamental import FundamentalSubspaces
from fastsub.solution.solutions import solutions
from fastsub.subspace.project import as_columns


def projection(
    A: Any, b: Any, *, rcond: float | None = None, ax: Any = None, theme: str | None = None
) -> Any:
    """Draw b, its projection p on the column space of A, and the error e = b - p.

    Parameters
    ----------
    A : array_like, shape (m, n), or (m,) for a single column
    b : array_like, shape (m,)
        For m = 2 and real numbers the picture is the plane, for m = 3 space; for every other m,
        and for complex numbers, it is the plane that p and e span, with their true lengths.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count, as in `project`.
    ax : Axes, optional
        Made with ``projection="3d"`` if m = 3.
    theme : {"light", "dark"}, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        NaN or infinity, mismatched shapes, more than one b, axes of another kind.
    ModuleNotFoundError
        Without matplotlib.

    Examples
    --------
    >>> import fastsub.plot
    >>> ax = fastsub.plot.projection([1, 2], [3, 7])
    >>> print(ax.get_title(loc="left"))
    b cannot be reached: A misses it by 0.4472
    p is the nearest Ax; the error e = b - p is at a right angle to C(A)
    """
    A, b = as_columns(A), as_array(b, "b")
    if b.ndim != 1:
        raise ValueError(f"b must be one vector, shape ({A.shape[0]},), got shape {b.shape}")
    S = solutions(A, b, rcond=rcond)
    F = FundamentalSubspaces(A, rcond)
    m, real = A.shape[0], A.dtype.kind != "c" and b.dtype.kind != "c"
    flat = real and m in (2, 3)
    (axes,), colours = canvas(ax, theme, (6.2, 6.2), ("3d" if flat and m == 3 else "2d",), 4)
    e = S.residual if S.kind == "none" else np.zeros_like(S.residual)
    p = S.nearest_b if S.kind == "none" else b
    if np.linalg.norm(p) <= F.column_space.tol * np.linalg.norm(b):
        p = np.zeros_like(p)
    if flat:
        U = F.column_space.basis.astype(np.float64)
        drawn = [v.astype(np.float64) for v in (b, p, e)]
    else:
        U = np.array([[1.0], [0.0]]) if F.rank else np.empty((2, 0))
        length, height = (float(np.linalg.norm(v)) for v in (p, e))
        drawn = [np.array(v) for v in ((length, height), (length, 0.0), (0.0, height))]
    R = 1.2 * max(float(np.abs(drawn[0]).max()), float(np.abs(drawn[1]).max())) or 1.0
    b, p, e = drawn
    name = f"column space, dimension {F.rank} of {m}" + ("" if flat else ", seen from the side")
    _draw(axes, U, (b, p, e), R, name, colours)
    if not flat:
        axes.set(xlabel="along p", ylabel="along e", xlim=(-0.15 * R, R), ylim=(-0.15 * R, R))
    if S.kind == "none":
        words = (
            f"b cannot be reached: A misses it by {np.linalg.norm(e):.4g}\n"
            "p is the nearest Ax; the error e = b - p is at a right angle to C(A)"
        )
    else:
        words = "b can be reached: it lies in the column space\nso p = b, and there is no error"
    entitle(axes, colours, words)
    key(axes, colours)
    return axes


def _draw(
    ax: Any, U: Array, vectors: tuple[Array, Array, Array], R: float, name: str, theme: Theme
) -> None:
    b, p, e = vectors
    n = b.size
    draw_axes(ax, n, R, theme)
    draw_flat(
        ax, np.zeros(n), U, R, theme.column, label=name, linewidth=3, gid="column space", zorder=2
    )
    missed = bool(e.any())
    _arrow(ax, np.zeros(n), b, theme.ink, f"b, length {np.linalg.norm(b):.4g}", "b")
    if missed:
        _arrow(
            ax,
            np.zeros(n),
            p,
            theme.row,
            f"p, the nearest point of it, length {np.linalg.norm(p):.4g}",
            "p",
        )
        _arrow(
            ax,
            p,
            b,
            theme.null,
            f"e = b - p, the error, length {np.linalg.norm(e):.4g}",
            "e",
            dashed=True,
        )
        _right_angle(ax, U, p, e, 0.07 * R, theme)
    up = e / (np.linalg.norm(e) or 1.0)
    if not missed:
        up = np.cross(np.eye(3)[2], np.append(b, 0)[:3])[:n]
        up = up / np.linalg.norm(up) if up.any() else np.eye(n)[1]
    places = (("b", b, up), ("p", p, -up), ("e", p + e / 2, -_towards(U, p)))
    for text, place, beside in places[: 3 if missed else 1]:
        ax.text(
            *(place + 0.085 * R * beside),
            text,
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold",
            color=theme.ink,
            zorder=8,
        )
    frame(ax, n, R, "y", [U, up[:, None]] if missed else [U])


def _towards(U: Array, p: Array) -> Array:
    """Return a unit vector of the column space that points from p to the origin."""
    length = float(np.linalg.norm(p))
    if length > 0:
        return -p / length
    return U[:, 0] if U.shape[1] else np.zeros(p.size)


def _arrow(
    ax: Any, start: Array, end: Array, color: str, label: str, gid: str, dashed: bool = False
) -> None:
    style = "--" if dashed else "-"
    ax.plot(
        *np.array([start, end]).T, style, color=color, linewidth=2.4, label=label, gid=gid, zorder=4
    )
    ax.plot(*end[:, None], "o", color=color, markersize=6, zorder=5)


def _right_angle(ax: Any, U: Array, p: Array, e: Array, size: float, theme: Theme) -> None:
    along = _towards(U, p)
    if not along.any():
        return
    up = e / np.linalg.norm(e)
    size = min(size, 0.45 * math.hypot(*e))
    corners = p + size * np.array([along, along + up, up])
    ax.plot(*corners.T, color=theme.ink, linewidth=1.3, gid="right angle", zorder=6)
