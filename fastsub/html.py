"""HTML by construction: every text is escaped, unless `tag` made it; and the card of an object.

Cards are what notebooks show: a heading, facts, small arrays. They take the colours of the page
around them, so that they can be read on light and on dark.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_VOID = {"meta", "img", "source", "link", "br"}
# Rows and columns of an array that a card shows.
_MOST = 8

STYLE = """
.fastsub { border: 1px solid rgba(128, 128, 128, .5); border-radius: 6px; padding: .6em .9em;
  display: inline-block; max-width: 100%; overflow-x: auto; color: inherit; }
.fastsub table { border-collapse: collapse; margin: .4em 0; background: transparent; }
.fastsub caption { caption-side: top; text-align: left; font-weight: 600; color: inherit;
  padding: 0 0 .3em; white-space: nowrap; }
.fastsub th, .fastsub td { text-align: left; vertical-align: top; padding: .15em 1em .15em 0;
  background: transparent; color: inherit; border: 0; }
.fastsub th { font-weight: 600; white-space: nowrap; }
.fastsub td.number { text-align: right; font-variant-numeric: tabular-nums; }
.fastsub td table { margin: 0; }
.fastsub p { margin: .3em 0; }
"""


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """Return an element.

    Parameters
    ----------
    name : str
    *children
        `Html` stays as it is; None is left out; of a list each; everything else is escaped text.
    **attributes
        ``class_`` is class, ``aria_label`` aria-label; None and False are left out, True is an
        attribute without a value.

    Examples
    --------
    >>> from fastsub.html import tag
    >>> tag("p", "1 < 2 ", tag("b", "&"), class_="fact")
    '<p class="fact">1 &lt; 2 <b>&amp;</b></p>'
    """
    opened = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            opened.append(key)
        elif value is not None and value is not False:
            opened.append(f'{key}="{html.escape(str(value))}"')
    start = f"<{' '.join(opened)}>"
    return Html(start if name in _VOID else f"{start}{join(children)}</{name}>")


def join(children: Iterable[Any]) -> Html:
    """Return what stands in an element: the children, escaped unless they are `Html`."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            parts.append(str(child))
        elif isinstance(child, (list, tuple)):
            parts.append(str(join(child)))
        else:
            parts.append(html.escape(str(child)))
    return Html("".join(parts))


def facts(rows: Mapping[str, Any], caption: Any = None) -> Html:
    """Return a table of two columns: what, and its value; None is left out."""
    return tag(
        "table",
        None if caption is None else tag("caption", caption),
        [
            tag("tr", tag("th", what, scope="row"), tag("td", _value(value)))
            for what, value in rows.items()
            if value is not None
        ],
    )


def grid(columns: Mapping[str, Iterable[Any]], caption: Any = None) -> Html:
    """Return a table with a heading for each column; the first column is the heading of rows."""
    head = tag("tr", [tag("th", name, scope="col") for name in columns])
    body = [
        tag("tr", tag("th", first, scope="row"), [_cell(value) for value in rest])
        for first, *rest in zip(*columns.values(), strict=True)
    ]
    return tag("table", None if caption is None else tag("caption", caption), head, body)


def _cell(value: Any) -> Html:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return tag("td", _value(value), class_="number" if number else None)


def card(title: str, rows: Mapping[str, Any], *more: Any, proof: Any = None) -> str:
    """Return what a notebook shows of an object.

    Parameters
    ----------
    title : str
        Its repr; the angle brackets are taken off.
    rows : mapping
        Facts by name: numbers, texts, arrays, lists of texts; None is left out.
    *more
        Further elements.
    proof : Certificate, optional
        Said in words, below.
    """
    return tag(
        "div",
        tag("style", Html(STYLE)),
        facts(rows, title.removeprefix("<").removesuffix(">")),
        more,
        None if proof is None else tag("p", proof.explain()),
        class_="fastsub",
    )


def _value(value: Any) -> Any:
    if isinstance(value, Html):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, np.ndarray) and value.ndim:
        return _array(value)
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    if isinstance(value, (complex, np.complexfloating)):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        shown = [_value(item) for item in value[:_MOST]]
        rest = len(value) - len(shown)
        lines = [[line, tag("br")] for line in shown] + ([f"and {rest} more"] if rest else [])
        return lines if value else "none"
    return value


def _array(array: Any) -> Any:
    """Return a small array as numbers, a large one as its shape."""
    if array.ndim <= 2 and max(array.shape) <= _MOST and array.size:
        rows = np.atleast_2d(array)
        body = [
            tag("tr", [tag("td", _value(x), class_="number") for x in row]) for row in rows.tolist()
        ]
        return tag("table", body)
    return f"{' × '.join(map(str, array.shape))} of {array.dtype}"
