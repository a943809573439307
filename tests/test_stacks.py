"""Stacks: every matrix as it would be answered alone."""

import numpy as np
import pytest
import reference

import fastsub
import fastsub.testing as ft

DTYPES = ["float32", "float64", "complex64", "complex128"]
dtypes = pytest.mark.parametrize("dtype", DTYPES)
SHAPES = [(4, 6), (6, 4), (1, 3), (20, 30), (30, 8), (18, 18)]
shapes = pytest.mark.parametrize("shape", SHAPES)
BASES = ["null_space", "orth", "row_space", "left_null_space"]


def mixed(m, n, dtype, seed, count=24):
    """Matrices of all ranks, some of them large, small, zero, or nearly deficient."""
    rng = np.random.default_rng(seed)
    big = 25 if dtype in ("float32", "complex64") else 300
    stack = []
    for i in range(count):
        r = int(rng.integers(0, min(m, n) + 1)) if i % 3 else min(m, n)
        A = ft.random_rank(m, n, r, seed + i, dtype)
        stack.append(A * A.real.dtype.type(10.0 ** (big * (i % 8 == 5) - big * (i % 8 == 7))))
    stack[1] = (stack[0] * 0).astype(dtype)
    if min(m, n) > 1:
        stack[3][:, -1] = stack[3][:, 0] * (1 + 1e-9)
    return np.stack(stack)


def full(m, n, dtype, seed, count=24):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((count, m, n))
    return (A + 1j * rng.standard_normal(A.shape) if "c" in dtype else A).astype(dtype)


def in_layouts(A):
    """The same stack in other strides."""
    wide = np.zeros((*A.shape[:-2], 2 * A.shape[-2], 3 * A.shape[-1]), A.dtype)
    wide[..., ::2, ::3] = A
    yield np.asfortranarray(A)
    yield A.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    yield wide[..., ::2, ::3]
    yield A[::-1, ::-1, :].copy()[::-1, ::-1, :]


@dtypes
@shapes
@pytest.mark.parametrize("make", [mixed, full])
class TestEachMatrix:
    def test_rank(self, dtype, shape, make):
        A = make(*shape, dtype, 5501)
        ranks, certificate = fastsub.matrix_rank(A, full_output=True)
        assert ranks.tolist() == [fastsub.matrix_rank(M) for M in A]
        assert ranks.tolist() == fastsub.matrix_rank(A).tolist()
        assert ranks.dtype == np.intp
        ft.check_certificate(A, certificate)
        for other in in_layouts(A):
            assert fastsub.matrix_rank(other).tolist() == ranks.tolist()

    @pytest.mark.parametrize("name", BASES)
    def test_bases(self, dtype, shape, make, name):
        A = make(*shape, dtype, 5503)
        function = getattr(fastsub, name)
        bases, certificate = function(A, ragged=True, full_output=True)
        ft.check_certificate(A, certificate)
        (padded, ranks), again = function(A, padded=True, full_output=True)
        assert ranks.tolist() == certificate.rank.tolist() == again.rank.tolist()
        for M, basis, wide in zip(A, bases, padded, strict=True):
            alone = function(M)
            assert basis.shape == alone.shape
            assert basis.flags.f_contiguous
            ft.check_orthonormal(basis, peer=getattr(reference, name)(M))
            if name == "null_space":
                ft.check_annihilates(M, basis)
            ft.check_same_subspace(basis, alone, atol=2e3 * np.finfo(dtype).eps)
            np.testing.assert_array_equal(wide[:, : basis.shape[1]], basis)
            assert not wide[:, basis.shape[1] :].any()
        for other in in_layouts(A) if name == "null_space" else ():
            for basis, same in zip(bases, function(other, ragged=True), strict=True):
                ft.check_same_subspace(basis, same, atol=2e3 * np.finfo(dtype).eps)

    def test_lstsq(self, dtype, shape, make):
        A = make(*shape, dtype, 5507)
        for k in ((), (3,)):
            b = full(shape[0], 3, dtype, 5519)[..., 0 if not k else slice(None)]
            # Beside a stack a 1-d b would serve every matrix: one column then.
            x, residues, ranks, _ = fastsub.lstsq(A, b if k else b[..., None])
            for i, M in enumerate(A):
                alone = fastsub.lstsq(M, b[i] if k else b[i][:, None])
                assert ranks[i] == alone[2]
                largest = np.abs(fastsub.pinv(M)).max(initial=0)
                condition = 1 + M.size * float(np.abs(M).max()) * float(largest)
                tol = 100 * np.finfo(dtype).eps * condition * largest
                np.testing.assert_allclose(x[i], alone[0], rtol=0, atol=tol)
                if residues.size:
                    np.testing.assert_allclose(residues[i], alone[1], rtol=1e-3)

    def test_pinv(self, dtype, shape, make):
        A = make(*shape, dtype, 5521)
        B, ranks = fastsub.pinv(A, return_rank=True)
        for M, X, rank in zip(A, B, ranks, strict=True):
            alone = fastsub.pinv(M)
            assert rank == fastsub.matrix_rank(M)
            largest = np.abs(alone).max(initial=0)
            condition = 1 + M.size * float(np.abs(M).max()) * float(largest)
            tol = 100 * np.finfo(dtype).eps * condition * largest
            np.testing.assert_allclose(X, alone, rtol=0, atol=tol)

    @pytest.mark.parametrize("pivoting", [False, True])
    @pytest.mark.parametrize("mode", ["full", "economic", "r", "raw"])
    def test_qr(self, dtype, shape, make, mode, pivoting):
        """The factors of LAPACK, as a single matrix has them; each at its own scale."""
        A = make(*shape, dtype, 5641)
        stacked = fastsub.qr(A, mode=mode, pivoting=pivoting)
        parts = [*stacked[0], *stacked[1:]] if mode == "raw" else [*stacked]
        eps, k = float(np.finfo(dtype).eps), min(shape)
        for i, M in enumerate(A):
            alone = fastsub.qr(M, mode=mode, pivoting=pivoting)
            alone = [*alone[0], *alone[1:]] if mode == "raw" else [*alone]
            assert [part.shape[1:] for part in parts] == [np.shape(part) for part in alone]
            assert [part.dtype for part in parts] == [part.dtype for part in alone]
            R = parts[-2 if pivoting else -1][i]
            size = np.abs(M).max(initial=0)
            assert not np.tril(R, -1).any()
            P = parts[-1][i] if pivoting else slice(None)
            if pivoting:
                diagonal = np.abs(np.diagonal(R)).astype(float)
                assert (diagonal[1:] <= diagonal[:-1] * (1 + 100 * eps) + 10 * eps * size).all()
                assert sorted(P.tolist()) == list(range(shape[1]))
            scaled = R / (size or 1)
            gram = (M / (size or 1)).conj().T @ (M / (size or 1))
            atol = 20 * M.size * eps
            np.testing.assert_allclose(
                scaled.conj().T @ scaled, gram[P][:, P] if pivoting else gram, rtol=0, atol=atol
            )
            if mode in ("full", "economic"):
                Q = parts[0][i]
                ft.check_orthonormal(Q)
                np.testing.assert_allclose(Q @ scaled, (M / (size or 1))[:, P], rtol=0, atol=atol)
            if mode == "raw":
                qr, tau = parts[0][i], parts[1][i]
                np.testing.assert_array_equal(np.triu(qr[:k]), np.triu(R[:k]))
                Q = np.eye(shape[0], dtype=dtype)
                for j in range(k):
                    v = np.concatenate([np.zeros(j), [1], qr[j + 1 :, j]]).astype(dtype)
                    Q = Q - tau[j] * np.outer(Q @ v, v.conj())
                np.testing.assert_allclose(Q[:, :k] @ scaled, (M / (size or 1))[:, P], 0, atol)

    def test_lstsq_certificate(self, dtype, shape, make):
        """Backward errors as a single matrix has them: within the factor 2 of an octave."""
        A, b = make(*shape, dtype, 5647), full(shape[0], 3, dtype, 5651)
        b[5] = A[5] @ full(shape[1], 3, dtype, 5653)[5]  # consistent
        b[6] *= b.real.dtype.type(1e-3)
        _, certificate = fastsub.lstsq(A, b, full_output=True)
        ft.check_certificate(A, certificate)
        eps = float(np.finfo(dtype).eps)
        for i, M in enumerate(A):
            (_, _, rank, _), alone = fastsub.lstsq(M, b[i], full_output=True)
            assert certificate.rank[i] == rank
            assert 0 <= certificate.backward_error[i] <= 20 * eps
            assert certificate.backward_error[i] <= 4 * alone.backward_error + 8 * eps

    def test_subspace_angles(self, dtype, shape, make):
        A, B = make(*shape, dtype, 5657), full(shape[0], 2, dtype, 5659)[:, :, :1]
        B[4] = A[4][:, :1]
        some = fastsub.matrix_rank(A) > 0
        angles = fastsub.subspace_angles(A[some], B[some])
        assert angles.dtype == A.real.dtype
        for M, b, found in zip(A[some], B[some], angles, strict=True):
            alone = fastsub.subspace_angles(M, b)
            np.testing.assert_allclose(found, alone, rtol=0, atol=2e3 * np.finfo(dtype).eps)


@dtypes
@pytest.mark.parametrize("shape", [(32, 32, 28), (18, 18, 17), (30, 9, 5), (9, 30, 8), (5, 4, 3)])
def test_deficient_ranks_are_proved_in_lanes(dtype, shape):
    """Products of Gaussians need no pivots, though R22 holds rounding times ||R11^-1 R12||."""
    m, n, r = shape
    A = full(m, r, dtype, 5701, 400) @ full(r, n, dtype, 5711, 400)
    ranks, certificate = fastsub.matrix_rank(A, full_output=True)
    assert (ranks == r).all()
    ft.check_certificate(A, certificate)
    # Complex numbers have a wider margin of rounding, small matrices a lower cutoff.
    share = 0.4 if min(m, n) <= 5 else 0.6 if "c" in dtype else 0.9
    assert (certificate.method == "small qr").mean() > share
    for other in in_layouts(A[:40]):
        assert (fastsub.matrix_rank(other) == r).all()


def test_ranks_that_pivots_alone_reveal():
    """Leading columns that are zero, alike, or nearly so: nothing is claimed for them in lanes."""
    A = full(6, 5, "float64", 5717, 40)
    A[::4, :, 0] = 0
    A[1::4, :, 1] = A[1::4, :, 0]
    A[2::4, :, 2] = A[2::4, :, 0] * (1 + 1e-14)
    A[2::4, 3, 2] += 1e-9
    ranks, certificate = fastsub.matrix_rank(A, full_output=True)
    assert ranks.reshape(10, 4).tolist() == [[4, 4, 5, 5]] * 10
    ft.check_certificate(A, certificate)


def test_same_bits_on_any_number_of_threads(monkeypatch):
    A = np.tile(mixed(20, 30, "float64", 5531), (60, 1, 1))
    answers = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("fastsub.factor.parallel.thread_count", lambda n=threads: n)
        answers.append([*fastsub.null_space(A, ragged=True), fastsub.pinv(A)])
    for other in answers[1:]:
        for x, y in zip(answers[0], other, strict=True):
            assert np.array_equal(x, y)


class TestRank:
    A = full(5, 4, "float64", 5557, 6).reshape(2, 3, 5, 4)

    @pytest.mark.parametrize("name", ["tol", "rtol"])
    @pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (2, 3)])
    def test_tolerances_broadcast(self, name, shape):
        tol = np.random.default_rng(5563).uniform(0.3, 1.5 if name == "tol" else 0.8, shape)
        ranks = fastsub.matrix_rank(self.A, **{name: tol})
        each = np.broadcast_to(tol, (2, 3))
        sigma = np.linalg.svd(self.A, compute_uv=False)
        cutoff = each[..., None] * (sigma[..., :1] if name == "rtol" else 1)
        assert ranks.tolist() == (sigma > cutoff).sum(-1).tolist()
        assert len(np.unique(ranks)) > 1

    def test_bad_tolerance_of_one_matrix(self):
        with pytest.raises(ValueError, match=r"tol must be a nonnegative number, got -1"):
            fastsub.matrix_rank(self.A, tol=[1.0, -1.0, 2.0])
        with pytest.raises(ValueError, match="rtol must hold nonnegative numbers"):
            fastsub.matrix_rank(self.A, rtol=["a", 1.0, 1.0])


@pytest.mark.parametrize("name", [*BASES, "matrix_rank", "pinv", "lstsq", "qr"])
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_which_entry_is_not_finite(name, bad):
    A = full(5, 4, "float32", 5569, 60).reshape(3, 20, 5, 4)
    A[2, 13, 4, 1] = bad
    args = (np.ones(5, "f"),) if name == "lstsq" else ()
    with pytest.raises(ValueError, match=r"at \(2, 13, 4, 1\)"):
        getattr(fastsub, name)(A, *args)
    if name not in ("matrix_rank",):
        getattr(fastsub, name)(A, *args, check_finite=False)


def test_one_matrix_for_all():
    """A stack without strides of its own is read where it lies."""
    A = np.broadcast_to(full(4, 6, "float64", 5573, 1), (7, 20, 4, 6))
    A.flags.writeable = False
    N = fastsub.null_space(A)
    assert N.shape == (7, 20, 6, 2)
    ft.check_annihilates(A[0, 0], N[3, 7])
    assert (N[0, 0] == N).all()


def test_ragged_or_padded():
    A = np.zeros((2, 3, 4))
    with pytest.raises(ValueError, match="not both"):
        fastsub.null_space(A, ragged=True, padded=True)
    N, ranks = fastsub.null_space(np.zeros((0, 3, 4)), padded=True)
    assert (N.shape, ranks.shape) == ((0, 4, 1), (0,))


def test_large_matrices_are_taken_one_at_a_time():
    ranks = [7, 200]
    A = np.stack([ft.random_rank(210, 201, r, 5581) for r in ranks])
    for name, width in zip(BASES, ((201, -1), (0, 1), (0, 1), (210, -1)), strict=True):
        padded, found = getattr(fastsub, name)(A, padded=True)
        assert found.tolist() == ranks
        for basis, r in zip(padded, ranks, strict=True):
            columns = width[0] + width[1] * r
            ft.check_orthonormal(basis[:, :columns])
            assert not basis[:, columns:].any()


def test_a_stack_of_vectors_is_told_how_to_be_one():
    A = np.ones((5, 4, 3))
    with pytest.raises(ValueError, match=r"got 4 and 5; a stack of vectors is b\[\.\.\., None\]"):
        fastsub.lstsq(A, np.ones((5, 4)))
    assert fastsub.lstsq(A, np.ones((5, 4))[..., None])[0].shape == (5, 3, 1)
