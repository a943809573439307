"""The report as one page of HTML: no network, no script; pictures and bases are inside.

Built by `fastsub.html.tag`, which escapes every text, so that no name from a file becomes markup;
a policy in the page's head forbids the browser to load or run anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import fastsub
from fastsub.cli.facts import Array, floating
from fastsub.cli.page import sections
from fastsub.cli.page.style import PAGE_STYLE
from fastsub.cli.report import MatrixFacts
from fastsub.cli.text import printable
from fastsub.html import Html, tag


def page(A: Array, found: MatrixFacts, names: Sequence[str] | None, rtol: float | None) -> str:
    """Return the page.

    Parameters
    ----------
    A : ndarray, shape (m, n)
    found : MatrixFacts
        What `analyse` says of it.
    names : sequence of str, optional
        Of the columns.
    rtol : float, optional
        As for `analyse`.

    Raises
    ------
    ModuleNotFoundError
        Without matplotlib.
    """
    contents = sections.all_of(floating(A), found, names, rtol)
    title = printable(Path(found.matrix).name)  # where it lies is nobody's business
    return "<!doctype html>\n" + tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag(
                "meta",
                http_equiv="Content-Security-Policy",
                content="default-src 'none'; img-src data:; style-src 'unsafe-inline'",
            ),
            tag("title", f"{title}: rank {found.rank}, nullity {found.nullity}"),
            tag("style", Html(PAGE_STYLE)),
        ),
        tag(
            "body",
            tag("a", "Skip to the report", href="#report", class_="skip"),
            tag(
                "header",
                tag("p", "Report on a matrix", class_="kind"),
                tag("h1", title),
                tag("p", f"{found.rows} rows, {found.columns} columns, {found.stored_dtype}"),
                tag("p", printable(found.citation.replace("\n", " "))) if found.citation else None,
            ),
            tag(
                "nav",
                tag(
                    "ul",
                    [tag("li", tag("a", name, href=f"#{key}")) for key, name, _ in contents],
                ),
                aria_label="Sections",
            ),
            tag(
                "main",
                [
                    tag(
                        "section",
                        tag("h2", name, id=f"{key}-heading"),
                        content,
                        id=key,
                        aria_labelledby=f"{key}-heading",
                    )
                    for key, name, content in contents
                ],
                id="report",
                tabindex="-1",
            ),
            tag(
                "footer",
                tag("p", f"Made by fastsub {fastsub.__version__}. This page loads nothing."),
            ),
        ),
        lang="en",
    )
