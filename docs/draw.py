"""The pictures of the documentation, drawn while it is built: ``python docs/draw.py FOLDER``.

Each is written twice, for light and for dark pages; the pages show the one that fits.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from fastsub import plot
from fastsub.data import ecoli_core

YEAR, GNP = np.arange(8.0), np.array([3.0, 1, 4, 1, 5, 9, 2, 6])

PICTURES: dict[str, Callable[..., Any]] = {
    "plane_map": lambda **k: plot.plane_map([[1, 2], [2, 4]], **k)[0],
    "plane_map_3d": lambda **k: plot.plane_map([[1, 2, 1], [0, 1, 1]], **k)[0],
    "four_subspaces": lambda **k: plot.four_subspaces(ecoli_core(), **k),
    "rank_spectrum": lambda **k: plot.rank_spectrum(ecoli_core(), **k),
    "projection": lambda **k: plot.projection([1, 2], [5, 3], **k),
    "solution_set_one": lambda **k: plot.solution_set([[1, 2], [1, -1]], [3, 1], **k),
    "solution_set_none": lambda **k: plot.solution_set([[1, 2], [2, 4]], [3, 7], **k),
    "identifiability": lambda **k: plot.identifiability(
        np.column_stack([YEAR, GNP, 0.3 * GNP + 2 * YEAR, GNP**2]),
        ["YEAR", "GNP", "POP", "GNP squared"],
        **k,
    ),
}


def draw(folder: Path) -> None:
    """Write all pictures as SVG."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    for name, picture in PICTURES.items():
        for theme in ("light", "dark"):
            figure = picture(theme=theme).figure
            with mpl.rc_context({"svg.hashsalt": name}):
                path = folder / f"{name}-{theme}.svg"
                figure.savefig(path, facecolor=figure.get_facecolor(), metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
