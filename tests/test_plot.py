"""Pictures: what is drawn is where the mathematics says, and says its numbers."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from reference import null_space as null_reference

import fastsub
from fastsub.data import ecoli_core

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
from fastsub import plot  # noqa: E402
from fastsub.plot.flats import boxed  # noqa: E402
from fastsub.plot.style import THEMES  # noqa: E402

themes = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def artist(ax, gid):
    """The one artist of that name."""
    (found,) = ax.findobj(lambda a: a.get_gid() == gid)
    return found


def points(line):
    """Its points, shape (k, 2) or (k, 3)."""
    data = line.get_data_3d() if hasattr(line, "get_data_3d") else line.get_data()
    return np.array(data).T


def title(ax):
    return ax.get_title(loc="left")


def words(ax):
    """All that is written in the legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def drawn(axes):
    """Draw it, with every warning an error."""
    axes = axes if isinstance(axes, tuple) else (axes,)
    axes[0].figure.canvas.draw()
    return axes


class TestPlaneMap:
    A = np.array([[1.0, 2], [2, 4]])

    def test_null_space_and_column_space_are_drawn_where_they_are(self):
        inputs, outputs = plot.plane_map(self.A)
        x, y = points(artist(inputs, "null space")), points(artist(outputs, "column space"))
        np.testing.assert_allclose(self.A @ x.T, 0, atol=1e-12)
        np.testing.assert_allclose(y @ [2, -1], 0, atol=1e-12)
        assert np.ptp(x, axis=0).max() > 3
        assert np.ptp(y, axis=0).max() > 3

    @pytest.mark.parametrize(
        "A",
        [A, [[1, 2], [3, 6], [4, 8]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 1], [0, 1, 1]]],
    )
    def test_a_fibre_falls_on_the_point_of_its_number(self, A):
        A = np.array(A, float)
        inputs, outputs = plot.plane_map(A)
        for i in range(1, 5):
            # The line, and the disc on it, of the same number.
            fibre = [
                points(line) for line in inputs.findobj(lambda a, i=i: a.get_gid() == f"fibre {i}")
            ]
            assert len(fibre) == 2
            image = points(artist(outputs, f"fibre {i}"))[0]
            for x in np.vstack(fibre):
                np.testing.assert_allclose(A @ x, image, atol=1e-12)

    def test_titles_say_what_is_crushed_and_reached(self):
        for A, crushed, reached in [
            (self.A, "a line is crushed", "only a line is reached"),
            (np.eye(2), "nothing is crushed", "everything is reached"),
            (np.zeros((3, 2)), "everything is crushed", "nothing but 0 is reached"),
            (np.ones((2, 3)), "a plane is crushed", "only a line is reached"),
            ([[1, 0], [0, 1], [1, 1]], "nothing is crushed", "only a plane is reached"),
        ]:
            inputs, outputs = drawn(plot.plane_map(A))
            assert crushed in title(inputs)
            assert reached in title(outputs)
            rank = np.linalg.matrix_rank(A)
            assert f"dimension {np.shape(A)[1] - rank}" in words(inputs)[0]
            assert f"dimension {rank}" in words(outputs)[0]

    def test_equations_stand_in_the_legend(self):
        inputs, outputs = plot.plane_map(self.A)
        assert "x₁ + 2x₂ = 0" in words(inputs)[0]
        assert "2y₁ - y₂ = 0" in words(outputs)[0]

    @pytest.mark.parametrize("scale", [1e-300, 1e300, 5e-324])
    def test_scales(self, scale):
        _, outputs = drawn(plot.plane_map(scale * np.ones((2, 3))))
        assert "in units of 10" in title(outputs)
        assert np.abs(outputs.get_xlim()).max() < 100

    def test_nearly_a_loss_is_said(self):
        _, outputs = drawn(plot.plane_map([[1, 1], [1, 1 + 1e-9]]))
        assert "4.0e+09 times more than another" in words(outputs)[-1]

    def test_what_cannot_be_drawn(self):
        with pytest.raises(ValueError, match=r"2 or 3 rows and columns .* got shape \(4, 2\)"):
            plot.plane_map(np.ones((4, 2)))
        with pytest.raises(ValueError, match="A must be real"):
            plot.plane_map([[1, 2j], [0, 1]])
        with pytest.raises(ValueError, match="nan"):
            plot.plane_map([[1, np.nan], [0, 1]])


class TestFourSubspaces:
    @pytest.mark.parametrize("r", range(5))
    def test_dimensions(self, r, normal):
        A = normal("float64", 9001, 6, r) @ normal("float64", 9002, r, 4)
        (ax,) = drawn(plot.four_subspaces(A))
        said = "\n".join(texts(ax))
        for name, dim in [
            ("row space", r),
            ("null space", 4 - r),
            ("column space", r),
            ("left null space", 6 - r),
        ]:
            (text,) = [t for t in texts(ax) if t.startswith(name)]
            assert text.endswith(f"dimension {dim}")
            assert len(ax.findobj(lambda a, name=name: a.get_gid() == name)) == (dim > 0)
        assert f"{r} + {4 - r} = 4 columns" in said
        assert f"{r} + {6 - r} = 6 rows" in said
        assert title(ax) == f"The four subspaces of a 6 × 4 matrix of rank {r}"
        corners = ax.findobj(lambda a: a.get_gid() == "right angle")
        assert len(corners) == (0 < r < 4) + (r > 0)
        for corner in corners:
            a, b, c = points(corner)
            assert (a - b) @ (c - b) == pytest.approx(0)

    def test_objects_and_complex_numbers(self):
        F = fastsub.fundamental_subspaces(np.ones((2, 3)) * 1j)
        (ax,) = drawn(plot.four_subspaces(F))
        assert "ℂ³: inputs x" in texts(ax)
        assert "N(Aᴴ)" in "".join(texts(ax))

    def test_empty(self):
        (ax,) = drawn(plot.four_subspaces(np.empty((0, 3))))
        assert "0 + 3 = 3 columns" in texts(ax)


class TestRankSpectrum:
    def test_values_cutoff_and_bounds(self):
        A = ecoli_core()
        (ax,) = drawn(plot.rank_spectrum(A))
        _, proof = fastsub.matrix_rank(A, full_output=True)
        sigma = np.linalg.svd(A, compute_uv=False)
        counted, noise = points(artist(ax, "counted")), points(artist(ax, "noise"))
        np.testing.assert_allclose(counted[:, 1], sigma[:67], rtol=1e-10)
        assert len(noise) == 5
        assert np.all(noise[:, 1] <= proof.tol)
        assert artist(ax, "cutoff").get_ydata()[0] == proof.tol
        np.testing.assert_allclose(points(artist(ax, "lower bound")), [[67, proof.sigma_r_lower]])
        np.testing.assert_allclose(
            points(artist(ax, "upper bound")), [[68, proof.sigma_next_upper]]
        )
        gap = artist(ax, "gap").get_extents().transformed(ax.transData.inverted())
        np.testing.assert_allclose(gap.intervaly, [proof.sigma_next_upper, proof.sigma_r_lower])
        assert title(ax).startswith("Rank 67: 67 of 72 singular values count")
        assert f"cutoff {proof.tol:.1e}" in words(ax)

    @pytest.mark.parametrize(
        "A",
        [np.zeros((3, 5)), np.eye(4), [[3.0]], [[0.0]], np.ones((2, 9)), 1e-300 * np.ones((3, 3))],
    )
    def test_awkward(self, A):
        (ax,) = drawn(plot.rank_spectrum(A))
        k = min(np.shape(A))
        shown = ax.findobj(lambda a: a.get_gid() in ("counted", "noise"))
        assert sum(len(points(line)) for line in shown) == k
        assert title(ax).startswith(f"Rank {np.linalg.matrix_rank(A)}: ")
        assert ("exactly 0" in texts(ax)) == (0 in np.linalg.svd(A, compute_uv=False))

    def test_the_svd_is_said_to_have_decided(self):
        sigma = np.logspace(0, -17, 30)
        Q = np.linalg.qr(np.random.default_rng(9011).standard_normal((30, 30)))[0]
        (ax,) = drawn(plot.rank_spectrum(Q * sigma @ Q.T))
        assert "SVD of a small factor" in title(ax)

    def test_empty(self):
        with pytest.raises(ValueError, match="A must not be empty"):
            plot.rank_spectrum(np.empty((0, 3)))


class TestProjection:
    @pytest.mark.parametrize(
        ("A", "b"),
        [([1, 2], [5, 3]), ([[1, 0], [1, 1], [1, 2]], [6, 0, 0]), ([1, 2, 2], [3, 0, 1])],
    )
    def test_error_is_drawn_from_p_to_b_at_a_right_angle(self, A, b):
        (ax,) = drawn(plot.projection(A, b))
        p = fastsub.project(A, b)
        np.testing.assert_allclose(points(artist(ax, "b")), [0 * p, b], atol=1e-12)
        np.testing.assert_allclose(points(artist(ax, "p")), [0 * p, p], atol=1e-12)
        np.testing.assert_allclose(points(artist(ax, "e")), [p, b], atol=1e-12)
        c, corner, d = points(artist(ax, "right angle"))
        assert (c - corner) @ (d - corner) == pytest.approx(0, abs=1e-12)
        assert f"misses it by {np.linalg.norm(b - p):.4g}" in title(ax)

    def test_seen_from_the_side_lengths_are_true(self, normal):
        A, b = normal("complex128", 9021, 9, 3), normal("complex128", 9022, 9)
        (ax,) = drawn(plot.projection(A, b))
        p = fastsub.project(A, b)
        sides = [np.linalg.norm(np.diff(points(artist(ax, g)), axis=0)) for g in "bpe"]
        np.testing.assert_allclose(sides, [np.linalg.norm(v) for v in (b, p, b - p)])
        assert "dimension 3 of 9" in words(ax)[0]

    def test_no_error_where_b_is_reached(self):
        for A, b in [([1, 2], [2, 4]), (np.eye(2), [-3, 2]), (np.eye(2), [0, 0])]:
            (ax,) = drawn(plot.projection(A, b))
            assert "can be reached" in title(ax)
            assert not ax.findobj(lambda a: a.get_gid() in ("e", "right angle"))

    def test_everything_is_error(self):
        (ax,) = drawn(plot.projection([1, 2], [-2, 1]))
        assert "p, the nearest point of it, length 0" in words(ax)
        (ax,) = drawn(plot.projection(np.zeros((2, 1)), [-2, 1]))
        assert not ax.findobj(lambda a: a.get_gid() == "right angle")

    def test_one_b(self):
        with pytest.raises(ValueError, match="one vector"):
            plot.projection(np.eye(2), np.eye(2))


class TestSolutionSet:
    def test_equations_and_their_point(self):
        A, b = np.array([[1.0, 2], [1, -1]]), np.array([3.0, 1])
        (ax,) = drawn(plot.solution_set(A, b))
        for i in range(2):
            line = points(artist(ax, f"equation {i + 1}"))
            np.testing.assert_allclose(line @ A[i], b[i], atol=1e-12)
        np.testing.assert_allclose(A @ points(artist(ax, "particular"))[0], b)
        assert title(ax).startswith("Exactly one solution")
        assert "equation 2:  x₁ - x₂ = 1" in words(ax)

    def test_infinite(self):
        A, b = np.array([[1.0, 1, 1], [1, -1, 2]]), np.array([2.0, 1])
        (ax,) = drawn(plot.solution_set(A, b))
        np.testing.assert_allclose(A @ points(artist(ax, "solutions")).T, b[:, None] * [[1, 1]])
        assert "Infinitely many solutions: a line of them" in title(ax)

    def test_none(self):
        A, b = [[1, 2], [2, 4]], [3, 7]
        (ax,) = drawn(plot.solution_set(A, b))
        assert title(ax).startswith("No solution: b is missed by 0.4472")
        x = points(artist(ax, "particular"))[0]
        np.testing.assert_allclose(x, np.linalg.lstsq(A, b, rcond=None)[0])

    def test_rows_of_zeros(self):
        (ax,) = drawn(plot.solution_set([[0, 0], [0, 1], [0, 0]], [1, 2, 0]))
        assert "equation 1:  0 = 1, holds for no x" in words(ax)
        assert "equation 3:  0 = 0, holds for every x" in words(ax)

    def test_many_equations_have_one_name(self):
        x = np.arange(20.0)
        (ax,) = drawn(plot.solution_set(np.column_stack([x, x + 1]), x))
        assert words(ax)[0] == "the 20 equations"

    def test_extremes(self):
        A = np.array([[1e300, 2e300], [1e-300, 1e-300]])
        (ax,) = drawn(plot.solution_set(A, A @ [1, 1]))
        assert np.isfinite(points(artist(ax, "equation 2"))).all()

    def test_what_cannot_be_drawn(self):
        with pytest.raises(ValueError, match="2 or 3 columns"):
            plot.solution_set(np.ones((2, 4)), [1, 1])
        with pytest.raises(ValueError, match="must be real"):
            plot.solution_set(np.eye(2) * 1j, [1, 1])


class TestIdentifiability:
    YEAR, GNP = np.arange(8.0), np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    X = np.column_stack([YEAR, GNP, 0.3 * GNP + 2 * YEAR, GNP**2])
    NAMES = ("YEAR", "GNP", "POP", "GNP2")

    def test_changes_change_no_prediction(self):
        (ax,) = drawn(plot.identifiability(self.X, self.NAMES))
        cells = {text.get_gid(): text.get_text().replace("−", "-") for text in ax.texts}
        assert {patch.get_gid() for patch in ax.patches} >= set(cells)
        change = [float(cells.get(f"change {i} 0", 0)) for i in range(4)]
        np.testing.assert_allclose(self.X @ change, 0, atol=1e-12)
        assert change[2] == 1
        assert [cells[f"vif {i}"] for i in range(3)] == ["∞"] * 3
        assert title(ax).startswith("1 of 4 parameters is identified\n1 direction changes")
        assert [t.get_text() for t in ax.get_yticklabels()] == list(self.NAMES)

    def test_objects_names_and_sizes(self, normal):
        found = fastsub.identifiability(self.X, ["$\\frac$", "<script>" * 9, "a\nb", ""])
        (ax,) = drawn(plot.identifiability(found))
        assert len(ax.get_yticklabels()[1].get_text()) == 24
        (ax,) = drawn(plot.identifiability(normal("float64", 9031, 30, 70)))
        assert "drawn: 40 of 70 rows" in title(ax)
        (ax,) = drawn(plot.identifiability(np.eye(3)))
        assert "every change is seen in predictions" in title(ax)

    def test_what_cannot_be_drawn(self):
        with pytest.raises(ValueError, match="must have a column"):
            plot.identifiability(np.empty((3, 0)))
        with pytest.raises(ValueError, match="must be real"):
            plot.identifiability([[1, 1j], [1, 1j]])


PICTURES = {
    "plane_map": (lambda **k: plot.plane_map([[1, 2], [2, 4]], **k), 2),
    "four_subspaces": (lambda **k: plot.four_subspaces([[1, 2], [2, 4]], **k), 1),
    "rank_spectrum": (lambda **k: plot.rank_spectrum([[1, 2], [2, 4]], **k), 1),
    "projection": (lambda **k: plot.projection([1, 2], [2, 5], **k), 1),
    "solution_set": (lambda **k: plot.solution_set([[1, 2]], [2], **k), 1),
    "identifiability": (lambda **k: plot.identifiability([[1, 2], [2, 4]], **k), 1),
}
pictures = pytest.mark.parametrize(("draw", "count"), PICTURES.values(), ids=PICTURES)


class TestEveryPicture:
    def test_all_are_listed(self):
        assert sorted(plot.__all__) == sorted(PICTURES)

    @pictures
    @themes
    def test_themes(self, draw, count, theme):
        (ax, *_) = drawn(draw(theme=theme))
        assert mpl.colors.to_hex(ax.figure.get_facecolor()) == THEMES[theme].paper
        assert mpl.colors.to_hex(ax.get_facecolor()) == THEMES[theme].paper

    @pictures
    def test_given_axes_are_used_and_returned(self, draw, count):
        figure = mpl.figure.Figure()
        given = figure.subplots(1, count, squeeze=False)[0].tolist()
        axes = draw(ax=given if count > 1 else given[0])
        assert list(axes if count > 1 else [axes]) == given
        assert plt.get_fignums() == []
        with pytest.raises(ValueError, match="must be"):
            draw(ax=[*given, *given])
        with pytest.raises(ValueError, match=r"projection|2d axes"):
            draw(ax=[figure.add_subplot(projection="3d") for _ in range(count)])

    @pictures
    def test_the_style_in_use_decides(self, draw, count):
        with plt.style.context("dark_background"):
            (ax, *_) = drawn(draw())
        assert mpl.colors.to_hex(ax.get_facecolor()) == THEMES["dark"].paper

    @pictures
    def test_unknown_theme(self, draw, count):
        with pytest.raises(ValueError, match="theme must be"):
            draw(theme="neon")

    @pictures
    def test_nothing_is_cut_off(self, draw, count):
        (ax, *_) = drawn(draw())
        figure = ax.figure
        for one in figure.axes:
            box = one.get_tightbbox()
            assert box.x0 >= -1
            assert box.y0 >= -1
            assert box.x1 <= figure.bbox.width + 1
            assert box.y1 <= figure.bbox.height + 1

    @pictures
    def test_same_picture_twice(self, draw, count, tmp_path):
        files = []
        for name in "ab":
            (ax, *_) = drawn(draw())
            with mpl.rc_context({"svg.hashsalt": "fastsub"}):
                ax.figure.savefig(tmp_path / f"{name}.svg", metadata={"Date": None})
            files.append((tmp_path / f"{name}.svg").read_bytes())
        assert files[0] == files[1]


@pytest.mark.parametrize("n", [2, 3])
def test_boxed(n, normal):
    """Corners lie on the flat and in the box, and where an edge leaves the box, on its side."""
    for d in range(n):
        for seed in range(9041, 9061):
            point = 1.5 * normal("float64", seed, n)
            D = np.linalg.qr(normal("float64", seed + 50, n, n))[0][:, :d]
            corners = boxed(point, D, 1.0)
            across = null_reference(D.T) if d else np.eye(n)
            np.testing.assert_allclose((corners - point) @ across, 0, atol=1e-12)
            assert np.all(np.abs(corners) <= 1 + 1e-12)
            if d:
                np.testing.assert_allclose(np.abs(corners).max(axis=1, initial=0), 1)
            # Empty exactly if no point of a fine mesh of the flat is in the box.
            steps = np.meshgrid(*[np.linspace(-4, 4, 81)] * d)
            mesh = np.reshape(steps, (d, -1)).T @ D.T if d else np.zeros((1, n))
            inside = np.any(np.all(np.abs(point + mesh) <= 0.9, axis=1))
            assert len(corners) or not inside


def test_matplotlib_is_named_where_it_is_missing(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r'"fastsub-linalg\[plot\]"'):
        plot.four_subspaces(np.eye(2))


def test_the_documentation_shows_what_it_draws():
    docs = Path(__file__).parents[1] / "docs"
    names = runpy.run_path(str(docs / "draw.py"))["PICTURES"]
    shown = {
        found
        for page in docs.glob("*.md")
        for found in re.findall(r"_pictures/(\S+)", page.read_text())
    }
    assert shown == {f"{name}-{theme}.svg" for name in names for theme in THEMES}
