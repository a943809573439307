"""Every code block of README.md and docs/ runs, in the order of its page, and prints what it says.

Blocks fenced as ``python`` share one namespace a page; with ``>>>`` they are doctests. In blocks
fenced as ``console`` the lines after ``$`` run in a shell, in a folder of the page's own, and must
print what follows, where ``...`` stands for anything. Blocks fenced as ``sh`` are the two commands
of the README, which are run on a clean checkout, not here.
"""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import fastsub

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<kind>[\w+-]*)[^\n]*\n(?P<body>.*?)^```$", re.M | re.S)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OPTIONAL = {
    *("torch", "sklearn", "sympy", "pandas", "polars", "narwhals", "matplotlib", "h5py", "zarr"),
    *("pyarrow", "dask", "distributed", "rich", "typer"),
}
"""Libraries without which a block is passed over."""

BLOCKS = [
    pytest.param(
        page, [(m["kind"], m["body"], text.count("\n", 0, m.start("body"))) for m in found],
        id=page.name,
    )
    for page in PAGES
    if (found := list(FENCE.finditer(text := page.read_text(encoding="utf-8"))))
]  # fmt: skip


def run_doctest(body, names, page, line):
    test = doctest.DocTestParser().get_doctest(body, names, page.name, str(page), line)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    said = []
    result = runner.run(test, out=said.append, clear_globs=False)
    assert not result.failed, "".join(said)
    names.update(test.globs)


def run_console(body, folder, where):
    """Run each line after ``$``, with what follows it as the wanted output."""
    bin_first = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = os.environ | {"PATH": bin_first, "COLUMNS": "100", "NO_COLOR": "1"}
    paths = [str(ROOT), os.environ.get("PYTHONPATH")]
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    # The command as it is called where the package is installed.
    define = f'fastsub() {{ "{sys.executable}" -m fastsub.cli "$@"; }}\n'
    for command, wanted in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.M):
        ran = subprocess.run(
            define + command, shell=True, cwd=folder, env=variables, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        got = re.sub(r"[ \t]+$", "", ran.stdout + ran.stderr, flags=re.M)
        same = doctest.OutputChecker().check_output(wanted, got, OPTIONS)
        assert same, f"{where}: $ {command}\nwanted:\n{wanted}\ngot:\n{got}"


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(("page", "blocks"), BLOCKS)
def test_the_code_of_a_page_runs(page, blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, passed_over = {"__name__": "__page__"}, []
    for kind, body, line in blocks:
        where = f"{page.name}, line {line + 1}"
        try:
            if kind == "python" and ">>>" in body:
                run_doctest(body, names, page, line)
            elif kind == "python":
                exec(compile("\n" * line + body, str(page), "exec"), names)
            elif kind == "console":
                pytest.importorskip("typer", reason="the command line is an extra")
                run_console(body, tmp_path, where)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in OPTIONAL:
                raise
            passed_over.append(f"{where} needs {error.name}")
        finally:
            if "fastsub.patch" in sys.modules:
                fastsub.unpatch_scipy()  # a page may leave it on
    if passed_over:
        pytest.skip("; ".join(passed_over))


def test_blocks_are_found_and_failures_seen(tmp_path):
    page = SimpleNamespace(name="page.md")
    with pytest.raises(AssertionError, match="Expected"):
        run_doctest(">>> 1 + 1\n3\n", {}, page, 0)
    with pytest.raises(AssertionError, match="wanted"):
        run_console("$ echo one\ntwo\n", tmp_path, "here")
    run_console("$ echo one && echo two\none\n...\n", tmp_path, "here")
    kinds = {kind for page in BLOCKS for kind, _, _ in page.values[1]}
    assert kinds <= {"python", "console", "sh", "text", ""}, f"blocks that no test runs: {kinds}"
