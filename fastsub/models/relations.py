"""Which columns depend on which: a basis of the null space, read as equations between columns.

Of a null space N (n, k) the echelon form with the *rightmost* pivots names the columns that depend
on those to their left: x_d = sum c_b x_b, b < d not a pivot itself. Two columns are tied if they
are in one connected component of the graph of these equations: these are the components of the
matroid of the columns, so another choice of what to keep gives the same groups.

References
----------
Oxley, Matroid Theory, 2nd ed. (2011), proposition 4.1.2 and corollary 4.3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array
from fastsub.factor.orthogonal.rrqr import RRQR


@dataclass(frozen=True, slots=True)
class Relation:
    """One column as a combination of others: ``name = sum coefficient * other + constant``.

    Attributes
    ----------
    name : str
        The column that depends.
    coefficients : dict of str to float
        Of the columns that are kept.
    constant : float
        0 unless columns were centred.
    residual : float
        What is left of the column, relative to its norm (centred, if columns were).
    """

    name: str
    coefficients: dict[str, Any]
    constant: Any
    residual: float

    def __str__(self) -> str:
        terms = [_term(c, f"·{name}") for name, c in self.coefficients.items()]
        if self.constant:
            terms.append(_term(self.constant, ""))
        text = "".join(terms).removeprefix(" + ")
        if text.startswith(" - "):
            text = "-" + text[3:]
        return f"{self.name} = {text or '0'}"


def _term(value: Any, name: str) -> str:
    """Return " + 3·name" or " - 3·name"; a factor 1 is left out."""
    if isinstance(value, complex):
        return f" + ({value:.6g}){name}"
    size = f"{abs(value):.6g}"
    text = name[1:] if size == "1" and name else size + name
    return f" {'-' if value < 0 else '+'} {text}"


def dependents(N: Array, tol: float, *, leftmost: bool) -> tuple[Array, Array]:
    """Return which columns to drop, and how they depend on the others.

    Parameters
    ----------
    N : ndarray, shape (n, k)
        Orthonormal basis of the null space.
    tol : float
        Accuracy of its entries.
    leftmost : bool
        Keep the leftmost independent columns; else drop those that are tied most strongly, by
        pivoting, so that the coefficients are moderate.

    Returns
    -------
    drop : ndarray of intp, shape (k,)
        Ascending.
    Z : ndarray, shape (n, k)
        Null vectors: 1 at the column that is dropped, 0 at the others that are, and minus the
        coefficients at those that are kept.
    """
    k = N.shape[1]
    drop: Array = np.empty(0, np.intp)
    if k == 0:
        return drop, N
    drop = _rightmost_pivots(N, tol) if leftmost else np.sort(RRQR(N.conj().T, rank=k).p[:k])
    Z = np.linalg.solve(N[drop].T, N.T).T
    Z[drop] = np.eye(k)
    Z[np.abs(Z) <= tol * np.abs(Z).max(axis=0)] = 0
    return drop, Z


def _rightmost_pivots(N: Array, tol: float) -> Array:
    """Return the last rows of N that are independent, ascending: Gram-Schmidt from the bottom."""
    n, k = N.shape
    Q = np.zeros((0, k), N.dtype)
    found: list[int] = []
    for row in range(n - 1, -1, -1):
        if len(found) == k:
            break
        v = N[row]
        for _ in range(2):
            v = v - (v @ Q.conj().T) @ Q
        size = float(np.linalg.norm(v))
        if size > tol or row < k - len(found):
            # The first rows must do, where no others are left.
            Q = np.vstack([Q, v / size])
            found.append(row)
    return np.array(found[::-1], np.intp)


def components(drop: Array, Z: Array) -> list[list[int]]:
    """Return the groups of columns that are tied together, each ascending, by their first member.

    A column that is zero is a group by itself.
    """
    group = np.arange(Z.shape[0])
    for z in Z.T:
        members = np.flatnonzero(z)
        labels = group[members]
        group[np.isin(group, labels)] = labels.min()
    tied = np.unique(group[drop])
    return [np.flatnonzero(group == label).tolist() for label in tied]
