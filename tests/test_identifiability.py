"""What data cannot tell apart: planted relations come back by name, with their coefficients."""

import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastsub
from fastsub import identifiability
from fastsub import testing as ft


def planted(normal, m=60, dtype="d"):
    """Columns a, b, c, d free; sum = 2 a - 0.5 b, twin = 3 c, between them; nothing about d."""
    a, b, c, d = normal(dtype, 947, m, 4).T
    X = np.column_stack([a, b, 2 * a - b / 2, c, d, 3 * c])
    return X, ["a", "b", "sum", "c", "d", "twin"]


def test_planted_relations(dtype, normal):
    X, names = planted(normal, dtype=dtype)
    tol = 1e3 * float(np.finfo(dtype).eps)
    found = identifiability(X, names)
    assert (found.rank, found.nullity) == (4, 2)
    assert found.drop == ["sum", "twin"]
    assert found.groups == [["a", "b", "sum"], ["c", "twin"]]
    assert found.identified.tolist() == [False, False, False, False, True, False]
    first, second = found.relations
    assert (first.name, second.name) == ("sum", "twin")
    assert first.coefficients == pytest.approx({"a": 2, "b": -0.5}, abs=tol)
    assert second.coefficients == pytest.approx({"c": 3}, abs=tol)
    assert max(first.residual, second.residual) < tol
    if dtype == np.float64:
        assert str(first) == "sum = 2·a - 0.5·b"
        assert str(second) == "twin = 3·c"
    flat = found.flat_directions
    assert flat.dim == 2
    np.testing.assert_allclose(X @ flat.basis, 0, atol=10 * tol)
    assert np.isinf(found.vif).tolist() == (~found.identified).tolist()
    # The rest is independent and spans the same.
    kept = [name not in found.drop for name in names]
    S = fastsub.Subspace.span(X[:, kept])
    assert S.dim == 4
    assert X in S


@settings(max_examples=40)
@given(
    st.integers(2, 7),
    st.integers(1, 3),
    st.integers(2, 10**6),
    st.sampled_from(["leftmost", "pivoted"]),
)
def test_any_integers(n, k, seed, keep):
    """Dropping makes the rest independent; leftmost: the greedy choice from the left."""
    rank = max(1, n - k)
    X = ft.integers_of_rank(12, n, rank, seed)
    found = identifiability(X, keep=keep)
    rank = np.linalg.matrix_rank(X)
    assert found.rank == rank
    kept = [j for j in range(n) if f"x{j}" not in found.drop]
    assert np.linalg.matrix_rank(X[:, kept]) == rank == len(kept)
    if keep == "leftmost":
        greedy = [
            j
            for j in range(n)
            if np.linalg.matrix_rank(X[:, : j + 1]) > (np.linalg.matrix_rank(X[:, :j]) if j else 0)
        ]
        assert kept == greedy
    for relation in found.relations:
        got = sum(c * X[:, int(name[1:])] for name, c in relation.coefficients.items())
        np.testing.assert_allclose(X[:, int(relation.name[1:])], got, atol=1e-8 * np.abs(X).max())
    for j in range(n):
        others = np.linalg.matrix_rank(np.delete(X, j, axis=1)) if n > 1 else 0
        assert found.identified[j] == (others < rank)
    # A column is in a group exactly if it is tied to something.
    assert sorted(name for group in found.groups for name in group) == sorted(
        f"x{j}" for j in range(n) if not found.identified[j]
    )


def test_groups_do_not_depend_on_what_is_kept(normal):
    X, names = planted(normal)
    order = np.random.default_rng(953).permutation(6)
    for keep in ("leftmost", "pivoted"):
        found = identifiability(X[:, order], [names[j] for j in order], keep=keep)
        assert {frozenset(g) for g in found.groups} == {
            frozenset(("a", "b", "sum")),
            frozenset(("c", "twin")),
        }


def test_units_do_not_matter(normal):
    X, names = planted(normal)
    for units in (
        np.array([1e-9, 1e6, 1, 1e3, 1e-4, 1e8]),
        2.0 ** np.array([900, -900, 0, 0, 5, 0]),
    ):
        found = identifiability(X * units, names)
        assert found.drop == ["sum", "twin"]
        want = {"a": 2 * units[2] / units[0], "b": -0.5 * units[2] / units[1]}
        assert found.relations[0].coefficients == pytest.approx(want, rel=1e-10)


class TestVIF:
    def by_regression(self, X, j):
        others = np.delete(X, j, axis=1)
        left = X[:, j] - others @ np.linalg.lstsq(others, X[:, j], rcond=None)[0]
        return (X[:, j] @ X[:, j]) / (left @ left)

    @pytest.mark.parametrize("shape", [(30, 5), (400, 6), (8, 6)])
    def test_by_its_definition(self, normal, shape):
        X = normal("d", 967, *shape)
        X[:, 1] += 3 * X[:, 0]
        wanted = [self.by_regression(X, j) for j in range(shape[1])]
        np.testing.assert_allclose(identifiability(X).vif, wanted, rtol=1e-10)
        X += 5
        C = X - X.mean(axis=0)
        wanted = [self.by_regression(C, j) for j in range(shape[1])]
        np.testing.assert_allclose(identifiability(X, intercept=True).vif, wanted, rtol=1e-9)

    def test_of_a_column_beside_tied_ones(self, normal):
        X, names = planted(normal)
        vif = identifiability(X, names).vif
        assert vif[4] == pytest.approx(self.by_regression(X[:, [0, 1, 3, 4]], 3))


def test_intercept():
    t = np.arange(10.0)
    X = np.column_stack([t, 5 - 2 * t, np.full(10, 0.1), t**2])
    names = ["t", "falling", "constant", "square"]
    found = identifiability(X, names)
    assert [str(r) for r in found.relations] == ["constant = 0.04·t + 0.02·falling"]
    found = identifiability(X, names, intercept=True)
    assert [str(r) for r in found.relations] == ["falling = -2·t + 5", "constant = 0.1"]
    assert found.groups == [["t", "falling"], ["constant"]]


def test_zero_columns_and_empty():
    found = identifiability([[0, 1], [0, 2]])
    assert [str(r) for r in found.relations] == ["x0 = 0"]
    assert found.groups == [["x0"]]
    assert found.vif.tolist() == [np.inf, 1]
    for shape in ((0, 3), (4, 0), (0, 0)):
        found = identifiability(np.zeros(shape))
        assert (found.rank, found.nullity) == (0, shape[1])
        assert found.drop == [f"x{j}" for j in range(shape[1])]
        assert "rank 0" in found.report()


def test_rounded_data_want_a_tolerance(normal):
    X, names = planted(normal)
    X = np.round(X, 3)
    assert identifiability(X, names).nullity == 0
    found = identifiability(X, names, rtol=1e-2)
    assert found.drop == ["sum", "twin"]
    assert 1e-5 < found.relations[0].residual < 1e-2


def test_what_is_nearly_tied_is_reported(normal):
    X, names = planted(normal)
    X[:, 2] += 1e-10 * np.arange(60)
    found = identifiability(X, names)
    assert found.drop == ["twin"]
    assert found.is_near
    assert "nearly a combination" in found.report()
    assert not identifiability(X[:, [0, 1, 3, 4]]).is_near


def test_tall_and_many(normal):
    X = normal("d", 971, 5000, 40)
    X[:, 25:] = X[:, :25] @ np.random.default_rng(977).integers(-2, 3, (25, 15))
    found = identifiability(X)
    assert found.certificate.method == "sketch"
    assert found.drop == [f"x{j}" for j in range(25, 40)]
    for relation in found.relations:
        assert relation.residual < 1e-13
        assert all(abs(c - round(c)) < 1e-11 for c in relation.coefficients.values())


class TestFrames:
    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_in_and_out(self, library, normal):
        module = pytest.importorskip(library)
        pytest.importorskip("narwhals")
        X, names = planted(normal)
        frame = module.DataFrame(dict(zip(names, X.T, strict=True)))
        found = identifiability(frame)
        assert found.names == names
        assert found.drop == ["sum", "twin"]
        table = found.to_frame()
        assert isinstance(table, module.DataFrame)
        assert list(table["name"]) == names
        assert list(table["drop"]) == [False, False, True, False, False, True]
        assert list(table["group"]) == [0, 0, 0, 1, -1, 1]
        assert table["relation"][2] == "sum = 2·a - 0.5·b"

    def test_columns_of_other_kinds(self):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("narwhals")
        frame = pandas.DataFrame({"n": [1, 2, 3], "yes": [True, False, True]})
        assert identifiability(frame).rank == 2
        with pytest.raises(TypeError, match=r"numbers.*in column 'who'"):
            identifiability(frame.assign(who=["x", "y", "z"]))
        with pytest.raises(ValueError, match="NaN or infinity in 'gap'"):
            identifiability(frame.assign(gap=[1.0, np.nan, 2]))

    def test_of_an_array(self, normal):
        pytest.importorskip("pandas")
        pytest.importorskip("narwhals")
        table = identifiability(planted(normal)[0]).to_frame()
        assert list(table.columns)[:3] == ["name", "identified", "vif"]

    def test_without_the_extra(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "narwhals", None)

        class Frame:
            columns = ("a",)

        with pytest.raises(ImportError, match=r"fastsub-linalg\[frames\]"):
            identifiability(Frame())


def test_print_and_travel(normal):
    X, names = planted(normal)
    found = identifiability(X, names)
    assert repr(found) == "<Identifiability of 6 columns: rank 4, 1 identified>"
    lines = str(found).splitlines()
    assert lines[0].startswith("6 columns, rank 4, nullity 2, condition")
    assert lines[1:3] == ["tied together: a, b, sum", "tied together: c, twin"]
    assert lines[3].startswith("  sum = 2·a - 0.5·b    (residual ")
    assert "drop: sum, twin" in lines
    assert found._repr_html_().count('<th scope="row">') == 6 + 2
    other = pickle.loads(pickle.dumps(found))
    assert (other.drop, other.report()) == (found.drop, found.report())
    assert "<b>" not in identifiability(X[:, :1], ["<b>"])._repr_html_()


@pytest.mark.parametrize(
    ("X", "options", "says"),
    [
        (np.eye(3), {"names": ["a", "b"]}, "^names must be 3"),
        (np.eye(2), {"names": ["a", "a"]}, "^names must be 2 different"),
        (np.eye(2), {"keep": "right"}, "^keep must be"),
        (np.eye(2), {"rtol": -1}, "^rtol must"),
        ([[1, np.inf]], {"names": ["a", "b"]}, "^X must be finite, got NaN or infinity in 'b'"),
        ([1, 2], {}, "^X must be a matrix"),
    ],
)
def test_bad_input(X, options, says):
    with pytest.raises(ValueError, match=says):
        identifiability(X, **options)
