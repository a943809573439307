"""Metabolic networks: steady-state fluxes are the null space, conserved moieties the left one."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import scipy.io

import fastsub
from fastsub import testing as ft
from fastsub.data import as_sparse_arrays


@pytest.fixture(scope="module")
def genome_scale():
    """iJO1366, 1805 metabolites and 2583 reactions."""
    with gzip.open(Path(__file__).parent / "data" / "iJO1366.mtx.gz") as stored:
        return scipy.io.mmread(stored, **as_sparse_arrays(scipy.io.mmread)).toarray()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_core_network(dtype, order):
    S = np.array(ft.ecoli_core(), dtype, order=order)
    assert S.shape == (72, 95)
    N, certificate = fastsub.null_space(S, full_output=True)
    L = fastsub.left_null_space(S)
    assert (certificate.rank, N.shape[1], L.shape[1]) == (67, 28, 5)
    assert certificate.decided_by == "bounds"
    ft.check_certificate(S, certificate)
    for A, basis in ((S, N), (S.conj().T, L)):
        ft.check_orthonormal(basis)
        ft.check_annihilates(A, basis)
    assert fastsub.matrix_rank(S) == fastsub.rrqr(S).rank == 67


def test_every_flux_balances_and_every_moiety_is_conserved():
    S = ft.ecoli_core()
    rng = np.random.default_rng(1013)
    flux = fastsub.null_space(S) @ rng.standard_normal(28)
    np.testing.assert_allclose(S @ flux, 0, atol=1e-12)
    pool = fastsub.left_null_space(S) @ rng.standard_normal(5)
    np.testing.assert_allclose(pool @ (S @ rng.standard_normal(95)), 0, atol=1e-9)


def test_genome_scale_network(genome_scale):
    S = genome_scale
    F = fastsub.COD(S)
    assert (F.rank, F.certificate.decided_by) == (1766, "bounds")
    N, L = F.null_space(), F.left_null_space()
    assert (N.shape, L.shape) == ((2583, 817), (1805, 39))
    # Frobenius norms bound the spectral ones, and the cutoff is eps * max(m, n) times a lower bound
    # of the largest singular value: a proof without an SVD.
    eps = np.finfo(float).eps
    largest = F.certificate.tol / (eps * 2583)
    for A, basis in ((S, N), (S.T, L)):
        assert np.linalg.norm(A @ basis) <= F.certificate.tol
        assert np.linalg.norm(A @ basis) <= 20 * eps * largest
        assert np.abs(basis.T @ basis - np.eye(basis.shape[1])).max() < 1e-14
    rank, certificate = fastsub.matrix_rank(S, full_output=True)
    assert (rank, certificate.decided_by) == (1766, "bounds")
    assert certificate.sigma_next_upper <= certificate.tol < certificate.sigma_r_lower


def test_four_subspaces_of_the_genome_scale_network(genome_scale):
    F = fastsub.fundamental_subspaces(genome_scale)
    assert [V.dim for V in F] == [1766, 817, 1766, 39]
    assert F.certificate.decided_by == "bounds"
    flux = F.null_space.project(np.ones(2583))
    assert np.linalg.norm(genome_scale @ flux) < 1e-10 * np.linalg.norm(flux)
    moiety = F.left_null_space.project(np.ones(1805))
    assert np.linalg.norm(genome_scale.T @ moiety) < 1e-10 * np.linalg.norm(moiety)
