"""Test matrices and invariant checks, for this package's tests and for anybody's.

Matrices: a gallery of textbook names, :func:`random_rank`, :func:`with_singular_values`, and
:func:`cases`, which yields all of them in many guises. Checks: ``check_*``, which raise an
``AssertionError`` that says what was got and what was wanted. Needs NumPy and SciPy only, plus
mpmath for :func:`check_certificate`; nothing here calls the algorithms under test.
"""

from scipy.linalg import circulant, companion, hadamard, hilbert, pascal, toeplitz

from fastsub.data import ecoli_core
from fastsub.testing.adversarial import (
    devils_stairs,
    gu_eisenstat,
    kahan,
    kahan_scaled,
    sorensen_embree,
    stewart_gap,
)
from fastsub.testing.cases import Case, cases
from fastsub.testing.certificates import check_certificate
from fastsub.testing.checks import (
    check_annihilates,
    check_complementary,
    check_in_range,
    check_orthonormal,
    check_rrqr,
    check_same_subspace,
)
from fastsub.testing.echelons import check_echelon
from fastsub.testing.gallery import (
    cauchy,
    incidence,
    lauchli,
    ring_edges,
    vandermonde,
)
from fastsub.testing.hansen import (
    IllPosedProblem,
    baart,
    baart_problem,
    deriv2,
    deriv2_problem,
    foxgood,
    foxgood_problem,
    gravity,
    gravity_problem,
    heat,
    heat_problem,
    phillips,
    phillips_problem,
    shaw,
    shaw_problem,
    wing,
    wing_problem,
)
from fastsub.testing.spectra import (
    clustered_spectrum,
    gap_spectrum,
    integers_of_rank,
    one_tiny_spectrum,
    random_orthonormal,
    random_rank,
    with_singular_values,
)
from fastsub.testing.spectrum import Spectrum, gap

__all__ = [
    "Case",
    "IllPosedProblem",
    "Spectrum",
    "baart",
    "baart_problem",
    "cases",
    "cauchy",
    "check_annihilates",
    "check_certificate",
    "check_complementary",
    "check_echelon",
    "check_in_range",
    "check_orthonormal",
    "check_rrqr",
    "check_same_subspace",
    "circulant",
    "clustered_spectrum",
    "companion",
    "deriv2",
    "deriv2_problem",
    "devils_stairs",
    "ecoli_core",
    "foxgood",
    "foxgood_problem",
    "gap",
    "gap_spectrum",
    "gravity",
    "gravity_problem",
    "gu_eisenstat",
    "hadamard",
    "heat",
    "heat_problem",
    "hilbert",
    "incidence",
    "integers_of_rank",
    "kahan",
    "kahan_scaled",
    "lauchli",
    "one_tiny_spectrum",
    "pascal",
    "phillips",
    "phillips_problem",
    "random_orthonormal",
    "random_rank",
    "ring_edges",
    "shaw",
    "shaw_problem",
    "sorensen_embree",
    "stewart_gap",
    "toeplitz",
    "vandermonde",
    "wing",
    "wing_problem",
    "with_singular_values",
]
