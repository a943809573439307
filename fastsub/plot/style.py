"""Colours, light and dark, and the axes that a picture is drawn into.

References
----------
Okabe & Ito, Color Universal Design (2008): the palette.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.extras import load

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture.

    Attributes
    ----------
    paper, ink, muted, faint : str
        Background, text, what is less important, grid lines.
    null, column, row, left : str
        Null space, column space, row space, left null space.
    several : tuple of str
        What is told apart: fibres, equations.
    diverging : tuple of str
        Colours of -1, 0 and 1.
    """

    paper: str
    ink: str
    muted: str
    faint: str
    null: str
    column: str
    row: str
    left: str
    several: tuple[str, ...]
    diverging: tuple[str, str, str]


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#1a1a1a",
        muted="#595959",
        faint="#d9d9d9",
        null="#D55E00",
        column="#0072B2",
        row="#009E73",
        left="#CC79A7",
        several=("#E69F00", "#56B4E9", "#009E73", "#CC79A7"),
        diverging=("#0072B2", "#ffffff", "#D55E00"),
    ),
    "dark": Theme(
        paper="#16191d",
        ink="#f2f2f2",
        muted="#b3b3b3",
        faint="#3d4349",
        null="#EB6B0A",
        column="#56B4E9",
        row="#1FBF92",
        left="#CC79A7",
        several=("#E69F00", "#F0E442", "#1FBF92", "#CC79A7"),
        diverging=("#56B4E9", "#16191d", "#EB6B0A"),
    ),
}


def matplotlib() -> Any:
    """Return matplotlib.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed; the message names the extra.
    """
    return load("matplotlib", "plot", "pictures need")


def canvas(
    ax: Any,
    theme: str | None,
    size: tuple[float, float],
    kinds: tuple[str, ...] = ("2d",),
    lines: int | None = None,
) -> tuple[list[Any], Theme]:
    """Return the axes to draw into, dressed in a theme, and the theme.

    Parameters
    ----------
    ax : Axes, sequence of Axes or None
        None makes a figure of its own.
    theme : {"light", "dark"} or None
    size : pair of float
        Of the figure, in inches.
    kinds : tuple of {"2d", "3d"}
        One for each axes.
    lines : int, optional
        Of text below axes whose sides keep their ratio: matplotlib's own layout cuts it off.

    Raises
    ------
    ValueError
        If `theme` is unknown, or there are too few axes, or axes of another kind.
    """
    mpl = matplotlib()
    if theme not in (None, *THEMES):
        raise ValueError(f'theme must be "light", "dark" or None, got {theme!r}')
    if ax is None:
        import matplotlib.pyplot as plt

        colours = THEMES[theme or _theme_of(mpl.rcParams["axes.facecolor"])]
        layout = "constrained" if lines is None else "none"
        figure = plt.figure(figsize=size, layout=layout, facecolor=colours.paper)
        if lines is not None:
            below, above = 0.6 + 0.22 * lines, 0.55
            sides = {"left": 0.7 / size[0], "right": 1 - 0.25 / size[0]}
            bottom, top = below / size[1], 1 - above / size[1]
            figure.subplots_adjust(**sides, bottom=bottom, top=top, wspace=0.25)
        projections = [None if kind == "2d" else kind for kind in kinds]
        axes = [
            figure.add_subplot(1, len(kinds), i, projection=projection)
            for i, projection in enumerate(projections, start=1)
        ]
    else:
        axes = list(np.ravel(np.asarray(ax, object)))
        if len(axes) != len(kinds):
            raise ValueError(f"ax must be {len(kinds)} axes, got {len(axes)}")
        for one, kind in zip(axes, kinds, strict=True):
            if ("3d" if hasattr(one, "get_zlim") else "2d") != kind:
                made = ', projection="3d"' if kind == "3d" else ""
                raise ValueError(
                    f"ax must be {kind} axes for this matrix, as figure.add_subplot(...{made}) "
                    "makes them"
                )
        colours = THEMES[theme or _theme_of(_background(axes[0]))]
    for one in axes:
        _dress(one, colours)
    return axes, colours


def _background(ax: Any) -> Any:
    face = ax.get_facecolor()
    return face if face[3] > 0.5 else ax.figure.get_facecolor()


def _theme_of(background: Any) -> str:
    """Return the theme that fits a background: dark below the middle of its lightness."""
    from matplotlib.colors import to_rgba

    red, green, blue, alpha = to_rgba(background)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "dark" if alpha > 0.5 and luminance < 0.4 else "light"


def _dress(ax: Any, theme: Theme) -> None:
    ax.set_facecolor(theme.paper)
    ax.tick_params(colors=theme.muted, labelcolor=theme.muted, labelsize=8)
    if hasattr(ax, "get_zlim"):
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_pane_color((0, 0, 0, 0))
            axis.line.set_color(theme.muted)
            axis._axinfo["grid"].update(color=theme.faint, linewidth=0.6)
            axis.label.set_color(theme.muted)
        return
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.xaxis.label.set_color(theme.muted)
    ax.yaxis.label.set_color(theme.muted)
    ax.set_axisbelow(True)


def entitle(ax: Any, theme: Theme, title: str) -> None:
    """Set the title, on the left; the first line says what is seen."""
    ax.set_title(title, loc="left", color=theme.ink, fontsize=10.5, linespacing=1.35)


def key(ax: Any, theme: Theme, *, columns: int = 1) -> None:
    """Put the legend below the axes, where it hides nothing."""
    from matplotlib.transforms import ScaledTranslation

    handles, _ = ax.get_legend_handles_labels()
    if handles:
        points = 0 if hasattr(ax, "get_zlim") else 36
        ax.legend(
            loc="upper left",
            bbox_to_anchor=(0, 0),
            bbox_transform=ax.transAxes
            + ScaledTranslation(0, -points / 72, ax.figure.dpi_scale_trans),
            borderaxespad=0,
            frameon=False,
            fontsize=9,
            labelcolor=theme.ink,
            ncols=columns,
            handlelength=1.8,
            handletextpad=0.7,
        )


def space(n: int, field: str = "ℝ") -> str:
    """Return the name of a space: ℝ⁹⁵."""
    return field + str(n).translate(_SUPERSCRIPTS)


def power_of_ten(exponent: int) -> str:
    """Return 10⁻³."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def component(name: str, i: int) -> str:
    """Return a component, counted from 1: x₁."""
    return name + str(i).translate(_SUBSCRIPTS)


def shortened(name: str, most: int = 24) -> str:
    """Return a name in at most so many characters, its dollars safe from matplotlib's formulae."""
    name = " ".join(name.split())
    name = name if len(name) <= most else name[: most - 1] + "…"
    return name.replace("$", r"\$")
