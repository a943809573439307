"""Sphinx: pages in Markdown, the reference from numpydoc docstrings.

From the root: ``python -m sphinx -W -b html docs docs/_build``.
"""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from draw import draw  # noqa: E402  (from this folder)

project = "fastsub"
author = "The fastsub developers"
project_copyright = author
release = version = installed_version("fastsub-linalg")

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# The pages of autosummary list the members already.
numpydoc_show_class_members = False


def setup(app):
    """Draw the pictures before the pages are read."""
    app.connect("builder-inited", lambda _: draw(HERE / "_pictures"))
