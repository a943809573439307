"""Echelon forms, inverses and determinants modulo primes against elimination by hand."""

import itertools

import numpy as np
import pytest

from fastsub.errors import RankDeficientError
from fastsub.factor.modular import elimination as modular
from fastsub.factor.modular import gf2, residues
from fastsub.kernels import modular as kernel
from fastsub.kernels.jordan import py_jordan, py_spans
from fastsub.kernels.residues import py_depth

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


@pytest.fixture
def by_blocks(monkeypatch):
    """No matrix is small: everything goes through panels."""
    monkeypatch.setattr(modular, "_SMALL", -1)
    monkeypatch.setattr(modular, "_SMALL_WIDE", -1)


@primes
def test_every_rank_and_shape(p):
    rng = np.random.default_rng(511)
    for m, n in itertools.product(range(1, 13), repeat=2):
        for r in range(min(m, n) + 1):
            check(of_rank(rng, m, n, r, p, rng.choice([0.5, 1.0])), p)


@primes
def test_every_rank_and_shape_by_blocks(by_blocks, p):
    test_every_rank_and_shape(p)


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


def edges():
    """Primes on both sides of every change in how factors are cut into pieces."""
    found = []
    grid = [(8 + k) << bits for bits in range(17, 60) for k in range(8)]
    for low, high in itertools.pairwise(grid):
        if py_depth(low)[1:] != py_depth(high)[1:]:
            pieces = py_depth(low)[1:]
            while high - low > 1:
                middle = (low + high) // 2
                same = py_depth(middle)[1:] == pieces
                low, high = (middle, high) if same else (low, middle)
            found += [modular.previous_prime(high), modular.next_prime(low)]
    assert len(found) >= 10
    return [*found, 2**63 - 25]


@pytest.mark.parametrize("p", edges())
def test_products_of_the_largest_residues(p):
    """Sums of k products of +-(p - 1)/2 are the longest there are: none may pass 2^53."""
    depth, _, _ = py_depth(p)
    assert depth >= 128
    half = p // 2
    for k in (1, 128, 257, min(depth, 700), min(depth, 700) + 1):
        for left, right in ((half, half), (half, half + 1), (half + 1, half + 1), (p - 1, 1)):
            A, B = np.full((2, k), left), np.full((k, 3), right)
            A[1, ::2] = p - left
            B[:, 1] = np.arange(k) % p
            expected = A.astype(object) @ B.astype(object) % p
            assert (modular.product_mod(A, B, p) == expected).all()


@pytest.mark.parametrize("p", edges())
def test_elimination_through_panels(p):
    """Orders beyond a panel: identities in blocks, rows and columns that vanish, dependent ones."""
    rng = np.random.default_rng(516)
    for m, n, r in ((300, 290, 290), (150, 400, 140), (400, 150, 131), (280, 300, 200)):
        A = modular.product_mod(rng.integers(0, p, (m, r)), rng.integers(0, p, (r, n)), p)
        A[:, rng.random(n) < 0.2] = 0
        A[:, n // 2] = A[:, n // 3]
        A[rng.random(m) < 0.1] = 0
        E = modular.rref_mod(A, p, verify=True)
        R = E.R
        assert (R[:, E.pivots] == np.eye(E.rank, dtype=int)).all()
        assert all(not row[:j].any() for row, j in zip(R, E.pivots, strict=True))
        assert modular.det_mod(A[E.rows][:, E.pivots], p) != 0
        # A = A[:, pivots] R: with the identity in R, the rank is proved from both sides.
        assert (modular.product_mod(A[:, E.pivots], R, p) == A).all()


@pytest.mark.parametrize("n", [1, 7, 24, 64])
@pytest.mark.parametrize("p", [3, 46337, 67108859, 67108879])  # the last ones around 2^26
def test_small_ones_of_the_largest_residues(p, n):
    """Sums of products of +-(p - 1)/2 wait longest to be reduced; the blocks must agree."""
    rng = np.random.default_rng(521)
    half = p // 2
    for A in (
        rng.choice([half, half + 1], (n, n)),
        np.tril(np.full((n, 2 * n), half), n) + np.eye(n, 2 * n, dtype=np.int64),
        rng.integers(0, p, (n, n + 3)),
    ):
        R, cols, rows = residues.jordan(A, p)
        blocks = residues.eliminate(residues.encode(A, p), p)
        assert cols.tolist() == blocks.cols.tolist()
        np.testing.assert_array_equal(R, residues.reduced_form(blocks, A.shape, p))
        assert modular.det_mod(A[rows][:, cols], p) != 0
        assert py_spans(R, cols, p, A)


@primes
def test_sparse_and_structured(p):
    rng = np.random.default_rng(517)
    n = 40
    permutation = np.eye(n, dtype=np.int64)[rng.permutation(n)]
    shift = np.roll(np.eye(n, dtype=np.int64), 1, axis=0)
    blocks = np.kron(np.eye(5, dtype=np.int64), np.ones((8, 8), np.int64))
    sparse = (rng.random((n, n)) < 0.05) * rng.integers(0, p, (n, n))
    for A in (permutation, shift - np.eye(n, dtype=np.int64), blocks, sparse, shift[::-1]):
        check(A, p)
        check(np.hstack([np.zeros((n, 3), np.int64), A, A]), p)
        check(np.vstack([A, A[::-1], np.zeros((2, n), np.int64)]), p)


@primes
def test_sparse_and_structured_by_blocks(by_blocks, p):
    test_sparse_and_structured(p)


@primes
def test_strides_and_extreme_integers(p):
    rng = np.random.default_rng(518)
    A = rng.integers(-(2**63), 2**63 - 1, (9, 7), endpoint=True)
    A[0, :3] = -(2**63), 2**63 - 1, -1
    record = np.zeros((9, 7), [("x", np.int32), ("y", np.int64)])
    record["y"] = A
    expected, _ = by_hand(A, p)
    for form in (A, A[::-1][::-1], np.asfortranarray(A), record["y"], np.repeat(A, 2, 1)[:, ::2]):
        before = form.copy()
        assert modular.rref_mod(form, p).R.tolist() == expected
        assert (form == before).all()
    assert modular.rref_mod(A[::-1], p).R.tolist() == expected
    column = record["y"][:, :1]
    assert modular.rref_mod(column, p).R.tolist() == by_hand(column, p)[0]
    unsigned = A.view(np.uint64)
    assert modular.rref_mod(unsigned, p).R.tolist() == by_hand(unsigned, p)[0]


@primes
def test_strides_and_extreme_integers_by_blocks(by_blocks, p):
    test_strides_and_extreme_integers(p)


@pytest.mark.parametrize("n", [63, 64, 65, 127, 128, 200, 449, 700])
def test_bits_across_words(n):
    rng = np.random.default_rng(519)
    for m in (1, 70, 150):
        A = rng.integers(0, 2, (m, n)).astype(np.uint8)
        A[:, rng.random(n) < 0.3] = 0
        A[: m // 2] = A[m // 2 : m // 2 + m // 2]
        E = check(A, 2)
        same = modular.rref_mod(A.astype(np.int64) - 2, 2)
        assert (same.R == E.R).all()


@pytest.mark.parametrize("n", [255, 257, 2100])
def test_bits_of_rows_in_lines_and_slabs(n):
    """Padded rows, and more words than there are tables for at a time; dependent first rows."""
    rng = np.random.default_rng(522)
    for m, r in ((100, 100), (300, 257), (300, 40)):
        left = rng.integers(0, 2, (m, r))
        left[: m // 3] = left[0]
        A = (left @ rng.integers(0, 2, (r, n)) % 2).astype(np.uint8)
        A[:, n // 3 : n // 2] = 0
        E = modular.rref_mod(A, 2, verify=True)
        assert (E.R[:, E.pivots] == np.eye(E.rank, dtype=int)).all()
        assert all(not row[:j].any() for row, j in zip(E.R, E.pivots, strict=True))
        assert (A[:, E.pivots].astype(int) @ E.R % 2 == A).all()
        assert len(by_hand(A[E.rows][:, E.pivots], 2)[1]) == E.rank


def test_verification_sees_a_wrong_form():
    rng = np.random.default_rng(520)
    for p in (2, 3, 65521, 2**31 - 1, 2**61 - 1):
        A = of_rank(rng, 20, 30, 12, p)
        E = modular.rref_mod(A, p, verify=True)

        def proved(A=A, E=E, p=p):
            if p == 2:
                return gf2.vanishes(A, E.R, E.pivots, gf2.pack(A))
            found = modular._is_reduced(A, E, modular.encode(A, p))
            assert found == py_spans(E.padded, E.pivots, p, A)
            return found

        assert proved()
        E.padded[3, E.free[-1]] ^= 1
        assert not proved()


def test_primes():
    sieve = [n for n in range(2, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))]
    assert [n for n in range(2000) if modular.is_prime(n)] == sieve
    for p, q in itertools.pairwise(sieve):
        assert modular.next_prime(p) == q
        assert modular.previous_prime(q) == p
    # Strong pseudoprimes to many bases: Pomerance, Selfridge & Wagstaff 1980; Jaeschke 1993.
    for composite in (2047, 3215031751, 3474749660383, 341550071728321, 3825123056546413051):
        assert not modular.is_prime(composite)
    assert modular.previous_prime(2**63) == 2**63 - 25
    assert modular.next_prime(2**31 - 2) == 2**31 - 1
    with pytest.raises(ValueError, match="no prime"):
        modular.previous_prime(2)


def test_workspace_is_checked():
    A = np.ones((4, 4))
    index, small = np.empty(4, np.intp), np.empty(1)
    with pytest.raises(ValueError, match="workspace"):
        kernel.py_eliminate(
            7, A, 4, index, index, index, np.empty(4, np.int64), index, small, small, small
        )
    with pytest.raises(ValueError, match="rows must be contiguous"):
        kernel.py_encode(np.ones((4, 4), np.int64).T[:, ::2], 7, A)


def test_workspace_of_small_matrices_is_checked():
    A, short = np.ones((4, 4), np.int64), np.empty(3, np.intp)
    index = np.arange(4)
    for cols, rows in ((short, index), (index, short)):
        with pytest.raises(ValueError, match="shape of A"):
            py_jordan(A, 7, A.copy(), cols, rows)
    with pytest.raises(ValueError, match="columns of A"):
        py_spans(A[:, :3].copy(), index[:1], 7, A)
    for column in (-1, 4):
        with pytest.raises(ValueError, match="columns of R"):
            py_spans(A, np.array([column]), 7, A)
