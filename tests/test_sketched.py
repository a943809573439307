"""Tall and wide matrices through the sketch: the certificate is true, the bases are the best."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import testing as ft
from fastsub.factor import parallel
from fastsub.factor.rank.decide import Cutoff
from fastsub.factor.tall.sketched import decide_by_sketch
from fastsub.testing.spectrum import judge, times_power_of_two

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
ROWS = 1200

NULL_SPACE = {"row_side": True, "complement": True}
ROW_SPACE = {"row_side": True, "complement": False}
COLUMN_SPACE = {"row_side": False, "complement": False}


def among_zeros(A, rng):
    """All of the energy in few rows, at places that nobody knows."""
    B = np.zeros((ROWS, A.shape[1]), A.dtype)
    B[rng.permutation(ROWS)[: len(A)]] = A
    return B


def repeated(A, rng):
    """Every row many times, with random signs: singular values grow by one factor."""
    rows = np.resize(np.arange(len(A)), ROWS // len(A) * len(A))
    return (rng.choice([-1.0, 1.0], (rows.size, 1)) * A[rows]).astype(A.dtype)


def turned(A, rng):
    """Rows mixed by a random orthonormal matrix: incoherent, and rounded once more."""
    Q = np.linalg.qr(rng.standard_normal((ROWS, len(A))))[0]
    with np.errstate(all="ignore"):
        return (Q @ A.astype(np.result_type(A, np.float64))).astype(A.dtype)


def has_gap(A):
    """Whether the rank is well defined: three orders of magnitude around the cutoff."""
    B = times_power_of_two(A, -int(np.frexp(np.abs(A).max())[1])) if A.any() else A
    sigma = np.linalg.svd(B.astype(np.result_type(B, np.float64)), compute_uv=False)
    tol = sigma[0] * np.finfo(A.dtype).eps * max(A.shape)
    above, below = sigma[sigma > tol], sigma[sigma <= tol]
    return above.size > 0 and above[-1] > 1e3 * max(below.max(initial=0.0), 1e-3 * tol)


def check(A, *, rng=None, rtol=None, absolute=None):
    """Every answer that the sketch gives about A, checked; return whether it gave one."""
    cutoff = Cutoff.of(A, rtol, absolute)
    answer = decide_by_sketch(A, cutoff, want_basis=False, rng=rng)
    if answer is None:
        return False
    certificate = answer[1]
    assert certificate.decided_by == "bounds"
    ft.check_certificate(A, certificate, rtol=rtol, tol=absolute)
    return True


def check_bases(A, rng=None):
    """Those of the sketch: as good as SciPy's; return how many of the three there were."""
    wide = A.shape[0] < A.shape[1]
    B = A.conj().T if wide else A
    # Sums of 1200 rows are not to be judged here.
    exact = B.astype(np.result_type(B, np.longdouble if B.size < 30_000 else np.float64))
    eps, found = np.finfo(A.dtype).eps, 0
    for space in (NULL_SPACE, ROW_SPACE, COLUMN_SPACE):
        kind = {**space, "row_side": space["row_side"] != wide}
        answer = decide_by_sketch(A, Cutoff.of(A), rng=rng, **kind)
        if answer is None:
            continue
        found += 1
        X, certificate = answer
        ft.check_certificate(A, certificate)
        ft.check_orthonormal(X, peer=scipy.linalg.orth(B) if space is COLUMN_SPACE else None)
        if space is NULL_SPACE:
            ft.check_annihilates(B, X, peer=scipy.linalg.null_space(B) if B.size < 10**5 else None)
        elif space is ROW_SPACE:
            rest = exact - (exact @ X) @ X.conj().T
            assert np.linalg.norm(rest) <= 30 * eps * np.linalg.norm(B)
        else:
            rest = exact - X @ (X.conj().T @ exact)
            assert np.linalg.norm(rest) <= 30 * eps * np.linalg.norm(B)
        assert X.dtype == A.dtype
    return found


@dtypes
@pytest.mark.parametrize("lengthen", [among_zeros, repeated, turned])
def test_collection(dtype, lengthen):
    """No false certificate, and most of what has a gap is decided."""
    decided = []
    for number, case in enumerate(ft.cases(dtype, sizes=(6, 24), large=())):
        if max(case.A.shape) > 100:
            continue
        A = lengthen(np.asarray(case.A), np.random.default_rng(number))
        if not np.isfinite(A).all() or case.name.endswith(("huge", "minute")):
            continue
        answered = check(A)
        if has_gap(A):
            decided.append(answered)
    # Of the others a condition number near 1 / tol leaves no room for the sketch's distortion.
    assert len(decided) > 50
    assert np.mean(decided) > (0.6 if np.finfo(dtype).eps > 1e-10 else 0.85)


@dtypes
@pytest.mark.parametrize("shape", [(1500, 40), (1700, 11), (1100, 260), (1300, 1)])
def test_every_kind_of_rank(dtype, shape):
    m, n = shape
    for r in sorted({1, n // 2, n - 1, n} - {0}):
        B = ft.random_rank(m, n, r, 1400 + r, dtype)
        for A in (np.ascontiguousarray(B), np.asfortranarray(B), np.ascontiguousarray(B.conj().T)):
            # In single precision the bounds may be too far apart for the cutoff.
            assert check(A) or dtype in ("float32", "complex64")
            assert check_bases(A) == 3 or dtype in ("float32", "complex64")


@pytest.mark.parametrize("order", ["C", "F"])
def test_public_functions(order):
    A = np.array(ft.random_rank(3000, 60, 50, 1409), order=order)
    found = {
        function.__name__: function(B, full_output=True)
        for B, functions in (
            (A, (fastsub.null_space, fastsub.orth, fastsub.row_space, fastsub.matrix_rank)),
            (A.T, (fastsub.left_null_space,)),
        )
        for function in functions
    }
    for X, certificate in found.values():
        assert (certificate.method, certificate.rank) == ("sketch", 50)
        assert isinstance(X, int) or X.flags.forc
    N = found["null_space"][0]
    ft.check_complementary(found["row_space"][0], N)
    ft.check_same_subspace(N, found["left_null_space"][0], 1e-12)
    ft.check_same_subspace(found["orth"][0], scipy.linalg.orth(A), 1e-12)


class TestCoherent:
    """Energy in few rows, where sampling would lose it."""

    @dtypes
    def test_identity_over_zeros(self, dtype):
        A = np.eye(2000, 30, dtype=dtype)
        for B in (A, A[::-1], np.roll(A, 777, axis=0)):
            assert check(B)
            assert check_bases(B) == 3

    @pytest.mark.parametrize("small", [1e-3, 1e-7, 1e-12])
    def test_lauchli(self, small):
        A = np.vstack([np.ones((1, 30)), small * np.eye(1500, 30)])
        check(A)
        check_bases(A)
        assert fastsub.matrix_rank(A) == 30 or small < 1e-11

    @pytest.mark.parametrize("size", [1e3, 1e8, 1e14])
    def test_one_huge_row(self, normal, size):
        A = normal("float64", 1423, 1500, 30)
        A[700] *= size
        check(A)
        check_bases(A)
        assert fastsub.matrix_rank(A) == np.linalg.matrix_rank(A)

    @dtypes
    def test_what_stands_in_one_row_alone(self, dtype):
        A = ft.random_rank(2000, 30, 29, 1427, dtype)
        # The right singular vector of the singular value that is zero, as a row.
        direction = np.linalg.svd(A, full_matrices=False)[2][-1]
        A[1234] += 2 * direction
        assert check(A) or dtype in ("float32", "complex64")
        assert fastsub.matrix_rank(A) == 30


class TestDegenerate:
    @dtypes
    def test_zero_and_duplicate_columns(self, dtype):
        A = np.zeros((1500, 40), dtype)
        A[:, 3:20] = ft.random_rank(1500, 17, 17, 1429, dtype)
        A[:, 25:42] = A[:, 3:18]
        A[:, 22] = A[:, 5]
        assert check(A)
        assert check_bases(A) == 3
        assert fastsub.null_space(A).shape == (40, 23)

    @dtypes
    def test_zero(self, dtype):
        for order in "CF":
            A = np.zeros((1500, 40), dtype, order=order)
            assert fastsub.matrix_rank(A) == 0
            assert fastsub.null_space(A).shape == (40, 40)
            assert fastsub.orth(A).shape == (1500, 0)

    def test_tolerances(self):
        A = np.diag(np.logspace(0, -14, 15)) @ ft.random_orthonormal(15, 15, 1433)
        A = among_zeros(A, np.random.default_rng(1439))
        for tol in (3.0, 0.3, 1e-2 / 3, 1e-8 / 3, 1e-13 / 3, 1e-18, 0.0, np.inf):
            for options in ({"absolute": tol}, {"rtol": tol}):
                if tol < 1:
                    check(A, **options)
                name = "tol" if "absolute" in options else "rtol"
                wanted = np.linalg.matrix_rank(A, **{name: tol})
                assert fastsub.matrix_rank(A, **{name: tol}) == wanted


@dtypes
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_in_any_place(dtype, bad):
    for order in "CF":
        A = np.array(ft.random_rank(1500, 40, 30, 1447, dtype), order=order)
        for i, j in ((0, 0), (1499, 39), (64, 8), (750, 31)):
            before, A[i, j] = A[i, j], bad
            for function in (fastsub.null_space, fastsub.orth, fastsub.matrix_rank):
                for B in (A, A.T):
                    assert decide_by_sketch(B, Cutoff.of(B)) is None
                    with pytest.raises(ValueError, match="finite"):
                        function(B)
            A[i, j] = before


@dtypes
def test_ends_of_the_range(dtype):
    """Falls back where squares could be lost, and is right everywhere."""
    A = ft.random_rank(1500, 30, 20, 1451, dtype)
    top = np.finfo(dtype).maxexp - 12
    for power in (-top + 8, -50, -3, 40, 60, top):
        B = times_power_of_two(A, power).astype(dtype)
        check(B)
        assert fastsub.matrix_rank(B) == 20
        N, certificate = fastsub.null_space(B, full_output=True)
        ft.check_certificate(B, certificate)
        ft.check_orthonormal(N)
        assert fastsub.orth(B).shape == (1500, 20)
    B = times_power_of_two(A, top).astype(dtype)
    assert decide_by_sketch(B, Cutoff.of(B)) is None


@settings(max_examples=100)
@given(
    seed=st.integers(1, 10**6),
    n=st.integers(2, 24),
    place=st.sampled_from([1e-3, 0.5, 0.95, 1.05, 2.0, 10.0, 1e3, 1e6]),
    flat=st.booleans(),
    lengthen=st.sampled_from([among_zeros, repeated, turned]),
    dtype=st.sampled_from(DTYPES),
)
def test_certificates_under_attack(seed, n, place, flat, lengthen, dtype):
    """A singular value anywhere around the cutoff: who claims bounds must have them."""
    rng = np.random.default_rng(seed)
    last = place * ROWS * np.finfo(dtype).eps
    count = int(rng.integers(1, n + 1))
    sigma = np.ones(n) if flat else np.geomspace(1, 10 * last, n) if last < 0.1 else np.ones(n)
    sigma[n - count :] = last * rng.uniform(0.9, 1.0, count)
    U, V = ft.random_orthonormal(n, n, seed + 1), ft.random_orthonormal(n, n, seed + 2)
    A = lengthen((U * sigma @ V).astype(dtype), rng)
    check(A, rng=seed)
    check_bases(A, rng=seed)
    spectrum = judge(np.linalg.svd(A.astype(complex), compute_uv=False), Cutoff.of(A).relative)
    assert fastsub.matrix_rank(A) == spectrum.rank or spectrum.grey


def test_same_bits(monkeypatch):
    A = ft.random_rank(9000, 150, 140, 1453)
    functions = (fastsub.null_space, fastsub.orth, fastsub.row_space)
    first = [function(A) for function in functions]
    for threads in (1, 2, 3):
        monkeypatch.setattr(parallel, "thread_count", lambda threads=threads: threads)
        for function, X in zip(functions, first, strict=True):
            assert np.array_equal(function(A), X)


@pytest.mark.parametrize("space", [NULL_SPACE, ROW_SPACE, COLUMN_SPACE])
def test_no_pass_in_vain(monkeypatch, space):
    """A singular value at 1.05 times the cutoff: the sketch sees that nothing can be proved."""
    for shape in ((3000, 60), (2000, 400)):
        rank = shape[1] - 2
        sigma = np.geomspace(1, 1e-2, rank)
        sigma[-1] = 1.05 * shape[0] * np.finfo(float).eps
        A = ft.with_singular_values(sigma, *shape, 1487)
        for name in ("multiply", "precondition", "product_gram"):
            monkeypatch.setattr(f"fastsub.factor.tall.sketched.{name}", None)
        assert decide_by_sketch(A, Cutoff.of(A), **space) is None
        monkeypatch.undo()
        assert fastsub.matrix_rank(A) == rank


def test_another_seed_gives_the_same_answer():
    A = ft.random_rank(3000, 60, 50, 1459)
    N = fastsub.null_space(A)
    M = fastsub.null_space(A, rng=7)
    assert not np.array_equal(M, N)
    ft.check_same_subspace(M, N, 1e-12)
    assert np.array_equal(fastsub.null_space(A, rng=np.random.default_rng(7)), M)


def test_input_is_left_alone():
    for order in "CF":
        A = np.array(ft.random_rank(3000, 60, 50, 1471), order=order)
        before = A.copy()
        A.flags.writeable = False
        for function in (fastsub.null_space, fastsub.orth, fastsub.row_space, fastsub.matrix_rank):
            function(A), function(A.T)
        assert np.array_equal(A, before)


def test_strides():
    loose = np.zeros((6000, 180))
    A = loose[::2, 1::3]
    A[...] = ft.random_rank(3000, 60, 50, 1481)
    for B in (A, A[::-1], A[:, ::-1], A.T):
        assert check(B)
        assert check_bases(B) == 3
    record = np.zeros((3000, 60), [("x", "f4"), ("y", "f8")])
    record["y"] = A
    assert check(record["y"])


@pytest.mark.parametrize("shape", [(12, 2), (300, 3), (5000, 40), (40, 5000), (5000, 400)])
@dtypes
def test_columns_that_cancel(shape, dtype):
    """A vector of ones, where a power method would begin, is in the null space."""
    A = np.random.default_rng(1321).integers(-3, 4, (max(shape), min(shape))).astype(dtype)
    A[:, -1] = -A[:, :-1].sum(axis=1)
    A = A if shape[0] > shape[1] else A.T
    for function in (fastsub.orth, fastsub.row_space):
        basis, certificate = function(A, full_output=True)
        assert certificate.rank == basis.shape[1] == min(shape) - 1
    assert fastsub.matrix_rank(A) == min(shape) - 1
