"""The commands rref, identify and bench; standard input, formats, names, completion."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from command import COMMAND, ENVIRONMENT, A
from rich.progress import Task

from fastsub.cli import benchmark, files, stdin
from fastsub.cli.benchmark import BenchFacts
from fastsub.cli.delimited import read_cells
from fastsub.cli.errors import InputError
from fastsub.cli.progress import _Times, in_words

TABLE = "a,b,c\n1/3,2,0.1\n2/3,4,0.2\n1,1e2,3\n"


def piped(data: bytes, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words],
        input=data,
        capture_output=True,
        env=ENVIRONMENT | environment,
        timeout=60,
        check=False,
    )


# ---- rref ----


def test_rref_in_floating_point(call):
    facts = json.loads(call("rref", "A.npy", "--json", "-o", "R.npy"))
    assert (facts["rank"], facts["nullity"], facts["arithmetic"]) == (3, 2, "float64")
    assert (facts["pivots"], facts["free"]) == ([0, 1, 2], [3, 4])
    assert facts["certificate"]["rank"] == 3
    R = np.load("R.npy")
    np.testing.assert_array_equal(R, facts["R"])
    np.testing.assert_array_equal(R[:3, :3], np.eye(3))
    np.testing.assert_allclose(A[:, :3] @ R[:3], A, atol=1e-13)
    out = call("rref", "A.npy")
    assert "columns 1, 2, 3" in out
    assert "R =" in out


def test_rref_over_the_rationals(call, here):
    (here / "t.csv").write_text(TABLE)
    facts = json.loads(call("rref", "t.csv", "--exact", "--json", "-o", "R.csv"))
    assert facts["R"] == [["1", "0", "6/47"], ["0", "1", "27/940"], ["0", "0", "0"]]
    assert facts["names"] == ["a", "b", "c"]
    assert (facts["certificate"], facts["growth"], facts["ambiguous"]) == (None, None, [])
    again = json.loads(call("rref", "R.csv", "--exact", "--json"))
    assert again["R"] == facts["R"]
    out = call("rref", "t.csv", "--exact")
    assert "6/47" in out
    assert "a, b" in out
    # 2**53 + 1 is no double: cells are never rounded.
    (here / "big.csv").write_text("9007199254740993,9007199254740992\n")
    facts = json.loads(call("rref", "big.csv", "--exact", "--json"))
    assert Fraction(facts["R"][0][1]) == Fraction(2**53, 2**53 + 1)


def test_rref_modulo_a_prime(call):
    np.save("B.npy", np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]))
    facts = json.loads(call("rref", "B.npy", "--mod", "2", "--json", "-o", "R.npy"))
    assert (facts["rank"], facts["arithmetic"]) == (2, "modulo 2")
    assert facts["R"] == np.load("R.npy").tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    assert json.loads(call("rref", "B.npy", "--mod", "3", "--json"))["rank"] == 3


def test_decimals_in_binary_files(call):
    np.save("d.npy", np.array([[0.1, 0.3]]))
    wanted = {(): Fraction(0.3) / Fraction(0.1), ("--decimals",): 3}
    for more, value in wanted.items():
        facts = json.loads(call("rref", "d.npy", "--exact", "--json", *more))
        assert Fraction(facts["R"][0][1]) == value


def test_a_large_or_empty_form_is_not_printed(call, monkeypatch):
    np.save("wide.npy", np.ones((2, 90)))
    assert "R is 2 x 90; -o R.npy writes it" in call("rref", "wide.npy")
    assert "-o R.csv writes it" in call("rref", "wide.npy", "--exact")
    assert "and 69 more" in " ".join(call("rref", "wide.npy").split())
    np.save("empty.npy", np.zeros((0, 3)))
    assert "R is empty (0 x 3)" in call("rref", "empty.npy")
    np.save("huge.npy", np.ones((2, 5001)))
    assert json.loads(call("rref", "huge.npy", "--json"))["R"] is None


def test_rref_says_when_columns_and_singular_values_disagree(call):
    n = 90
    K = np.diag(0.6 ** np.arange(n) * 1.0) @ (np.eye(n) - 0.8 * np.triu(np.ones((n, n)), 1))
    np.save("kahan.npy", K)
    facts = json.loads(call("rref", "kahan.npy", "--json"))
    out = call("rref", "kahan.npy")
    disagree = facts["rank"] != facts["certificate"]["rank"]
    assert ("singular values say rank" in out) == disagree
    assert ("near the tolerance" in out) == bool(facts["ambiguous"])
    assert disagree or facts["ambiguous"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["t.csv", "--exact", "--mod", "7"], "leave one of the two out"),
        (["t.csv", "--exact", "--rtol", "0.1"], "no tolerance"),
        (["t.csv", "--mod", "4"], "mod must be a prime below 2**63, got 4"),
        (["t.csv", "--exact", "-o", "R.npy"], "written as .csv"),
        (["t.csv", "-o", "R.csv"], "written as .npy"),
        (["t.csv"], "line 2, field 1: '1/3' is not a number"),
        (["z.csv", "--exact"], "line 1, field 2: '1/0' is not a rational number"),
        (["e.csv", "--exact"], "line 1, field 1: '1e99999' is not a rational number"),
        (["r.csv", "--exact"], "line 2 has 1 fields; the lines above have 2"),
        (["h.csv", "--exact"], "holds no numbers"),
        (["absent.csv", "--exact"], "No such file"),
    ],
)
def test_rref_refuses(refuse, here, words, said):
    texts = {"t": TABLE, "z": "1,1/0\n", "e": "1e99999,2\n", "r": "1,2\n3\n", "h": "a,b\n"}
    for name, text in texts.items():
        (here / f"{name}.csv").write_text(text)
    assert said in refuse("rref", *words)


# ---- identify ----


@pytest.fixture
def table(here):
    """Six columns of which "twice" is tied to "a", and "c" to nothing."""
    rng = np.random.default_rng(771)
    X = rng.standard_normal((30, 4)) + 5
    X[:, 2] = 2 * X[:, 0]
    lines = [",".join(map(repr, row)) for row in X.tolist()]
    (here / "t.csv").write_text("a,b,twice, c \n" + "\n".join(lines) + "\n")
    return X


def test_identify(call, table):
    facts = json.loads(call("identify", "t.csv", "--json", "-o", "out.csv"))
    assert (facts["rank"], facts["nullity"], facts["drop"]) == (3, 1, ["twice"])
    assert facts["groups"] == [["a", "twice"]]
    (relation,) = facts["relations"]
    assert relation["equation"] == "twice = 2·a"
    assert relation["coefficients"] == {"a": pytest.approx(2)}
    known = {each["name"]: each["identified"] for each in facts["parameters"]}
    assert known == {"a": False, "b": True, "twice": False, "c": True}
    rows = list(csv.DictReader(io.StringIO(Path("out.csv").read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == list(known)
    assert rows[2]["relation"] == "twice = 2·a"
    out = call("identify", "t.csv")
    assert "2 of 4 parameters" in out
    assert "twice = 2·a" in out


def test_identify_with_names_and_intercept(call, table):
    facts = json.loads(
        call(
            "identify", "t.csv", "--names", "p, q,r,s", "--intercept", "--keep", "pivoted", "--json"
        )
    )
    assert facts["intercept"]
    assert [each["name"] for each in facts["parameters"]] == list("pqrs")
    # With R^2 of a regression on the others: the textbook's.
    X = table[:, [0, 1, 3]]
    vif = np.diag(np.linalg.inv(np.corrcoef(X, rowvar=False)))
    np.testing.assert_allclose([facts["parameters"][i]["vif"] for i in (1, 3)], vif[1:], rtol=1e-6)


def test_identify_of_rounded_data(call, here):
    rng = np.random.default_rng(772)
    X = rng.standard_normal((40, 3))
    X[:, 2] = np.round(X[:, 0] + X[:, 1], 3)
    np.save("X.npy", X)
    assert "4 of" not in call("identify", "X.npy", "--rtol", "1e-2")
    assert json.loads(call("identify", "X.npy", "--json", "--rtol", "1e-2"))["nullity"] == 1
    assert json.loads(call("identify", "X.npy", "--json"))["nullity"] == 0
    np.save("Z.npy", X + 1j * X[:, ::-1])
    facts = json.loads(call("identify", "Z.npy", "--json"))
    assert [each["name"] for each in facts["parameters"]] == ["x0", "x1", "x2"]


def test_identify_of_many_columns_shows_the_least_certain(call, here):
    X = np.random.default_rng(773).standard_normal((99, 60))
    X[:, 59] = X[:, 58]
    np.save("X.npy", X)
    out = call("identify", "X.npy")
    assert "the 40 least certain of 60" in out
    assert "x59" in out.partition("parameter   known")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--names", "a,b"], "4 columns, but 2 names"),
        (["--names", "a,b,c,a"], "two columns are named 'a'"),
        (["--keep", "last"], "neither leftmost nor pivoted"),
        (["-o", "x.npy"], "written as .csv"),
    ],
)
def test_identify_refuses(refuse, table, words, said):
    assert said in refuse("identify", "t.csv", *words)


# ---- bench ----


def test_bench(call, here):
    pytest.importorskip("matplotlib")
    pytest.importorskip("threadpoolctl")
    words = ["bench", "rank", "--largest", "4", "--budget", "0.001"]
    out = call(*words)
    assert "numpy matrix_rank" in out
    assert " won, " in out
    assert out.endswith("chart: fastsub-bench.svg\n")
    assert (here / "fastsub-bench.svg").read_text().lstrip().startswith("<?xml")
    facts = json.loads(call(*words, "--json", "-o", "b.png"))
    assert {row["group"] for row in facts["rows"]} == {"rank"}
    assert max(max(row["shape"]) for row in facts["rows"]) <= 4
    assert (here / "b.png").read_bytes().startswith(b"\x89PNG")
    call(*words, "--no-chart", "-o", "absent.svg")
    assert not (here / "absent.svg").exists()


def test_bench_refuses(refuse, here, monkeypatch):
    assert "no function 'speed'; there are null_space" in refuse("bench", "speed")
    assert "written as .svg" in refuse("bench", "-o", "x.npy")
    (here / "fastsub-bench.svg").touch()
    assert "--force overwrites it" in refuse("bench")

    def missing(*_, **__):
        raise ModuleNotFoundError('needs threadpoolctl: pip install "fastsub-linalg[bench]"')

    monkeypatch.setattr(benchmark, "machine", missing)
    assert "fastsub-linalg[bench]" in refuse("bench", "--no-chart")


def test_bench_shows_losses_and_refusals(capsys):
    from rich.console import Console

    from fastsub.bench import Row

    def row(ratio, peer):
        seconds = (1e-6, ratio * 1e-6, None)
        span = (ratio, ratio, ratio, 3, None)
        return Row("rank", "", (3, 3), 2, "float64", peer, *seconds, *span, *[None] * 4)

    facts = BenchFacts("A machine", [row(0.5, "one"), row(2760.0, "two")], ["x: wrong"], ["left"])
    benchmark.show(Console(width=120), facts)
    out = capsys.readouterr().out
    assert "1 won, 1 lost" in out
    assert "2,760" in out
    assert "█" in out
    assert "Refused, x: wrong" in out


# ---- where the matrix comes from ----


def test_standard_input_of_every_kind(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet

    names = [f"c{j}" for j in range(5)]
    np.save(tmp_path / "a.npy", A)
    np.savez(tmp_path / "a.npz", A=A)
    scipy.io.savemat(tmp_path / "a.mat", {"A": A})
    scipy.io.mmwrite(tmp_path / "a.mtx", A, precision=17)
    np.savetxt(tmp_path / "a.csv", A, delimiter=",", header=",".join(names), comments="")
    np.savetxt(tmp_path / "a.tsv", A, delimiter="\t")
    table = pa.table(dict(zip(names, A.T, strict=True)))
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    found = sorted(tmp_path.iterdir())
    assert len(found) == 7
    for path in found:
        data = path.read_bytes()
        assert "." + stdin.sniff(data).removeprefix(".") == path.suffix
        np.testing.assert_allclose(files.read_matrix(path), A, rtol=1e-14)
        expected = names if path.suffix in (".csv", ".parquet") else None
        if path.suffix in (".csv", ".tsv", ".parquet"):
            assert files.read_names(path) == expected
    ran = piped((tmp_path / "a.parquet").read_bytes(), "identify", "-", "--json")
    assert ran.returncode == 0, ran.stderr
    assert [each["name"] for each in json.loads(ran.stdout)["parameters"]] == names


def test_standard_input(here):
    ran = piped(b"1 2\n3 4\n", "rref", "-")
    assert ran.returncode == 2
    assert ran.stderr.startswith(b"fastsub: -: line 2, field 1: '3 4' is not a number")
    ran = piped(b"", "report", "-")
    assert (ran.returncode, ran.stderr) == (2, b"fastsub: standard input is empty\n")
    ran = piped(b"1,2\n2,4\n", "null", "-", "--format", "csv")
    assert ran.returncode == 0
    assert b"standard input   2 x 2" in ran.stdout
    ran = piped(b"1,2\n2,4\n", "solve", "-", "-")
    assert b"cannot both come from standard input" in ran.stderr
    ran = piped(b"1,2\n2,4\n", "null", "-", "--format", "npy")
    assert ran.stderr.startswith(b"fastsub: -: not a .npy file")


def test_the_keyboard_is_no_matrix(refuse, monkeypatch):
    stdin.spooled.cache_clear()

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert "standard input is the keyboard" in refuse("null", "-")


def test_format(call, refuse, here):
    (here / "A.npy").rename("data.bin")
    assert "say --format" in refuse("null", "data.bin")
    assert json.loads(call("null", "data.bin", "--format", "NPY", "--json"))["rank"] == 3
    assert "'doc' is none of npy" in refuse("null", "data.bin", "--format", "doc")


def test_parquet_says_what_it_cannot_read(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    for column, said in [
        ([1.0, None], "misses 1 of 2 values"),
        (["x", "y"], "not numbers"),
        ([[1.0], [2.0]], "not numbers"),
    ]:
        pyarrow.parquet.write_table(pa.table({"who": column}), path)
        with pytest.raises(InputError, match=said) as caught:
            files.read_matrix(path)
        assert "'who'" in str(caught.value)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"not a readable \.parquet file"):
        files.read_matrix(path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r'pip install "fastsub-linalg\[files\]"'):
        files.read_matrix(path)


def test_cells_keep_what_is_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x y,z\n 1/3 ,-.5e-3\n+2,3.\n")
    assert read_cells(path, ",") == [["1/3", "-.5e-3"], ["+2", "3."]]
    path.write_bytes(b"\xff\xfe1")
    with pytest.raises(InputError, match="UTF-8"):
        read_cells(path, ",")


# ---- what surrounds ----


def test_completion_of_the_shell():
    def complete(line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()))}
        ran = piped(b"", _FASTSUB_COMPLETE="complete_bash", **words)
        return ran.stdout.decode().split()

    assert {"report", "null", "solve", "rref", "identify", "bench"} <= set(complete("fastsub "))
    assert "null_space" in complete("fastsub bench ")
    assert "parquet" in complete("fastsub null x --format ")


def test_the_time_left_in_words():
    task = Task(0, "factoring", 100.0, 0, _get_time=lambda: 30.0)
    task.start_time = 0.0
    assert str(_Times().render(task)) == "30 s, about 70 s left"
    task.total = 30.5
    assert str(_Times().render(task)) == "30 s, any moment"
    task.total = 10.0
    assert str(_Times().render(task)) == "30 s, longer than usual"
    task.total = None
    assert str(_Times().render(task)) == "30 s"
    assert [in_words(s) for s in (99, 600, 9000)] == ["99 s", "10 min", "2.5 h"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_long_work_shows_the_time_left_on_a_terminal(here):
    master, slave = os.openpty()
    code = (
        "import time\nfrom fastsub.cli import progress\nprogress.PATIENCE = 0\n"
        "with progress.working('factoring', 1e13):\n    time.sleep(0.6)"
    )
    ran = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=slave,
        env=ENVIRONMENT | {"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert ran.wait(20) == 0
    assert b"factoring" in shown
    assert b"left" in shown
