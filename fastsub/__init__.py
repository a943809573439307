"""What a matrix destroys and what it can reach, at the speed of QR, as surely as by the SVD.

>>> import fastsub
>>> fastsub.null_space([[1, 2], [3, 6], [4, 8]]).shape
(2, 1)
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastsub import exact
from fastsub.errors import (
    ConditionWarning,
    ConvergenceError,
    InconsistentError,
    RankDeficientError,
)
from fastsub.factor.echelon import Echelon
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.orthogonal.rrqr import RRQR
from fastsub.factor.rank.certificate import Certificate
from fastsub.functions.factorize import Factorization, factorize
from fastsub.functions.jacobian import jacobian
from fastsub.functions.least_squares import lstsq
from fastsub.functions.normal_equations import normal_equations
from fastsub.functions.pinv import pinv
from fastsub.functions.qr import qr, rrqr
from fastsub.functions.rank import matrix_rank
from fastsub.functions.rref import rref
from fastsub.functions.subspaces import (
    column_space,
    left_null_space,
    null_space,
    orth,
    row_space,
)
from fastsub.models.identifiability import Identifiability, identifiability
from fastsub.models.interpolative import Interpolative, interpolative
from fastsub.models.least_squares import LeastSquares
from fastsub.models.low_rank import LowRank, low_rank
from fastsub.models.ridge import Ridge, ridge
from fastsub.solution.fundamental import FundamentalSubspaces, fundamental_subspaces
from fastsub.solution.solution_set import SolutionSet
from fastsub.solution.solutions import solutions
from fastsub.streams.reducer import Reducer
from fastsub.streams.stream import Stream, stream
from fastsub.subspace.angles import subspace_angles
from fastsub.subspace.project import is_orthogonal, is_projector, project, projector
from fastsub.subspace.subspace import Subspace

__all__ = [
    "COD",
    "RRQR",
    "Certificate",
    "ConditionWarning",
    "ConvergenceError",
    "Echelon",
    "Factorization",
    "FundamentalSubspaces",
    "Identifiability",
    "InconsistentError",
    "Interpolative",
    "LeastSquares",
    "LowRank",
    "RankDeficientError",
    "Reducer",
    "Ridge",
    "SolutionSet",
    "Stream",
    "Subspace",
    "column_space",
    "exact",
    "factorize",
    "fundamental_subspaces",
    "identifiability",
    "interpolative",
    "is_orthogonal",
    "is_projector",
    "jacobian",
    "left_null_space",
    "low_rank",
    "lstsq",
    "matrix_rank",
    "normal_equations",
    "null_space",
    "orth",
    "pinv",
    "project",
    "projector",
    "qr",
    "ridge",
    "row_space",
    "rref",
    "rrqr",
    "solutions",
    "stream",
    "subspace_angles",
]

try:
    __version__ = version("fastsub-linalg")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+unknown"

_LAZY = {
    "patch_scipy": "fastsub.patch",
    "unpatch_scipy": "fastsub.patch",
    "patched": "fastsub.patch",
}
"""What is importable from here, and loaded only when asked for; so are the modules below."""
_MODULES = ("dask", "patch", "plot")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name in _MODULES:
        return import_module(f"fastsub.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
