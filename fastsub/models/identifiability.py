"""What data cannot tell apart: columns of a design matrix that depend on one another.

Parameters along the null space of X change no prediction. Columns are scaled to unit norm first,
so that a rank does not depend on units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastsub.factor.arrays import Array, check_tolerance
from fastsub.factor.orthogonal.reflectors import Reflectors
from fastsub.factor.products import product
from fastsub.factor.rank.certificate import Certificate
from fastsub.functions.sources import elsewhere
from fastsub.html import card, grid
from fastsub.models.frames import read, write
from fastsub.models.relations import Relation, components, dependents
from fastsub.solution.factors import Factors
from fastsub.subspace.subspace import Subspace
from fastsub.subspace.vectors import column_norms, scale_columns

# A singular value within this times the cutoff is worth a word: data are rounded before sums are.
_NEAR = 1e6
# Rows that a notebook shows.
_SHOWN = 60


@dataclass(frozen=True, repr=False, eq=False)
class Identifiability:
    """Which parameters of a linear model the data can tell apart.

    Attributes
    ----------
    names : list of str
    rank, nullity : int
    identified : ndarray of bool, shape (n,)
        Parameters that every least-squares fit agrees on.
    groups : list of list of str
        Columns that are tied together: only combinations within such a group are known.
    relations : list of Relation
        One for each column of `drop`; ``str(relation)`` reads "POP = 0.3·GNP + 2·YEAR".
    drop : list of str
        Columns without which the rest are independent and span the same.
    condition : float
        Estimate of the condition of the scaled columns, without the null space.
    vif : ndarray, shape (n,)
        Variance inflation factors, 1 / (1 - R_j^2): how much larger the variance of a coefficient
        is than it would be with orthogonal columns; infinite where it is not identified.
    flat_directions : Subspace
        Changes of the parameters, in the units of X, that change no prediction.
    certificate : Certificate
        Of the rank of the scaled columns.
    """

    names: list[str]
    rank: int
    nullity: int
    identified: Array
    groups: list[list[str]]
    relations: list[Relation]
    drop: list[str]
    condition: float
    vif: Array
    flat_directions: Subspace
    certificate: Certificate
    library: Any = field(default=None)

    def __repr__(self) -> str:
        return (
            f"<Identifiability of {len(self.names)} columns: rank {self.rank}, "
            f"{int(self.identified.sum())} identified>"
        )

    @property
    def is_near(self) -> bool:
        """Whether the smallest singular value that counts is within 10^6 times the cutoff."""
        proof = self.certificate
        smallest = proof.sigma_r_lower if self.rank else math.inf
        return bool(smallest < _NEAR * proof.tol)

    def report(self) -> str:
        """Return all of it in lines of text."""
        n = len(self.names)
        lines = [
            f"{n} columns, rank {self.rank}, nullity {self.nullity}, "
            f"condition {self.condition:.1e}; {int(self.identified.sum())} of {n} identified"
        ]
        if self.nullity:
            lines += ["tied together: " + ", ".join(group) for group in self.groups]
            lines += [f"  {r}    (residual {r.residual:.1e})" for r in self.relations]
            lines.append("drop: " + ", ".join(self.drop))
        finite = np.isfinite(self.vif)
        if finite.any():
            worst = int(np.argmax(np.where(finite, self.vif, -1)))
            lines.append(f"largest VIF: {self.vif[worst]:.4g} ({self.names[worst]})")
        if self.is_near:
            lines.append(
                "some column is nearly a combination of others: for data that are rounded to 3 "
                "digits pass rtol=1e-3"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()

    def _rows(self) -> dict[str, list[Any]]:
        group = {name: i for i, names in enumerate(self.groups) for name in names}
        relation = {r.name: str(r) for r in self.relations}
        return {
            "name": self.names,
            "identified": self.identified.tolist(),
            "vif": self.vif.tolist(),
            "group": [group.get(name, -1) for name in self.names],
            "drop": [name in relation for name in self.names],
            "relation": [relation.get(name, "") for name in self.names],
        }

    def to_frame(self) -> Any:
        """Return one row for each column, as a frame of the library that X came in.

        Of an array: a pandas or polars frame. Needs the extra ``frames``. `group` is -1 for a
        column that is tied to none.
        """
        return write(self._rows(), self.library)

    def _repr_html_(self) -> str:
        rows = self._rows()
        shown = {key: values[:_SHOWN] for key, values in rows.items()}
        left_out = len(self.names) - _SHOWN
        more = f"{left_out} more: to_frame() has all" if left_out > 0 else None
        summary = {"summary": self.report().partition("\n")[0], "drop": self.drop or None}
        return card(repr(self), summary, grid(shown), more, proof=self.certificate)


def identifiability(
    X: Any,
    names: Sequence[str] | None = None,
    *,
    rtol: float | None = None,
    intercept: bool = False,
    keep: str = "leftmost",
) -> Identifiability:
    """Say which parameters of a linear model the data can tell apart, and why not the others.

    Parameters
    ----------
    X : array_like or data frame, shape (m, n)
        One column for each parameter: a design matrix, or the Jacobian of a model; or a
        `scipy.sparse` array or matrix.
    names : sequence of str, optional
        Of the columns; those of the frame by default, else x0, x1, ...
    rtol : float, optional
        Singular values of the scaled columns above ``rtol`` times the largest count;
        ``eps * max(m, n)`` by default. Data that are rounded to 3 digits want 1e-3.
    intercept : bool, default False
        Centre the columns, as a model with a constant term does. VIF has its textbook meaning then.
    keep : {"leftmost", "pivoted"}
        Which columns stay: the leftmost independent ones, as statisticians expect, or a choice
        that makes the coefficients of the relations moderate.

    Returns
    -------
    Identifiability
        ``print`` it for a report.

    Raises
    ------
    ValueError
        NaN or infinity (the message names the columns), names that do not fit, an unknown `keep`.
    TypeError
        A column that does not hold numbers, masked entries, dask arrays.
    ImportError
        A data frame without the extra ``frames``.

    See Also
    --------
    fundamental_subspaces : the same of a map, without names and scaling.

    Notes
    -----
    Cost: 2 m n^2 flops, and one copy of X. Not for choosing features by prediction: a column that
    is no combination of others is kept however little it says.

    References
    ----------
    .. [1] Belsley, Kuh & Welsch, Regression Diagnostics (1980), chapter 3.

    Examples
    --------
    >>> import numpy as np
    >>> import fastsub
    >>> year, gnp = np.arange(8.0), np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    >>> X = np.column_stack([year, gnp, 0.3 * gnp + 2 * year, gnp ** 2])
    >>> I = fastsub.identifiability(X, ["YEAR", "GNP", "POP", "GNP2"])
    >>> I.drop, str(I.relations[0]), I.identified.tolist()
    (['POP'], 'POP = 2·YEAR + 0.3·GNP', [False, False, False, True])
    """
    if keep not in ("leftmost", "pivoted"):
        raise ValueError(f'keep must be "leftmost" or "pivoted", got {keep!r}')
    rtol = check_tolerance(rtol, "rtol")
    if (answer := elsewhere(X, identifiability)) is not None:
        return answer(X, names, rtol=rtol, intercept=intercept, keep=keep)
    A, names, library = read(X, names)
    W = np.array(A, order="F")
    means = np.zeros(A.shape[1], A.dtype)
    if intercept and W.size:
        means = W.mean(axis=0)
        W -= means
        # A constant column leaves the rounding of its mean.
        noise = math.sqrt(A.shape[0]) * float(np.finfo(A.dtype).eps) * column_norms(A)
        W[:, column_norms(W) <= noise] = 0
    norms = column_norms(W)
    exponents = np.where(norms > 0, np.frexp(norms)[1], 0)
    scale_columns(W, -exponents)
    norms = np.where(norms > 0, np.ldexp(norms, -exponents), 1.0)
    W /= norms.astype(W.real.dtype)
    return judge(W, means, (norms, exponents), names, rtol, keep, library)


def judge(
    W: Array,
    means: Array,
    units: tuple[Array, Array],
    names: list[str],
    rtol: float | None,
    keep: str,
    library: Any,
) -> Identifiability:
    """Judge unit columns W; units are norms and exponents, their product a column's length."""
    n = W.shape[1]
    factors = Factors(W, rtol)
    proof, r = factors.certificate, factors.rank
    half = factors.row_half()
    V = Subspace.held_by(half, proof, complemented=2 * r > n)
    tol = max(V.tol, factors.turn)
    N = V.complement().basis
    drop, Z = dependents(N, tol, leftmost=keep == "leftmost")
    identified = np.linalg.norm(N, axis=1) <= tol
    residuals = column_norms(product(W, np.asfortranarray(Z))) if drop.size else np.empty(0)
    # In the units of X: W = (X - means) 2^-exponents / norms.
    norms, exponents = units
    original = np.asfortranarray(Z / norms[:, None].astype(W.real.dtype))
    relations = [
        _relation(names, means, d, z, exponents, residual)
        for d, z, residual in zip(drop.tolist(), original.T, residuals.tolist(), strict=True)
    ]
    return Identifiability(
        names=names,
        rank=r,
        nullity=n - r,
        identified=identified,
        groups=[[names[j] for j in group] for group in components(drop, Z)],
        relations=relations,
        drop=[names[j] for j in drop],
        condition=factors.condition,
        vif=np.where(identified, factors.inverse_lengths() ** 2, math.inf),
        flat_directions=_flat(N / norms[:, None].astype(W.real.dtype), exponents, proof),
        certificate=proof,
        library=library,
    )


def _relation(
    names: list[str], means: Array, d: int, z: Array, exponents: Array, residual: float
) -> Relation:
    """Solve z^T x = 0 for x_d, in the units of X."""
    kept = np.flatnonzero(z)
    kept = kept[kept != d]
    factors = (-z[kept] / z[d])[None, :].astype(np.result_type(z, np.float64))
    scale_columns(factors, exponents[d] - exponents[kept])
    constant = (means[d] - factors[0] @ means[kept]).item()
    coefficients = dict(zip([names[j] for j in kept], factors[0].tolist(), strict=True))
    return Relation(names[d], coefficients, constant, residual)


def _flat(N: Array, exponents: Array, proof: Certificate) -> Subspace:
    """Return the null space in the units of X: rows times 2^-exponents, made orthonormal."""
    rows = np.array(N.T, order="C")
    scale_columns(rows, exponents.min(initial=0) - exponents)
    if not N.shape[1]:
        return Subspace.held_by(N, proof)
    Q = Reflectors.of_qr(np.asfortranarray(rows.T), 64)
    return Subspace.held_by(Q.columns(0, N.shape[1]), proof)
