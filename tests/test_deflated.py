"""Singular values near the cutoff, a gap below all others: a small block decides."""

import numpy as np
import pytest
import scipy.linalg

import fastsub
import fastsub.testing as ft
from fastsub.factor.orthogonal.cod import COD
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.factor.rank.deflated import decide_by_block
from fastsub.factor.rank.inverse import Inverse

FOUR = ("null_space", "orth", "row_space", "left_null_space")
dtypes = pytest.mark.parametrize("dtype", ["float64", "complex128"])


def with_tail(m, n, tail, dtype, seed, rest=0):
    """Singular values 1 .. 1e-2, then `tail`, in units of the cutoff, then `rest` zeros."""
    rng = np.random.default_rng(seed)
    k = min(m, n)
    top = k - len(tail) - rest
    tol = max(m, n) * np.finfo(dtype).eps
    sigma = np.concatenate([np.geomspace(1, 1e-2, top), np.array(tail) * tol, np.zeros(rest)])

    def orthonormal(rows):
        G = rng.standard_normal((rows, k))
        if "c" in dtype:
            G = G + 1j * rng.standard_normal(G.shape)
        return scipy.linalg.qr(G, mode="economic")[0]

    return np.asarray((orthonormal(m) * sigma) @ orthonormal(n).conj().T, dtype)


@dtypes
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("tail", [(1.3,), (0.7,), (1.4, 0.6), (40.0, 1.5, 1.4, 0.7, 0.5)])
@pytest.mark.parametrize("shape", [(210, 210), (230, 205), (300, 60)])
def test_rank_and_bases(dtype, order, tail, shape):
    for rest in (0, 2) if order == "C" else (1,):
        A = np.array(with_tail(*shape, tail, dtype, 2503, rest), order=order)
        sigma = np.linalg.svd(A, compute_uv=False)
        tol = max(shape) * np.finfo(dtype).eps * sigma[0]
        rank = int(np.count_nonzero(sigma > tol))
        got, certificate = fastsub.matrix_rank(A, full_output=True)
        assert got == rank
        ft.check_certificate(A, certificate)
        if rest and shape != (300, 60):
            assert certificate.decided_by == "svd"
        for name in FOUR:
            basis, certificate = getattr(fastsub, name)(A, full_output=True)
            ft.check_certificate(A, certificate)
            M = A if name in ("null_space", "row_space") else A.conj().T
            V = np.linalg.svd(M)[2].conj().T
            peer = V[:, rank:] if "null" in name else V[:, :rank]
            ft.check_orthonormal(basis, peer=peer)
            assert certificate.rank == rank
            if "null" in name:
                assert basis.shape == (M.shape[1], M.shape[1] - rank)
                ft.check_annihilates(M, basis, peer=peer)
            else:
                assert basis.shape == (M.shape[1], rank)
                left = M - M @ basis @ basis.conj().T
                assert np.linalg.norm(left, 2) <= max(3 * np.append(sigma, 0)[rank], 1e-14)


@dtypes
def test_no_svd_of_all(dtype, monkeypatch):
    """The point of it: nothing larger than the block is given to LAPACK."""
    import fastsub.factor.orthogonal.reveal as reveal
    import fastsub.factor.rank.decide as decide

    def fail(*_):
        raise AssertionError("an SVD of the whole factor")

    monkeypatch.setattr(reveal, "svd", fail)
    monkeypatch.setattr(reveal, "singular_values", fail)
    monkeypatch.setattr(decide, "singular_values", fail)
    for seed in range(2521, 2527):
        A = with_tail(260, 260, (1.2, 0.8), dtype, seed, rest=1)
        for want in ("rank", "row", "column"):
            F = COD(A, want=want)
            assert (F.rank, F.certificate.method) == (258, "qr+svd")


@dtypes
def test_where_no_gap_parts_them_the_svd_decides(dtype):
    """Singular values all the way down to the cutoff and below: no block stands alone."""
    rng = np.random.default_rng(2531)
    Q = scipy.linalg.qr(rng.standard_normal((220, 220)))[0]
    A = ((Q * np.geomspace(1, 1e-16, 220)) @ Q.T).astype(dtype)
    for want in ("rank", "row", "column"):
        F = COD(A, want=want)
        ft.check_certificate(A, F.certificate)


class TestDecideByBlock:
    """On block matrices whose singular values are known."""

    def ask(self, sigma_T, G, E=0.0, *, rtol=1e-12, full=9):
        k, p = len(sigma_T), G.shape[1]
        T = np.asfortranarray(np.diag(sigma_T))
        noise = float(np.hypot(np.linalg.norm(G), E))
        cutoff = Cutoff(rtol)
        sizes = {"size": k + p, "full": full, "cutoff": cutoff}
        norm = float(np.hypot(np.linalg.norm(T), noise))
        G = np.asfortranarray(G)
        return decide_by_block(G, Inverse(T, k), k, noise, norm, sigma_T[0], 0.0, **sizes)

    def test_counts_what_is_above_the_cutoff(self):
        G = np.diag([5e-12, 2e-12, 5e-13, 0])
        decision, _, following = self.ask([1.0, 0.5, 0.1], G)
        assert (decision.rank, decision.decided_by, decision.tol) == (5, "svd", 1e-12)
        assert 1.9e-12 < decision.sigma_r_lower < 2e-12
        assert 5e-13 < decision.sigma_next_upper < 6e-13
        np.testing.assert_allclose(following, [5e-13, 0], atol=1e-25)

    def test_full_rank_leaves_nothing(self):
        decision, _, following = self.ask([1.0, 0.5], np.diag([3e-12]), full=3)
        assert (decision.rank, decision.sigma_next_upper, following.size) == (3, 0.0, 0)

    def test_nothing_counts(self):
        decision, *_ = self.ask([1.0, 0.5], np.diag([3e-13, 1e-13]))
        assert decision.rank == 2
        assert 0.2 < decision.sigma_r_lower < 0.5

    def test_a_tie_is_left_to_an_svd(self):
        assert self.ask([1.0, 0.5], np.diag([1.01e-12])) is None
        assert self.ask([1.0, 0.5], np.diag([1.05e-12]))[0].rank == 3

    def test_a_small_gap_proves_nothing(self):
        assert self.ask([1.0, 1e-10], np.diag([2e-12])) is None
        # What stands beside the block counts, too.
        assert self.ask([1.0, 0.5], np.diag([2e-12]), E=1e-2) is None
