"""Every solution of A x = b, from A and b."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastsub.factor.arrays import as_array, as_matrix, check_tolerance
from fastsub.functions.sources import elsewhere
from fastsub.solution.fundamental import FundamentalSubspaces
from fastsub.solution.solution_set import SolutionSet


def solutions(
    A: Any, b: Any, *, rtol: float | None = None, rcond: float | None = None
) -> SolutionSet:
    """Return every solution of A x = b.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Real or complex matrix of any shape and rank, dense or `scipy.sparse`.
    b : array_like, shape (m,) or (m, k)
        A right-hand side, or one in each column, of which each may be of another kind.
    rtol : float, optional
        b is in the image of A up to this normwise backward error of the least-squares solution;
        ``eps * max(m, n)`` by default. Data that are known to 3 digits want 1e-3.
    rcond : float, optional
        Singular values above ``rcond`` times the largest count; ``eps * max(m, n)`` by default.

    Returns
    -------
    SolutionSet
        ``kind`` is ``"unique"``, ``"infinite"`` or ``"none"``; ``particular`` and ``directions``
        describe all solutions.

    Raises
    ------
    ValueError
        NaN or infinity, mismatched shapes, a negative or NaN tolerance.
    TypeError
        Strings, masked entries, dask arrays.

    See Also
    --------
    lstsq : the solution of least norm alone, sooner.

    Notes
    -----
    Cost: `fundamental_subspaces`, and 4 m n flops for each b. Not for one large system that is
    known to be regular: ``scipy.linalg.solve``.

    References
    ----------
    .. [1] Strang, Introduction to Linear Algebra, 6th ed. (2023), section 3.3.
    .. [2] Rigal & Gaches, On the compatibility of a given solution with the data of a linear
       system, J. ACM 14 (1967).

    Examples
    --------
    >>> import fastsub
    >>> S = fastsub.solutions([[1, 2], [2, 4]], [3, 6])
    >>> S
    <SolutionSet of 2 x 2: infinite, 1 direction>
    >>> fastsub.solutions([[1, 2], [2, 4]], [3, 7]).kind
    'none'
    >>> [1, 1] in S, S.closest_to([3, 1]).round(12)
    (True, array([2.6, 0.2]))
    """
    if (answer := elsewhere(A, solutions)) is not None:
        return answer(A, b, rcond=rcond, rtol=rtol)
    A, b = as_matrix(A), as_array(b, "b")
    dtype = np.result_type(A, b)
    if A.dtype.kind != "c":
        dtype = dtype.type(0).real.dtype  # a complex b is two real ones
    F = FundamentalSubspaces(A.astype(dtype, copy=False), check_tolerance(rcond, "rcond"))
    return F.solutions(b, rtol=rtol)
