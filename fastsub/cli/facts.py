"""What the facts of every command share: working arrays, norms that do not overflow, JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

from fastsub.factor.certificate import Certificate

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """A certificate as plain numbers and in words.

    Attributes
    ----------
    rank, tol, sigma_r_lower, sigma_next_upper, decided_by, method
        As in ``fastsub.factor.certificate.Certificate``.
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


def floating(A: Array) -> Array:
    """Return ``A`` in one of the four dtypes that fastsub computes in.

    Integers and booleans become float64, as in SciPy; long doubles are rounded to it.
    """
    if A.dtype.char in "fdFD":
        return A
    if A.dtype.char == "e":
        return A.astype(np.float32)
    return A.astype(np.complex128 if A.dtype.kind == "c" else np.float64)


def norm(A: Array) -> float:
    """Return the Frobenius norm (of a vector: the 2-norm), without overflow on the way."""
    return float(scipy.linalg.norm(A.ravel(order="K"))) if A.size else 0.0


def spectral_norm(A: Array, steps: int = 10) -> float:
    """Return a lower bound of the 2-norm of A, by the power method on A^H A: near it, as a rule."""
    if not A.size:
        return 0.0
    rows = np.abs(A).max(axis=1)
    v = A[rows.argmax()].conj()
    sigma = 0.0
    for _ in range(steps):
        length = norm(v)
        if not length:
            break
        w = A @ (v / length)
        sigma = max(sigma, norm(w))
        v = A.conj().T @ (w / (sigma or 1.0))
    return sigma


def orthonormality_error(N: Array) -> float:
    """Return the Frobenius norm of N^H N - I."""
    return norm(N.conj().T @ N - np.eye(N.shape[1], dtype=N.dtype))


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
