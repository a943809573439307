"""The test matrices have the ranks, spectra and symmetries that they are known for."""

import numpy as np
import pytest
import reference
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from fastsub import testing as ft

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])


def singular_values(A):
    return np.linalg.svd(A, compute_uv=False)


class TestPrescribedSpectra:
    @dtypes
    @pytest.mark.parametrize(("m", "n"), [(9, 9), (14, 6), (6, 14), (1, 4)])
    def test_with_singular_values(self, dtype, m, n):
        sigma = np.geomspace(5, 1e-2, min(m, n))
        A = ft.with_singular_values(sigma, m, n, 211, dtype)
        assert A.dtype == dtype
        assert A.shape == (m, n)
        assert np.iscomplexobj(A) == np.any(np.imag(A) != 0)
        np.testing.assert_allclose(singular_values(A), sigma, atol=50 * np.finfo(dtype).eps)

    @dtypes
    def test_random_rank_at_every_rank(self, dtype):
        for m, n in ((8, 8), (11, 5), (5, 11)):
            for r in range(min(m, n) + 1):
                found = ft.gap(ft.random_rank(m, n, r, 223, dtype))
                assert found.rank == r
                assert not found.grey

    @dtypes
    def test_random_orthonormal(self, dtype):
        Q = ft.random_orthonormal(30, 12, 227, dtype)
        assert Q.dtype == dtype
        ft.check_orthonormal(Q)

    @given(m=st.integers(1, 12), n=st.integers(1, 12), data=st.data())
    def test_integers_of_rank_is_exact(self, m, n, data):
        r = data.draw(st.integers(0, min(m, n)))
        A = ft.integers_of_rank(m, n, r, data.draw(st.integers(2, 10**6)))
        assert A.dtype == np.int64
        assert A.shape == (m, n)
        assert reference.matrix_rank(A) == r

    def test_gap_spectrum(self):
        assert ft.gap_spectrum(6, 4).tolist()[4:] == [0, 0]
        sigma = ft.gap_spectrum(9, 5, ratio=0.1, gap=1e-8)
        assert np.all(np.diff(sigma) < 0)
        assert sigma[0] == 1
        assert sigma[5] / sigma[4] == pytest.approx(1e-8)
        assert not ft.gap_spectrum(3, 0).any()

    def test_clustered_and_one_tiny(self):
        sigma = ft.clustered_spectrum(9, clusters=3, ratio=1e-3, spread=1e-9)
        assert np.all(np.diff(sigma) < 0)
        assert np.sum(sigma[:-1] / sigma[1:] > 100) == 2
        assert ft.one_tiny_spectrum(4, 1e-7).tolist() == [1, 1, 1, 1e-7]


class TestAdversarial:
    def test_kahan_hides_its_last_singular_value(self):
        A = ft.kahan(90)
        sigma = singular_values(A)
        assert np.array_equal(A, np.triu(A))
        assert sigma[-1] < 1e-10 * A[-1, -1]
        assert sigma[-2] > 0.1 * A[-1, -1]

    @pytest.mark.parametrize("A", [ft.kahan(60), ft.kahan_scaled()], ids=["kahan", "scaled"])
    def test_column_pivoting_never_pivots_on_kahan(self, A):
        _, p, _, _ = reference.pivoted_qr(A)
        assert np.array_equal(p, np.arange(len(A)))

    def test_gu_eisenstat(self):
        n, zeta = 30, 0.9
        A = ft.gu_eisenstat(n, zeta)
        sigma, k, phi = singular_values(A), n - 2, np.sqrt(1 - zeta**2)
        np.testing.assert_allclose(sigma[-3:-1], A[-1, -1], rtol=1e-12)
        assert sigma[-1] < 1e-3 * sigma[-2]
        W = scipy.linalg.solve_triangular(A[:k, :k], A[:k, k:])
        assert np.abs(W).max() == pytest.approx(phi * (1 + phi) ** (k - 2))
        with pytest.raises(ValueError, match="n >= 4"):
            ft.gu_eisenstat(3)

    def test_devils_stairs(self):
        sigma = singular_values(ft.devils_stairs(65, 20))
        np.testing.assert_allclose(
            sigma[[0, 19, 20, 39, 40, 60, 64]],
            10.0 ** -np.array([0, 0, 0.6, 0.6, 1.2, 1.8, 1.8]),
            rtol=1e-12,
        )

    def test_stewart_gap(self):
        sigma = singular_values(ft.stewart_gap(100))
        assert sigma[49] > 5 * sigma[50]
        assert sigma[50] < 2e-4
        assert reference.matrix_rank(ft.stewart_gap(100)) == 100

    def test_sorensen_embree(self):
        m, n, k = 60, 40, 12
        _, sigma, V, _ = reference.svd(ft.sorensen_embree(m, n, k))
        np.testing.assert_allclose(sigma[:k], np.geomspace(1, 0.1, k))
        np.testing.assert_allclose(sigma[k:], 1e-10, rtol=1e-4)
        assert np.linalg.norm(np.linalg.inv(V[:k, :k])) > 2 ** (k - 1)
        assert np.linalg.cond(V[scipy.linalg.qr(V[:, :k].T, pivoting=True)[2][:k], :k]) < 100
        with pytest.raises(ValueError, match="k < n"):
            ft.sorensen_embree(5, 5, 5)


class TestGallery:
    def test_vandermonde_and_cauchy(self):
        x = np.array([1.0, 2, 5, 7])
        V = ft.vandermonde(x)
        differences = [x[j] - x[i] for i in range(4) for j in range(i + 1, 4)]
        assert np.linalg.det(V) == pytest.approx(np.prod(differences))
        assert ft.vandermonde(x, 2).shape == (4, 2)
        n = np.arange(1, 7)
        np.testing.assert_allclose(ft.cauchy(n, n - 1), ft.hilbert(6))

    def test_lauchli(self):
        sigma = singular_values(ft.lauchli(7))
        np.testing.assert_allclose(sigma, [np.sqrt(7)] + 6 * [2.0**-26], rtol=1e-6)
        A = ft.lauchli(7)
        assert reference.matrix_rank(A) == 7
        assert reference.matrix_rank(A.T @ A) == 1

    def test_from_scipy(self):
        assert np.array_equal(ft.hadamard(8) @ ft.hadamard(8).T, 8 * np.eye(8))
        assert np.linalg.det(ft.pascal(8)) == pytest.approx(1)
        assert np.linalg.eigvals(ft.companion([1, -6, 11, -6])).real.round(6).tolist() == [3, 2, 1]
        assert reference.matrix_rank(ft.circulant([1, -1, 0, 0, 0])) == 4
        assert np.linalg.cond(ft.hilbert(10)) == pytest.approx(1.6e13, rel=0.1)
        assert np.array_equal(ft.toeplitz([1, 2, 3]), ft.toeplitz([1, 2, 3]).T)

    @pytest.mark.parametrize(("vertices", "rings", "chords"), [(12, 3, 2), (13, 3, 0), (5, 1, 5)])
    def test_incidence_knows_components_and_cycles(self, vertices, rings, chords):
        edges = ft.ring_edges(vertices, rings, chords)
        B = ft.incidence(edges, vertices)
        components = rings + vertices % rings
        assert not B.sum(axis=0).any()
        assert reference.matrix_rank(B) == vertices - components
        assert reference.null_space(B).shape[1] == len(edges) - vertices + components
        size = vertices // rings
        assert not B[:size].sum(axis=0).any()  # the indicator of a component is in the left kernel

    def test_incidence_without_edges_or_with_a_loop(self):
        assert ft.incidence([]).shape == (0, 0)
        assert ft.incidence([], 3).shape == (3, 0)
        with pytest.raises(ValueError, match="loop"):
            ft.incidence([(0, 1), (2, 2)])
        with pytest.raises(ValueError, match="3 vertices"):
            ft.ring_edges(5, 2)

    def test_ecoli_core(self):
        S = ft.ecoli_core()
        assert S.shape == (72, 95)
        assert reference.matrix_rank(S) == 67


class TestHansen:
    @pytest.mark.parametrize("name", ["shaw", "deriv2", "phillips", "foxgood", "gravity"])
    def test_symmetric(self, name):
        A = getattr(ft, name)(24)
        np.testing.assert_array_equal(A, A.T)

    @pytest.mark.parametrize("name", ["deriv2", "phillips", "baart", "foxgood", "wing"])
    def test_discretisation_error_is_second_order(self, name):
        errors = []
        for n in (24, 48):
            A, x, b = getattr(ft, name + "_problem")(n)
            assert np.array_equal(A, getattr(ft, name)(n))
            errors.append(np.linalg.norm(A @ x - b) / np.linalg.norm(b))
        assert errors[1] < 0.35 * errors[0] or errors[1] < 1e-14

    @pytest.mark.parametrize("name", ["shaw", "heat", "gravity"])
    def test_right_hand_side_by_product(self, name):
        A, x, b = getattr(ft, name + "_problem")(24)
        assert np.array_equal(A @ x, b)

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [("shaw", 18, 21), ("baart", 10, 13), ("wing", 7, 9), ("foxgood", 15, 26)],
    )
    def test_numerical_rank_of_severely_ill_posed_problems(self, name, low, high):
        found = ft.gap(getattr(ft, name)(60))
        assert low <= found.rank <= high
        assert found.sigma[-1] < found.tol

    def test_conditions(self):
        assert np.linalg.cond(ft.deriv2(60)) == pytest.approx(1.216 * 60**2, rel=0.01)
        assert np.all(np.linalg.eigvalsh(ft.deriv2(60)) < 0)
        decay = singular_values(ft.phillips(120))
        assert 2**2.5 < decay[19] / decay[39] < 2**3.8
        assert np.array_equal(ft.heat(20), np.tril(ft.heat(20)))
        assert np.linalg.cond(ft.heat(60)) > 1e16
        assert np.linalg.cond(ft.heat(60, kappa=5)) < 200
        assert np.all(np.linalg.eigvalsh(ft.gravity(20)) > 0)

    def test_kernels_integrated_by_brute_force(self):
        n, points = 8, 150
        for name, a, b, c, d, kernel in [
            ("deriv2", 0, 1, 0, 1, lambda s, t: np.minimum(s, t) * (np.maximum(s, t) - 1)),
            ("baart", 0, np.pi / 2, 0, np.pi, lambda s, t: np.exp(s * np.cos(t))),
            ("phillips", -6, 6, -6, 6, lambda s, t: np.where(
                np.abs(s - t) < 3, 1 + np.cos(np.pi * (s - t) / 3), 0)),
        ]:  # fmt: skip
            s = a + (b - a) * (np.arange(n * points) + 0.5) / (n * points)
            t = c + (d - c) * (np.arange(n * points) + 0.5) / (n * points)
            cells = kernel(s[:, None], t).reshape(n, points, n, points).mean(axis=(1, 3))
            expected = cells * np.sqrt((b - a) * (d - c)) / n
            np.testing.assert_allclose(getattr(ft, name)(n), expected, atol=1e-4)

    def test_phillips_needs_a_multiple_of_four(self):
        with pytest.raises(ValueError, match="multiple of 4"):
            ft.phillips(10)
