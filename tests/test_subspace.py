"""Subspaces as objects: the laws of their lattice, membership, distances and angles."""

import pickle
import re

import numpy as np
import pytest
import reference
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import Subspace
from fastsub import testing as ft

some = settings(max_examples=60)


@st.composite
def spaces(draw, count):
    """Subspaces of one R^n or C^n spanned by small integers: sines are 0 or not small."""
    n = draw(st.integers(1, 6))
    real = draw(st.booleans())
    entries = st.integers(-2, 2)

    def space():
        k = draw(st.integers(0, n))
        parts = [
            np.array(draw(st.lists(entries, min_size=n * k, max_size=n * k)), float).reshape(n, k)
            for _ in range(1 if real else 2)
        ]
        V = Subspace.span(parts[0] if real else parts[0] + 1j * parts[1], tol=1e-9)
        return V.complement() if draw(st.booleans()) else V

    return [space() for _ in range(count)]


class TestLaws:
    @some
    @given(spaces(2))
    def test_dimensions_add_up(self, VW):
        V, W = VW
        assert (V + W).dim + (V & W).dim == V.dim + W.dim
        assert V.dim + V.complement().dim == V.ambient_dim

    @some
    @given(spaces(2))
    def test_de_morgan(self, VW):
        V, W = VW
        assert (V & W).complement() == V.complement() + W.complement()
        assert (V + W).complement() == V.complement() & W.complement()

    @some
    @given(spaces(1))
    def test_complement_of_complement(self, one):
        (V,) = one
        assert V.complement().complement() == V
        assert V.is_orthogonal_to(V.complement())
        assert (V & V.complement()).dim == 0
        assert (V + V.complement()).dim == V.ambient_dim

    @some
    @given(spaces(3))
    def test_modularity(self, three):
        V, W, X = three
        U = W & X  # inside W
        assert U + (V & W) == (U + V) & W

    @some
    @given(spaces(3))
    def test_associative_commutative_and_ordered(self, three):
        U, V, W = three
        assert V + W == W + V
        assert V & W == W & V
        assert (U + V) + W == U + (V + W)
        assert (U & V) & W == U & (V & W)
        assert V & W <= V <= V + W
        assert V + V == V & V == V
        assert (V <= W) == (V + W == W) == (V & W == V)

    @some
    @given(spaces(2))
    def test_ranks_of_the_oracle(self, VW):
        V, W = VW
        together = np.hstack([V.basis, W.basis])
        assert (V + W).dim == reference.matrix_rank(together, 1e-9)
        S, D = V + W, V & W
        for part, whole in ((V, S), (W, S), (D, V), (D, W)):
            assert all(x in whole for x in part.basis.T)
        assert S.certificate.rank == S.dim
        assert D.certificate.rank == D.ambient_dim - D.dim
        for proof in (S.certificate, D.certificate):
            assert proof.sigma_next_upper <= proof.tol < proof.sigma_r_lower


@pytest.mark.parametrize(("n", "k"), [(1, 0), (1, 1), (6, 0), (6, 2), (6, 3), (6, 6), (90, 70)])
def test_both_halves(dtype, n, k, normal):
    A = normal(dtype, 797, n, k)
    V = Subspace.span(A)
    assert (V.dim, V.ambient_dim, V.dtype) == (k, n, dtype)
    assert V.held[0].shape[1] <= n / 2
    for W, dim in ((V, k), (V.complement(), n - k)):
        assert W.basis.shape == (n, dim)
        assert W.basis.dtype == dtype
        ft.check_orthonormal(W.basis)
        P = W.projector().to_matrix()
        assert fastsub.is_projector(P)
        x = normal(dtype, 809, n)
        eps = float(np.finfo(dtype).eps)
        close = {"rtol": 0, "atol": 100 * eps * float(np.linalg.norm(x))}
        np.testing.assert_allclose(W.project(x), W.basis @ (W.basis.conj().T @ x), **close)
        np.testing.assert_allclose(P @ x, W.project(x), **close)
        np.testing.assert_allclose(W.projector() @ x, W.project(x), **close)
        np.testing.assert_allclose(W.projector().H @ x, W.project(x), **close)
        assert W.distance(x) == pytest.approx(np.linalg.norm(x - W.project(x)), abs=close["atol"])
        assert W.project(x) in W
        assert (x in W) == (dim == n)
        many = np.stack([x, W.project(x)], axis=1)
        assert W.distance(many).shape == (2,)
        np.testing.assert_allclose(W.project(many)[:, 1], W.project(x), **close)
    ft.check_complementary(V.basis, V.complement().basis)


@pytest.mark.parametrize("n", [7, 12])
def test_every_pair_of_halves_of_every_dimension(n):
    """Sums, intersections, order and angles, whatever each of the two is held by."""
    Q = ft.random_orthonormal(n, n, 811)
    for i in range(n + 1):
        for j in range(n + 1):
            # Coordinates 0..i and i-2..: two in common where there are so many.
            first, second = range(i), range(max(0, i - 2), min(n, max(0, i - 2) + j))
            V, W = Subspace(Q[:, list(first)]), Subspace(Q[:, list(second)])
            common = len(set(first) & set(second))
            both = set(first) | set(second)
            assert ((V & W).dim, (V + W).dim) == (common, len(both))
            assert Subspace(Q[:, sorted(both)]) == V + W
            assert Subspace(Q[:, sorted(set(first) & set(second))]) == V & W
            assert (V <= W) == (set(first) <= set(second))
            assert V.is_orthogonal_to(W) == (not common)
            angles = V.angles(W)
            assert angles.size == min(V.dim, W.dim)
            wanted = np.r_[np.full(angles.size - common, np.pi / 2), np.zeros(common)]
            np.testing.assert_allclose(angles, wanted, rtol=0, atol=1e-14)


class TestAngles:
    @pytest.mark.parametrize("theta", [1e-15, 1e-9, 1e-4, 0.3, 0.7, 0.9, 1.2])
    @pytest.mark.parametrize("from_right", [False, True])
    def test_known_angles(self, theta, from_right):
        """Near 0 an arccosine of a cosine would be wrong by 1e-8, near pi / 2 an arcsine."""
        if from_right:
            theta = np.pi / 2 - theta
        n, k = 40, 3
        Q = ft.random_orthonormal(n, n, 821)
        thetas = np.array([theta, theta / 2, 0])
        X = Q[:, :k]
        Y = X * np.cos(thetas) + Q[:, k : 2 * k] * np.sin(thetas)
        wanted = np.sort(thetas)[::-1]
        V, W = Subspace(X), Subspace(Y)
        close = {"rtol": 0, "atol": 4e-15}
        np.testing.assert_allclose(V.angles(W), wanted, **close)
        np.testing.assert_allclose(fastsub.subspace_angles(X, Y), wanted, **close)
        both = V.complement().angles(W.complement())
        np.testing.assert_allclose(both, np.r_[wanted, np.zeros(n - 2 * k)], **close)
        np.testing.assert_allclose(
            V.angles(W.complement()), np.sort(np.pi / 2 - thetas)[::-1], **close
        )

    @pytest.mark.parametrize("shapes", [((30, 4), (30, 9)), ((30, 9), (30, 4)), ((5, 5), (5, 5))])
    def test_as_scipy(self, dtype, shapes, normal):
        A, B = (normal(dtype, 823 + i, *shape) for i, shape in enumerate(shapes))
        got, wanted = fastsub.subspace_angles(A, B), scipy.linalg.subspace_angles(A, B)
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e4 * float(np.finfo(dtype).eps))

    def test_of_deficient_rank_and_of_stacks(self):
        A, B = ft.random_rank(12, 5, 2, 827), ft.random_rank(12, 4, 3, 829)
        assert fastsub.subspace_angles(A, B).shape == (2,)
        stack = np.stack([A, 2 * A])
        np.testing.assert_allclose(
            fastsub.subspace_angles(stack, B), [fastsub.subspace_angles(A, B)] * 2, atol=1e-14
        )
        with pytest.raises(ValueError, match="different ranks"):
            fastsub.subspace_angles(np.stack([A, A * np.eye(5)[0]]), B)
        with pytest.raises(ValueError, match="same number of rows"):
            fastsub.subspace_angles(A, B[:3])
        with pytest.raises(ValueError, match="B must be a matrix"):
            fastsub.subspace_angles(A, B[0])


class TestVectors:
    V = Subspace.span([[1, 0], [0, 1], [0, 0]])

    def test_types(self):
        assert [1, 2, 0] in self.V
        assert [1, 2, 1e-9] not in self.V
        assert np.float32([0.1, 0.2, 1e-8]) in self.V  # its own rounding is coarser
        assert [0, 0, 0] in self.V
        assert [1j, 2, 0] in self.V
        assert [1j, 2, 1j] not in self.V
        assert self.V.distance([3, 4, 5]) == 5.0
        assert self.V.complement().distance([3, 4, 5j]) == pytest.approx(5)
        assert self.V.project([1, 2j, 3]).tolist() == [1, 2j, 0]
        assert self.V.project(np.float32([1, 2, 3])).dtype == np.float64
        assert np.eye(3)[:, :2] in self.V
        assert np.eye(3) not in self.V

    @pytest.mark.parametrize("e", [-1000, -600, 600, 1000])
    def test_near_the_ends_of_the_range(self, e):
        V = Subspace.span(ft.random_rank(9, 3, 3, 839))
        x = np.arange(9.0)
        scale = 2.0**e
        np.testing.assert_array_equal(V.project(x * scale), V.project(x) * scale)
        assert V.distance(x * scale) == V.distance(x) * scale
        assert V.project(x * scale) in V
        both = V.distance(np.column_stack([x * scale, x]))
        assert both.tolist() == [V.distance(x) * scale, V.distance(x)]

    def test_tolerance(self):
        loose = Subspace.span([[1, 0], [0, 1], [0, 0]], tol=1e-3)
        assert loose.tol == 1e-3
        assert [1, 1, 1e-4] in loose
        assert [1, 1, 1e-2] not in loose
        assert self.V.tol == 100 * np.finfo(float).eps * np.sqrt(3)
        near = Subspace.span([[1, 0], [0, 1], [0, 1e-4]])
        assert near != self.V
        assert near == loose
        assert loose & near == loose

    @pytest.mark.parametrize(
        "bad", [[1, 2], 1.0, np.ones((3, 1, 1)), [1, np.nan, 0], np.ones((2, 3))]
    )
    def test_bad_vectors(self, bad):
        for ask in (self.V.project, self.V.distance, self.V.__contains__):
            with pytest.raises(ValueError, match=r"^x must"):
                ask(bad)

    def test_read_only(self):
        for basis in (self.V.basis, self.V.complement().basis, self.V.held[0]):
            with pytest.raises(ValueError, match="read-only"):
                basis[0, 0] = 1
        A = np.eye(3)[:, :2]
        W = Subspace(A)
        A[0] = 5
        assert [1, 0, 0] in W


def test_huge_complement_is_implicit():
    V = Subspace.kernel(np.broadcast_to(1.0, (1, 3_000_000)))
    assert V.dim == 2_999_999
    x = np.zeros(3_000_000)
    x[:2] = 1, -1
    assert x in V
    x[2] = 3
    assert V.distance(x) == pytest.approx(3 / np.sqrt(3_000_000))
    assert V.complement().dim == 1
    with pytest.raises(MemoryError, match=r"\(3000000, 2999999\).*71,999,976,000,000 bytes.*comp"):
        V.basis  # noqa: B018
    with pytest.raises(MemoryError, match="bytes"):
        V.projector().to_matrix()


def test_kernel_and_span_are_the_functions():
    for shape, r in (
        ((5, 8), 3),
        ((8, 5), 3),
        ((5, 20), 5),
        ((20, 5), 2),
        ((4, 4), 0),
        ((0, 3), 0),
    ):
        A = ft.random_rank(*shape, r, 853) if r else np.zeros(shape)
        K, S = Subspace.kernel(A), Subspace.span(A)
        assert (K.dim, S.dim) == (shape[1] - r, r)
        np.testing.assert_allclose(A @ K.basis, 0, atol=1e-13)
        ft.check_same_subspace(K.basis, reference.null_space(A), 1e-12)
        ft.check_same_subspace(S.basis, reference.orth(A), 1e-12)
        ft.check_certificate(A, K.certificate)
    assert Subspace.span([3, 4]).dim == 1
    assert Subspace.kernel(np.diag([1, 1e-5]), 1e-3).dim == 1
    assert Subspace.span(np.diag([1, 1e-5]), 1e-3).dim == 1


def test_of_orthonormal_columns_only():
    with pytest.raises(ValueError, match=r"orthonormal.*Subspace\.span"):
        Subspace([[1, 1], [0, 1]])
    with pytest.raises(ValueError, match="orthonormal"):
        Subspace(np.eye(2, 3))
    with pytest.raises(ValueError, match=r"^basis must be finite"):
        Subspace([[1, 0], [0, np.nan]])
    assert Subspace(np.zeros((3, 0))).dim == 0


def test_different_spaces_do_not_mix():
    V, W = Subspace(np.eye(3)[:, :1]), Subspace(np.eye(4)[:, :1])
    assert V != W
    assert V != "V"
    for together in (V.__and__, V.__add__, V.__le__, V.angles, V.is_orthogonal_to):
        with pytest.raises(ValueError, match="dimensions 3 and 4"):
            together(W)
    for operate in (lambda: V + 1, lambda: V & 1, lambda: V <= 1):
        with pytest.raises(TypeError):
            operate()
    with pytest.raises(TypeError, match="hash"):
        hash(V)


def test_single_beside_double_and_real_beside_complex():
    A = ft.random_rank(9, 3, 3, 857)
    V, W = Subspace.span(A), Subspace.span(A.astype(np.float32))
    assert V == W  # at the tolerance of the coarser
    assert (V & W).dim == 3
    assert (V & W).tol == W.tol
    C = Subspace.span(A * 1j)
    assert C == V
    assert (C + V).dtype == np.complex128


class TestEquations:
    @pytest.mark.parametrize(
        ("A", "wanted"),
        [
            ([[1, 2], [3, 6], [4, 8]], ["x₁ + 2x₂ = 0"]),
            ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], ["x₁ - x₃ = 0", "x₂ + 2x₃ = 0"]),
            ([[2, 3, 0], [0, 0, 5]], ["2x₁ + 3x₂ = 0", "x₃ = 0"]),
            ([[1, 1j]], ["x₁ + (0+1j)x₂ = 0"]),
            ([[0, 0]], []),
            ([[1, np.sqrt(2)]], ["x₁ + 1.41421x₂ = 0"]),
            ([[3, 0, -7, 0, 0, 0, 0, 0, 0, 11]], ["3x₁ - 7x₃ + 11x₁₀ = 0"]),
        ],
    )
    def test_of_kernels(self, A, wanted):
        assert Subspace.kernel(A).equations() == wanted
        single = np.array(A, "F" if np.iscomplexobj(A) else "f")
        assert Subspace.kernel(single).equations() == wanted

    def test_names(self):
        V = Subspace.kernel([[1, -2]])
        assert V.equations(["A", "B"]) == ["A - 2B = 0"]
        with pytest.raises(ValueError, match="2 coordinates, got 1"):
            V.equations(["A"])

    @some
    @given(spaces(1))
    def test_they_describe_it(self, one):
        """Read back as a matrix, the equations have the subspace as their null space."""
        (V,) = one
        if V.dtype.kind == "c":
            return
        E = np.zeros((len(V.equations()), V.ambient_dim))
        names = [f"y{i}_" for i in range(V.ambient_dim)]
        for row, equation in zip(E, V.equations(names), strict=True):
            left = equation.removesuffix(" = 0").replace("- ", "-").replace("+ ", "")
            for term in left.split():
                factor, i = re.fullmatch(r"(-?[\d.e]*)y(\d+)_", term).groups()
                row[int(i)] = float(factor + "1" if factor in ("", "-") else factor)
        assert len(E) == V.ambient_dim - V.dim
        np.testing.assert_allclose(E @ V.basis, 0, atol=1e-4 * np.abs(E).max(initial=1))


def test_print_and_travel():
    V = Subspace.kernel(np.float32([[1, 2, 2]]))
    assert repr(V) == "<Subspace of R^3: dimension 2, float32>"
    assert "x₁ + 2x₂ + 2x₃ = 0" in V._repr_html_()
    assert repr(Subspace(np.eye(2, dtype=complex))) == "<Subspace of C^2: dimension 2>"
    W = pickle.loads(pickle.dumps(V))
    assert W == V
    assert np.array_equal(W.basis, V.basis)
    with pytest.raises(ValueError, match="read-only"):
        W.held[0][0, 0] = 1
