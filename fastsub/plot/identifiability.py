"""Which parameters the data tell apart, as a table of colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.models.identifiability import Identifiability
from fastsub.models.identifiability import identifiability as judge
from fastsub.plot.style import Theme, canvas, entitle, shortened

_MOST = 40  # rows; of more columns only those that are tied are shown
_NUMBERS = 14  # directions, above which no numbers are written


def identifiability(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    rtol: float | None = None,
    intercept: bool = False,
    ax: Any = None,
    theme: str | None = None,
) -> Any:
    """Draw which parameters of a linear model the data can tell apart, and how others are tied.

    One row for each parameter. The first column is its variance inflation factor: 1 is best, ∞
    means that the data do not determine it. Every further column is a change of the parameters
    that no prediction notices: add any multiple of it.

    Parameters
    ----------
    X : array_like or data frame, shape (m, n), or Identifiability
    names : sequence of str, optional
        Of the columns.
    rtol, intercept
        As in `fastsub.identifiability`.
    ax : Axes, optional
    theme : {"light", "dark"}, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        No column, NaN or infinity, names that do not fit, complex relations.
    ModuleNotFoundError
        Without matplotlib.

    Notes
    -----
    At most 40 rows and as many directions are drawn, those that are tied first; the title says so.

    Examples
    --------
    >>> import fastsub.plot
    >>> ax = fastsub.plot.identifiability([[1, 2, 0], [2, 4, 1], [3, 6, 0]], ["a", "b", "c"])
    >>> print(ax.get_title(loc="left"))
    1 of 3 parameters is identified
    1 direction changes no prediction
    """
    found = X if isinstance(X, Identifiability) else judge(X, names, rtol=rtol, intercept=intercept)
    n = len(found.names)
    if n == 0:
        raise ValueError("X must have a column to be drawn, got none")
    changes = _changes(found)
    rows = np.arange(n)
    if n > _MOST:
        rows = np.sort(np.argsort(found.identified, kind="stable")[:_MOST])
    changes = changes[rows][:, :_MOST]
    changes = changes[:, np.any(changes != 0, axis=0)] if changes.size else changes
    size = (min(10.5, max(5.2, 3.8 + 0.72 * changes.shape[1])), 2.0 + 0.32 * rows.size)
    (axes,), colours = canvas(ax, theme, size)
    _draw(axes, found, rows, changes, colours)
    known, nullity = int(found.identified.sum()), found.nullity
    words = f"{known} of {n} parameters {'is' if known == 1 else 'are'} identified\n"
    if nullity:
        words += (
            f"{nullity} direction{'s' * (nullity > 1)} change{'s' * (nullity == 1)} no prediction"
        )
    else:
        words += "every change is seen in predictions"
    if n > _MOST:
        words += f"\ndrawn: {rows.size} of {n} rows"
    entitle(axes, colours, words)
    return axes


def _changes(found: Identifiability) -> Array:
    """Return a basis of the changes that no prediction notices: one column a relation."""
    at = {name: i for i, name in enumerate(found.names)}
    changes = np.zeros((len(found.names), len(found.relations)))
    for j, relation in enumerate(found.relations):
        # x_d = sum c x_k: what x_d gains, the others may lose.
        changes[at[relation.name], j] = 1
        for name, value in relation.coefficients.items():
            if isinstance(value, complex):
                raise ValueError("X must be real to be drawn; print the result for complex data")
            changes[at[name], j] = -value
    return changes


def _draw(ax: Any, found: Identifiability, rows: Array, changes: Array, theme: Theme) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    k, d = changes.shape if changes.size else (rows.size, 0)
    largest = np.abs(changes).max(axis=0, initial=0)
    shares = changes / np.where(largest > 0, largest, 1)
    both = LinearSegmentedColormap.from_list("fastsub", theme.diverging)
    doubt = LinearSegmentedColormap.from_list("doubt", (theme.paper, theme.left))
    # Cells of a change: are they wide enough for numbers?
    inches = (ax.figure.get_figwidth() - 1.7) / max(d + 1.35, 4.5)
    wide = d <= _NUMBERS and inches > 0.42
    for i, row in enumerate(rows.tolist()):
        vif, known = float(found.vif[row]), bool(found.identified[row])
        share = 1.0 if not known else min(1.0, math.log10(max(vif, 1.0)) / 4)
        _cell(ax, 0, i, doubt(share), _number(vif), theme, f"vif {row}")
        for j in range(d):
            value = float(changes[i, j])
            text = _number(value, sign=True) if value and wide else ""
            color = both(0.5 + 0.5 * float(shares[i, j]))
            _cell(ax, j + 1.35, i, color, text, theme, f"change {row} {j}")
    ax.set(xlim=(-0.5, max(d + 0.85, 4.0)), ylim=(k - 0.5, -0.5))
    names = [shortened(found.names[row]) for row in rows.tolist()]
    ax.set_yticks(range(k), names, color=theme.ink, fontsize=9)
    step = max(1, math.ceil(0.28 / inches))
    places = [j + 1.35 for j in range(0, d, step)]
    labels = [f"change {j + 1}" if inches > 0.6 else str(j + 1) for j in range(0, d, step)]
    ax.set_xticks([0, *places], ["VIF", *labels], color=theme.ink, fontsize=8)
    ax.xaxis.tick_bottom()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    notes = "VIF, variance inflation: ∞ is not determined"
    if d:
        notes += "\nno prediction notices the changes\nblue: less, orange: more"
    ax.set_xlabel(notes, fontsize=9, loc="left")


def _cell(ax: Any, x: float, y: float, color: Any, text: str, theme: Theme, gid: str) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle(
            (x - 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor=theme.faint, linewidth=0.8, gid=gid
        )
    )
    if text:
        light = 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2] > 0.4
        ink = "#000000" if light else "#ffffff"
        ax.text(x, y, text, ha="center", va="center", fontsize=8, color=ink, gid=gid)


def _number(value: float, *, sign: bool = False) -> str:
    if math.isinf(value):
        return "∞"
    text = f"{value:+.3g}" if sign else f"{value:.3g}"
    return text.replace("-", "−")
