"""The facts about a null-space basis, and the basis."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from scipy.sparse import csr_array, issparse

import fastsub
from fastsub.cli.errors import InputError
from fastsub.cli.facts import IN_JSON, Decision, entries, floating, orthonormality_error
from fastsub.cli.report import null_residual
from fastsub.cli.sparse import SparseFactors


@dataclass(frozen=True, slots=True)
class NullFacts:
    """What ``fastsub null`` says about the basis N that it made.

    Attributes
    ----------
    residual : float
        ``norm(A N) / norm(A)``, Frobenius.
    orthonormality : float
        ``norm(N^H N - I)``, Frobenius; NaN for a sparse basis, which is not orthonormal.
    output : str or None
        The file that N was written to.
    basis : list of list, or None
        N by rows, complex numbers as strings; None beyond 10 000 entries, for a file instead.
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
    basis: list[list[Any]] | None


def null(
    A: Any,
    name: str,
    *,
    rtol: float | None = None,
    output: str | None = None,
    sparse: bool = False,
) -> tuple[NullFacts, Any]:
    """Return the facts about a basis of the null space of A, and the basis.

    Parameters
    ----------
    A : ndarray or csr_array, shape (m, n)
        The matrix: finite numbers.
    name : str
        What to call it.
    rtol : float, optional
        Singular values above ``rtol * sigma_1`` count; eps * max(m, n) by default.
    output : str, optional
        Where the basis is going to be written.
    sparse : bool
        A sparse basis of unit columns, not an orthonormal one.

    Returns
    -------
    facts : NullFacts
    N : ndarray or csc_array, shape (n, nullity)

    Raises
    ------
    InputError
        If an orthonormal basis, which is dense, does not fit in memory.
    """
    A = floating(A)
    start = time.perf_counter()
    if sparse or issparse(A):
        F = SparseFactors(csr_array(A), rtol)
        certificate = F.certificate
        try:
            N = F.basis(sparse=sparse)
        except MemoryError as error:
            n, nullity = A.shape[1], A.shape[1] - F.rank
            raise InputError(
                f"{name}: an orthonormal basis is dense, {n} x {nullity}, which takes "
                f"{n * nullity * F.dtype.itemsize / 1e9:.3g} GB and as much again to make; "
                "--sparse -o N.npz makes a sparse basis"
            ) from error
    else:
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
        basis=entries(N) if not issparse(N) and N.size <= IN_JSON else None,
    )
    return facts, N
