"""QR that avoids pivoting: A P = Q R for every kind of dependence, and what is put off is small."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastsub import testing as ft
from fastsub.kernels import householder, paqr
from fastsub.testing.spectrum import precision as eps

SHAPES = [(1, 1), (6, 1), (1, 6), (9, 9), (23, 14), (14, 23)]
BLOCKS = [1, 2, 4, 7, 40]
DTYPES = ["float32", "float64", "complex64", "complex128"]

shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))
blocks = pytest.mark.parametrize("nb", BLOCKS)


@dataclass
class Factored:
    r"""What the kernel made of A: W = V\R in its first k columns, and `left` of W[k:, k:]."""

    A: np.ndarray
    W: np.ndarray
    p: np.ndarray
    T: np.ndarray
    tau: np.ndarray
    k: int
    left: float
    aligned: int

    @property
    def R(self):
        """Q^H A P, in double precision: R in the first k columns, what is left below."""
        wide = self.W.astype(np.result_type(self.W, float))
        wide[:, : self.k] = np.triu(wide[:, : self.k])
        return wide


def arguments(A, nb):
    """Every array of a call; what the kernel has to write first holds NaN."""
    (m, n), full = A.shape, min(A.shape)
    nan = {"fill_value": np.nan, "dtype": A.dtype, "order": "F"}
    return {
        "A": np.array(A, order="F"),
        "jpvt": np.arange(n, dtype=np.intc),
        "T": np.full((nb, full), **nan),
        "tau": np.full(full, **nan),
        "work": np.full(paqr.py_work_size(m, n, nb), **nan),
    }


def factor(A, nb=4, limit=None):
    arrays = arguments(A, nb)
    k, left, aligned = paqr.py_paqr(**arrays, limit=noise(A) if limit is None else limit)
    W, p, T, tau = (arrays[name] for name in ("A", "jpvt", "T", "tau"))
    return Factored(np.asarray(A), W, p, T[:, :k], tau[:k], k, left, aligned)


def noise(A):
    """More than rounding leaves of a dependent column."""
    return 100 * eps(A) * max(1.0, float(np.linalg.norm(A)))


def check(F, explicit_q, limit):
    """A P = Q (R; what is left) by columns, Q unitary, and nothing large was put off."""
    (m, n), nb = F.A.shape, F.T.shape[0]
    assert sorted(F.p) == list(range(n))
    assert 0 <= F.k <= min(m, n)
    Q = explicit_q(F.W, F.tau) if F.k else np.eye(m, dtype=F.A.dtype)
    ft.check_orthonormal(Q)
    B = F.A[:, F.p].astype(np.result_type(F.A, float))
    error = np.linalg.norm(B - Q @ F.R, axis=0)
    assert np.all(error <= 40 * eps(F.A) * np.linalg.norm(B, axis=0))
    rest = F.R[F.k :, F.k :]
    assert F.left == pytest.approx(float(np.linalg.norm(rest)), rel=1e-5, abs=0)
    if F.k < min(m, n):
        assert np.all(np.linalg.norm(rest, axis=0) <= limit * (1 + 4 * eps(F.A)))
    assert np.all(np.abs(np.diagonal(F.R)[: F.k]) > limit)
    check_blocks(F, Q, nb)


def check_blocks(F, Q, nb):
    """T's blocks begin at multiples of nb for the first `aligned` columns: those may be applied."""
    assert 0 <= F.aligned <= F.k
    assert F.aligned == F.k or F.aligned % nb
    T, m = F.T.copy(order="F"), F.A.shape[0]
    work = np.empty(householder.py_work_size(m, m, nb), T.dtype)
    T[:, F.aligned :] = np.nan
    if F.aligned < F.k:
        start = F.aligned - F.aligned % nb
        householder.py_block_t(F.W, F.tau, T, work, start)
    C = np.eye(m, dtype=T.dtype, order="F")
    householder.py_apply(F.W, T, C, work)
    assert np.linalg.norm(C - Q, 2) <= 40 * eps(F.A)


@shapes
@blocks
def test_independent_columns_are_taken_as_they_come(dtype, shape, nb, explicit_q):
    A = ft.random_rank(*shape, min(shape), 901, dtype)
    for limit in (-1.0, 0.0, noise(A)):
        F = factor(A, nb, limit)
        assert (F.k, F.aligned, F.left) == (min(shape), min(shape), 0)
        assert list(F.p) == list(range(shape[1]))
        check(F, explicit_q, limit)
        T = np.zeros_like(F.T, order="F")
        W = np.array(A, order="F")
        householder.py_qr(W, T, np.empty(householder.py_work_size(*shape, nb), A.dtype))
        np.testing.assert_allclose(F.W, W, atol=100 * eps(A) * np.linalg.norm(A))


@shapes
@blocks
def test_every_rank(dtype, shape, nb, explicit_q):
    for r in range(min(shape) + 1):
        A = ft.random_rank(*shape, r, 907 + r, dtype)
        F = factor(A, nb)
        assert F.k == r
        # The first r columns are independent.
        assert list(F.p[:r]) == list(range(r))
        check(F, explicit_q, noise(A))


def names_of_columns(n, rank):
    """Which of `rank` independent columns, 0 for a zero one, each of n columns is."""
    return {
        "adjacent duplicates": [1 + j // 2 % rank for j in range(n)],
        "far duplicates": [1 + j % rank for j in range(n)],
        "one column": [1] * n,
        "zeros first": [max(0, j - n + rank + 1) for j in range(n)],
        "zeros last": [j + 1 if j < rank else 0 for j in range(n)],
        "zeros between": [(j + 1) // 2 % (rank + 1) if j % 2 else 0 for j in range(n)],
        "at a panel's start": [1, 2, 3, 4, 1, 2, 5, 6, 3, 3, 7, 8][:n] + [8] * (n - 12),
        "at a panel's end": [1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8, 8][:n] + [1] * (n - 12),
        "inside a panel": [1, 1, 2, 3, 4, 4, 0, 5, 6, 7, 7, 8][:n] + [0] * (n - 12),
        "nothing": [0] * n,
    }


@blocks
@pytest.mark.parametrize("shape", [(23, 14), (14, 14), (9, 20)])
@pytest.mark.parametrize("kind", names_of_columns(14, 8))
def test_repeated_and_zero_columns(dtype, kind, shape, nb, explicit_q):
    """The first of equal columns is taken, and all others are put off."""
    (m, n), names = shape, np.array(names_of_columns(shape[1], 8)[kind])
    B = ft.random_rank(m, 8, 8, 911, dtype)
    A = np.where(names > 0, B[:, names - 1], 0).astype(dtype)
    first = [j for j in range(n) if names[j] and names[j] not in names[:j]]
    F = factor(A, nb)
    assert F.k == len(first)
    assert sorted(F.p[: F.k]) == first
    check(F, explicit_q, noise(A))
    if kind == "nothing":
        assert F.left == 0
        assert not F.W.any()


@blocks
def test_a_sum_of_columns_of_its_own_panel(dtype, nb, explicit_q):
    for j in range(1, 12):
        A = ft.random_rank(20, 13, 13, 919, dtype)
        A[:, j] = A[:, :j].sum(axis=1)
        F = factor(A, nb)
        assert F.k == 12
        assert F.p[12] == j
        check(F, explicit_q, noise(A))


def test_columns_put_off_can_be_factored_after_all(dtype, explicit_q):
    """`start` goes on where the first call ended, as if nothing had been put off."""
    for shape, nb in (((23, 14), 4), ((14, 23), 5), ((12, 12), 3)):
        for r in range(min(shape) + 1):
            A = ft.random_rank(*shape, r, 929 + r, dtype)
            arrays = arguments(A, nb)
            done, left, aligned = paqr.py_paqr(**arrays, limit=noise(A))
            arrays["work"][:] = np.nan
            k, rest, again = paqr.py_paqr(**arrays, limit=-1.0, start=done)
            assert (done, k, rest) == (r, min(shape), 0)
            aligned = aligned if aligned % nb else again
            F = Factored(A, *(arrays[name] for name in ("A", "jpvt", "T", "tau")), k, 0.0, aligned)
            check(F, explicit_q, -1.0)
            # What was left has the norm that the first call said.
            assert np.linalg.norm(F.R[done:, done:]) == pytest.approx(left, rel=1e-3)


def test_limit_is_absolute(dtype, explicit_q):
    for size in (1.0, 1e-3):
        A = ft.random_rank(15, 10, 10, 937, dtype)
        A[:, 3] *= size / np.linalg.norm(A[:, 3])
        for limit, k in ((0.5 * size, 10), (2 * size, 9)):
            if limit < 1:
                F = factor(A, 4, limit)
                assert F.k == k
                check(F, explicit_q, limit)
    F = factor(A, 4, 1e6)
    assert (F.k, F.aligned) == (0, 0)
    assert np.array_equal(F.W, A)


def test_promises_no_rank():
    """Each column of a Kahan matrix is far from those before it; the smallest sigma is tiny."""
    A = ft.kahan(60)
    F = factor(A, 8)
    assert F.k == 60
    assert list(F.p) == list(range(60))
    assert np.linalg.svd(A, compute_uv=False)[-1] < 1e-3 * np.abs(np.diagonal(F.W)).min()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_never_put_off(dtype, value):
    A = ft.random_rank(9, 7, 7, 941, dtype)
    A[2, 4] = value
    F = factor(A, 3, 1e-3)
    assert F.k == 7
    assert sorted(F.p) == list(range(7))


@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    dtype=st.sampled_from(DTYPES),
    nb=st.integers(1, 34),
    data=st.data(),
)
def test_any_pattern(explicit_q, shape, dtype, nb, data):
    (m, n), full = shape, min(shape)
    names = np.array(data.draw(st.lists(st.integers(0, full), min_size=n, max_size=n)))
    B = ft.random_rank(m, full, full, data.draw(st.integers(2, 10**6)), dtype)
    # Independent, if not well-conditioned: columns are far from dependent.
    B = np.linalg.qr(B)[0] + np.float32(0.1) * B[:, :1] / np.linalg.norm(B[:, 0])
    A = np.where(names > 0, B[:, names - 1], 0).astype(dtype)
    F = factor(A, nb)
    assert F.k == len(set(names[names > 0]))
    check(F, explicit_q, noise(A))


@pytest.mark.parametrize("short", ["jpvt", "T", "tau", "work"])
def test_refuses_a_small_workspace(short):
    arrays = arguments(np.ones((9, 7)), 3)
    arrays[short] = np.asfortranarray(arrays[short][..., :-1])
    with pytest.raises(ValueError, match="too small"):
        paqr.py_paqr(**arrays, limit=0.0)


def test_honours_an_interrupt(interrupt):
    arrays = arguments(ft.random_rank(1200, 1200, 1200, 947), 2)
    with pytest.raises(KeyboardInterrupt), interrupt(0.01):
        paqr.py_paqr(**arrays, limit=-1.0)
