"""The equations of A x = b as lines or planes, and where they meet: every solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_array, as_matrix
from fastsub.plot.flats import draw_axes, draw_flat, frame
from fastsub.plot.style import Theme, canvas, component, entitle, key
from fastsub.solution.solution_set import SolutionSet
from fastsub.solution.solutions import solutions

_NAMED = 4  # so many equations have a colour and a name each
_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))


def solution_set(
    A: Any,
    b: Any,
    *,
    rtol: float | None = None,
    rcond: float | None = None,
    ax: Any = None,
    theme: str | None = None,
) -> Any:
    """Draw every solution of A x = b, for two or three unknowns.

    Parameters
    ----------
    A : array_like, shape (m, 2) or (m, 3)
        Real. Each row is a line, or a plane, of x.
    b : array_like, shape (m,)
        Real.
    rtol, rcond : float, optional
        As in `solutions`.
    ax : Axes, optional
        Made with ``projection="3d"`` for three unknowns.
    theme : {"light", "dark"}, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        Another number of unknowns, complex numbers, NaN or infinity, mismatched shapes, more than
        one b, axes of another kind.
    ModuleNotFoundError
        Without matplotlib.

    Examples
    --------
    >>> import fastsub.plot
    >>> ax = fastsub.plot.solution_set([[1, 2], [2, 4]], [3, 6])
    >>> print(ax.get_title(loc="left"))
    Infinitely many solutions: a line of them
    the null space, moved to one solution
    """
    A, b = as_matrix(A), as_array(b, "b")
    n = A.shape[1]
    if n not in (2, 3):
        raise ValueError(f"A must have 2 or 3 columns, unknowns, to be drawn; got shape {A.shape}")
    if A.dtype.kind == "c" or b.dtype.kind == "c":
        raise ValueError("A and b must be real: complex unknowns have twice as many dimensions")
    if b.ndim != 1:
        raise ValueError(f"b must be one vector, shape ({A.shape[0]},), got shape {b.shape}")
    S = solutions(A, b, rtol=rtol, rcond=rcond)
    (axes,), colours = canvas(
        ax, theme, (6.2, 6.6), ("3d" if n == 3 else "2d",), min(A.shape[0], _NAMED) + 2
    )
    feet, normals = _lines(A, b)
    x = S.particular.astype(np.float64)
    sizes = [float(np.abs(v).max()) for v in (*feet, x) if v.size and np.isfinite(v).all()]
    R = (1.6 if n == 2 else 2.2) * max(sizes, default=0.0) or 1.0
    draw_axes(axes, n, R, colours)
    _draw_equations(axes, A, b, feet, normals, R, colours)
    _draw_solutions(axes, S, x, R, colours)
    seen = [_along(normal) for normal in normals if np.isfinite(normal).all()][:_NAMED]
    frame(axes, n, R, "x", [S.directions.basis, *seen])
    key(axes, colours)
    return axes


def _lines(A: Array, b: Array) -> tuple[Array, Array]:
    """Return the foot of each line or plane, NaN where a row is zero, and its unit normal."""
    scale = np.abs(A).max(axis=1, keepdims=True).astype(np.float64)
    rows = A / np.where(scale > 0, scale, 1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        normals = rows / lengths
        feet = normals * (b[:, None] / scale / lengths)
    return feet, normals


def _draw_equations(
    ax: Any, A: Array, b: Array, feet: Array, normals: Array, R: float, theme: Theme
) -> None:
    m, n = A.shape
    few = m <= _NAMED
    for i in range(m):
        label = f"equation {i + 1}:  {_equation(A[i], b[i])}" if few else None
        if i == 0 and not few:
            label = f"the {m} equations"
        if not np.isfinite(feet[i]).all():
            says = "holds for every x" if b[i] == 0 else "holds for no x"
            ax.plot([], [], " ", label=f"equation {i + 1}:  0 = {b[i]:.4g}, {says}")
            continue
        color = theme.several[i % 4] if few else theme.muted
        style: dict[str, Any] = {"linewidth": 2 if few else 0.9, "gid": f"equation {i + 1}"}
        if n == 2:
            style |= {"linestyle": _DASHES[i % 4] if few else "-", "zorder": 2}
        else:
            style = {"alpha": 0.2 if few else 0.05}
        draw_flat(ax, feet[i], _along(normals[i]), R, color, label=label, **style)


def _along(normal: Array) -> Array:
    """Return the directions of a line or plane, orthonormal, shape (n, n - 1)."""
    return np.linalg.svd(normal[None, :])[2][1:].T


def _equation(row: Array, b: float) -> str:
    terms = ""
    for i, value in enumerate(row.tolist(), start=1):
        if value:
            size = "" if abs(value) == 1 else f"{abs(value):.3g}"
            sign = ("-" if value < 0 else "") if not terms else (" - " if value < 0 else " + ")
            terms += f"{sign}{size}{component('x', i)}"
    return f"{terms} = {b:.3g}"


def _draw_solutions(ax: Any, S: SolutionSet, x: Array, R: float, theme: Theme) -> None:
    N = S.directions.basis.astype(np.float64)
    n, d = N.shape
    there_is_one = S.kind != "none"
    shapes = ("point", "line", "plane", "whole space" if n == 3 else "whole plane")
    shape = shapes[-1] if d == n else shapes[d]
    place = "(" + ", ".join(f"{v:.4g}" for v in (x + 0.0).tolist()) + ")"
    if there_is_one:
        title = (
            "Exactly one solution\nevery equation holds at this point, and nowhere else"
            if d == 0
            else f"Infinitely many solutions: a {shape} of them\n"
            "the null space, moved to one solution"
        )
        name = f"the solution {place}" if d == 0 else "all solutions"
    else:
        title = f"No solution: b is missed by {S.residual_norm:.4g}\nno point is on every " + (
            "line" if n == 2 else "plane"
        )
        name = f"least squares: nearest is {place}" if d == 0 else "all least-squares solutions"
    if d:
        style: dict[str, Any] = {"gid": "solutions", "label": name}
        style |= {"linewidth": 8, "zorder": 1, "alpha": 0.45}
        if not there_is_one:
            style["linestyle"] = (0, (3, 1.5))
        draw_flat(ax, x, N, R, theme.null, **style)
        if x.any():
            ends = np.array([np.zeros(n), x]).T
            ax.plot(*ends, ":", color=theme.ink, linewidth=1.3, zorder=4)
        name = f"the shortest of them, {place}"
    face = theme.null if there_is_one else theme.paper
    ax.plot(
        *x[:, None],
        "o",
        color=theme.ink if d else theme.null,
        markerfacecolor=face,
        markersize=9,
        markeredgewidth=1.5,
        zorder=7,
        label=name,
        linestyle="none",
        gid="particular",
    )
    entitle(ax, theme, title)
