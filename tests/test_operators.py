"""Maps known by their products alone, beside the same maps as dense arrays."""

import math
import pickle

import numpy as np
import pytest
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import fastsub
from fastsub import testing as ft
from fastsub.factor.rank.cutoff import Cutoff
from fastsub.operators.growing import GrowingQR
from fastsub.operators.probes import gaussian, norm_bound, smallest_length
from fastsub.operators.products import Products
from fastsub.operators.range_finder import find_range, leading_range

SHAPES = [(1, 1), (1, 9), (9, 1), (12, 40), (40, 12), (70, 70), (150, 90), (90, 210)]


def of_rank(m, n, r, seed, dtype="d"):
    return ft.random_rank(m, n, r, seed, dtype=dtype)


def ranks(m, n):
    full = min(m, n)
    return sorted({0, 1, full // 3, full - 1, full} & set(range(full + 1)))


@pytest.mark.parametrize(("m", "n"), SHAPES)
def test_four_subspaces(m, n, dtype):
    for r in ranks(m, n):
        A = of_rank(m, n, r, 4157 + r, dtype)
        F = fastsub.fundamental_subspaces(aslinearoperator(A))
        assert (F.rank, F.nullity, F.shape, F.dtype) == (r, n - r, (m, n), dtype)
        column, null, row, left = F
        assert [V.dim for V in F] == [r, n - r, r, m - r]
        ft.check_orthonormal(column.basis, peer=scipy.linalg.orth(A))
        ft.check_orthonormal(row.basis, peer=scipy.linalg.orth(A.conj().T))
        ft.check_annihilates(A, null.basis, peer=fastsub.null_space(A))
        ft.check_annihilates(A.conj().T, left.basis, peer=fastsub.left_null_space(A))
        if r:
            ft.check_in_range(A, column.basis)
            ft.check_in_range(A.conj().T, row.basis)
        b = np.arange(m) - 2.0
        wanted = np.linalg.pinv(A, rtol=max(m, n) * np.finfo(dtype).eps) @ b
        atol = 1e3 * np.finfo(dtype).eps * (1 + np.linalg.norm(wanted))
        np.testing.assert_allclose(F.solve(b), wanted, atol=atol)


@pytest.mark.parametrize(("m", "n"), [(0, 0), (0, 5), (5, 0)])
def test_empty(m, n):
    F = fastsub.fundamental_subspaces(aslinearoperator(np.zeros((m, n))))
    assert [V.basis.shape for V in F] == [(m, 0), (n, n), (n, 0), (m, m)]
    assert F.products == (0, 0)
    assert fastsub.low_rank(aslinearoperator(np.zeros((m, n)))).B.shape == (m, 0)
    assert fastsub.identifiability(aslinearoperator(np.zeros((m, n)))).rank == 0


def test_a_zero_map():
    rank, certificate = fastsub.matrix_rank(aslinearoperator(np.zeros((80, 300))), full_output=True)
    assert (rank, certificate.sigma_next_upper) == (0, 0)
    assert certificate.sigma_r_lower == math.inf


@pytest.mark.parametrize("exponent", [-990, -500, 500, 990])
def test_any_scale(exponent):
    A = of_rank(60, 80, 20, 4211)
    one, other = (
        fastsub.fundamental_subspaces(aslinearoperator(np.ldexp(A, e))) for e in (0, exponent)
    )
    assert other.rank == 20
    assert one.products == other.products
    np.testing.assert_array_equal(one.row_space.basis, other.row_space.basis)
    for name in ("tol", "sigma_r_lower", "sigma_next_upper"):
        value = getattr(other.certificate, name)
        assert value == math.ldexp(getattr(one.certificate, name), exponent)
    b = np.ones(60)
    np.testing.assert_allclose(np.ldexp(other.solve(b), exponent), one.solve(b), rtol=1e-12)


def decaying(m, n, ratio, seed):
    return ft.with_singular_values(ratio ** np.arange(min(m, n)), m, n, seed)


@pytest.mark.parametrize("ratio", [0.97, 0.8, 0.5, 0.1])
def test_no_gap(ratio):
    """Singular values decay through the cutoff: the rank is right up to those within a factor 2."""
    A = decaying(200, 260, ratio, 4243)
    sigma = np.linalg.svd(A, compute_uv=False)
    for rtol in (1e-2, 1e-6, None):
        rank, proof = fastsub.matrix_rank(aslinearoperator(A), rtol=rtol, full_output=True)
        assert np.sum(sigma > 2 * proof.tol) <= rank <= np.sum(sigma > proof.tol / 2)
        assert proof.sigma_r_lower <= sigma[rank - 1]
        if rank < 200:
            assert proof.sigma_next_upper >= sigma[rank]


def test_what_is_proved_and_what_is_likely():
    low = aslinearoperator(of_rank(300, 500, 20, 4253))
    rank, proof = fastsub.matrix_rank(low, full_output=True)
    assert (rank, proof.decided_by, proof.failure_probability) == (20, "probabilistic", 1e-10)
    assert proof.sigma_next_upper <= proof.tol < proof.sigma_r_lower
    assert "failure probability 1.0e-10" in proof.explain()
    full = aslinearoperator(of_rank(100, 110, 99, 4253))
    rank, proof = fastsub.matrix_rank(full, full_output=True)
    assert (rank, proof.decided_by, proof.failure_probability) == (99, "svd", 0.0)


def test_products_are_counted():
    """Rank and window forward, rank and a few adjoint: what is drawn, rounded up to blocks."""
    A = of_rank(2000, 400, 40, 4259)
    J = fastsub.jacobian(lambda X: A @ X, lambda Y: A.T @ Y, A.shape, blocks=True)
    F = fastsub.fundamental_subspaces(J)
    assert F.products == J.products
    assert 40 + 16 <= F.products.adjoint <= 96  # drawn on the short side
    assert 40 < F.products.forward <= F.products.adjoint - 16 + 9
    assert repr(F).endswith(f"rank 40, nullity 360, {F.products}>")
    assert str(F.products) in fastsub.matrix_rank(J, full_output=True)[1].method
    before = sum(J.products)
    assert fastsub.matrix_rank(J, 1e9) == 0
    assert sum(J.products) - before == 32 + 1 + 8


def test_tolerances():
    A = aslinearoperator(np.diag(10.0 ** -np.arange(8)))
    assert fastsub.matrix_rank(A, rtol=3e-4) == 4
    assert fastsub.matrix_rank(A, 3e-2) == 2
    assert fastsub.matrix_rank(A) == 8
    with pytest.raises(ValueError, match="tol or rtol"):
        fastsub.matrix_rank(A, 1, rtol=1)
    with pytest.raises(ValueError, match="rtol must be"):
        fastsub.fundamental_subspaces(A, -1)


def test_same_bits_and_other_seeds():
    A = of_rank(80, 130, 30, 4271)
    one, two, other = (
        fastsub.operators.fundamental_subspaces(aslinearoperator(A), rng=rng)
        for rng in (None, None, 31)
    )
    np.testing.assert_array_equal(one.row_space.basis, two.row_space.basis)
    assert one.certificate == two.certificate != other.certificate
    assert one.row_space == other.row_space
    again = pickle.loads(pickle.dumps(one.null_space))
    assert again == one.null_space


# ---- the bound ----


@pytest.mark.parametrize("kind", ["f", "d", "F", "D"])
def test_the_quantile_is_attained(kind):
    """A map of rank 1 is the worst case: the bound fails as often as it may, and no more often."""
    dtype, delta, trials, p = np.dtype(kind), 0.1, 3000, 3
    rng = np.random.default_rng(4273)
    row = gaussian(7, 1, dtype, rng).T
    size = float(np.linalg.norm(row))
    failures = sum(
        norm_bound(row @ gaussian(7, p, dtype, rng), delta) < size for _ in range(trials)
    )
    assert abs(failures - trials * delta) <= 4 * math.sqrt(trials * delta)


def test_quantiles_by_hand():
    assert smallest_length(2, 0.3, np.dtype("d")) ** 2 == pytest.approx(-2 * math.log(0.7))
    assert smallest_length(1, 0.3, np.dtype("D")) ** 2 == pytest.approx(-math.log(0.7))
    assert smallest_length(16, 1e-16, np.dtype("d")) > 0.2
    assert norm_bound(np.zeros((4, 3)), 1e-3) == 0


@pytest.mark.parametrize("kind", ["d", "D"])
@pytest.mark.parametrize("delta", [0.5, 0.05])
def test_bounds_fail_no_more_often_than_stated(kind, delta):
    """Slow decay, few probes: the worst that can be asked of the stopping rule."""
    trials, failures, stops = 300, 0, set()
    A = ft.with_singular_values(0.7 ** np.arange(40), 40, 45, 4283, dtype=kind)
    operator = aslinearoperator(A)
    for seed in range(trials):
        found = find_range(Products(operator), Cutoff(0.1), seed + 5, failure=delta, probes=3)
        E = A - found.Q @ (found.Q.conj().T @ A)
        failures += np.linalg.norm(E, 2) > found.error + 1e-12
        stops.add(found.Q.shape[1])
        assert found.failure in (delta, 0)
    assert failures <= trials * delta + 4 * math.sqrt(trials * delta)
    assert len(stops) > 3
    assert 40 not in stops


def test_bound_of_a_fixed_rank():
    A = ft.with_singular_values(0.9 ** np.arange(90), 90, 100, 4289)
    failures = 0
    for seed in range(200):
        found = leading_range(Products(aslinearoperator(A)), 10, seed + 7, failure=0.2)
        E = A - found.Q @ (found.Q.T @ A)
        failures += np.linalg.norm(E, 2) > found.error
        assert found.error_norm == pytest.approx(np.linalg.norm(E), rel=0.6)
    assert failures <= 200 * 0.2


def test_rank_hidden_in_a_corner():
    """A large matrix with one entry: probes that are not normal, or few, would miss it."""
    for i, j in [(0, 0), (499, 3), (250, 999)]:
        A = np.zeros((500, 1000))
        A[i, j] = 1e-3
        F = fastsub.fundamental_subspaces(aslinearoperator(A))
        assert F.rank == 1
        assert np.eye(1000)[j] in F.row_space


# ---- what it is made of ----


def test_growing_qr(dtype, normal):
    Y = normal(dtype, 4297, 50, 40)
    Y[:, 7] = Y[:, :5].sum(axis=1)  # dependent columns lose nothing
    Y[:, 20:30] = Y[:, :10]
    qr = GrowingQR(50, dtype)
    for start, stop in [(0, 3), (3, 25), (25, 40)]:
        qr.append(np.array(Y[:, start:stop], order="F"))
    Q = qr.columns(40)
    ft.check_orthonormal(Q)
    np.testing.assert_allclose(Q @ qr.R, Y, atol=50 * np.finfo(dtype).eps * np.linalg.norm(Y, 2))
    for count in (0, 1, 3, 10, 25, 33):
        np.testing.assert_allclose(qr.columns(count), Q[:, :count], atol=1e-6)


# ---- approximation ----


@pytest.mark.parametrize(("m", "n"), [(120, 80), (80, 120)])
def test_low_rank(m, n):
    A = decaying(m, n, 0.8, 4327)
    sigma = np.linalg.svd(A, compute_uv=False)
    for rank in (0, 1, 12, 60, 80):
        F = fastsub.low_rank(aslinearoperator(A), rank=rank)
        B, C = F
        assert (B.shape, C.shape) == ((m, rank), (rank, n))
        ft.check_orthonormal(B, peer=scipy.linalg.orth(A))
        error, best = np.linalg.norm(A - B @ C), np.linalg.norm(sigma[rank:])
        assert error <= 1.05 * best + 1e-14
        assert F.error_norm == pytest.approx(error, rel=0.5, abs=1e-13)
        assert np.linalg.norm(A - B @ C, 2) <= F.certificate.sigma_next_upper + 1e-14
        assert repr(F) == f"<LowRank of {m} x {n}: rank {rank}, {F.products}>"
        update = np.ones((m, 3))
        np.testing.assert_allclose(F.project_to_image(update), B @ (B.T @ update), atol=1e-12)
    F = fastsub.low_rank(aslinearoperator(A), rtol=1e-3)
    assert F.rank == np.sum(sigma > 1e-3)
    with pytest.raises(ValueError, match="rank or rtol"):
        fastsub.low_rank(aslinearoperator(A), rank=1, rtol=0.1)
    with pytest.raises(ValueError, match=f"between 0 and min.* = {min(m, n)}"):
        fastsub.low_rank(aslinearoperator(A), rank=81)


@pytest.mark.parametrize(("m", "n"), [(120, 80), (80, 120)])
def test_interpolative(m, n, dtype):
    A = of_rank(m, n, 9, 4337, dtype)
    operator = aslinearoperator(A)
    for options in ({}, {"rank": 9}, {"rank": 4}, {"rank": 0}, {"rtol": 1e-3}):
        found = fastsub.interpolative(operator, **options)
        columns, T = found
        assert T.shape == (found.rank, n)
        np.testing.assert_allclose(T[:, columns], np.eye(found.rank), atol=0)
        error = np.linalg.norm(A - A[:, columns] @ T, 2)
        assert error <= found.error_bound
        assert repr(found) == f"<Interpolative of {m} x {n}: rank {found.rank}, {found.products}>"
        if found.rank == 9:
            assert found.error_bound <= 300 * n * np.finfo(dtype).eps * np.linalg.norm(A, 2)


# ---- identifiability ----


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("m", [30, 600])
def test_identifiability(dtype, normal, intercept, m):
    X = normal(dtype, 4339, m, 50)
    X[:, 9] = 2 * X[:, 3] - X[:, 5]
    X[:, 20] = 1e-9 * X[:, 4]
    X[:, 22] *= 1e-12  # small, and as good as any other
    X[:, 30] = 0
    X[:, 31] = 3
    ours = fastsub.identifiability(aslinearoperator(X), intercept=intercept)
    dense = fastsub.identifiability(X, intercept=intercept)
    assert ours.rank == dense.rank
    assert ours.identified.tolist() == dense.identified.tolist()
    assert (ours.drop, ours.groups) == (dense.drop, dense.groups)
    eps = float(np.finfo(dtype).eps)
    if m > 50:
        np.testing.assert_allclose(ours.vif, dense.vif, rtol=1e4 * eps)
        for one, other in zip(ours.relations, dense.relations, strict=True):
            assert one.coefficients == pytest.approx(other.coefficients, rel=1e4 * eps)
            # Of a float32 mean about that many digits are right.
            assert one.constant == pytest.approx(other.constant, abs=1e3 * eps)
        assert "x20 = 1e-09·x4" in str(ours) or dtype.kind == "c" or dtype.char == "f"
    assert repr(ours).endswith(f"{ours.products}>")
    assert ours.certificate.sigma_next_upper <= ours.certificate.tol


def test_identifiability_of_many_parameters():
    """Three hundred parameters that act by way of twelve: the bound is probabilistic."""
    rng = np.random.default_rng(4349)
    X = rng.standard_normal((400, 12)) @ rng.standard_normal((12, 300))
    found = fastsub.identifiability(aslinearoperator(X), keep="pivoted")
    assert (found.rank, found.nullity) == (12, 288)
    assert (found.certificate.decided_by, found.certificate.failure_probability) == (
        "probabilistic",
        1e-10,
    )
    np.testing.assert_allclose(X @ found.flat_directions.basis, 0, atol=1e-11)
    with pytest.raises(ValueError, match="names must be 300"):
        fastsub.identifiability(aslinearoperator(X), ["a"])


# ---- pairs of callables, and what may be wrong with them ----


def test_jacobian_is_an_operator(dtype, normal):
    A, B = normal(dtype, 4357, 6, 4), normal(dtype, 4363, 4, 5)
    for blocks in (False, True):
        J = fastsub.jacobian(
            lambda v: A @ v, lambda u: (A.conj().T @ u,), A.shape, dtype=dtype, blocks=blocks
        )
        product = J @ aslinearoperator(B)
        np.testing.assert_allclose(product @ np.eye(5), A @ B, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(J.H @ np.ones(6), A.conj().T @ np.ones(6), rtol=1e-5)
        np.testing.assert_allclose(J.T @ np.ones(6), A.T @ np.ones(6), rtol=1e-5)
        assert J.dtype == dtype
        assert J.products == (5, 2)
        assert repr(J) == f"<Jacobian of 6 x 4 {dtype}: 5 + 2 products>"
        assert fastsub.matrix_rank(J) == 4


C = of_rank(60, 50, 10, 4373)


def operator(matvec=lambda x: C @ x, rmatvec=lambda y: C.T @ y, dtype=float):
    return LinearOperator(C.shape, matvec=matvec, rmatvec=rmatvec, dtype=dtype)


def single(y):
    return C.T.astype("f") @ y.astype("f")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"rmatvec": None}, TypeError, r"the adjoint of A are needed.*rmatvec"),
        ({"rmatvec": lambda y: 2 * C.T @ y}, ValueError, r"not those of one map.*differ by"),
        ({"rmatvec": lambda y: np.roll(C.T @ y, 1)}, ValueError, "not those of one map"),
        ({"rmatvec": single}, ValueError, r"not those of one map.*e-08.*dtype.*rtol"),
        (
            {"matvec": lambda x: 1j * (C @ x), "rmatvec": lambda y: 1j * (C.T @ y), "dtype": "D"},
            ValueError,
            "conjugate transpose",
        ),
        ({"matvec": lambda x: C @ x + np.nan}, ValueError, "product with A must be finite"),
        (
            {"rmatvec": lambda y: np.full(50, np.inf)},
            ValueError,
            "with the adjoint of A must be finite",
        ),
        ({"matvec": lambda x: 1j * (C @ x)}, TypeError, "is complex, but its dtype is float64"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [
        fastsub.matrix_rank,
        fastsub.fundamental_subspaces,
        fastsub.interpolative,
        fastsub.low_rank,
    ],
)
def test_wrong_products(function, wrong, error, message):
    with pytest.raises(error, match=message):
        function(operator(**wrong))


def test_imprecise_products_are_good_for_coarse_questions():
    coarse = operator(lambda x: C.astype("f") @ x.astype("f"), single)
    assert fastsub.matrix_rank(coarse, rtol=1e-5) == 10
    assert fastsub.low_rank(coarse, rank=10).rank == 10
    assert fastsub.matrix_rank(operator(lambda x: C.astype("f") @ x, single, "f")) == 10


def test_a_type_error_of_the_user_is_not_hidden():
    def broken(x):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        fastsub.matrix_rank(operator(broken))


def test_what_products_cannot_tell():
    A = aslinearoperator(C)
    for name in ("null_space", "orth", "row_space", "left_null_space"):
        with pytest.raises(TypeError, match=f"^{name} does not take.*fundamental_subspaces"):
            getattr(fastsub, name)(A)
    with pytest.raises(TypeError, match="lsmr"):
        fastsub.lstsq(A, np.ones(60))
    F = fastsub.fundamental_subspaces(A)
    with pytest.raises(TypeError, match="null_space"):
        F.fibre(np.ones(50))
    with pytest.raises(TypeError, match=r"\.solve"):
        F.solutions(np.ones(60))
    np.testing.assert_allclose(F.pseudoinverse(), np.linalg.pinv(C, rtol=1e-12), atol=1e-12)


def test_huge_null_space():
    """Ten columns of a million rows: the null space has a basis of 8 TB, and needs none."""
    rng = np.random.default_rng(4391)
    B = rng.standard_normal((10, 1_000_000))
    N = fastsub.fundamental_subspaces(aslinearoperator(B)).null_space
    assert N.dim == 999_990
    x = N.project(np.ones(1_000_000))
    assert np.linalg.norm(B @ x) <= 1e-10 * np.linalg.norm(B)
    with pytest.raises(MemoryError, match="bytes"):
        _ = N.basis


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torch_jacobian():
    """A real network by jvp and vjp; a unit that is dead moves nothing."""
    torch = pytest.importorskip("torch")
    from torch.func import functional_call, jacrev, jvp, vjp, vmap

    torch.manual_seed(4397)
    x = torch.randn(9, 3, dtype=torch.float64)
    net = torch.nn.Sequential(torch.nn.Linear(3, 7), torch.nn.ReLU(), torch.nn.Linear(7, 2))
    net = net.double()
    with torch.no_grad():
        net[0].bias[4] = -100.0  # never fires: 3 weights, its bias and 2 weights after it
    shapes = {name: p.shape for name, p in net.named_parameters()}
    theta = torch.cat([p.detach().reshape(-1) for p in net.parameters()])

    def outputs(flat):
        parts = flat.split([s.numel() for s in shapes.values()])
        params = {name: p.view(s) for (name, s), p in zip(shapes.items(), parts, strict=True)}
        return functional_call(net, params, (x,)).reshape(-1)

    def forward(v):
        return jvp(outputs, (theta,), (v,))[1]

    backward = vjp(outputs, theta)[1]
    shape = (18, theta.numel())
    J = jacrev(outputs)(theta).numpy()
    for blocks in (False, True):
        functions = (forward, lambda u: backward(u)[0])
        if blocks:
            functions = [vmap(f, in_dims=1, out_dims=1) for f in functions]
        F = fastsub.fundamental_subspaces(
            fastsub.jacobian(*functions, shape, like=theta, blocks=blocks)
        )
        assert F.rank == np.linalg.matrix_rank(J)
        assert F.dtype == np.float64
        assert F.null_space == fastsub.fundamental_subspaces(J).null_space
        for index in (*range(12, 15), 25, 21 + 7 + 4, 21 + 7 + 7 + 4):
            assert np.eye(theta.numel())[index] in F.null_space
    lone = fastsub.jacobian(forward, backward, shape, like=theta.float())
    assert lone.dtype == np.float32
