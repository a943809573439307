"""The certificate: what was decided about a rank, by which proof.

Two inequalities carry every decision (tau is the cutoff, sigma_1 >= sigma_2 >= ... of A):

* from above, for orthonormal N with n - r columns, ``sigma_{r+1}(A) <= ||A N||_2``
  (Courant-Fischer; Golub & Van Loan 2013, theorem 8.6.1 applied to A^H A);
* from below, for any r rows of Q^H A, Q unitary, ``sigma_r(A) >= sigma_r`` of those rows
  (interlacing; Horn & Johnson 2013, corollary 7.3.6).

``sigma_{r+1} <= tau < sigma_r`` proved means that the SVD would decide alike.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from fastsub.html import card

DecidedBy = Literal["bounds", "svd", "probabilistic", "exact"]


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """Who decided a rank, and by which bounds.

    For a stack of matrices every field is an array over the stack.

    Attributes
    ----------
    rank : int
        The rank that was decided.
    tol : float
        The absolute cutoff: singular values above it count. Same unit as the matrix.
    sigma_r_lower : float
        Proved lower bound of the r-th singular value; ``inf`` at rank 0.
    sigma_next_upper : float
        Proved upper bound of the singular value after it; 0 at full rank.
    decided_by : {"bounds", "svd", "probabilistic", "exact"}
        Cheap bounds that separate the two sides, or the singular values of a small factor.
    method : str
        The path that answered, e.g. ``"qr+qrcp"``.
    backward_error : float or None
        Least squares: Karlson-Walden estimate relative to ``norm(A, "fro")``.
    failure_probability : float
        0 except when ``decided_by`` is ``"probabilistic"``.

    Examples
    --------
    >>> import fastsub
    >>> _, certificate = fastsub.null_space([[1, 2], [3, 6], [4, 8]], full_output=True)
    >>> certificate.rank, certificate.decided_by
    (1, 'bounds')
    >>> print(certificate.explain())  # doctest: +ELLIPSIS
    Rank 1, proved by bounds: ...
    """

    rank: Any
    tol: Any
    sigma_r_lower: Any
    sigma_next_upper: Any
    decided_by: Any
    method: Any
    backward_error: Any = None
    failure_probability: Any = 0.0

    def __repr__(self) -> str:
        if np.ndim(self.rank):
            return f"<Certificate of a stack of shape {np.shape(self.rank)}>"
        values = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))
        return f"Certificate({', '.join(values)})"

    def _repr_html_(self) -> str:
        if np.ndim(self.rank):
            return card(repr(self), {}, proof=self)
        bounds = {
            f"singular value {self.rank}": f"≥ {self.sigma_r_lower:.2e}" if self.rank else None,
            "the next": f"≤ {self.sigma_next_upper:.2e}" if self.sigma_next_upper else None,
        }
        rows = {"rank": self.rank, "cutoff": f"{self.tol:.2e}", **bounds}
        rows |= {"decided by": self.decided_by, "method": self.method}
        return card("Certificate", rows | {"backward error": self.backward_error}, proof=self)

    def explain(self) -> str:
        """Return the certificate as one sentence that a person can read."""
        if np.ndim(self.rank):
            return (
                f"{np.size(self.rank)} matrices, ranks {np.min(self.rank)} to "
                f"{np.max(self.rank)}; {np.mean(self.decided_by == 'bounds'):.0%} proved by bounds."
            )
        how = {
            "bounds": "proved by bounds",
            "svd": "decided by the singular values of a small factor",
            "probabilistic": f"with failure probability {self.failure_probability:.1e}",
            "exact": "exact",
        }[self.decided_by]
        bounds = []
        if self.rank > 0:
            bounds.append(f"singular value {self.rank} is at least {self.sigma_r_lower:.2e}")
        if self.sigma_next_upper > 0:
            which = "the next" if bounds else "the largest singular value"
            bounds.append(f"{which} is at most {self.sigma_next_upper:.2e}")
        elif bounds:
            bounds.append("and there is no other")
        facts = ", ".join(bounds) or "every entry is zero"
        return f"Rank {self.rank}, {how}: {facts}; the cutoff is {self.tol:.2e}."

    @classmethod
    def stack(cls, certificates: list[Certificate], shape: tuple[int, ...]) -> Certificate:
        """Gather the certificates of a stack, in C order, into one whose fields are arrays."""

        def gather(name: str) -> Any:
            values = [getattr(certificate, name) for certificate in certificates]
            if name == "backward_error" and values.count(None) == len(values):
                return None
            return np.array(values).reshape(shape)

        return cls(**{field.name: gather(field.name) for field in fields(cls)})
