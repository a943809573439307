"""Echelon forms, inverses and determinants modulo primes against elimination by hand."""

import numpy as np
import pytest

from fastsub.errors import RankDeficientError
from fastsub.factor import modular

PRIMES = [2, 3, 5, 65521, 8388593, 2**31 - 1, 2**61 - 1, 2**63 - 25]

primes = pytest.mark.parametrize("p", PRIMES)


def by_hand(A, p):
    """Reduced row echelon form and pivots in Python's integers."""
    A = [[int(x) % p for x in row] for row in A]
    pivots, r = [], 0
    for j in range(len(A[0]) if A else 0):
        i = next((i for i in range(r, len(A)) if A[i][j]), None)
        if i is None:
            continue
        A[r], A[i] = A[i], A[r]
        inverse = pow(A[r][j], -1, p)
        A[r] = [x * inverse % p for x in A[r]]
        for i, row in enumerate(A):
            if i != r and row[j]:
                A[i] = [(x - row[j] * y) % p for x, y in zip(row, A[r], strict=True)]
        pivots.append(j)
        r += 1
    return A[:r], pivots


def of_rank(rng, m, n, r, p, density=1.0):
    """A matrix of rank at most r modulo p, any residues."""
    B = rng.integers(0, p, (m, r)).astype(object) * (rng.random((m, r)) < density)
    C = rng.integers(0, p, (r, n)).astype(object) * (rng.random((r, n)) < density)
    return ((B @ C if r else np.zeros((m, n), object)) % p).astype(np.int64)


def check(A, p):
    """Compare with elimination by hand; the rows that are said to be independent are."""
    E = modular.rref_mod(A, p, verify=True)
    R, pivots = by_hand(A, p)
    assert E.pivots.tolist() == pivots
    assert E.R.shape == (len(pivots), A.shape[1])
    assert E.R.dtype == (np.uint8 if p == 2 else np.int64)
    assert E.pivots.dtype == E.rows.dtype == np.int64
    assert E.R.tolist() == R
    assert len(by_hand(A[E.rows][:, E.pivots].tolist(), p)[1]) == E.rank
    assert modular.rank_mod(A, p) == E.rank
    return E


@primes
def test_every_rank_and_shape(p):
    rng = np.random.default_rng(511)
    for m in range(1, 13):
        for n in (1, 2, 3, 5, 8, 11, 12):
            r = int(rng.integers(0, min(m, n) + 1))
            check(of_rank(rng, m, n, r, p), p)
    for r in range(8):
        check(of_rank(rng, 9, 7, r, p, 0.5), p)


@primes
def test_inverse_and_determinant(p):
    rng = np.random.default_rng(512)
    for n in (1, 2, 7, 17, 40):
        B = rng.integers(0, p, (n, n))
        if modular.rank_mod(B, p) < n:
            assert modular.det_mod(B, p) == 0
            with pytest.raises(RankDeficientError, match="singular modulo"):
                modular.inverse_mod(B, p)
            continue
        inverse = modular.inverse_mod(B, p)
        assert (B.astype(object) @ inverse.astype(object) % p == np.eye(n, dtype=int)).all()
        assert modular.det_mod(B, p) * modular.det_mod(inverse, p) % p == 1
