"""Exact linear algebra over the rationals, and modulo a prime with ``mod=p``.

>>> from fastsub import exact
>>> exact.null_space([[1, 2], [3, 6], [4, 8]])
array([[-2],
       [ 1]])

Bases are columns of integers without a common divisor; what is not integer comes as integers over
one denominator. Every answer is checked in exact arithmetic before it is returned.
"""

from fastsub.exact.modular import ResidueEchelon
from fastsub.exact.rational import RationalEchelon, RationalMatrix, to_fractions, to_sympy
from fastsub.exact.spaces import (
    column_space,
    left_null_space,
    null_space,
    rank,
    row_space,
    rref,
)
from fastsub.exact.systems import det, inverse, solve

__all__ = [
    "RationalEchelon",
    "RationalMatrix",
    "ResidueEchelon",
    "column_space",
    "det",
    "inverse",
    "left_null_space",
    "null_space",
    "rank",
    "row_space",
    "rref",
    "solve",
    "to_fractions",
    "to_sympy",
]
