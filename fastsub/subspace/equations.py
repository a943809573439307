"""A subspace as a textbook writes it: "x₁ + 2x₂ = 0".

The rows of a basis of the complement, in reduced row echelon form with the leftmost pivots, are
the equations; a row whose entries are small integers but for a common factor is written with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastsub.factor.arrays import Array

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
# Largest common denominator that is looked for.
_DENOMINATOR = 999


def equations_of(normals: Array, tol: float, names: Sequence[str] | None = None) -> list[str]:
    """Return the equations ``normals^H x = 0``, one for each column.

    Parameters
    ----------
    normals : ndarray, shape (n, c)
        Orthonormal columns.
    tol : float
        Accuracy of their entries.
    names : sequence of str, optional
        Of the n variables; x₁, x₂, ... by default.

    Raises
    ------
    ValueError
        If the number of names is not n.
    """
    n = normals.shape[0]
    if names is None:
        names = [f"x{i + 1}".translate(_SUBSCRIPTS) for i in range(n)]
    elif len(names) != n:
        raise ValueError(f"names must have one entry for each of {n} coordinates, got {len(names)}")
    E = _echelon(normals.conj().T, tol)
    return [_equation(row, tol * max(1.0, float(np.abs(row).max())), names) for row in E]


def _echelon(E: Array, tol: float) -> Array:
    """Return the reduced row echelon form of orthonormal rows, by Gauss-Jordan elimination."""
    E = np.array(E)
    row = 0
    for j in range(E.shape[1]):
        if row == E.shape[0]:
            break
        i = row + int(np.argmax(np.abs(E[row:, j])))
        if abs(E[i, j]) <= tol * max(1.0, float(np.abs(E[row:]).max())):
            continue
        E[[row, i]] = E[[i, row]]
        E[row] /= E[row, j]
        others = np.arange(E.shape[0]) != row
        E[others] -= np.outer(E[others, j], E[row])
        E[others, j] = 0
        row += 1
    return E


def _equation(row: Array, tol: float, names: Sequence[str]) -> str:
    integers = _as_integers(row, tol)
    row = np.where(np.abs(row) <= tol, 0, row) if integers is None else integers
    terms: list[str] = []
    for value, name in zip(row.tolist(), names, strict=True):
        if value == 0:
            continue
        sign, size = _split(value)
        if terms:
            terms.append(f" {sign or '+'} {size}{name}")
        else:
            terms.append(f"{sign}{size}{name}")
    return "".join(terms) + " = 0"


def _as_integers(row: Array, tol: float) -> Array | None:
    """Return the row times the common denominator of its entries, if that is small."""
    # Where the tolerance leaves a hundredth of all numbers near an integer, that says nothing.
    for factor in range(1, 1 + int(min(_DENOMINATOR, 0.005 / tol))):
        scaled = row * factor
        rounded = np.rint(scaled.real) + (1j * np.rint(scaled.imag) if row.dtype.kind == "c" else 0)
        if float(np.abs(scaled - rounded).max()) <= factor * tol:
            return np.asarray(rounded)
    return None


def _split(value: complex) -> tuple[str, str]:
    """Return the sign, "-" or nothing, and the rest, nothing if it is 1."""
    if isinstance(value, complex):
        if value.imag:
            return "", f"({value.real:.6g}{value.imag:+.6g}j)"
        value = value.real
    size = f"{abs(value):.6g}"
    return "-" if value < 0 else "", "" if size == "1" else size
