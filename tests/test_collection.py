"""Every matrix of the collection through every function: certificates, ranks, bases, shares."""

from functools import cache

import numpy as np
import pytest
import scipy.linalg
from shares import PATHS, SHARES

import fastsub
from fastsub import testing as ft

dtypes = pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
PEER_SIZE = 60
"""SciPy's bases are the peers up to this many rows and columns; above, where one is needed."""

FOUR = {
    "null": fastsub.null_space,
    "row": fastsub.row_space,
    "left": fastsub.left_null_space,
    "column": fastsub.orth,
}


@pytest.fixture(scope="module", autouse=True)
def shares_are_printed(request):
    manager = request.config.pluginmanager
    if not manager.is_registered(SHARES):
        manager.register(SHARES, "shares-by-bounds")


def distinct(certificates):
    """Only those that differ from the ones before: functions share their decisions."""
    found = []
    for certificate in certificates:
        if certificate not in found:
            found.append(certificate)
    return found


class Peers:
    """SciPy's bases of the four subspaces of A, computed when asked for."""

    def __init__(self, A):
        self.null = cache(lambda: scipy.linalg.null_space(A))
        self.left = cache(lambda: scipy.linalg.null_space(A.conj().T))
        self.column = cache(lambda: scipy.linalg.orth(A))
        self.row = cache(lambda: scipy.linalg.orth(A.conj().T))


def check_with_peer(check, peer):
    """Pass by the plain bound, or else by the one that SciPy's basis sets."""
    try:
        check(None)
    except AssertionError:
        check(peer())


def check_bases(A, bases, tol, peers):
    """Null, row, left null and column space against the contract's accuracy."""
    for name, basis in bases.items():
        peer = getattr(peers, name)

        def orthonormal(peer, basis=basis):
            ft.check_orthonormal(basis, peer=peer)

        check_with_peer(orthonormal, peer)
        if name in ("row", "column"):
            continue
        B = A if name == "null" else A.conj().T

        def annihilates(peer, basis=basis, B=B):
            # In the grey zone SciPy's rank may be another; then its basis is no peer.
            same = np.shape(peer) == basis.shape
            ft.check_annihilates(B, basis, tol, peer=peer if same else None)

        if max(A.shape) <= PEER_SIZE:
            annihilates(peer())
        else:
            check_with_peer(annihilates, peer)


def check_everything(A, grey, tol):
    """Certificates and bases of the functions and of the blocked decomposition; who decided."""
    answers = {name: function(A, full_output=True) for name, function in FOUR.items()}
    rank = fastsub.matrix_rank(A, full_output=True)[1]
    F = fastsub.COD(A)
    # The functions first: what a user sees.
    decided = answers["null"][1].decided_by, F.certificate.decided_by
    for certificate in distinct((*(c for _, c in answers.values()), rank, F.certificate)):
        ft.check_certificate(A, certificate)
    # In the grey zone the rank may be one less than the SVD's; then sigma_{r+1} > tol.
    limit = 2 * tol if grey else None
    peers = Peers(A)
    check_bases(A, {name: basis for name, (basis, _) in answers.items()}, limit, peers)
    blocked = {
        "null": F.null_space(),
        "row": F.row_space(),
        "left": F.left_null_space(),
        "column": F.column_space(),
    }
    check_bases(A, blocked, limit, peers)
    # Kahan's matrices look alike at every step, so every reflector is rounded alike, and the
    # errors of n of them, an eps or two each, add up instead of cancelling.
    close = max(100, *(2 * n for n in A.shape)) * float(np.finfo(A.dtype).eps)
    ft.check_complementary(blocked["null"], blocked["row"], atol=close)
    ft.check_complementary(blocked["left"], blocked["column"], atol=close)
    return decided


@dtypes
def test_every_matrix_of_the_collection(dtype):
    wrong = []
    # The largest ones take the longest; one precision of each kind is enough there.
    large = (120, 250) if dtype in ("float64", "complex64") else (120,)
    for case in ft.cases(dtype, large=large):
        spectrum = ft.gap(case.A)
        try:
            decided = check_everything(case.A, spectrum.grey, spectrum.tol)
        except AssertionError as error:
            wrong.append(f"{case!r}: {error}")
            continue
        if spectrum.has_gap:
            for path, decided_by in zip(PATHS, decided, strict=True):
                SHARES.add(path, case.family, dtype, decided_by)
    assert not wrong, "\n".join(wrong)
    for path in PATHS:
        share, count = SHARES.of(path, dtype)
        assert count > 250
        assert share >= 0.9, f"{path}: bounds decided {share:.1%} of {count} matrices with a gap"


@dtypes
def test_least_squares_of_every_matrix_of_the_collection(dtype):
    eps = float(np.finfo(dtype).eps)
    for case in ft.cases(dtype, large=(120,)):
        A = case.A
        with np.errstate(over="ignore"):  # residues are squares, and may leave the range
            (x, _, rank, _), certificate = fastsub.lstsq(A, A[:, -1], full_output=True)
        SHARES.solve(case.family, certificate.method)
        try:
            assert rank == certificate.rank
            ft.check_certificate(A, certificate)
            assert np.all(np.isfinite(x))
            # What the cutoff threw away can show, no more.
            assert 0 <= certificate.backward_error <= 2 * max(A.shape) * eps
        except AssertionError as error:
            error.add_note(f"{case!r}, {certificate}")
            raise
