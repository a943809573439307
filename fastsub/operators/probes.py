"""How large a map can be that random vectors found small: a bound that holds with a probability.

Let E be a map and Omega a matrix of p independent standard normal columns. With the leading
singular vectors u, v of E,

    ||E Omega||_2 >= ||u^H E Omega||_2 = ||E||_2 ||v^H Omega||_2,

and ||v^H Omega||_2^2 has the chi-square distribution with p degrees of freedom (complex: half of
that with 2 p). So with q its quantile of delta

    ||E||_2 <= ||E Omega||_2 / sqrt(q)    with probability at least 1 - delta.

For p = 1 this is the theorem of Dixon (1983); lemma 4.1 of Halko, Martinsson & Tropp (2011) takes
the largest column of E Omega in place of its norm, and pays for that.

References
----------
Dixon, Estimating extremal eigenvalues and condition numbers of matrices, SIAM J. Numer. Anal. 20
(1983). Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53 (2011).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from fastsub.factor.arrays import Array


def gaussian(n: int, count: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Return standard normal columns, shape (n, count); complex ones have E |z|^2 = 1."""
    if dtype.kind != "c":
        return rng.standard_normal((count, n), dtype.type).T
    parts = rng.standard_normal((count, 2 * n), dtype.type(0).real.dtype)
    parts *= math.sqrt(0.5)
    return parts.view(dtype).T


def smallest_length(count: int, delta: float, dtype: np.dtype[Any]) -> float:
    """Return what ``norm(v^H Omega)`` is below with probability delta, v any unit vector."""
    if dtype.kind == "c":
        return math.sqrt(float(gammaincinv(count, delta)))
    return math.sqrt(2 * float(gammaincinv(count / 2, delta)))


def norm_bound(image: Array, delta: float) -> float:
    """Return a bound of ``||E||_2``, wrong with probability delta, from E Omega (m, p)."""
    if not image.size:
        return 0.0
    norm = float(np.linalg.norm(image, 2))
    return norm / smallest_length(image.shape[1], delta, image.dtype) if norm else 0.0
