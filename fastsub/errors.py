"""The package's own exceptions: each carries what the computation already knew when it stopped."""

from numpy.linalg import LinAlgError
from scipy.linalg import LinAlgWarning


class RankDeficientError(LinAlgError):
    """A full rank was needed and the matrix does not have it.

    Attributes
    ----------
    rank : int or None
        The rank that was computed, None if the failure came before a rank was known.
    """

    def __init__(self, message: str, rank: int | None = None) -> None:
        super().__init__(message)
        self.rank = rank

    def __reduce__(self) -> tuple[type, tuple[str, int | None]]:
        return type(self), (str(self), self.rank)


class ConvergenceError(RankDeficientError):
    """An iteration (the SVD of the small factor) did not converge."""


class InconsistentError(RankDeficientError):
    """Equations that must hold exactly contradict one another; `rank` is that of their matrix."""


class ConditionWarning(LinAlgWarning):  # type: ignore[misc]  # SciPy is untyped
    """Digits were lost that another method would have kept."""
