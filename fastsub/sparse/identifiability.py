"""What sparse data cannot tell apart: the design matrix is reduced to a triangle first.

    X = Q R, R (n, n): columns of R depend on one another as those of X do. Blocks of rows are made
    dense one at a time, and R joins the next block (Demmel, Grigori, Hoemmen & Langou 2012).

Not for more columns than a dense n x n matrix allows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastsub.factor.arrays import unscale, upper
from fastsub.factor.memory import check_memory
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.rank.cutoff import rounding_margin
from fastsub.factor.sparse.arrays import read_sparse
from fastsub.models.identifiability import Identifiability
from fastsub.models.identifiability import identifiability as of_dense

# Rows of a block, for each column.
_ROWS = 4


def identifiability(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    rtol: float | None = None,
    intercept: bool = False,
    keep: str = "leftmost",
) -> Identifiability:
    """Say which parameters sparse data can tell apart, as `fastsub.identifiability`."""
    given = read_sparse(X, "X")
    if intercept:
        raise TypeError(
            "intercept=True centres the columns, and X is sparse no more: pass X.toarray(), or add "
            "a column of ones to X"
        )
    m, n = given.matrix.shape
    if rtol is None:
        rtol = float(np.finfo(given.dtype).eps) * max(m, n)
    # Empty rows say nothing.
    A = given.matrix[np.flatnonzero(np.diff(given.matrix.indptr))]
    check_memory((_ROWS * n + 2 * n, n), A.dtype, "the triangle of a QR factorisation is dense")
    R = np.zeros((0, n), A.dtype, order="F")
    for i in range(0, A.shape[0], max(1, _ROWS * n)):
        rows = A[i : i + _ROWS * n].toarray()
        block = np.asfortranarray(np.vstack([R, rows]))
        Reflectors.of_qr(block, 64)
        R = upper(block, min(block.shape))
    unscale(R, given.exponent)
    found = of_dense(R.astype(given.dtype), names, rtol=rtol, keep=keep)
    # R is that of columns of unit length with errors of their own.
    margin, proof = rounding_margin(math.sqrt(n), m, given.dtype), found.certificate
    lower, following = proof.sigma_r_lower - margin, proof.sigma_next_upper
    if found.rank < min(m, n):
        following += margin
    proved = proof.decided_by == "bounds" and following <= proof.tol < lower
    certificate = replace(
        proof,
        sigma_r_lower=max(0.0, lower),
        sigma_next_upper=following,
        decided_by="bounds" if proved else "svd",
    )
    return replace(found, certificate=certificate)
