"""Small matrices in one compiled call: each claim about rank, bounds and basis; else the SVD."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.errors import ConvergenceError
from fastsub.factor import small
from fastsub.factor.choose import is_small
from fastsub.factor.rank.decide import Cutoff
from fastsub.kernels.direct import py_decide
from fastsub.testing.spectrum import precision as eps
from fastsub.testing.spectrum import to_unit_scale

SHAPES = [(1, 1), (1, 6), (6, 1), (3, 2), (14, 9), (9, 14), (13, 13), (40, 60)]
# Name: on the side of the rows, the orthogonal complement.
SPACES = {
    "row_space": (True, False),
    "null_space": (True, True),
    "column_space": (False, False),
    "left_null_space": (False, True),
}
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "every other": lambda A: np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda A: np.ascontiguousarray(A[::-1, ::-1])[::-1, ::-1],
    "rows of a larger one": lambda A: np.vstack([A, A, A]).copy("F")[len(A) : 2 * len(A)],
}


def well_conditioned(m, n, r, seed, dtype="float64"):
    """Rank r, its singular values between 1 and 0.1."""
    return ft.with_singular_values(np.geomspace(1, 0.1, r), m, n, seed, dtype)


def by_bounds(A, space, rtol=None, tol=None, want_basis=True):
    """The compiled call alone: basis and certificate, or None."""
    cutoff = Cutoff.of(A, rtol)
    answer = py_decide(
        A,
        *SPACES[space],
        want_basis,
        0.0 if tol is not None else cutoff.relative,
        tol or 0.0,
        False,
    )
    if answer is None:
        return None
    *claims, basis = answer
    return basis, fastsub.Certificate(*claims)


def decide(A, space, rtol=None, tol=None, **options):
    row_side, complement = SPACES[space]
    return small.decide_small(
        A, Cutoff.of(A, rtol, tol), row_side=row_side, complement=complement, **options
    )


def check_basis(A, space, basis, certificate):
    """Orthonormal, of the right shape, and as good as SciPy's: B N = 0, or B (I - Q Q^H) = 0."""
    row_side, complement = SPACES[space]
    B = A if row_side else A.conj().T
    n, r = B.shape[1], certificate.rank
    V = scipy.linalg.svd(to_unit_scale(B)[0].astype(A.dtype))[2].conj().T
    trusted = V[:, r:] if complement else V[:, :r]
    assert basis.dtype == A.dtype
    assert basis.shape == (n, n - r if complement else r)
    ft.check_orthonormal(basis, peer=trusted)
    if complement:
        ft.check_annihilates(B, basis, certificate.tol, peer=trusted)
        return
    # The columns of B^H without their projection are in the range's complement.
    B, _ = to_unit_scale(B)
    rest, best = (np.linalg.norm(B - B @ Q @ Q.conj().T, 2) for Q in (basis, trusted))
    limit = max(3 * best, 20 * eps(basis) * np.linalg.norm(B, 2))
    assert rest <= limit, f"||B - B Q Q^H||: got {rest:.2e}, want at most {limit:.2e}"


def check_answer(A, space, answer, rank=None, rtol=None, tol=None):
    """There is one; its rank, its certificate and its basis are right."""
    assert answer is not None, "no answer"
    basis, certificate = answer
    if rank is not None:
        assert certificate.rank == rank
    ft.check_certificate(A, certificate, rtol=rtol, tol=tol)
    check_basis(A, space, basis, certificate)


class TestBounds:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("space", SPACES)
    def test_every_rank(self, dtype, space, shape):
        for r in range(min(shape) + 1):
            A = well_conditioned(*shape, r, 601 + r, dtype)
            check_answer(A, space, by_bounds(A, space), r)
            nothing, rank_only = by_bounds(A, space, want_basis=False)
            assert (nothing, rank_only.rank) == (None, r)
            ft.check_certificate(A, rank_only)

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("space", SPACES)
    def test_every_layout(self, dtype, space, layout):
        A = well_conditioned(11, 8, 5, 617, dtype)
        B = LAYOUTS[layout](A)
        B.flags.writeable = False
        basis, certificate = by_bounds(B, space)
        np.testing.assert_array_equal(B, A)
        expected, same = by_bounds(A, space)
        assert certificate.rank == same.rank
        ft.check_certificate(A, certificate)
        np.testing.assert_array_equal(basis, expected)

    def test_one_row_repeated_by_a_stride_of_zero(self, dtype):
        A = np.broadcast_to(well_conditioned(1, 7, 1, 619, dtype), (5, 7))
        for B in (A, A.T):
            for space in SPACES:
                check_answer(B, space, by_bounds(B, space), 1)

    @pytest.mark.parametrize(
        "side", [("row_space", "null_space"), ("column_space", "left_null_space")]
    )
    def test_both_halves_are_the_whole_space(self, dtype, side):
        for r in range(9):
            A = well_conditioned(12, 8, r, 631, dtype)
            (U, one), (V, two) = (by_bounds(A, space) for space in side)
            assert one == two
            ft.check_complementary(U, V)

    @pytest.mark.parametrize("sign", [-1, 1])
    def test_scaled(self, dtype, sign):
        scale = 10.0 ** (sign * (300 if eps(np.empty(0, dtype)) < 1e-10 else 30))
        for r in (1, 6, 9):
            A = (well_conditioned(13, 9, r, 641) * scale).astype(dtype)
            for space in SPACES:
                check_answer(A, space, by_bounds(A, space), r)
                tol = 1e-3 * scale
                check_answer(A, space, by_bounds(A, space, tol=tol), r, tol=tol)

    def test_entries_of_every_size(self, dtype):
        """Scaled or not, by powers of two: the same answer in other units."""
        A = well_conditioned(13, 9, 6, 643, dtype)
        _, unit = by_bounds(A, "null_space")
        for power in (-100, -60, -41, -40, -39, 39, 40, 41, 100):
            B = (A * 2.0**power).astype(dtype)
            basis, certificate = by_bounds(B, "null_space")
            np.testing.assert_allclose(certificate.tol, unit.tol * 2.0**power)
            check_answer(B, "null_space", (basis, certificate), 6)

    def test_a_cutoff_of_its_own(self, dtype):
        A = ft.with_singular_values([1, 0.5, 1e-2, 1e-4], 9, 7, 647, dtype)
        for rank, rtol in ((2, 0.1), (3, 2e-3)):
            for option in ({"rtol": rtol}, {"tol": rtol}):
                _, certificate = by_bounds(A, "row_space", want_basis=False, **option)
                assert certificate.rank == rank
                ft.check_certificate(A, certificate, **option)
                # What is left is no rounding: pivoted QR's basis would not be the best.
                assert by_bounds(A, "row_space", **option) is None
                check_answer(A, "row_space", decide(A, "row_space", **option), rank, **option)

    def test_zero_matrix(self, dtype):
        A = np.zeros((5, 3), dtype)
        for space in SPACES:
            for tol in (None, 0.0, 2.5):
                basis, certificate = by_bounds(A, space, tol=tol)
                assert certificate == fastsub.Certificate(
                    0, tol or 0.0, np.inf, 0.0, "bounds", "small qr"
                )
                check_basis(A, space, basis, certificate)

    def test_everything_below_the_cutoff(self, dtype):
        A = well_conditioned(6, 4, 4, 653, dtype)
        _, certificate = by_bounds(A, "null_space", tol=10.0, want_basis=False)
        assert certificate.rank == 0
        ft.check_certificate(A, certificate, tol=10.0)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_what_is_not_finite(self, dtype, bad):
        for where in ((0, 0), (4, 6), (2, 3)):
            A = well_conditioned(5, 7, 5, 659, dtype)
            A[where] = bad
            for space in SPACES:
                assert by_bounds(A, space) is None
                assert decide(A, space) is None
            if A.dtype.kind == "c":
                A[where] = complex(1, bad)
                assert by_bounds(A, "null_space") is None

    @pytest.mark.parametrize("space", SPACES)
    def test_the_undecidable(self, dtype, space):
        for last in (1.05e-2, 1e-2):
            A = ft.with_singular_values([1, 0.9, 0.8, last], 9, 7, 661, dtype)
            for want_basis in (True, False):
                assert by_bounds(A, space, 1e-2, want_basis=want_basis) is None
        stairs = ft.devils_stairs(40, 10).astype(dtype)
        for rtol in (0.5, 0.13, 0.03):
            assert by_bounds(stairs, space, rtol, want_basis=False) is None
        # Full rank is proved whatever the cutoff, and nothing else is at a cutoff of zero.
        check_answer(stairs, space, by_bounds(stairs, space, 0.0), 40, 0.0)
        assert by_bounds(ft.random_rank(9, 7, 5, 661, dtype), space, 0.0) is None

    @given(
        shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
        dtype=st.sampled_from("fdFD"),
        space=st.sampled_from(sorted(SPACES)),
        data=st.data(),
    )
    def test_any_shape(self, shape, dtype, space, data):
        """An answer is right, however ill-conditioned the matrix."""
        r = data.draw(st.integers(0, min(shape)), label="rank")
        seed = data.draw(st.integers(2, 10**6), label="seed")
        A = ft.random_rank(*shape, r, seed, dtype)
        for answer in (by_bounds(A, space), decide(A, space)):
            if answer is not None:
                _, certificate = answer
                check_basis(A, space, *answer)
                if max(shape) > 12:  # multiple precision takes its time
                    ft.check_certificate(A, certificate)


def alike(m, n):
    """Matrices whose columns are sums of equal terms: their roundings are equal, too."""
    groups = np.arange(m) * (n - 1) // m
    return {
        "ones and an identity": np.ones((m, n)) + np.eye(m, n),
        "lower triangle of ones": np.tri(m, n),
        "dummies and a mean": np.hstack([np.ones((m, 1)), np.eye(n - 1)[groups]]),
    }


class TestEqualTerms:
    """One long sum of equal terms makes as many times the error of one addition."""

    # A reflector itself is unitary to 2 eps, and these are nearly parallel: so add up 40 of them.
    LIMIT = 120

    def check(self, Q, peer):
        W = np.result_type(Q, np.float64)
        error, best = (
            float(np.linalg.norm(V.conj().T @ V - np.eye(V.shape[1]), 2)) / eps(Q)
            for V in (Q.astype(W), peer.astype(W))
        )
        limit = max(self.LIMIT, 3 * best)
        assert error <= limit, f"||Q^H Q - I|| / eps: got {error:.0f}, want at most {limit:.0f}"

    @pytest.mark.parametrize("name", alike(2, 2))
    @pytest.mark.parametrize("shape", [(200, 40), (390, 40)])
    def test_one_matrix(self, dtype, name, shape):
        A = alike(*shape)[name].astype(dtype)
        peer = scipy.linalg.svd(A, full_matrices=False)[0]
        self.check(fastsub.orth(A), peer)
        self.check(fastsub.row_space(A.T), peer)

    def test_singular_vectors(self, dtype):
        m, n = 234, 39
        A = (np.ones((m, n)) + 10 * m * eps(np.empty(0, dtype)) * np.eye(m, n)).astype(dtype)
        left, certificate = fastsub.left_null_space(A, full_output=True)
        assert certificate.method.endswith("svd")
        peer = scipy.linalg.svd(A)[0]
        self.check(left, peer)
        self.check(fastsub.null_space(A.T), peer)

    @pytest.mark.parametrize("name", alike(2, 2))
    def test_a_stack(self, dtype, name):
        A = alike(190, 8)[name].astype(dtype)
        peer = scipy.linalg.svd(A, full_matrices=False)[0]
        for Q in fastsub.orth(np.stack([A] * 17)):
            self.check(Q, peer)


class TestSVD:
    """decide_small where bounds cannot decide."""

    @pytest.mark.parametrize("space", SPACES)
    @pytest.mark.parametrize(
        ("make", "rtol"),
        [(ft.devils_stairs, 0.5), (ft.kahan, 0.1), (ft.heat, 0.05), (ft.gravity, 1e-5)],
    )
    def test_decides(self, dtype, space, make, rtol):
        A = make(32).astype(dtype)
        answer = decide(A, space, rtol)
        _, certificate = answer
        assert (certificate.decided_by, certificate.method) == ("svd", "svd")
        check_answer(A, space, answer, int(np.linalg.matrix_rank(A, rtol=rtol)), rtol=rtol)
        nothing, rank_only = decide(A, space, rtol, want_basis=False)
        assert nothing.size == 0
        assert rank_only.rank == certificate.rank
        ft.check_certificate(A, rank_only, rtol=rtol)

    @pytest.mark.parametrize("driver", ["gesdd", "gesvd"])
    @pytest.mark.parametrize("space", SPACES)
    def test_honours_the_driver(self, monkeypatch, dtype, driver, space):
        asked = []

        def spy(*args):
            asked.append(args[-1])
            return py_decide(*args)

        monkeypatch.setattr(small.direct, "py_decide", spy)
        for A in (ft.devils_stairs(20, 5).astype(dtype), ft.devils_stairs(20, 5)[:, :9].T):
            answer = decide(A.astype(dtype), space, 0.5, lapack_driver=driver)
            rank = np.count_nonzero(np.linalg.svd(A)[1] > 0.5 * np.linalg.norm(A, 2))
            check_answer(A.astype(dtype), space, answer, rank, rtol=0.5)
            assert answer[1].decided_by == "svd"
        assert asked == [driver == "gesvd"] * 2

    def test_says_that_it_failed(self, monkeypatch):
        monkeypatch.setattr(small.direct, "py_decide", lambda *args: 3)
        with pytest.raises(ConvergenceError, match="gesvd did not converge"):
            decide(ft.devils_stairs(20, 5), "null_space", 0.5, lapack_driver="gesvd")

    @pytest.mark.parametrize("space", SPACES)
    @pytest.mark.parametrize("where", ["overflow", "underflow"])
    def test_at_the_end_of_the_range(self, dtype, space, where):
        """sigma_1 may be beyond the largest number of the dtype, where no entry is."""
        A, info = ft.devils_stairs(32, 8), np.finfo(dtype)
        scale = 0.9 * float(info.max) if where == "overflow" else 32 * float(info.tiny)
        A = (A / np.abs(A).max() * scale).astype(dtype)
        check_answer(A, space, decide(A, space, 0.5), 8, rtol=0.5)

    @pytest.mark.parametrize("space", SPACES)
    @pytest.mark.parametrize("shape", [(129, 70), (128, 70), (97, 1), (98, 4), (120, 60), (96, 20)])
    def test_of_a_long_matrix(self, dtype, space, shape):
        """A triangle first, or not: a matrix as long as that, and less."""
        k = min(shape)
        sigma = np.where(np.arange(k) < (k + 1) // 2, 1, 0.01 + 0.001 * np.arange(k) / k)
        sigma[k - k // 4 :] = 0.009
        A = ft.with_singular_values(sigma, *shape, 691, dtype)
        for B in (A, A.conj().T):
            answer = decide(B, space, 0.01)
            check_answer(B, space, answer, k - k // 4, rtol=0.01)
            assert answer[1].method.endswith("svd") or k == 1


class TestDecision:
    """Whoever decides."""

    @pytest.mark.parametrize("space", SPACES)
    def test_agrees_with_the_decomposition(self, dtype, space):
        for case in ft.cases(dtype, sizes=(14,), large=()):
            F, (sigma, _, r, has_gap, grey) = fastsub.COD(case.A), ft.gap(case.A)
            basis, certificate = decide(case.A, space)
            if grey:
                continue
            assert certificate.rank == F.rank == r, case
            if has_gap:
                angle = 20 * eps(case.A) * (sigma[0] / sigma[r - 1] if r else 1)
                ft.check_same_subspace(basis, getattr(F, space)(), angle)

    def test_near_overflow(self, dtype):
        A = np.full((30, 20), 0.9 * np.finfo(dtype).max, dtype)
        for space in SPACES:
            check_answer(A, space, decide(A, space), 1)

    def test_a_field_of_a_record(self, dtype):
        A = well_conditioned(7, 5, 3, 673, dtype)
        records = np.zeros(A.shape, [("flag", "i1"), ("value", dtype)])
        records["value"] = A
        check_answer(A, "null_space", decide(records["value"], "null_space"), 3)

    def test_is_for_small_matrices_only(self):
        for shape in ((1, 1), (200, 200), (1000, 40), (40, 1000), (1, 5000)):
            assert is_small(*shape)
            assert decide(np.ones(shape), "column_space")[1].rank == 1
        for shape in ((201, 200), (0, 3), (3, 0)):
            assert not is_small(*shape)
            assert decide(np.ones(shape), "column_space") is None
        # A long complement is for blocks.
        assert is_small(5, 400, 400)
        assert not is_small(5, 401, 401)
        assert decide(np.ones((5, 401)), "null_space") is None
        assert decide(np.ones((5, 401)), "left_null_space")[1].rank == 1
