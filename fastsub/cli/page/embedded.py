"""Pictures and files inside a page, as data URLs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

from fastsub.html import Html, tag
from fastsub.plot.style import matplotlib


def figure(
    draw: Callable[..., Any], alt: str, caption: str, *, size: tuple[float, float], kinds: str = "2"
) -> Html:
    """Draw for both colour schemes; the browser shows the one that it is asked for.

    Pictures are as narrow as a telephone's screen, axes below one another: text keeps its size.
    """
    light, dark = (_svg(draw, theme, size, kinds) for theme in ("light", "dark"))
    return tag(
        "figure",
        tag(
            "picture",
            tag("source", srcset=dark, media="(prefers-color-scheme: dark)"),
            tag("img", src=light, alt=alt),
        ),
        tag("figcaption", caption),
    )


def _svg(draw: Callable[..., Any], theme: str, size: tuple[float, float], kinds: str) -> str:
    mpl = matplotlib()
    from matplotlib.figure import Figure

    if len(kinds) == 1:
        sheet = Figure(size, layout="constrained")
        axes = [sheet.add_subplot()]
    else:
        sheet, (width, height) = Figure(size), size
        share = 1 / len(kinds)
        axes = [
            sheet.add_axes(
                (0.65 / width, 1 - share * (i + 1) + 1.6 / height, 0.82, share - 2.2 / height),
                projection="3d" if kind == "3" else None,
            )
            for i, kind in enumerate(kinds)
        ]
    draw(ax=axes if len(axes) > 1 else axes[0], theme=theme)
    face = axes[0].get_facecolor()
    stream = io.BytesIO()
    # The same matrix makes the same page.
    with mpl.rc_context({"svg.hashsalt": "fastsub"}):
        sheet.savefig(stream, format="svg", facecolor=face, metadata={"Date": None})
    return data_url(stream.getvalue(), "image/svg+xml")


def data_url(data: bytes, kind: str) -> str:
    """Return the URL that is the data."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
