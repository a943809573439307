"""Every test matrix at several sizes and in several guises: what factorisations are run over."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import linalg

from fastsub.data import ecoli_core
from fastsub.testing import adversarial, gallery, hansen, spectra
from fastsub.testing.spectra import Array
from fastsub.testing.spectrum import times_power_of_two

Generator = np.random.Generator
DType = np.dtype[Any]
Family = Callable[[int, Generator, DType], Array]
Guise = Callable[[Array, Generator], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One test matrix.

    Attributes
    ----------
    name : str
        Unique among the cases of a dtype: family, shape or size, and guise.
    family : str
        Textbook name.
    A : (m, n) ndarray
        C- or Fortran-contiguous, writeable, of the dtype asked for.
    """

    name: str
    family: str
    A: Array

    def __repr__(self) -> str:
        return f"Case({self.name!r}, {self.A.shape[0]}x{self.A.shape[1]}, {self.A.dtype})"


def _textbook(build: Callable[[int], Array]) -> Family:
    return lambda n, rng, dtype: build(n)


def _spectral(sigma: Callable[[int, DType], Array], rows: int = 1, columns: int = 1) -> Family:
    """Random singular vectors; sigma depends on the size and on the dtype's eps."""

    def family(n: int, rng: Generator, dtype: DType) -> Array:
        return spectra.with_singular_values(sigma(n, dtype), rows * n, columns * n, rng, dtype)

    return family


def _tiny(n: int, dtype: DType) -> Array:
    """The last singular value stands well above the cutoff, and its square far below."""
    return spectra.one_tiny_spectrum(n, float(1e4 * n * np.finfo(dtype).eps))


def _power_of_two(n: int) -> int:
    return 1 << (max(n, 1).bit_length() - 1)


FAMILIES: dict[str, Family] = {
    "zero": _textbook(lambda n: np.zeros((n, n // 2 + 1))),
    "ones": _textbook(lambda n: np.ones((n // 2 + 1, n))),
    "identity": _textbook(np.eye),
    "row": lambda n, rng, dtype: spectra.random_rank(1, n, 1, rng, dtype),
    "column": lambda n, rng, dtype: spectra.random_rank(n, 1, 1, rng, dtype),
    "random-full": lambda n, rng, dtype: spectra.random_rank(n, n, n, rng, dtype),
    "random-half": lambda n, rng, dtype: spectra.random_rank(n, n, n // 2, rng, dtype),
    "random-nullity-one": lambda n, rng, dtype: spectra.random_rank(n, n, n - 1, rng, dtype),
    "random-tall": lambda n, rng, dtype: spectra.random_rank(3 * n, n, 2 * n // 3, rng, dtype),
    "random-wide": lambda n, rng, dtype: spectra.random_rank(n, 3 * n, n, rng, dtype),
    "geometric-gap": _spectral(lambda n, dtype: spectra.gap_spectrum(n, 2 * n // 3), rows=2),
    "geometric-small-gap": _spectral(
        lambda n, dtype: spectra.gap_spectrum(n, n // 2, gap=float(np.finfo(dtype).eps) ** 0.75)
    ),
    "clustered": _spectral(lambda n, dtype: spectra.clustered_spectrum(n)),
    "one-tiny": _spectral(_tiny),
    "integers": lambda n, rng, dtype: spectra.integers_of_rank(n + 3, n, 2 * n // 3, rng),
    "kahan": _textbook(adversarial.kahan),
    "kahan-scaled": _textbook(adversarial.kahan_scaled),
    "gu-eisenstat": _textbook(adversarial.gu_eisenstat),
    "devils-stairs": lambda n, rng, _: adversarial.devils_stairs(n, min(20, n // 3), rng),
    "stewart-gap": lambda n, rng, _: adversarial.stewart_gap(n, rng),
    "sorensen-embree": lambda n, rng, _: adversarial.sorensen_embree(2 * n, n, n // 3, 0.0, rng),
    "shaw": _textbook(hansen.shaw),
    "deriv2": _textbook(hansen.deriv2),
    "phillips": _textbook(lambda n: hansen.phillips(4 * (n // 4))),
    "heat": _textbook(hansen.heat),
    "baart": _textbook(hansen.baart),
    "foxgood": _textbook(hansen.foxgood),
    "wing": _textbook(hansen.wing),
    "gravity": _textbook(hansen.gravity),
    "hilbert": _textbook(linalg.hilbert),
    "vandermonde": _textbook(lambda n: gallery.vandermonde(np.linspace(0, 1, n + 2), n)),
    "pascal": _textbook(lambda n: linalg.pascal(n, exact=False)),
    "cauchy": _textbook(
        lambda n: gallery.cauchy(np.arange(1, n + 1), np.sqrt(np.arange(1, n + 3)))
    ),
    "lauchli": _textbook(gallery.lauchli),
    "hadamard": _textbook(lambda n: linalg.hadamard(_power_of_two(n), dtype=float)),
    "circulant": _textbook(lambda n: linalg.circulant(np.r_[1, -2, 1, np.zeros(n - 3)])),
    "companion": _textbook(lambda n: linalg.companion(np.r_[1, np.arange(n)[::-1]])),
    "toeplitz": _textbook(lambda n: linalg.toeplitz(0.9 ** np.arange(n))),
    "incidence": _textbook(lambda n: gallery.incidence(gallery.ring_edges(n, n // 5, n // 5), n)),
}
"""Name to builder ``(n, rng, dtype) -> A``; n at least 5."""

# Families for the large sizes: blocked code takes other paths there than at small ones.
_LARGE = (
    "random-full",
    "random-tall",
    "geometric-gap",
    "kahan",
    "kahan-scaled",
    "devils-stairs",
    "shaw",
)


def _scaled(power: int) -> Guise:
    return lambda A, rng: times_power_of_two(A, power)


def _embedded(A: Array, rng: Generator) -> Array:
    m, n = A.shape
    B = np.zeros((m + 3, n + 2), dtype=A.dtype)
    rows = np.sort(rng.choice(m + 3, m, replace=False))
    columns = np.sort(rng.choice(n + 2, n, replace=False))
    B[np.ix_(rows, columns)] = A
    return B


def _duplicated(A: Array, rng: Generator) -> Array:
    n = A.shape[1]
    return A[:, rng.permutation(np.r_[np.arange(n), rng.integers(0, n, 1 + n // 3)])]


def _tall(A: Array, rng: Generator) -> Array:
    return np.vstack([A, -A[::-1], A / 2])


def _wide(A: Array, rng: Generator) -> Array:
    return np.hstack([A, -A[:, ::-1], A / 2])


def _guises(dtype: DType) -> dict[str, Guise]:
    """Suffix to exact transformation; those of scale keep every ratio of singular values."""
    extreme = 996 if np.finfo(dtype).maxexp > 128 else 100  # 2**996 = 7e299, 2**100 = 1e30
    return {
        "": lambda A, rng: A,
        "-times-1e8": _scaled(27),
        "-times-1e-8": _scaled(-27),
        "-huge": _scaled(extreme),
        "-minute": _scaled(-extreme),
        "-transposed": lambda A, rng: A.T,
        "-embedded": _embedded,
        "-duplicated": _duplicated,
        "-tall": _tall,
        "-wide": _wide,
    }


def _representable(A: Array, dtype: DType) -> bool:
    """Whether every nonzero entry, and sigma_1, lie in the normal range of the dtype."""
    info = np.finfo(dtype)
    parts = np.abs([A.real, A.imag])
    largest = float(parts.max(initial=0)) * np.sqrt(max(A.size, 1))
    return bool(largest < info.max / 4 and not np.any((parts > 0) & (parts < info.tiny)))


def _turned(A: Array, rng: Generator) -> Array:
    """Turn rows and columns by random powers of i: exact, and every singular value stays."""
    turns = np.array([1, 1j, -1, -1j])
    m, n = A.shape
    return np.asarray(rng.choice(turns, (m, 1)) * A * rng.choice(turns, (1, n)))


def _generator(seed: int, name: str) -> Generator:
    """One stream for each case, so that a case does not depend on which others are drawn."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _bases(
    dtype: DType, sizes: tuple[int, ...], large: tuple[int, ...], seed: int
) -> Iterator[tuple[str, str, Array]]:
    """Family, suffix and matrix of each case that is not in a guise."""
    for m, n in ((6, 6), (9, 5), (5, 9)):
        for r in range(min(m, n) + 1):
            rng = _generator(seed, f"every-rank-{m}x{n}-{r}")
            yield "every-rank", f"{m}x{n}-{r}", spectra.random_rank(m, n, r, rng, dtype)
    for family, build in FAMILIES.items():
        for n in dict.fromkeys((*sizes, *(large if family in _LARGE else ()))):
            yield family, f"{n}", build(n, _generator(seed, f"{family}-{n}"), dtype)
    yield "ecoli-core", "72x95", ecoli_core()


def cases(
    dtype: DTypeLike = np.float64,
    *,
    sizes: tuple[int, ...] = (6, 20, 52),
    large: tuple[int, ...] = (120, 250),
    seed: int = 1830,
) -> Iterator[Case]:
    """Yield every family of test matrices at every size, and in every guise at the middle size.

    The guises: scaled by about 1e8 and 1e-8, scaled near overflow and underflow (1e300 and 1e-300;
    1e30 and 1e-30 in single precision; always by powers of two, which are exact), transposed (in
    Fortran order), embedded among zero rows and columns, with duplicated columns, tall and wide.

    Complex cases come from complex Gaussian matrices where a family is random; else rows and
    columns of the real matrix are multiplied by random powers of i, which is exact too. Single
    precision cases are the double precision ones, rounded. A case with an entry, or a largest
    singular value, outside the dtype's normal range is left out, so the dtypes do not have quite
    the same cases. Empty shapes, NaN and infinity are not here: they belong to the tests of the
    contract.

    Parameters
    ----------
    dtype : dtype
        float32, float64, complex64 or complex128.
    sizes : tuple of int
        Sizes, each at least 5.
    large : tuple of int
        Sizes at which only a few families appear.
    seed : int
        Same seed, same matrices; a case does not depend on which others are drawn.

    Yields
    ------
    case : Case

    Examples
    --------
    >>> first, *others = cases(np.float32)
    >>> first
    Case('every-rank-6x6-0', 6x6, float32)
    >>> len(others) > 300
    True
    """
    dtype = np.dtype(dtype)
    if dtype.char not in "fdFD":
        raise TypeError(f"cases needs float32, float64, complex64 or complex128, got {dtype}.")
    guises = _guises(dtype)
    middle = f"{sizes[len(sizes) // 2]}" if sizes else ""
    for family, suffix, A in _bases(dtype, sizes, large, seed):
        for guise, change in (guises if suffix == middle else {"": guises[""]}).items():
            name = f"{family}-{suffix}{guise}"
            rng = _generator(seed, f"guise of {name}")
            B = change(A, rng)
            if not _representable(B, dtype):
                continue
            if dtype.kind == "c" and A.dtype.kind != "c":
                B = _turned(B, rng)
            yield Case(name, family, B.astype(dtype, order="K"))
