"""Pictures of what a matrix destroys and what it reaches; they need matplotlib, extra ``plot``.

Each function draws into ``ax``, or into a figure of its own, and returns the axes. Colours are
those of Okabe & Ito (2008), which the colour-blind can tell apart; ``theme`` is "light" or "dark",
by default whichever the axes, or matplotlib's style in use, are.
"""

from fastsub.plot.diagram import four_subspaces
from fastsub.plot.identifiability import identifiability
from fastsub.plot.plane import plane_map
from fastsub.plot.projection import projection
from fastsub.plot.solutions import solution_set
from fastsub.plot.spectrum import rank_spectrum

__all__ = [
    "four_subspaces",
    "identifiability",
    "plane_map",
    "projection",
    "rank_spectrum",
    "solution_set",
]
