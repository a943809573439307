"""The front door to maps that are known only by products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastsub.operators.jacobian import Jacobian


def jacobian(
    jvp: Callable[[Any], Any],
    vjp: Callable[[Any], Any],
    shape: tuple[int, int],
    *,
    dtype: Any = None,
    like: Any = None,
    blocks: bool = False,
) -> Jacobian:
    """Return the linear map whose products with vectors two functions compute.

    Parameters
    ----------
    jvp : callable
        From v, shape (n,), to J v, shape (m,): forward-mode differentiation.
    vjp : callable
        From u, shape (m,), to J^H u, shape (n,): reverse mode. A tuple of one array will do.
    shape : tuple of int
        (m, n): outputs, parameters.
    dtype : dtype, optional
        The precision in which both compute, for it decides what counts as zero; that of `like`, or
        float64, by default.
    like : torch.Tensor, optional
        Both are then called with tensors of its dtype on its device, not with arrays. What they
        return may be a tensor in any case.
    blocks : bool, default False
        Both take matrices, a vector in each column, as ``torch.func.vmap`` with ``in_dims=1,
        out_dims=1`` or a product of matrices does. That is faster.

    Returns
    -------
    Jacobian
        A `scipy.sparse.linalg.LinearOperator`, which also counts: ``.products``.

    See Also
    --------
    fundamental_subspaces, matrix_rank, low_rank, interpolative, identifiability : what takes one.

    Notes
    -----
    Both are called with a block of some 32 vectors at a time if they take blocks.

    Examples
    --------
    Three parameters of which only two sums matter:

    >>> import numpy as np
    >>> import fastsub
    >>> J = fastsub.jacobian(
    ...     lambda v: np.array([v[0] + v[1], v[1] + v[2], v[0] - v[2]]),
    ...     lambda u: np.array([u[0] + u[2], u[0] + u[1], u[1] - u[2]]),
    ...     shape=(3, 3),
    ... )
    >>> fastsub.fundamental_subspaces(J).null_space.equations()
    ['x₁ - x₃ = 0', 'x₂ + x₃ = 0']
    """
    from fastsub.operators.jacobian import Jacobian

    return Jacobian(jvp, vjp, shape, dtype, like, blocks)
