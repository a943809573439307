"""Backward error of least squares against the condition: ours, SciPy's, Householder, no safety.

The error is the estimate of Karlson and Walden (factor/least_squares/backward.py), but measured
from outside: by an SVD of the matrix, with a residual in extended precision.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

import fastsub
from fastsub.bench import matrices
from fastsub.extras import load

Array = NDArray[Any]
Solver = Callable[[Array, Array], Array]

POWERS = range(16)
SHAPES = ((2000, 60), (300, 100), (120, 120))
RESIDUALS = {"small": 1e-8, "large": 1.0}
OURS = "fastsub.lstsq"
# Below every 1 / kappa: the systems are to be solved as they stand.
_COND = 1e-18
_SEED = 5040


def _by_householder(A: Array, b: Array) -> Array:
    Q, R = scipy.linalg.qr(A, mode="economic")
    return np.asarray(scipy.linalg.solve_triangular(R, matrices.product(Q.conj().T, b)))


def _by_normal_equations(A: Array, b: Array) -> Array:
    G, g = matrices.product(A.conj().T, A), matrices.product(A.conj().T, b)
    try:
        with warnings.catch_warnings():
            # That it is ill-conditioned is what the chart shows.
            warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
            return np.asarray(scipy.linalg.solve(G, g, assume_a="pos"))
    except scipy.linalg.LinAlgError:
        return np.full(A.shape[1], np.nan)


PEERS: dict[str, Solver] = {
    "gelsd": lambda A, b: scipy.linalg.lstsq(A, b, _COND, lapack_driver="gelsd")[0],
    "gelsy": lambda A, b: scipy.linalg.lstsq(A, b, _COND, lapack_driver="gelsy")[0],
    "Householder QR": _by_householder,
    "normal equations by hand": _by_normal_equations,
}


@dataclass(frozen=True)
class Point:
    """Backward errors on one system, relative to ``norm(A, "fro")``, by solver."""

    shape: tuple[int, int]
    power: int
    residual: str
    method: str
    errors: dict[str, float]


def karlson_walden(A: Array, b: Array, x: Array) -> float:
    """Return the estimate relative to ``norm(A, "fro")``."""
    wide = np.result_type(A, np.longdouble)
    r = np.asarray(b.astype(wide) - A.astype(wide) @ x.astype(wide), A.dtype)
    U, sigma, _ = scipy.linalg.svd(A, full_matrices=False)
    length = float(np.linalg.norm(x))
    theta = float(np.linalg.norm(r)) / length
    weighted = sigma * np.abs(matrices.product(U.conj().T, r)) / np.hypot(sigma, theta)
    return float(np.linalg.norm(weighted)) / length / float(np.linalg.norm(sigma))


def backward_errors() -> Iterator[Point]:
    """Solve systems of every shape, condition and residual by all of them."""
    rng = np.random.default_rng(_SEED)
    for m, n in SHAPES:
        for power in POWERS:
            sigma = np.geomspace(1, 10.0**-power, n)
            A = matrices.with_singular_values(rng, m, n, sigma, "float64")
            b, e = matrices.product(A, rng.standard_normal(n)), rng.standard_normal(m)
            for residual, size in RESIDUALS.items():
                rhs = b / np.linalg.norm(b) + size * e / np.linalg.norm(e)
                (x, *_), certificate = fastsub.lstsq(A, rhs, _COND, full_output=True)
                errors = {OURS: karlson_walden(A, rhs, x)}
                for name, solve in PEERS.items():
                    y = solve(A, rhs)
                    finite = bool(np.isfinite(y).all())
                    errors[name] = karlson_walden(A, rhs, y) if finite else float("inf")
                yield Point((m, n), power, residual, certificate.method, errors)


def report(points: list[Point]) -> str:
    """Return the worst error by condition in units of eps, and the share of answers by method."""
    names = [OURS, *PEERS]
    eps = float(np.finfo(float).eps)
    lines = ["Backward error relative to norm(A), worst of all shapes and residuals, in eps"]
    lines.append(f"{'kappa':>6}" + "".join(f"{name:>26}" for name in names))
    for power in sorted({point.power for point in points}):
        worst = [max(p.errors[name] for p in points if p.power == power) / eps for name in names]
        lines.append(f"{f'1e{power}':>6}" + "".join(f"{error:26.2g}" for error in worst))
    lines += ["", "Answers by method"]
    counts = Counter(family(point.method) for point in points)
    lines += [f"{count / len(points):6.0%}  {name}" for name, count in counts.most_common()]
    return "\n".join(lines)


def is_worse(point: Point) -> bool:
    """Whether ours is more than ten times Householder's, or than half a unit roundoff."""
    u = float(np.finfo(float).eps) / 2
    return not point.errors[OURS] <= 10 * max(point.errors["Householder QR"], u)


def family(method: str) -> str:
    """Return which path answered, without its number of steps."""
    name = method.partition(",")[0]
    known = ("normal equations", "preconditioned", "lu")
    return name if name in known or name.startswith("small") else f"rank-revealing ({name})"


def draw(points: list[Point], folder: Path | str) -> Path:
    """Draw the worst error of tall matrices against the condition; return the SVG file.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib, of the extra ``bench``, is not installed.
    """
    mpl = load("matplotlib", "bench", "charts need")
    from matplotlib.figure import Figure

    path = Path(folder) / "backward-error.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    styles: dict[str, dict[str, Any]] = {
        OURS: {"color": "#0072B2", "marker": "o", "linewidth": 2.5},
        "gelsd": {"color": "#D55E00", "marker": "s"},
        "gelsy": {"color": "#009E73", "marker": "^"},
        "normal equations by hand": {"color": "#CC79A7", "marker": "v"},
    }
    settings: Any = {"svg.hashsalt": path.name, "font.size": 11, "axes.spines.top": False}
    with mpl.rc_context(settings | {"axes.spines.right": False}):
        figure = Figure(figsize=(8, 5), facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        axes.set(
            xscale="log",
            yscale="log",
            title="Least squares: backward error, worst of all shapes and residuals",
            xlabel="condition of A",
            ylabel="Karlson-Waldén estimate / norm of A",
        )
        powers = sorted({point.power for point in points})
        for name, style in styles.items():
            worst = [max(p.errors[name] for p in points if p.power == q) for q in powers]
            shown = [(10.0**q, w) for q, w in zip(powers, worst, strict=True) if np.isfinite(w)]
            axes.plot(*zip(*shown, strict=True), label=name, **({"markersize": 5} | style))
        axes.grid(which="major", color="#d9d9d9", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="upper left")
        figure.savefig(path, metadata={"Date": None})
    return path
