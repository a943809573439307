"""The matrix that the package bundles, and how SciPy's file readers are to be called."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray


def ecoli_core() -> NDArray[np.float64]:
    """Return the stoichiometric matrix of the E. coli core metabolic network.

    Returns
    -------
    S : ndarray, shape (72, 95)
        Metabolites by reactions, of rank 67; null space = steady-state fluxes, left null space =
        conserved moieties.

    References
    ----------
    .. [1] Orth, Fleming & Palsson, Reconstruction and use of microbial metabolic networks: the core
       Escherichia coli metabolic model as an educational guide, EcoSal Plus (2010).

    Examples
    --------
    >>> from fastsub.data import ecoli_core
    >>> ecoli_core().shape
    (72, 95)
    """
    text = files("fastsub").joinpath("data", "ecoli_core.mtx").read_bytes()
    S = scipy.io.mmread(io.BytesIO(text), **as_sparse_arrays(scipy.io.mmread))
    return np.asarray(S.toarray(), dtype=np.float64)


def as_sparse_arrays(reader: Callable[..., Any]) -> dict[str, bool]:
    """Return the option with which a reader of scipy.io returns sparse arrays, if it has one.

    SciPy 1.18 warns where it is left out, SciPy 1.14 does not know it; `toarray` is there in both.
    """
    return {"spmatrix": False} if "spmatrix" in inspect.signature(reader).parameters else {}
