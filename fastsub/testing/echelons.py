"""The invariants of a reduced row echelon form, floating-point or exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastsub.testing.checks import fail_unless
from fastsub.testing.spectrum import precision


def check_echelon(A: ArrayLike, E: Any, *, factor: float = 4.0) -> None:
    """E unpacks as R, pivots: R is in reduced row echelon form and ``A = A[:, pivots] R``.

    The form is checked exactly: pivots ascending, their columns those of the identity, nothing to
    the left of a pivot, nothing below the last. The equation is checked column by column, each
    relative to the size of its terms, ``norm(a_j) + sum_i |r_ij| norm(a_pi)``; exactly where
    A and R hold Python integers or fractions.

    Parameters
    ----------
    A : (m, n) array_like
    E : iterable of an (m, n) or (rank, n) array and a sequence of int
    factor : float, default: 4.0
        The equation may fail by ``factor * max(m, n) * u``, u = eps of the dtype: what is left of a
        dependent column, and the rounding of an elimination without growth.

    Raises
    ------
    AssertionError
        With what was got and what was wanted.

    Examples
    --------
    >>> check_echelon([[1.0, 2.0], [3.0, 6.0]], ([[1.0, 2.0], [0.0, 0.0]], [0]))
    >>> check_echelon([[1.0, 2.0], [3.0, 6.0]], ([[1.0, 3.0], [0.0, 0.0]], [0]))
    Traceback (most recent call last):
    ...
    AssertionError: column 1 by pivot columns: error 2.00e-01, want <= 1.78e-15.
    """
    R, pivots = E
    A, R, p = np.asarray(A), np.asarray(R), [int(j) for j in pivots]
    (m, n), r = A.shape, len(p)
    fail_unless(
        R.shape in ((m, n), (r, n)), f"R: got shape {R.shape}, want ({m}, {n}) or ({r}, {n})."
    )
    fail_unless(
        all(i < j for i, j in zip([-1, *p], [*p, n], strict=True)),
        f"pivots: got {p}, want them ascending in 0..{n - 1}.",
    )
    fail_unless(not np.any(R[r:]), "R: got nonzeros below the last pivot, want none.")
    for i, j in enumerate(p):
        fail_unless(not np.any(R[i, :j]), f"R: got nonzeros left of pivot {i}, want none.")
        unit = np.arange(R.shape[0]) == i
        fail_unless(bool(np.all(R[:, j] == unit)), f"R: pivot column {j} is not a unit vector.")
    if A.dtype == object or R.dtype == object:
        exact = bool(np.all(A.astype(object) == A[:, p].astype(object) @ R[:r].astype(object)))
        fail_unless(exact, "A = A[:, pivots] R: want equality.")
        return
    wide = np.result_type(A, R, np.float64)
    A, X = A.astype(wide), R[:r].astype(wide)
    scale = np.abs(A).max(axis=0, initial=0)
    scale[scale == 0] = 1
    # Columns of unit size: what is relative to each of them is then relative to one.
    B, X = A / scale, X * (scale[p][:, None] / scale)
    sizes = np.linalg.norm(B, axis=0)
    limit = factor * max(m, n) * precision(R)
    errors = np.linalg.norm(B - B[:, p] @ X, axis=0) / np.maximum(
        sizes + sizes[p] @ np.abs(X), np.finfo(float).tiny
    )
    if errors.size:
        worst = int(np.argmax(errors))
        fail_unless(
            bool(errors[worst] <= limit),
            f"column {worst} by pivot columns: error {errors[worst]:.2e}, want <= {limit:.2e}.",
        )
