"""The report page: whole, safe whatever the names are, and readable by everybody.

FASTSUB_SCREENSHOTS=folder keeps the screenshots of the browser's tests, to be looked at.
"""

import base64
import csv
import io
import itertools
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import browser
import numpy as np
import pytest

import fastsub
from fastsub import testing as ft

pytest.importorskip("matplotlib").use("Agg")
pytest.importorskip("typer")
from fastsub.cli import main  # noqa: E402
from fastsub.cli.page import sections  # noqa: E402

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "a_long_name_without_any_space_" * 4,
    "POP & <b>GNP</b>",
    "$\\frac{1}$",
    "'quoted' javascript:alert(3)",
]


class Page(HTMLParser):
    """Elements with their attributes and text, and what is not closed as it should be."""

    VOID = ("meta", "img", "source", "link", "br")

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, name, attributes):
        element = {"name": name, "text": "", "inside": [e["name"] for e in self._open]}
        self.elements.append(element | {"": element} | dict(attributes))
        if name not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, name):
        assert self._open.pop()["name"] == name

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, name):
        return [element for element in self.elements if element["name"] == name]

    def text(self, name):
        return [element[""]["text"] for element in self.all(name)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def evil(folder):
    """The page of a table whose column names, and file name, are markup."""
    source, out = folder / "<img src=x onerror=alert(4)>.csv", folder / "evil.html"
    X = np.random.default_rng(9101).integers(-9, 9, (12, 4)).astype(float)
    X = np.column_stack([X, X[:, 0] - 2 * X[:, 1], X[:, 2] + 0.5 * X[:, 3]])
    with source.open("w", newline="") as stream:
        csv.writer(stream).writerows([EVIL, *X.tolist()])
    assert main(["report", str(source), "--html", str(out)]) == 0
    return out, X


def write(folder, A, name):
    np.save(folder / f"{name}.npy", A)
    out = folder / f"{name}.html"
    assert main(["report", str(folder / f"{name}.npy"), "--html", str(out), "--force"]) == 0
    return Page(out.read_text("utf-8"))


def data(uri):
    assert uri.startswith("data:")
    return base64.b64decode(uri.partition(";base64,")[2])


class TestPage:
    def test_names_are_text(self, evil):
        page = Page(evil[0].read_text("utf-8"))
        assert not page.all("script")
        assert not [e for e in page.elements if any(key.startswith("on") for key in e)]
        assert {e["name"] for e in page.elements if "src" in e} == {"img"}
        relations = "".join(page.text("li"))
        assert "<script>alert(1)</script>" in relations
        assert "alert(4)" in page.text("h1")[0]

    def test_nothing_is_loaded(self, evil):
        text = evil[0].read_text("utf-8")
        page = Page(text)
        for element in page.elements:
            for key in ("src", "srcset", "href"):
                if key in element:
                    assert element[key].startswith(("data:", "#"))
        assert not re.search(r"url\(|@import|https?://", re.sub(r"base64,[\w+/=]+", "", text))
        policy = [e for e in page.all("meta") if e.get("http-equiv")]
        assert policy[0]["content"].startswith("default-src 'none'")

    def test_pictures_are_whole_and_for_both_schemes(self, evil):
        page = Page(evil[0].read_text("utf-8"))
        assert len(page.all("picture")) == len(page.all("img")) == 3
        for image, source in zip(page.all("img"), page.all("source"), strict=True):
            assert len(image["alt"]) > 40
            assert source["media"] == "(prefers-color-scheme: dark)"
            for uri in (image["src"], source["srcset"]):
                assert data(uri).rstrip().endswith(b"</svg>")
                assert b"<script" not in data(uri)

    def test_structure(self, evil):
        page = Page(evil[0].read_text("utf-8"))
        assert len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1
        assert page.all("html")[0]["lang"] == "en"
        identifiers = [e["id"] for e in page.elements if "id" in e]
        assert len(identifiers) == len(set(identifiers))
        for link in page.all("a"):
            if link["href"].startswith("#"):
                assert link["href"][1:] in identifiers
        for section in page.all("section"):
            assert section["aria-labelledby"] in identifiers
        levels = [int(e["name"][1]) for e in page.elements if re.fullmatch(r"h\d", e["name"])]
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
        assert all(e.get("scope") in ("row", "col") for e in page.all("th"))
        assert len(page.all("caption")) >= 3

    def test_downloads_are_the_bases(self, evil):
        out, X = evil
        links = {e["download"]: e for e in Page(out.read_text("utf-8")).all("a") if "download" in e}
        assert len(links) == 8
        N = np.load(io.BytesIO(data(links["null_space.npy"]["href"])), allow_pickle=False)
        assert N.shape == (6, 2)
        ft.check_orthonormal(N)
        ft.check_annihilates(X, N)
        text = data(links["null_space.csv"]["href"]).decode()
        np.testing.assert_array_equal(np.loadtxt(io.StringIO(text), delimiter=","), N)

    def test_certificate_in_words(self, evil):
        out, X = evil
        page = Page(out.read_text("utf-8"))
        proof = fastsub.COD(X).certificate
        paragraphs = " ".join(page.text("p"))
        assert "4 are passed on and 2 are destroyed: 4 + 2 = 6" in paragraphs
        assert "Rank 4, proved by bounds" in paragraphs
        assert f"at least {proof.sigma_r_lower:.2e}" in " ".join(page.text("td"))

    @pytest.mark.parametrize(
        ("name", "A", "pictures"),
        [
            ("map", [[1.0, 2], [2, 4]], 4),
            ("complex", np.outer([1, 2], [1j, 1, 0]), 2),
            ("zero", np.zeros((3, 2)), 4),
            ("one", [[3]], 2),
        ],
    )
    def test_other_matrices(self, folder, name, A, pictures):
        page = write(folder, np.array(A), name)
        rank = np.linalg.matrix_rank(A)
        assert len(page.all("picture")) == pictures
        assert f"rank {rank}, nullity {np.shape(A)[1] - rank}" in page.text("title")[0]

    def test_empty(self, folder):
        page = write(folder, np.empty((0, 3)), "empty")
        assert "0 + 3 = 3" in " ".join(page.text("p"))

    def test_large_bases_are_left_out_and_that_is_said(self, folder, monkeypatch):
        monkeypatch.setattr(sections, "LIMIT", 1000)
        A = np.random.default_rng(9103).standard_normal((40, 9))
        page = write(folder, A, "large")
        assert "too large for this page" in " ".join(page.text("td"))
        assert {e["download"] for e in page.all("a") if "download" in e} == set()
        assert "at most 1 kB" in " ".join(page.text("p"))

    def test_complex_csv_reads_back(self, folder):
        page = write(folder, np.outer([1, 2], [1j, 1, 2 - 1j]), "complex-csv")
        (link,) = [e for e in page.all("a") if e.get("download") == "null_space.csv"]
        N = np.loadtxt(io.BytesIO(data(link["href"])), complex, delimiter=",")
        np.testing.assert_allclose(np.array([1j, 1, 2 - 1j]) @ N, 0, atol=1e-14)

    @pytest.mark.parametrize(
        ("header", "relation"),
        [("a,b,b", "b (column 3) = 2·a"), ("a,b", "x2 = 2·x0"), ("a,,c", "c = 2·a")],
    )
    def test_names_that_do_not_tell_columns_apart(self, folder, header, relation):
        (folder / "names.csv").write_text(f"{header}\n1,0,2\n3,1,6\n")
        out = folder / "names.html"
        assert main(["report", str(folder / "names.csv"), "--html", str(out), "--force"]) == 0
        assert relation in Page(out.read_text("utf-8")).text("li")

    def test_same_page_twice(self, folder):
        A = np.random.default_rng(9107).standard_normal((4, 3))
        pages = []
        for _ in range(2):
            write(folder, A, "twice")
            pages.append((folder / "twice.html").read_bytes())
        assert pages[0] == pages[1]


class TestCommand:
    def test_bundled_matrix_is_reported_too(self, folder, capsys):
        assert main(["report", "--html", str(folder / "ecoli.html")]) == 0
        assert "67 + 28 = 95" in capsys.readouterr().out

    def test_refuses_to_overwrite(self, folder, capsys):
        out = folder / "there.html"
        out.write_text("mine")
        assert main(["report", "--html", str(out)]) == 2
        assert "--force overwrites it" in capsys.readouterr().err
        assert out.read_text() == "mine"
        assert main(["report", "--html", str(folder / "page.txt")]) == 2
        assert "give a name that ends in .html" in capsys.readouterr().err

    def test_matplotlib_is_named_where_it_is_missing(self, folder, capsys, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
        assert main(["report", "--html", str(folder / "none.html")]) == 2
        assert 'pip install "fastsub-linalg[plot]"' in capsys.readouterr().err
        assert not (folder / "none.html").exists()


# What a person would see is wrong, as far as a script can tell.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTSIDE = """[...document.querySelectorAll('h1, h2, h3, p, li, a, figcaption, caption')]
  .filter(e => !e.closest('.wide') && !e.matches('.skip, .unseen') && e.getClientRects().length)
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 ||
               e.getBoundingClientRect().left < -1)
  .map(e => e.outerHTML.slice(0, 80))"""
IMAGES = "[...document.images].map(i => [i.naturalWidth, i.currentSrc === i.src])"
CONTRAST = """(() => {
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => rgb(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return getComputedStyle(e).backgroundColor; }
    return 'rgb(255, 255, 255)'; };
  return [...document.body.querySelectorAll('*')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => { const a = light(getComputedStyle(e).color), b = light(behind(e));
                return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.outerHTML]; })
    .filter(([ratio]) => ratio < 4.5).map(([ratio, e]) => ratio + ' ' + e.slice(0, 80));
})()"""
FOCUS = """(() => { const e = document.activeElement, s = getComputedStyle(e),
  box = e.getBoundingClientRect();
  return [e.textContent || e.tagName, box.left >= 0 && box.width > 0,
          parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none']; })()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if not browser.find():
        pytest.skip("no Chromium")
    one = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield one
    one.close()


class TestInChromium:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [375, 1280])
    def test_is_seen_as_it_should_be(self, evil, chromium, scheme, width):
        chromium.open(evil[0].as_uri(), width, 900, scheme)
        assert chromium.run(OVERFLOW) <= 0
        assert chromium.run(OUTSIDE) == []
        assert chromium.run(CONTRAST) == []
        images = chromium.run(IMAGES)
        assert len(images) == 3
        assert all(size > 100 and own == (scheme == "light") for size, own in images)
        assert chromium.run("document.scripts.length") == 0
        if folder := os.environ.get("FASTSUB_SCREENSHOTS"):
            chromium.screenshot(Path(folder) / f"evil-{width}-{scheme}.png")
        requests = [r["request"]["url"] for r in chromium.reported("Network.requestWillBeSent")]
        assert all(url.startswith(("file:", "data:")) for url in requests)
        assert sum(url.startswith("file:") for url in requests) == 1
        for complaint in (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        ):
            assert chromium.reported(complaint) == []

    def test_by_the_keyboard(self, evil, chromium):
        chromium.open(evil[0].as_uri(), 1280, 900, "light")
        stops = []
        for _ in range(9):
            chromium.press("Tab")
            stops.append(chromium.run(FOCUS))
        assert stops[0][0] == "Skip to the report"
        assert [text for text, *_ in stops[1:6]] == [
            "Summary",
            "The four subspaces",
            "Who decided the rank",
            "Columns that depend on others",
            "Bases",
        ]
        assert all(visible and outlined for _, visible, outlined in stops)

    def test_a_basis_is_downloaded(self, evil, chromium, tmp_path):
        chromium.open(evil[0].as_uri(), 1280, 900, "light")
        path = chromium.download("a[download='null_space.npy']", tmp_path)
        assert path.name == "null_space.npy"
        ft.check_annihilates(evil[1], np.load(path))
