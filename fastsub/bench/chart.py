"""Time against n on logarithmic scales: ours, the peers' and the limit, one picture a curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastsub.bench.growth import CURVES
from fastsub.bench.runner import Comparison, Row
from fastsub.extras import load

# Okabe & Ito's colours, told apart by the colour-blind; the markers and dashes by everybody.
_OURS = {"color": "#0072B2", "marker": "o", "linewidth": 2.5}
_LIMIT = {"color": "#595959", "linestyle": "--", "linewidth": 1.5}
_PEERS = {
    "scipy null_space": {"color": "#D55E00", "marker": "s"},
    "economy SVD": {"color": "#009E73", "marker": "^"},
}
_NAMES = {
    "scipy null_space": "scipy.linalg.null_space",
    "economy SVD": "economy SVD, by hand",
    "ours": "fastsub.null_space",
    "limit": "the limit: a matrix product of as many operations",
}


def draw(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Draw every curve that the comparison has rows of; return the SVG files.

    Parameters
    ----------
    comparison : Comparison
        With rows of `growth`.
    folder : path
        Made if it is not there.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib, of the extra ``bench``, is not installed.
    """
    load("matplotlib", "bench", "charts need")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, curve in CURVES.items():
        rows = [row for row in comparison.rows if row.part == "growth" and row.title == name]
        if rows:
            written.append(folder / f"null-space-{name}.svg")
            _draw(curve.title, rows, written[-1])
    return written


def _draw(title: str, rows: list[Row], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    settings: Any = {"svg.hashsalt": path.name, "font.size": 11, "axes.spines.top": False}
    with mpl.rc_context(settings | {"axes.spines.right": False}):
        # A white card, so that it can be read on a dark page.
        figure = Figure(figsize=(8, 5), facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        axes.set(
            xscale="log", yscale="log", title=title, xlabel="n, columns", ylabel="time of a call"
        )
        lines = {}
        for peer in dict.fromkeys(row.peer for row in rows):
            found = [row for row in rows if row.peer == peer]
            lines[peer] = {row.shape[1]: row.peer_seconds for row in found}
        lines["ours"] = {row.shape[1]: row.ours_seconds for row in rows}
        lines["limit"] = {row.shape[1]: row.gemm_seconds or 0.0 for row in rows}
        styles = _PEERS | {"ours": _OURS, "limit": _LIMIT}
        for name, points in lines.items():
            style = {"markersize": 5, "linewidth": 1.5} | styles[name]
            axes.plot(list(points), list(points.values()), label=_NAMES[name], **style)
        for name in (name for name in lines if name in _PEERS):
            last = max(lines[name])
            factor = lines[name][last] / lines["ours"][last]
            axes.annotate(
                f"{factor:.{int(factor < 10)}f}× our time",
                (last, lines[name][last]),
                textcoords="offset points",
                xytext=(-8, 6),
                ha="right",
                color=_PEERS[name]["color"],
            )
        columns = sorted(lines["ours"])
        axes.set_xticks(columns, [str(n) for n in columns])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_minor_locator(LogLocator(subs=()))
        axes.yaxis.set_major_locator(LogLocator(numticks=12))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _duration(seconds)))
        axes.grid(which="major", color="#d9d9d9", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right")
        figure.savefig(path, metadata={"Date": None})


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.999 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"
