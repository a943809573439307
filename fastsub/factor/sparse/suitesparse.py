"""Another engine: the triangle of SuiteSparseQR in place of the matrix.

    A P = Q R      R P^H has the singular values, the row space and the null space of A

Sparse QR fills in more than elimination does, and stays stable whatever the matrix. Nothing is
believed of its rank: R goes through the proof that A would, with the error of a QR besides.

References
----------
Davis, Algorithm 915, SuiteSparseQR: multifrontal multithreaded rank-revealing sparse QR
factorization, ACM TOMS 38 (2011).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from fastsub.factor.rank.cutoff import rounding_margin
from fastsub.factor.sparse.arrays import SparseInput

_NO_TOLERANCE = -1.0


def check_engine(engine: str | None) -> None:
    """Raise ValueError unless `engine` is None or the name of one."""
    if engine not in (None, "markowitz", "suitesparse"):
        raise ValueError(f'engine must be "markowitz" or "suitesparse", got {engine!r}')


def triangle(A: SparseInput) -> tuple[SparseInput, float]:
    """Return R P^H, shape (min(m, n), n), and a bound of the error of its singular values.

    Raises
    ------
    ImportError
        If the package ``sparseqr`` is not installed.
    """
    try:
        import sparseqr
    except ImportError as error:
        raise ImportError(
            'engine="suitesparse" needs the package sparseqr and the library SuiteSparse: '
            "pip install sparseqr"
        ) from error
    M = A.matrix
    (m, n), norm = M.shape, float(np.linalg.norm(M.data))
    if not M.nnz:
        return A, 0.0
    none = np.zeros((m, 1), M.dtype)
    _, R, order, _ = sparseqr.rz(M.tocoo(), none, tolerance=_NO_TOLERANCE)
    R = R.tocoo()
    order = np.arange(n) if order is None else np.asarray(order)
    back = csr_array((R.data.astype(M.dtype), (R.row, order[R.col])), shape=(R.shape[0], n))
    back.indices, back.indptr = back.indices.astype(np.intc), back.indptr.astype(np.intc)
    back.eliminate_zeros()
    return replace(A, matrix=back), rounding_margin(norm, max(m, n), M.dtype)
