"""The map x -> Ax of the plane, or of space: what is crushed, what is reached.

Left the inputs, right the outputs. The null space is crushed to the origin; each of its translates,
a fibre, is crushed to one point, which bears the same number on the right.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, as_matrix
from fastsub.plot.flats import draw_axes, draw_flat, draw_numbers, frame
from fastsub.plot.style import Theme, canvas, entitle, key, power_of_ten, space
from fastsub.solution.fundamental import FundamentalSubspaces, fundamental_subspaces

_SIZES = ("the origin", "a line", "a plane", "all of space")
_INPUTS = 2.6  # half of the side of the box of inputs


def plane_map(
    A: Any, *, rtol: float | None = None, ax: Any = None, theme: str | None = None
) -> tuple[Any, Any]:
    """Draw the map x -> Ax: the inputs that it crushes, the outputs that it reaches.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real, with 2 or 3 rows and 2 or 3 columns.
    rtol : float, optional
        Singular values above ``rtol`` times the largest count, as in `fundamental_subspaces`.
    ax : pair of Axes, optional
        For the inputs and the outputs; made with ``projection="3d"`` where n or m is 3.
    theme : {"light", "dark"}, optional

    Returns
    -------
    inputs, outputs : Axes

    Raises
    ------
    ValueError
        Another shape, a complex matrix, NaN or infinity, axes of another kind.
    ModuleNotFoundError
        Without matplotlib.

    See Also
    --------
    four_subspaces : for a matrix of any shape.

    Examples
    --------
    >>> import fastsub.plot
    >>> inputs, outputs = fastsub.plot.plane_map([[1, 2], [2, 4]])
    >>> print(inputs.get_title(loc="left"))
    Inputs x in ℝ²
    a line is crushed to 0
    """
    A = as_matrix(A)
    m, n = A.shape
    if not {m, n} <= {2, 3}:
        raise ValueError(
            f"A must have 2 or 3 rows and columns to be drawn as a map, got shape {A.shape}; "
            "four_subspaces draws any shape"
        )
    if A.dtype.kind == "c":
        raise ValueError(
            "A must be real: a complex plane has four real dimensions; four_subspaces draws "
            "complex matrices"
        )
    F = fundamental_subspaces(A, rtol)
    kinds = tuple("3d" if k == 3 else "2d" for k in (n, m))
    axes, colours = canvas(ax, theme, (9.4, 5.6), kinds, lines=4)
    A = A.astype(np.float64)
    exponent = _exponent(A)
    A = np.ldexp(A, -exponent[1]) / exponent[2]
    V, representatives = _representatives(A, F.rank)
    R = 1.25 * max(float(np.abs(A @ representatives.T).max(initial=0)), 1e-3)
    R = R if F.rank else 1.0
    _draw_inputs(axes[0], F, V, representatives, colours)
    _draw_outputs(axes[1], F, A @ representatives.T, R, exponent[0], colours)
    if F.nullity == 0:
        _draw_grids(axes, A, R, colours)
    return axes[0], axes[1]


def _exponent(A: Array) -> tuple[int, int, float]:
    """Return the power of ten that outputs are measured in, 10^e = f 2^k with f near 1."""
    size = float(np.abs(A).max())
    e = math.floor(math.log10(size)) if size else 0
    if -3 <= e <= 3:
        return 0, 0, 1.0
    k = math.floor(e * math.log2(10))
    return e, k, 2 ** (e * math.log2(10) - k)


def _representatives(A: Array, rank: int) -> tuple[Array, Array]:
    """Return a basis of the row space, shape (n, r), and inputs in it to follow, shape (k, n)."""
    V = np.linalg.svd(A)[2][:rank].T
    V = V * np.where(V[np.abs(V).argmax(axis=0), range(rank)] < 0, -1, 1)
    if rank == 0:
        return V, np.empty((0, A.shape[1]))
    if rank == A.shape[1]:
        # The corners of a square or cube that stands straight.
        corners = [c for c in product((-1, 1), repeat=rank) if rank == 2 or math.prod(c) > 0]
        return V, 1.6 * np.array(corners)
    steps = [(-1.6,), (-0.8,), (0.8,), (1.6,)]
    coefficients = steps if rank == 1 else list(product((-1.1, 1.1), repeat=2))
    return V, np.array(coefficients) @ V.T


def _draw_inputs(
    ax: Any, F: FundamentalSubspaces, V: Array, representatives: Array, theme: Theme
) -> None:
    n, N = F.shape[1], F.null_space.basis.astype(np.float64)
    draw_axes(ax, n, _INPUTS, theme)
    crushed = F.null_space.equations()
    name = f"null space, dimension {F.nullity}: all of this goes to 0"
    if crushed and F.nullity and len(crushed) < n:
        name += "\n" + ", ".join(crushed)
    if F.nullity == 0:
        name = "null space, dimension 0: only 0 goes to 0"
    draw_flat(ax, np.zeros(n), N, _INPUTS, theme.null, label=name, linewidth=3.5, gid="null space")
    if 0 < F.nullity < n:
        for i, (x, color) in enumerate(zip(representatives, theme.several, strict=False)):
            same = "all inputs on one such line" if F.nullity == 1 else "all on one such plane"
            label = f"{same} have the same output" if i == 0 else None
            draw_flat(ax, x, N, _INPUTS, color, label=label, linewidth=2, gid=f"fibre {i + 1}")
    draw_numbers(ax, representatives, list(theme.several[: len(representatives)]), theme)
    frame(ax, n, _INPUTS, "x", [N])
    what = {0: "nothing is crushed but 0 itself", n: "everything is crushed to 0"}
    words = what.get(F.nullity, f"{_SIZES[F.nullity]} is crushed to 0")
    entitle(ax, theme, f"Inputs x in {space(n)}\n{words}")
    key(ax, theme)


def _draw_outputs(
    ax: Any, F: FundamentalSubspaces, images: Array, R: float, e: int, theme: Theme
) -> None:
    m, U = F.shape[0], F.column_space.basis.astype(np.float64)
    draw_axes(ax, m, R, theme)
    name = f"column space, dimension {F.rank}: all that Ax can be"
    if 0 < F.rank < m:
        name += "\n" + ", ".join(F.column_space.equations()).replace("x", "y")
    style: dict[str, Any] = {"linewidth": 3.5, "markersize": 13, "zorder": 3}
    draw_flat(ax, np.zeros(m), U, R, theme.column, label=name, gid="column space", **style)
    if F.nullity:
        label = "0: here the null space goes"
        draw_flat(
            ax, np.zeros(m), np.empty((m, 0)), R, theme.null, label=label, zorder=5, markersize=7
        )
    elif (condition := np.linalg.cond(images)) > 100:
        ax.plot(
            [],
            [],
            " ",
            label=f"nearly a loss: one direction shrinks\n{condition:.1e} times more than another",
        )
    draw_numbers(ax, images.T, list(theme.several[: images.shape[1]]), theme)
    frame(ax, m, R, "y", [U])
    what = {0: "nothing but 0 is reached", m: "everything is reached"}
    words = what.get(F.rank, f"only {_SIZES[F.rank]} is reached")
    unit = f", in units of {power_of_ten(e)}" if e else ""
    entitle(ax, theme, f"Outputs y = Ax in {space(m)}{unit}\n{words}")
    key(ax, theme)


def _draw_grids(axes: list[Any], A: Array, R: float, theme: Theme) -> None:
    """Draw a grid of inputs, and what becomes of it."""
    n = A.shape[1]
    steps = 1.6 * (np.linspace(-1, 1, 5) if n == 2 else np.array([-1.0, 1.0]))
    for i in range(n):
        for others in product(steps, repeat=n - 1):
            ends = np.insert(np.outer(others, (1, 1)), i, (-1.6, 1.6), axis=0)
            style = {"color": theme.muted, "linewidth": 1, "zorder": 1}
            axes[0].plot(*ends, **style)
            axes[1].plot(*(A @ ends), **style)
