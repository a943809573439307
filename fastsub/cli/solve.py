"""The facts about A x = b: how many solutions, what is left over, how much freedom there is."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from fastsub.cli.errors import InputError
from fastsub.cli.facts import Array, Decision, floating, norm, spectral_norm
from fastsub.cli.sparse import SparseFactors
from fastsub.factor.orthogonal.cod import COD


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What holds for one right-hand side b.

    Attributes
    ----------
    kind : {"unique", "infinite", "none"}
        How many solutions A x = b has.
    residual_norm : float
        ``norm(b - A x)``, x the least-squares solution of minimum norm.
    backward_error : float
        ``norm(b - A x) / (norm(A) norm(x) + norm(b))``: at most ``SolveFacts.tolerance`` if b is
        in the image.
    x_norm : float
        ``norm(x)``.
    """

    kind: str
    residual_norm: float
    backward_error: float
    x_norm: float


@dataclass(frozen=True, slots=True)
class SolveFacts:
    """What ``fastsub solve`` says about A x = b.

    Attributes
    ----------
    kinds : dict
        How many right-hand sides there are of each kind.
    freedom : int
        The dimension of the solution set: the nullity of A.
    tolerance : float
        The backward error up to which b counts as an A x.
    output : str or None
        The file that x was written to.
    """

    matrix: str
    right_hand_side: str
    rows: int
    columns: int
    dtype: str
    rank: int
    freedom: int
    tolerance: float
    kinds: dict[str, int]
    right_hand_sides: list[ColumnFacts]
    certificate: Decision
    seconds: float
    output: str | None


def solve(
    A: Any,
    b: Array,
    names: tuple[str, str],
    *,
    rtol: float | None = None,
    output: str | None = None,
) -> tuple[SolveFacts, Array]:
    """Solve A x = b and say what kind of solution x is.

    Parameters
    ----------
    A : ndarray or csr_array, shape (m, n)
        The matrix: finite numbers.
    b : ndarray, shape (m,), (1, m) or (m, k)
        One right-hand side, or one a column.
    names : pair of str
        What to call A and b.
    rtol : float, optional
        Relative accuracy of the numbers: the cutoff of the rank relative to sigma_1, and the
        backward error up to which b counts as reached. eps * max(m, n) by default.
    output : str, optional
        Where x is going to be written.

    Returns
    -------
    facts : SolveFacts
    x : ndarray, shape (n,) or (n, k)
        The least-squares solution of minimum norm.

    Raises
    ------
    InputError
        If the numbers of rows differ.
    """
    m, n = A.shape
    if b.shape == (1, m):  # a vector that was saved as a row, as MATLAB files often hold it
        b = b[0]
    if len(b) != m:
        transposed = b.ndim == 2 and b.shape[1] == m
        raise InputError(
            f"{names[1]} has {len(b)} rows, but {names[0]} has {m}"
            + (f"; it has {m} columns: is it transposed?" if transposed else "")
        )
    dtype = np.result_type(floating(A), floating(b))
    A, b = A.astype(dtype, copy=False), b.astype(dtype, copy=False)
    tolerance = max(m, n) * float(np.finfo(dtype).eps) if rtol is None else rtol
    start = time.perf_counter()
    F: Any = SparseFactors(A, rtol) if issparse(A) else COD(A, rtol=rtol)
    x = F.solve_any(b) if issparse(A) else F.solve(b)
    seconds = time.perf_counter() - start
    freedom = n - int(F.rank)
    sigma = spectral_norm(A)
    columns = [
        _judge(norm(r), norm(y), norm(c), sigma, freedom, tolerance)
        for r, y, c in zip(*(_columns(v) for v in (b - A @ x, x, b)), strict=True)
    ]
    facts = SolveFacts(
        matrix=names[0],
        right_hand_side=names[1],
        rows=m,
        columns=n,
        dtype=str(dtype),
        rank=int(F.rank),
        freedom=freedom,
        tolerance=tolerance,
        kinds=dict(Counter(column.kind for column in columns)),
        right_hand_sides=columns,
        certificate=Decision.of(F.certificate),
        seconds=seconds,
        output=output,
    )
    return facts, x


def _columns(v: Array) -> Array:
    """Return the columns of v, a vector being one."""
    return np.atleast_2d(v.T)


def _judge(
    residual: float, x: float, b: float, sigma: float, freedom: int, tolerance: float
) -> ColumnFacts:
    """Classify one right-hand side, all given by their norms.

    The lower bound of sigma_1 = norm(A) makes the backward error no smaller than it is, so that
    what is called a solution is one.
    """
    backward_error = residual / b / (sigma * (x / b) + 1) if b else 0.0  # in a safe order
    solvable = backward_error <= tolerance
    kind = ("infinite" if freedom else "unique") if solvable else "none"
    return ColumnFacts(kind, residual, backward_error, x)
