"""Textbook matrices that SciPy does not have.

``hilbert``, ``pascal``, ``hadamard``, ``toeplitz``, ``circulant`` and ``companion`` are SciPy's:
:mod:`fastsub.testing` re-exports them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from fastsub.testing.spectra import Array

Edge = tuple[int, int]


def vandermonde(x: ArrayLike, n: int | None = None) -> Array:
    """Increasing powers 1, x, x^2, ... of the nodes.

    Parameters
    ----------
    x : (m,) array_like
        Nodes; distinct ones give full rank, but real ones a condition number exponential in n.
    n : int, optional
        Number of powers, m by default.

    Returns
    -------
    V : (m, n) ndarray
        V[i, j] = x_i^j, 0-based.

    References
    ----------
    Higham 2002, chapter 22; Gautschi 1990 for the condition number.

    Examples
    --------
    >>> vandermonde([1, 2, 3])
    array([[1., 1., 1.],
           [1., 2., 4.],
           [1., 3., 9.]])
    """
    return np.vander(np.asarray(x, dtype=np.float64), n, increasing=True)


def cauchy(x: ArrayLike, y: ArrayLike) -> Array:
    """C[i, j] = 1/(x_i + y_j): nonsingular for distinct nodes, of low displacement rank.

    Parameters
    ----------
    x : (m,) array_like
        Row nodes.
    y : (n,) array_like
        Column nodes; no x_i + y_j may vanish.

    Returns
    -------
    C : (m, n) ndarray

    References
    ----------
    Cauchy 1841; Higham 2002, section 28.1. Hilbert's matrix is x_i = i, y_j = j - 1.

    Examples
    --------
    >>> cauchy([1, 2], [0, 1])
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    sums = np.add.outer(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    return np.asarray(1.0 / sums)


def lauchli(n: int, mu: float = 2.0**-26) -> Array:
    """A row of ones above mu I: its Gram matrix loses mu^2 as soon as mu^2 < eps.

    Parameters
    ----------
    n : int
        Number of columns.
    mu : float
        sqrt(eps) of double precision by default.

    Returns
    -------
    A : (n + 1, n) ndarray
        Singular values sqrt(n + mu^2) once and mu n - 1 times.

    References
    ----------
    P. Läuchli, 1961, "Jordan-Elimination und Ausgleichung nach kleinsten Quadraten".

    Examples
    --------
    >>> lauchli(2, mu=0.5)
    array([[1. , 1. ],
           [0.5, 0. ],
           [0. , 0.5]])
    """
    return np.vstack([np.ones(n), mu * np.eye(n)])


def incidence(edges: Iterable[Edge], vertices: int | None = None) -> Array:
    """Vertex-edge incidence matrix of a directed graph: -1 where an edge starts, 1 where it ends.

    Parameters
    ----------
    edges : iterable of (int, int)
        0-based (start, end), start != end.
    vertices : int, optional
        Number of vertices; by default one more than the largest named.

    Returns
    -------
    B : (vertices, edges) ndarray of int64
        Totally unimodular; the rank is vertices - components, the null space is the cycle space,
        the left null space is spanned by the indicator vectors of the components.

    References
    ----------
    G. Strang, 1988, "Linear Algebra and Its Applications", section 2.5.

    Examples
    --------
    >>> incidence([(0, 1), (1, 2), (2, 0)])
    array([[-1,  0,  1],
           [ 1, -1,  0],
           [ 0,  1, -1]])
    """
    pairs = np.array(list(edges), dtype=np.int64).reshape(-1, 2)
    if np.any(pairs[:, 0] == pairs[:, 1]):
        raise ValueError("incidence needs edges between different vertices, got a loop.")
    if vertices is None:
        vertices = int(pairs.max(initial=-1)) + 1
    B = np.zeros((vertices, len(pairs)), dtype=np.int64)
    B[pairs[:, 0], np.arange(len(pairs))] = -1
    B[pairs[:, 1], np.arange(len(pairs))] = 1
    return B


def ring_edges(vertices: int, components: int = 1, chords: int = 0) -> list[Edge]:
    """Edges of ``components`` equal rings, with ``chords`` that skip a vertex in each.

    Parameters
    ----------
    vertices : int
        In all; each ring takes ``vertices // components`` of them, at least 3, and what does not
        fit stays isolated: a component of its own.
    components : int
        Number of rings.
    chords : int
        In each ring, from vertex i to i + 2.

    Returns
    -------
    edges : list of (int, int)
    """
    size = vertices // components
    if size < 3:
        raise ValueError(f"A ring needs 3 vertices, got {vertices} for {components} rings.")
    steps = [(i, (i + 1) % size) for i in range(size)]
    steps += [(i % size, (i + 2) % size) for i in range(chords)]
    return [(k * size + i, k * size + j) for k in range(components) for i, j in steps]
