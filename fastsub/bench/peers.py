"""The peers: SciPy, NumPy and (where it is installed) torch, under one calling convention.

Every peer gets the cutoff eps·max(m, n), ours and NumPy's, so that all answer the same question.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fastsub.bench.case import Peer
from fastsub.bench.timing import OPENBLAS_SETTLE

Array = NDArray[Any]

# Seconds until torch's threads sleep: those of Intel's OpenMP spin for 200 ms after a call.
TORCH_SETTLE = 0.25


def cutoff(A: Array) -> float:
    """Return the relative cutoff eps·max(m, n)."""
    return float(max(A.shape) * np.finfo(A.dtype).eps)


def economy_null_space(A: Array) -> Array:
    """Null space from the economy SVD, by hand; SciPy's own makes an (m, m) U in vain."""
    _, s, Vh = scipy.linalg.svd(A, full_matrices=False, check_finite=False)
    r = int(np.count_nonzero(s > cutoff(A) * s[0]))
    basis: Array = Vh[r:].T.conj()
    return basis


def scipy_lstsq(driver: str) -> Callable[[Array, Array], Any]:
    """Return SciPy's lstsq with a driver named and our cutoff."""

    def solve(A: Array, b: Array) -> Any:
        return scipy.linalg.lstsq(A, b, cond=cutoff(A), lapack_driver=driver)

    return solve


def numpy_lstsq(A: Array, b: Array) -> Any:
    """Call NumPy's lstsq, whose default cutoff is ours."""
    return np.linalg.lstsq(A, b)


def normal_equations_by_hand(A: Array, b: Array) -> Any:
    """Solve AᴴA x = Aᴴb the way it is written on the spot, with no safety at all."""
    AH = A.conj().T
    return scipy.linalg.solve(AH @ A, AH @ b, assume_a="pos")


# The path of the ridge rows: from far below the least squared singular value to the largest.
ALPHAS = np.geomspace(1e-12, 1, 50)


def cholesky_path(A: Array, b: Array) -> Array:
    """Ridge path by hand: one Gram matrix, a Cholesky factorisation for every alpha."""
    tall = A.shape[0] >= A.shape[1]
    AH = A.conj().T
    G, c = (AH @ A, AH @ b) if tall else (A @ AH, b)
    eye = np.eye(len(G), dtype=A.dtype)
    X = [scipy.linalg.solve(G + alpha * eye, c, assume_a="pos") for alpha in ALPHAS]
    return np.array(X if tall else [AH @ y for y in X])


def sklearn_path(A: Array, b: Array) -> Array:
    """Fit scikit-learn's Ridge for every alpha."""
    from sklearn.linear_model import Ridge

    return np.array([Ridge(alpha=alpha, fit_intercept=False).fit(A, b).coef_ for alpha in ALPHAS])


def pivoted_r(A: Array) -> Any:
    """Return R and p of SciPy's pivoted QR."""
    return scipy.linalg.qr(A, mode="r", pivoting=True)


def unpivoted_r(A: Array) -> Any:
    """Return R of SciPy's QR without pivoting."""
    return scipy.linalg.qr(A, mode="r")


def lu(A: Array) -> Any:
    """Return SciPy's LU factorisation, of a singular matrix without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
        return scipy.linalg.lu_factor(A)


def numpy_peer(call: Callable[..., Any], floor: float | None = None) -> Peer:
    """Wrap a function that calls NumPy's BLAS, which is another thread pool than SciPy's."""
    return Peer(call, floor=floor, settle=OPENBLAS_SETTLE)


def torch_peers(**calls: tuple[Callable[..., Any], float | None]) -> dict[str, Peer]:
    """Return the calls, each with its floor, as peers "torch NAME" if torch is installed."""
    if importlib.util.find_spec("torch") is None:
        return {}
    return {
        f"torch {name}": Peer(call, floor=floor, settle=TORCH_SETTLE)
        for name, (call, floor) in calls.items()
    }


def torch_null_space(A: Array) -> Any:
    """Null space from torch's SVD."""
    import torch

    _, s, Vh = torch.linalg.svd(torch.from_numpy(A), full_matrices=A.shape[0] < A.shape[1])
    r = int((s > cutoff(A) * s[0]).sum())
    return Vh[r:].mH.resolve_conj().numpy()


def torch_matrix_rank(A: Array) -> int:
    """Rank from torch's singular values."""
    import torch

    return int(torch.linalg.matrix_rank(torch.from_numpy(A), rtol=cutoff(A)))


def torch_gels(A: Array, b: Array) -> Any:
    """Least squares from torch's unpivoted QR: full rank only."""
    import torch

    rhs = torch.from_numpy(b.reshape(len(b), -1))
    x = torch.linalg.lstsq(torch.from_numpy(A), rhs, driver="gels").solution
    return x.numpy().reshape(A.shape[1:] + b.shape[1:])
