"""Points, lines and planes in a square or a cube, drawn in two and in three dimensions.

A flat is a point and the span of orthonormal directions; what is drawn is its part in the box
-R <= x_i <= R.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.plot.style import Theme, component


def boxed(point: Array, directions: Array, R: float) -> Array:
    """Return the corners of a flat of dimension 0, 1 or 2 within the box, shape (k, n).

    Parameters
    ----------
    point : ndarray, shape (n,)
    directions : ndarray, shape (n, d)
        Orthonormal, d <= 2.
    R : float
        Half of the side of the box.

    Notes
    -----
    Sutherland & Hodgman 1974: a convex polygon cut by one half-space after the other.
    """
    far = 4 * (R + float(np.linalg.norm(point)))
    square = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)])
    corners = (np.empty((1, 0)), square[:3:2, :1], square)[directions.shape[1]]
    polygon = [point + far * (directions @ c) for c in corners]
    for i, sign in product(range(point.size), (-1, 1)):
        if len(polygon) == 1:
            polygon = [p for p in polygon if sign * p[i] <= R]
            continue
        cut: list[Array] = []
        edges = zip(polygon, polygon[1:] + polygon[:1], strict=True)
        # A segment has one edge, not one there and one back.
        for p, q in list(edges)[: 1 if len(polygon) == 2 else None]:
            inside = sign * p[i] <= R, sign * q[i] <= R
            if inside[0]:
                cut.append(p)
            if inside[0] != inside[1]:
                cut.append(p + (sign * R - p[i]) / (q[i] - p[i]) * (q - p))
            if len(polygon) == 2 and inside[1]:
                cut.append(q)
        polygon = cut
    return np.array(polygon).reshape(-1, point.size)


def draw_flat(
    ax: Any, point: Array, directions: Array, R: float, color: str, **style: Any
) -> list[Any]:
    """Draw a point, a line, a plane or all of the box; return the artists."""
    n, d = directions.shape
    label = style.pop("label", None)
    if d == n:
        return _draw_box(ax, n, R, color, label)
    corners = boxed(point, directions, R)
    if not corners.size:
        return []
    if d == 2:
        return [_draw_polygon(ax, corners, color, label, style.pop("alpha", 0.22))]
    if d == 0:
        style = {"marker": "o", "markersize": 9, "linestyle": "none"} | style
    return list(ax.plot(*corners.T, color=color, label=label, **style))


def _draw_polygon(ax: Any, corners: Array, color: str, label: str | None, alpha: float) -> Any:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    patch = Poly3DCollection(
        [corners], facecolor=color, edgecolor=color, alpha=alpha, label=label, linewidth=0.8
    )
    ax.add_collection3d(patch)
    return patch


def _draw_box(ax: Any, n: int, R: float, color: str, label: str | None) -> list[Any]:
    if n == 2:
        x, y = np.array([(-R, -R), (R, -R), (R, R), (-R, R)]).T
        return list(ax.fill(x, y, color=color, alpha=0.18, label=label, linewidth=0))
    faces = []
    for i, sign in product(range(3), (-1, 1)):
        others = np.delete(np.eye(3), i, axis=1)
        corners = boxed(sign * R * np.eye(3)[i], others, R)
        faces.append(_draw_polygon(ax, corners, color, label, 0.07))
        label = None
    return faces


def draw_numbers(ax: Any, points: Array, colors: list[str], theme: Theme) -> None:
    """Mark points by discs that bear the numbers 1, 2, ..."""
    for i, (point, color) in enumerate(zip(points, colors, strict=True), start=1):
        mark = {"color": color, "markersize": 12, "zorder": 6, "markeredgecolor": theme.ink}
        ax.plot(*point[:, None], "o", markeredgewidth=0.6, gid=f"fibre {i}", **mark)
        ax.text(
            *point, str(i), ha="center", va="center_baseline", fontsize=8, color="#000000", zorder=7
        )


def frame(ax: Any, n: int, R: float, name: str, flats: Sequence[Array] = ()) -> None:
    """Set the limits to the box, equal scales, the names of the coordinates, and a point of view.

    In space none of the `flats`, given by their directions, shall be seen end-on or edge-on.
    """
    labels = [component(name, i + 1) for i in range(n)]
    ax.set(xlim=(-R, R), ylim=(-R, R), xlabel=labels[0], ylabel=labels[1])
    if n == 3:
        ax.set(zlim=(-R, R), zlabel=labels[2])
        ax.set_box_aspect((1, 1, 1), zoom=0.92)
        elevation, azimuth = _point_of_view(flats)
        ax.view_init(elev=elevation, azim=azimuth)
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_major_locator(_few_ticks(prune="both"))
    else:
        ax.set_aspect("equal")
        ax.xaxis.set_major_locator(_few_ticks())
        ax.yaxis.set_major_locator(_few_ticks())


def _few_ticks(prune: str | None = None) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, steps=[1, 2, 5, 10], prune=prune)


def _point_of_view(flats: Sequence[Array]) -> tuple[float, float]:
    """Return elevation and azimuth, in degrees, from which lines are long and planes are open."""
    best = (-1.0, 0.0, 0.0)
    for elevation, azimuth in product((18.0, 32.0), (-55.0, -40.0, -70.0, -25.0, -10.0, 20.0)):
        e, a = math.radians(elevation), math.radians(azimuth)
        view = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
        score = 1.0
        for D in flats:
            # The share of the view that lies in the flat: 1 is end-on or edge-on.
            share = float(np.linalg.norm(view @ D))
            if 0 < D.shape[1] < 3:
                score = min(
                    score, (math.sqrt(max(0.0, 1 - share**2))) / (0.6, 0.35)[D.shape[1] - 1]
                )
        if score > best[0] + 1e-9:
            best = (score, elevation, azimuth)
    return best[1], best[2]


def draw_axes(ax: Any, n: int, R: float, theme: Theme) -> None:
    """Draw the coordinate axes through the origin, faintly."""
    for e in np.eye(n):
        ax.plot(*np.outer(e, (-R, R)), color=theme.faint, linewidth=1, zorder=0)
