"""Pseudoinverses in the memory of the result: by Cholesky, from reflectors, by solving."""

import numpy as np
import pytest
import scipy.linalg
from test_pinv import check_penrose

import fastsub
from fastsub import COD
from fastsub import testing as ft
from fastsub.bench.memory import peak_beyond_output
from fastsub.factor import substitution
from fastsub.factor.orthogonal.pseudoinverse import invert_by_cholesky, move_columns
from fastsub.factor.orthogonal.rz import RZ
from fastsub.factor.rank.decide import Cutoff

U = float(np.finfo(float).eps)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
dtypes = pytest.mark.parametrize("dtype", ["float64", "complex128"])
orders = pytest.mark.parametrize("order", ["C", "F"])


def by_cholesky(A, rtol=None):
    """A^+ and its certificate, or None."""
    answer = invert_by_cholesky(A, Cutoff.of(A, rtol))
    return answer and (answer[0].conj().T, answer[1])


def check_like_scipys(A, B, factor=1.0):
    """Penrose's conditions as well as SciPy keeps them, and the distance from SciPy's inverse."""
    peer = scipy.linalg.pinv(A)
    kappa = np.linalg.norm(A, 2) * np.linalg.norm(peer, 2)
    for ours, theirs, scale in (
        (A @ B @ A - A, A @ peer @ A - A, np.linalg.norm(A, 2)),
        (B @ A @ B - B, peer @ A @ peer - peer, np.linalg.norm(peer, 2)),
    ):
        limit = 3 * np.linalg.norm(theirs, 2) + 20 * U * max(1, kappa / 30) * scale
        assert np.linalg.norm(ours, 2) <= factor * limit
    limit = factor * 20 * U * max(A.shape) ** 0.5 * kappa
    assert np.linalg.norm(B - peer, 2) <= limit * np.linalg.norm(peer, 2)


@dtypes
@orders
@pytest.mark.parametrize(("m", "n"), [(60, 12), (170, 40), (400, 90)])
def test_every_rank(dtype, order, m, n):
    for r in {1, 2, n // 2, n - 1, n}:
        A = ft.with_singular_values(np.geomspace(1, 0.1, r), m, n, 2003 + r, dtype)
        A = np.array(A, order=order)
        before = A.copy()
        B, certificate = by_cholesky(A)
        assert certificate.rank == r
        ft.check_certificate(A, certificate)
        check_penrose(A, B)
        check_like_scipys(A, B)
        np.testing.assert_array_equal(A, before)


@dtypes
@pytest.mark.parametrize("r", [30, 40])
def test_accurate_or_none_at_every_condition(dtype, r):
    """Normal equations that are not believed: what they cannot do is left to others."""
    answered = []
    for power in range(15):
        A = ft.with_singular_values(np.geomspace(1, 10.0**-power, r), 170, 40, 2011, dtype)
        answer = by_cholesky(A)
        answered.append(answer is not None)
        if answer is not None:
            ft.check_certificate(A, answer[1])
            check_like_scipys(A, answer[0])
        check_like_scipys(A, fastsub.pinv(A))
    assert all(answered[:4])
    assert not any(answered[9:])


@dtypes
def test_first_columns_nearly_dependent(dtype):
    """A bad choice of columns amplifies the rounding of A in all others, not in the result."""
    rng = np.random.default_rng(2017)
    for small in (1e-2, 1e-3, 1e-4):
        left = ft.with_singular_values([*np.linspace(1, 0.5, 28), small, small], 160, 30, 2027)
        A = (left @ np.hstack([np.eye(30), rng.standard_normal((30, 10))])).astype(dtype)
        answer = by_cholesky(A)
        assert answer is not None
        check_like_scipys(A, answer[0])
        check_like_scipys(A[:100], COD(A[:100]).pinv(consume=True))


def test_dependent_columns_anywhere():
    A = ft.random_rank(90, 20, 20, 2029)
    A[:, 3] = A[:, 0] - A[:, 2]
    A[:, 11] = 0
    A[:, 7] = 2 * A[:, 5]
    B, certificate = by_cholesky(A)
    assert certificate.rank == 17
    check_like_scipys(A, B)


class TestNothingIsClaimed:
    def test_a_singular_value_near_the_cutoff(self):
        proved = 0
        for power in np.arange(2, 17, 0.5):
            sigma = np.append(np.geomspace(1, 0.1, 17), [10.0**-power])
            A = ft.with_singular_values(sigma, 90, 20, 2039)
            for rtol in (None, 1e-6):
                answer = by_cholesky(A, rtol)
                proved += answer is not None
                if answer is not None:
                    ft.check_certificate(A, answer[1], rtol=rtol)
        assert proved >= 10

    def test_noise_that_is_more_than_rounding(self):
        """Cut off by `rtol`, it may turn the subspaces: then nobody but the COD answers."""
        for noise in (1e-13, 1e-11, 1e-9, 1e-7, 1e-5):
            A = ft.with_singular_values([1, 0.8, 0.5, *([noise] * 7)], 60, 10, 2053)
            wanted = scipy.linalg.pinv(A, rtol=1e-3)
            for B in (by_cholesky(A, 1e-3), (fastsub.pinv(A, rtol=1e-3), None)):
                if B is not None:
                    assert np.linalg.norm(B[0] - wanted) <= (1e-13 + 20 * noise**2) * 3

    @pytest.mark.parametrize("size", [np.nan, np.inf, 1e300, 1e-300, 0])
    def test_scale(self, size):
        A = ft.random_rank(60, 10, 7, 2063) * size
        assert by_cholesky(A) is None

    def test_a_short_column_counts(self):
        A = ft.random_rank(60, 10, 10, 2069)
        A[:, 4] *= 1e-9
        assert by_cholesky(A) is None
        assert fastsub.pinv(A, return_rank=True)[1] == 10


@every_dtype
@pytest.mark.parametrize("consume", [False, True])
@pytest.mark.parametrize(("m", "n", "r"), [(90, 70, 70), (90, 70, 51), (60, 90, 33), (70, 70, 69)])
def test_from_reflectors(dtype, consume, m, n, r):
    A = ft.with_singular_values(np.geomspace(1, 0.1, r), m, n, 2081, dtype)
    A[:, 5] = A[:, 1]
    B = COD(A).pinv(consume=consume)
    assert B.shape == (n, m)
    check_penrose(A, B)


def test_a_cod_that_is_kept_stays_good():
    A = ft.random_rank(50, 40, 31, 2083)
    F = COD(A)
    B = F.pinv()
    np.testing.assert_array_equal(F.pinv(), B)
    np.testing.assert_allclose(F.solve(np.eye(50)), B, atol=1e-11 * abs(B).max())


@orders
@pytest.mark.parametrize(
    ("m", "n", "r"), [(640, 560, 560), (640, 560, 510), (700, 340, 300), (1600, 300, 300),
                      (1600, 300, 270), (300, 1600, 280), (600, 600, 570), (6000, 90, 90)]
)  # fmt: skip
def test_memory(order, m, n, r):
    A = np.array(ft.random_rank(m, n, r, 2087), order=order)
    (_, rank), certificate = fastsub.pinv(A, return_rank=True, full_output=True)
    assert (rank, certificate.decided_by) == (r, "bounds")
    factor = (peak_beyond_output(fastsub.pinv, A) - 1e6) / A.nbytes
    assert factor <= 1.2, f"{factor:.2f} x input, and 1 MB"


@every_dtype
@pytest.mark.parametrize("n", [1, 47, 48, 49, 130])
def test_substitution(dtype, n):
    rng = np.random.default_rng(2089)
    both = rng.standard_normal((2, n + 9, n + 9)).astype(dtype)
    if both.dtype.kind == "c":
        both = both + 1j * both[::-1]
    R, B = (np.asfortranarray(M)[:n] for M in both)
    R[np.diag_indices(n)] = 3 * np.sqrt(n)
    R, T = R[:, :n], np.triu(R[:, :n])
    eps = np.finfo(dtype).eps
    for adjoint in (False, True):
        S = T.conj().T if adjoint else T
        left, right = B.copy(order="F"), B[:, :n].copy(order="F")
        substitution.solve(R, left, adjoint=adjoint)
        substitution.divide(right, R, adjoint=adjoint)
        scale = np.linalg.norm(T) * np.linalg.norm(left)
        assert np.linalg.norm(S @ left - B) <= 4 * eps * scale
        assert np.linalg.norm(right @ S - B[:, :n]) <= 4 * eps * scale


@every_dtype
@pytest.mark.parametrize(("r", "n"), [(1, 2), (5, 60), (40, 47), (64, 65), (33, 99)])
def test_rz_from_the_right(dtype, r, n):
    A = ft.random_rank(n, n, n, 2099, dtype)
    R = np.asfortranarray(np.triu(A / n) + 3 * np.eye(n, dtype=dtype))
    rz = RZ(R.copy(order="F"), r, below=False)
    C = np.asfortranarray(ft.random_rank(7, n, min(7, n), 2111, dtype))
    # diag(J, I) Z^H diag(J, I), by the left
    J = np.append(np.arange(r)[::-1], np.arange(r, n))
    Z = np.eye(n, dtype=dtype, order="F")
    rz.apply(Z)
    wanted = C @ Z.conj().T[np.ix_(J, J)]
    rz.apply_right(C)
    assert np.linalg.norm(C - wanted) <= 40 * np.finfo(dtype).eps * np.linalg.norm(wanted)
    # J U^-T J, above what is below
    below = R.copy(order="F")
    T = np.triu(RZ(below, r, below=True).flipped_inverse(below))
    U1 = np.triu(rz.U)
    assert np.linalg.norm(T.T[::-1, ::-1] @ U1 - np.eye(r)) <= 40 * np.finfo(dtype).eps * r


def test_columns_move_in_place():
    for n in (0, 1, 2, 9):
        p = np.random.default_rng(2113).permutation(n)
        A = np.asfortranarray(np.arange(3.0 * n).reshape(3, n))
        X = A.copy(order="F")
        move_columns(X, p)
        np.testing.assert_array_equal(X[:, p], A)
