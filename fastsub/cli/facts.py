"""What the facts of every command share: working arrays, norms that do not overflow, JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
from scipy.sparse import issparse

from fastsub.factor.rank.certificate import Certificate

Array = np.ndarray[Any, Any]

# Entries up to which a matrix that was made stands in the JSON itself.
IN_JSON = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """A certificate as plain numbers and in words.

    Attributes
    ----------
    rank, tol, sigma_r_lower, sigma_next_upper, decided_by, method
        As in ``fastsub.factor.rank.certificate.Certificate``.
    explanation : str
        The whole of it as a sentence.
    """

    rank: int
    tol: float
    sigma_r_lower: float
    sigma_next_upper: float
    decided_by: str
    method: str
    explanation: str

    @classmethod
    def of(cls, certificate: Certificate) -> Decision:
        """Return the decision that ``certificate`` proves."""
        return cls(
            rank=int(certificate.rank),
            tol=float(certificate.tol),
            sigma_r_lower=float(certificate.sigma_r_lower),
            sigma_next_upper=float(certificate.sigma_next_upper),
            decided_by=str(certificate.decided_by),
            method=str(certificate.method),
            explanation=certificate.explain(),
        )


def floating(A: Any) -> Any:
    """Return ``A`` in one of the four dtypes that fastsub computes in.

    Integers and booleans become float64, as in SciPy; long doubles are rounded to it.
    """
    if A.dtype.char in "fdFD":
        return A
    if A.dtype.char == "e":
        return A.astype(np.float32)
    return A.astype(np.complex128 if A.dtype.kind == "c" else np.float64)


def norm(A: Any) -> float:
    """Return the Frobenius norm (of a vector: the 2-norm), without overflow on the way."""
    if issparse(A):
        A = A.data
    return float(scipy.linalg.norm(A.ravel(order="K"))) if A.size else 0.0


def spectral_norm(A: Any, steps: int = 10) -> float:
    """Return a lower bound of the 2-norm of A, by the power method on A^H A: near it, as a rule."""
    if not A.size:
        return 0.0
    largest = int(abs(A).max(axis=1).argmax())
    v = A[[largest]].toarray()[0].conj() if issparse(A) else A[largest].conj()
    sigma = 0.0
    for _ in range(steps):
        length = norm(v)
        if not length:
            break
        w = A @ (v / length)
        sigma = max(sigma, norm(w))
        v = A.conj().T @ (w / (sigma or 1.0))
    return sigma


def orthonormality_error(N: Any) -> float:
    """Return the Frobenius norm of N^H N - I; NaN of a sparse basis, of which nobody claims it."""
    if issparse(N):
        return math.nan
    return norm(N.conj().T @ N - np.eye(N.shape[1], dtype=N.dtype))


def entries(R: Array) -> list[list[Any]]:
    """Return numbers that JSON knows; strings for fractions and complex numbers."""
    if R.dtype.kind in "Oc":
        return [[str(x) for x in row] for row in R]
    rows: list[list[Any]] = R.tolist()
    return rows


def to_json(facts: Any) -> str:
    """Return a dataclass of facts as one JSON object; NaN and infinities become null."""
    return json.dumps(_plain(asdict(facts)), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
