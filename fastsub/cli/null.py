"""The facts about a null-space basis, and the basis."""

from __future__ import annotations

import time
from dataclasses import dataclass

import fastsub
from fastsub.cli.facts import Array, Decision, floating, orthonormality_error
from fastsub.cli.report import null_residual


@dataclass(frozen=True, slots=True)
class NullFacts:
    """What ``fastsub null`` says about the basis N that it made.

    Attributes
    ----------
    residual : float
        ``norm(A N) / norm(A)``, Frobenius.
    orthonormality : float
        ``norm(N^H N - I)``, Frobenius.
    output : str or None
        The file that N was written to.
    """

    matrix: str
    rows: int
    columns: int
    dtype: str
    rank: int
    nullity: int
    residual: float
    orthonormality: float
    certificate: Decision
    seconds: float
    output: str | None


def null(
    A: Array, name: str, *, rtol: float | None = None, output: str | None = None
) -> tuple[NullFacts, Array]:
    """Return the facts about an orthonormal basis of the null space of A, and the basis.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        The matrix: finite numbers.
    name : str
        What to call it.
    rtol : float, optional
        Singular values above ``rtol * sigma_1`` count; eps * max(m, n) by default.
    output : str, optional
        Where the basis is going to be written.

    Returns
    -------
    facts : NullFacts
    N : ndarray, shape (n, nullity)
    """
    A = floating(A)
    start = time.perf_counter()
    N, certificate = fastsub.null_space(A, rtol, full_output=True)
    seconds = time.perf_counter() - start
    facts = NullFacts(
        matrix=name,
        rows=A.shape[0],
        columns=A.shape[1],
        dtype=str(A.dtype),
        rank=int(certificate.rank),
        nullity=N.shape[1],
        residual=null_residual(A, N),
        orthonormality=orthonormality_error(N),
        certificate=Decision.of(certificate),
        seconds=seconds,
        output=output,
    )
    return facts, N
