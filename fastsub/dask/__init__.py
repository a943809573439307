r"""The row side, the rank and least squares of dask arrays: blocks of rows reduced on the workers.

    X_1 ... X_8   X_9 ... X_16            one triangle a block of rows (factor/rows/tsqr.py),
      \  |  /       \  |  /               eight of them merged to one, and so on:
        R             R                   no worker ever holds more than a block and a few
          \         /                     triangles
               R  ->  rank, null space, x

Everything is lazy: what a function returns is a dask array, of unknown length where the rank is
one, or a Delayed. The same input gives the same keys. A worker that dies takes nothing with it that
its neighbours do not make again.

This package is `fastsub.dask`; needs the extra ``dask``.

References
----------
Demmel, Grigori, Hoemmen & Langou, Communication-optimal parallel and sequential QR and LU
    factorizations, SIAM J. Sci. Comput. 34 (2012).
"""

from fastsub.dask.functions import (
    fundamental_subspaces,
    lstsq,
    matrix_rank,
    null_space,
    orth,
    row_space,
)

__all__ = ["fundamental_subspaces", "lstsq", "matrix_rank", "null_space", "orth", "row_space"]
