"""Ratios to the peers against the size of the matrix: a panel a function, losses below the line."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from fastsub.bench.runner import Row
from fastsub.extras import load

# Okabe & Ito's colours and markers, one a peer, in order of appearance.
_STYLES = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
)
_COLUMNS = 3  # panels side by side


def draw(rows: list[Row], path: Path | str, machine: str = "") -> None:
    """Draw peer's time / ours of every row, one panel for each function.

    Parameters
    ----------
    rows : list of Row
        Of one comparison.
    path : path
        An ``.svg`` or ``.png`` file, overwritten.
    machine : str
        Stands below.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib, of the extra ``bench``, is not installed.
    """
    mpl = load("matplotlib", "bench", "charts need")
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(row.group for row in rows))
    columns = max(1, min(_COLUMNS, len(groups)))
    lines = max(1, -(-len(groups) // columns))
    settings: Any = {"svg.hashsalt": "ratios", "axes.spines.top": False, "font.size": 9}
    with mpl.rc_context(settings | {"axes.spines.right": False}):
        figure = Figure(
            figsize=(4 * columns, 3.1 * lines + 0.8), facecolor="white", layout="constrained"
        )
        headline = "How many times as long the others take (above 1: fastsub is faster)"
        figure.suptitle("\n".join(textwrap.wrap(headline, 40 * columns)))
        for index, group in enumerate(groups):
            axes = figure.add_subplot(lines, columns, index + 1)
            _panel(axes, group, [row for row in rows if row.group == group])
        if machine:
            text = "\n".join(textwrap.wrap(machine, 45 * columns))
            figure.supxlabel(text, fontsize=7, color="#595959")
        figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None)


def _panel(axes: Any, group: str, rows: list[Row]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ratios = [row.ratio for row in rows]
    axes.set(xscale="log", yscale="log", title=group, xlabel="entries of the matrix")
    axes.set_ylim(min(0.5, 0.8 * min(ratios)), max(2.0, 1.4 * max(ratios)))
    axes.axhspan(axes.get_ylim()[0], 1, color="#f2d9d0", zorder=0)
    axes.axhline(1, color="#595959", linewidth=1)
    # Hollow: the hard cases, which have a title.
    for index, peer in enumerate(dict.fromkeys(row.peer for row in rows)):
        color, marker = _STYLES[index % len(_STYLES)]
        found = [row for row in rows if row.peer == peer]
        for part, fill in ((False, color), (True, "none")):
            some = [row for row in found if bool(row.title) is part]
            axes.plot(
                [row.shape[0] * row.shape[1] for row in some],
                [row.ratio for row in some],
                linestyle="",
                marker=marker,
                markersize=5,
                color=color,
                markerfacecolor=fill,
                label=None if part else peer,
            )
    if any(row.title for row in rows):
        axes.plot([], [], "o", markersize=5, color="#595959", mfc="none", label="a hard case")
    if max(ratios) < 30 * max(0.5, min(ratios)):
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}×"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(which="major", color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=7)
