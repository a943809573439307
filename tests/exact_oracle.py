"""The slow, obvious oracle of exact elimination: Gauss-Jordan in Fractions."""

from fractions import Fraction

import numpy as np


def fractions(A):
    """A as an object array of Fractions: integers, fractions, floats as binary rationals."""
    A = np.asarray(A, dtype=object)
    return np.array([Fraction(x) for x in A.flat], dtype=object).reshape(A.shape)


def rref(A):
    """R (m, n) in Fractions, and the pivots."""
    R = fractions(A)
    pivots = []
    for j in range(R.shape[1]):
        k = len(pivots)
        rows = [i for i in range(k, R.shape[0]) if R[i, j] != 0]
        if not rows:
            continue
        R[[k, rows[0]]] = R[[rows[0], k]]
        R[k] = R[k] / R[k, j]
        for i in range(R.shape[0]):
            if i != k and R[i, j] != 0:
                R[i] = R[i] - R[i, j] * R[k]
        pivots.append(j)
    return R, tuple(pivots)


def det(A):
    """By elimination without division of the rows that are left."""
    R, sign, product = fractions(A), 1, Fraction(1)
    for j in range(len(R)):
        rows = [i for i in range(j, len(R)) if R[i, j] != 0]
        if not rows:
            return Fraction(0)
        if rows[0] != j:
            R[[j, rows[0]]] = R[[rows[0], j]]
            sign = -sign
        product *= R[j, j]
        for i in range(j + 1, len(R)):
            R[i] = R[i] - (R[i, j] / R[j, j]) * R[j]
    return sign * product
