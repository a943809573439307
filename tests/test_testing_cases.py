"""The stream of test matrices, and the judgement of their spectra."""

import numpy as np
import pytest

from fastsub import testing as ft
from fastsub.testing import spectrum

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])


class TestCases:
    @dtypes
    def test_deterministic_unique_and_representable(self, dtype):
        first, again = list(ft.cases(dtype)), list(ft.cases(dtype))
        assert 300 <= len(first) <= 550
        assert len({case.name for case in first}) == len(first)
        info = np.finfo(dtype)
        for case, other in zip(first, again, strict=True):
            assert case.name == other.name
            assert np.array_equal(case.A, other.A)
            assert case.A.dtype == dtype
            assert case.A.flags.writeable
            assert case.A.flags.forc
            parts = np.abs([case.A.real, case.A.imag])
            assert np.all((parts == 0) | ((parts >= info.tiny) & (parts <= info.max)))
            assert case.name in repr(case)

    def test_seed_and_sizes(self):
        by_name = {case.name: case.A for case in ft.cases(sizes=(7,), large=(), seed=229)}
        other = {case.name: case.A for case in ft.cases(sizes=(7, 9, 11), large=(), seed=229)}
        assert not np.array_equal(
            by_name["random-half-7"],
            next(c.A for c in ft.cases(sizes=(7,), large=()) if c.name == "random-half-7"),
        )
        assert np.array_equal(by_name["random-half-7"], other["random-half-7"])
        assert "random-half-7-tall" in by_name
        assert "random-half-9-tall" in other
        assert "random-half-7-tall" not in other
        assert all(
            case.family == "every-rank" or case.family == "ecoli-core"
            for case in ft.cases(sizes=(), large=())
        )

    def test_guises_keep_rank_and_ratios(self):
        found = {case.name: ft.gap(case.A) for case in ft.cases() if case.family == "integers"}
        base = found["integers-20"]
        ratio = base.sigma / base.sigma[0]
        for guise in ("times-1e8", "times-1e-8", "huge", "minute", "transposed", "embedded"):
            other = found[f"integers-20-{guise}"]
            assert other.rank == base.rank
            padded = np.zeros(other.sigma.size)
            padded[: ratio.size] = ratio
            np.testing.assert_allclose(other.sigma / other.sigma[0], padded, atol=1e-14)
        for guise in ("duplicated", "tall", "wide"):
            assert found[f"integers-20-{guise}"].rank == base.rank

    def test_complex_cases_keep_the_singular_values_of_real_families(self):
        real = {case.name: case.A for case in ft.cases(np.float64)}
        for case in ft.cases(np.complex128):
            if case.family in ("kahan", "hilbert", "incidence"):
                assert np.any(case.A.imag)
                np.testing.assert_allclose(
                    ft.gap(case.A).sigma / ft.gap(real[case.name]).sigma[0],
                    ft.gap(real[case.name]).sigma / ft.gap(real[case.name]).sigma[0],
                    atol=1e-14,
                )

    def test_wrong_dtype(self):
        with pytest.raises(TypeError, match="float32, float64"):
            next(ft.cases(np.int32))


class TestGap:
    def test_conventions(self):
        assert tuple(ft.gap(np.diag([1, 1e-20])))[2:] == (1, True, False)
        assert tuple(ft.gap(np.diag([1, 1e-3])))[2:] == (2, True, False)
        assert tuple(ft.gap(np.diag([1, 1e-14])))[2:] == (2, False, False)
        assert tuple(ft.gap(np.diag([1, 5e-16])))[2:] == (2, False, True)
        assert tuple(ft.gap(np.diag([1, 0.5]), rtol=1.5))[2:] == (0, False, True)
        assert tuple(ft.gap(np.diag([1, 1e-3]), rtol=0.1))[2:] == (1, False, False)
        for shape in ((3, 2), (0, 4), (4, 0), (0, 0)):
            sigma, tol, rank, has_gap, grey = ft.gap(np.zeros(shape))
            assert (sigma.shape, tol, rank, has_gap, grey) == ((min(shape),), 0, 0, True, False)

    def test_cutoff_is_that_of_the_dtype(self):
        A = np.diag([4.0, 1, 1e-6])
        assert ft.gap(A).rank == 3
        assert ft.gap(A.astype(np.float32)).tol == 3 * np.finfo(np.float32).eps * 4
        assert ft.gap([[1, 2], [2, 4]]).rank == 1

    @pytest.mark.parametrize("power", [-1000, 1000])
    def test_near_overflow_and_underflow(self, power):
        A = ft.random_rank(9, 7, 4, 233, np.complex128)
        scaled = spectrum.times_power_of_two(A, power)
        base, other = ft.gap(A), ft.gap(scaled)
        assert tuple(base)[2:] == tuple(other)[2:]
        assert np.array_equal(other.sigma[:4], np.ldexp(base.sigma[:4], power))
        assert np.array_equal(spectrum.times_power_of_two(scaled, -power), A)
