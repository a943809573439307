"""What a matrix destroys and what it can reach, at the speed of QR, as surely as by the SVD.

>>> import fastsub
>>> fastsub.null_space([[1, 2], [3, 6], [4, 8]]).shape
(2, 1)
"""

from importlib.metadata import PackageNotFoundError, version

from fastsub import exact
from fastsub.errors import ConvergenceError, RankDeficientError
from fastsub.factor.certificate import Certificate
from fastsub.factor.cod import COD
from fastsub.factor.rrqr import RRQR
from fastsub.functions.least_squares import lstsq
from fastsub.functions.qr import qr, rrqr
from fastsub.functions.rank import matrix_rank
from fastsub.functions.subspaces import (
    column_space,
    left_null_space,
    null_space,
    orth,
    row_space,
)

__all__ = [
    "COD",
    "RRQR",
    "Certificate",
    "ConvergenceError",
    "RankDeficientError",
    "column_space",
    "exact",
    "left_null_space",
    "lstsq",
    "matrix_rank",
    "null_space",
    "orth",
    "qr",
    "row_space",
    "rrqr",
]

try:
    __version__ = version("fastsub-linalg")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+unknown"
