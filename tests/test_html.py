"""What notebooks show: one look for every object, and every text escaped."""

from html.parser import HTMLParser

import numpy as np
import pytest

import fastsub
from fastsub import exact
from fastsub.html import Html, card, facts, grid, join, tag

A = np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]])
B = np.array([1.0, 2, 0])
EVIL = "<img src=x onerror=alert(1)>"

OBJECTS = {
    "Certificate": lambda: fastsub.COD(A).certificate,
    "COD": lambda: fastsub.COD(A),
    "RRQR": lambda: fastsub.rrqr(A),
    "Echelon": lambda: fastsub.rref(A),
    "Subspace": lambda: fastsub.Subspace.kernel(A),
    "FundamentalSubspaces": lambda: fastsub.fundamental_subspaces(A),
    "SolutionSet": lambda: fastsub.solutions(A, B),
    "Factorization": lambda: fastsub.factorize(A),
    "LeastSquares": lambda: fastsub.LeastSquares(A, B),
    "Ridge": lambda: fastsub.ridge(A, B, 0.5),
    "Identifiability": lambda: fastsub.identifiability(A, [EVIL, "b", "c"]),
    "Interpolative": lambda: fastsub.interpolative(A),
    "LowRank": lambda: fastsub.low_rank(A, rank=2),
    "Reducer": lambda: fastsub.Reducer().partial_fit(A, B),
    "Reduced": lambda: fastsub.Reducer().partial_fit(A, B).result(),
    "Stream": lambda: fastsub.stream(A),
    "RationalEchelon": lambda: exact.rref(A.astype(int)),
    "RationalMatrix": lambda: exact.inverse([[1, 2], [3, 4]]),
    "ResidueEchelon": lambda: exact.rref(A.astype(int), mod=7),
}


class Checked(HTMLParser):
    """Fail on what is not closed as it should be; keep names and text."""

    def __init__(self, text):
        super().__init__()
        self.names, self.text, self._open = [], "", []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, name, attributes):
        assert not [key for key, _ in attributes if key.startswith("on")]
        self.names.append(name)
        if name != "br":
            self._open.append(name)

    def handle_endtag(self, name):
        assert self._open.pop() == name

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data + " "


def shown(thing):
    return Checked(thing._repr_html_())


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_has_a_card(name):
    thing = OBJECTS[name]()
    page = shown(thing)
    assert type(thing).__name__ == name
    assert page.names[:2] == ["div", "style"]
    title = "Certificate" if name == "Certificate" else repr(thing).strip("<>")
    assert page.text.strip().startswith(title)
    if hasattr(thing, "certificate"):
        assert thing.certificate.explain() in page.text
    assert "img" not in page.names


def test_no_public_class_is_forgotten():
    public = {
        name
        for module in (fastsub, exact)
        for name in module.__all__
        if isinstance(getattr(module, name), type)
        and not issubclass(getattr(module, name), (Exception, Warning))
    }
    assert public <= set(OBJECTS)


def test_facts_are_those_of_the_object():
    text = shown(fastsub.fundamental_subspaces(A)).text
    assert "2 + 1 = 3 columns" in text
    assert "x₁ + x₃ = 0, x₂ + x₃ = 0" in text
    text = shown(fastsub.solutions(A, B)).text
    assert "infinitely many solutions" in text
    text = shown(fastsub.solutions(A, np.eye(3))).text
    assert "none none" in text.replace(" ", " ")
    assert EVIL in shown(OBJECTS["Identifiability"]()).text
    assert "-4/2" not in shown(exact.inverse([[1, 2], [3, 4]])).text
    assert "3/2" in shown(exact.inverse([[1, 2], [3, 4]])).text


@pytest.mark.parametrize(
    "thing",
    [
        fastsub.Subspace.kernel(np.eye(3)),
        fastsub.Subspace.kernel(np.zeros((2, 3))),
        fastsub.Subspace.kernel(np.eye(40, 50)),
        fastsub.fundamental_subspaces(np.zeros((0, 2))),
        fastsub.fundamental_subspaces(np.eye(20)),
        fastsub.solutions(np.zeros((0, 2)), []),
        fastsub.rref(np.zeros((2, 0))),
        fastsub.identifiability(np.random.default_rng(9203).standard_normal((90, 80))),
        fastsub.LeastSquares(np.empty((0, 2)), []),
        fastsub.ridge(A, B, [0.1, 1]),
        fastsub.rrqr(A * 1j),
        exact.rref(np.zeros((0, 2), int)),
        exact.inverse(np.diag(range(1, 12))),
        fastsub.matrix_rank(np.stack([A, A]), full_output=True)[1],
        fastsub.matrix_rank(np.zeros((2, 2)), full_output=True)[1],
    ],
    ids=repr,
)
def test_awkward_ones(thing):
    text = thing._repr_html_()
    Checked(text)
    assert len(text) < 20000


class TestTag:
    def test_escapes(self):
        assert tag("b", EVIL) == "<b>&lt;img src=x onerror=alert(1)&gt;</b>"
        assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'
        assert tag("p", ["<", tag("br"), None, [Html("<i></i>")]]) == "<p>&lt;<br><i></i></p>"

    def test_attributes(self):
        assert tag("p", class_="x", aria_label=1, hidden=True, a=None, b=False) == (
            '<p class="x" aria-label="1" hidden></p>'
        )

    def test_text_that_was_changed_is_text_again(self):
        assert type(tag("b") + EVIL) is str
        assert join([tag("b") + "<"]) == "&lt;b&gt;&lt;/b&gt;&lt;"

    def test_tables(self):
        table = facts({"<": "<", "left out": None, "many": list(range(20))}, "<caption>")
        assert "<caption>&lt;caption&gt;</caption>" in table
        assert "left out" not in table
        assert "and 12 more" in table
        assert grid({"<": ["<"], "n": [0.5]}) == (
            '<table><tr><th scope="col">&lt;</th><th scope="col">n</th></tr>'
            '<tr><th scope="row">&lt;</th><td class="number">0.5</td></tr></table>'
        )
        Checked(card("<T>", {"x": np.eye(3)}, [tag("p")]))
