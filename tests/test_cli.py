"""The command: what it says, what it writes, and one line with status 2 where it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import entry_points

import numpy as np
import pytest
import scipy.io
from command import COMMAND, ENVIRONMENT, A
from typer.testing import CliRunner

import fastsub
from fastsub.cli import main, report
from fastsub.cli.app import app
from fastsub.cli.facts import spectral_norm, to_json
from fastsub.cli.report import analyse
from fastsub.data import ecoli_core

# ---- report ----


def test_report_on_the_bundled_matrix(call):
    out = call("report")
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert {"rank 67", "nullity 28", "ecoli_core 72 x 95, float64"} <= lines
    assert "67 + 28 = 95 = n" in out
    assert "Orth, Fleming, Palsson 2010" in out
    for name, dimension, space in [
        ("column space", 67, "R^72"),
        ("left null space", 5, "R^72"),
        ("row space", 67, "R^95"),
        ("null space", 28, "R^95"),
    ]:
        assert any(line.startswith(f"{name} {dimension} {space} ") for line in lines)


def test_report_as_json(call):
    facts = json.loads(call("report", "--json", "--compare"))
    assert (facts["rank"], facts["nullity"], facts["rank_plus_nullity_is_n"]) == (67, 28, True)
    assert facts["subspaces"]["left_null_space"] == {"dimension": 5, "ambient": 72}
    assert facts["certificate"]["rank"] == 67
    assert facts["certificate"]["sigma_next_upper"] <= facts["certificate"]["tol"]
    assert facts["null_residual"] < 1e-14
    assert facts["null_orthonormality"] < 1e-13
    sigma = np.linalg.svd(ecoli_core(), compute_uv=False)
    assert 0.1 < facts["condition"] / (sigma[0] / sigma[66]) < 10
    for row in facts["comparison"]:
        assert row["rank"] == row["peer_rank"] == 67
        assert row["ratio"] == pytest.approx(row["peer_seconds"] / row["seconds"])


def test_report_beside_scipy_and_numpy(call):
    out = call("report", "A.npy", "--compare")
    for name in ("scipy.linalg.null_space", "numpy.linalg.matrix_rank", "fastsub.null_space"):
        assert name in out
    assert "times faster" in out or "times slower" in out or "as fast" in out


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (3, 2)])
def test_report_on_nothing(call, shape):
    np.save("zero.npy", np.zeros(shape))
    facts = json.loads(call("report", "zero.npy", "--json", "--compare"))
    assert (facts["rank"], facts["nullity"]) == (0, shape[1])
    assert facts["condition"] is None
    assert facts["certificate"]["sigma_r_lower"] is None  # infinite
    assert "no singular value is above the cutoff" in call("report", "zero.npy")


def test_report_says_what_it_computed_in(call):
    np.save("int.npy", np.array([[1, 2], [2, 4]]))
    assert "int64, computed in float64" in call("report", "int.npy")
    np.save("complex.npy", A + 1j * A)
    assert "C^6" in call("report", "complex.npy")


def test_rtol_moves_the_cutoff(call):
    np.save("D.npy", np.diag([1.0, 1e-2, 1e-5]))
    ranks = [
        json.loads(call("report", "D.npy", "--json", *more))["rank"]
        for more in ([], ["--rtol", "1e-3"], ["--rtol", "0.1"])
    ]
    assert ranks == [3, 2, 1]


def test_key(call):
    scipy.io.savemat("two.mat", {"A": A, "I": np.eye(4)})
    assert json.loads(call("report", "two.mat", "--key", "I", "--json"))["rank"] == 4


def test_a_basis_too_large_is_not_made(call, monkeypatch):
    monkeypatch.setattr(report, "physical_memory", lambda: 100)
    facts = json.loads(call("report", "A.npy", "--json", "--compare"))
    assert (facts["rank"], facts["nullity"], facts["rank_plus_nullity_is_n"]) == (3, 2, None)
    assert all("memory" in row["skipped"] for row in facts["comparison"])
    assert "not checked" in call("report", "A.npy")
    assert "not run: it would need" in call("report", "A.npy", "--compare")


def test_facts_know_when_they_do_not_add_up():
    facts = analyse(A, "A")
    assert facts.rank_plus_nullity_is_n
    assert '"rank": 3' in to_json(facts)
    assert "NaN" not in to_json(analyse(np.zeros((2, 2)), "zero"))


# ---- null ----


def test_null_writes_an_orthonormal_basis(call, refuse):
    out = call("null", "A.npy", "-o", "N.npy")
    assert "written to N.npy" in out
    assert "5 columns - rank 3" in out
    N = np.load("N.npy")
    assert N.shape == (5, 2)
    np.testing.assert_allclose(A @ N, 0, atol=1e-14)
    np.testing.assert_allclose(N.T @ N, np.eye(2), atol=1e-14)
    before = os.stat("N.npy").st_mtime_ns
    assert "--force" in refuse("null", "A.npy", "-o", "N.npy")
    assert os.stat("N.npy").st_mtime_ns == before
    facts = json.loads(call("null", "A.npy", "-o", "N.npy", "--force", "--json"))
    assert (facts["nullity"], facts["output"]) == (2, "N.npy")
    assert facts["residual"] < 1e-15


def test_null_shows_a_small_basis(call):
    assert "N =\n[[" in call("null", "A.npy")
    np.save("wide.npy", A[:1].repeat(9, axis=1))
    assert "-o N.npy writes it" in call("null", "wide.npy")
    np.save("I.npy", np.eye(3))
    assert "N is empty (3 x 0)" in call("null", "I.npy")


# ---- solve ----


def test_solve_four_cases(call):
    np.save("tall.npy", A[:, :3])
    np.save("d.npy", A[:, :3] @ np.ones(3))
    for matrix, b, kind, freedom in [
        ("A.npy", "b.npy", "infinite", 2),
        ("A.npy", "c.npy", "none", 2),
        ("tall.npy", "d.npy", "unique", 0),
        ("tall.npy", "c.npy", "none", 0),
    ]:
        facts = json.loads(call("solve", matrix, b, "-o", "x.npy", "--force", "--json"))
        assert [column["kind"] for column in facts["right_hand_sides"]] == [kind]
        assert facts["freedom"] == freedom
        M, v = np.load(matrix), np.load(b)
        x = np.linalg.lstsq(M, v, rcond=None)[0]  # of minimum norm, too
        np.testing.assert_allclose(np.load("x.npy"), x, rtol=1e-9, atol=1e-12)
        residual = facts["right_hand_sides"][0]["residual_norm"]
        assert residual == pytest.approx(np.linalg.norm(v - M @ x), abs=1e-10)


def test_solve_says_it_in_words(call):
    assert "infinitely many solutions" in call("solve", "A.npy", "b.npy")
    assert "b is not in the column space of A" in call("solve", "A.npy", "c.npy")
    np.save("I.npy", np.eye(6))
    out = call("solve", "I.npy", "c.npy")
    assert "exactly one solution" in out
    assert "x =\n[" in out


def test_solve_many_right_hand_sides(call):
    np.save("B.npy", np.c_[A @ np.ones(5), np.arange(6.0), np.zeros(6)])
    out = call("solve", "A.npy", "B.npy", "-o", "X.npy")
    assert [line.split()[0] for line in out.splitlines() if "solution" in line[30:]][-3:] == [
        "1",
        "2",
        "3",
    ]
    assert np.load("X.npy").shape == (5, 3)
    facts = json.loads(call("solve", "A.npy", "B.npy", "--json"))
    assert facts["kinds"] == {"infinite": 2, "none": 1}
    np.save("B.npy", np.random.default_rng(1908).standard_normal((6, 30)))
    assert "the first 20 of 30; in all, no solution: 30" in call("solve", "A.npy", "B.npy")


def test_solve_promotes_and_takes_a_row(call):
    scipy.io.savemat("two.mat", {"A": A.astype("f4"), "b": (A @ np.ones(5)) * 1j})
    facts = json.loads(
        call("solve", "two.mat", "two.mat", "--key", "A", "--key-b", "b", "--json", "--rtol=1e-6")
    )
    assert facts["dtype"] == "complex128"
    assert facts["kinds"] == {"infinite": 1}


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_solve_at_the_ends_of_the_range(call, scale):
    np.save("A.npy", A * scale)
    for b, kind in [("b.npy", "infinite"), ("c.npy", "none")]:
        np.save(b, np.load(b) * scale)
        assert json.loads(call("solve", "A.npy", b, "--json"))["kinds"] == {kind: 1}


def test_spectral_norm_bounds_from_below():
    for M in (A, A.T, A * 1e-300, A * 1e300, A + 1j * A[::-1]):
        sigma = np.linalg.norm(M / np.abs(M).max(), 2) * np.abs(M).max()
        assert 0.9 * sigma <= spectral_norm(M) <= sigma * (1 + 1e-14)
    assert spectral_norm(np.zeros((2, 3))) == spectral_norm(np.zeros((0, 3))) == 0


# ---- what is refused ----

REFUSED = {
    "missing": (["report", "no.npy"], "no.npy: No such file"),
    "folder": (["null", "."], "is a directory"),
    "vector": (["report", "b.npy"], "reshape(-1, 1)"),
    "rows": (["solve", "A.npy", "few.npy"], "few.npy has 2 rows, but A.npy has 6"),
    "transposed": (["solve", "A.npy", "wide.npy"], "is it transposed?"),
    "suffix": (["null", "A.npy", "-o", "N.csv"], "ends in .npy"),
    "nowhere": (["solve", "A.npy", "b.npy", "-o", "no/x.npy"], "no such directory"),
    "rtol nan": (["report", "--rtol", "nan"], "--rtol"),
    "rtol negative": (["report", "--rtol=-1"], "--rtol"),
    "rtol word": (["report", "--rtol", "small"], "--rtol"),
    "option": (["report", "--colour"], "--colour"),
    "command": (["inverse"], "inverse"),
    "argument": (["solve", "A.npy"], "B"),
    "key of the bundled": (["report", "--key", "A"], "--key"),
    "object": (["report", "object.npy"], "never unpickled"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(refuse, name):
    arguments, words = REFUSED[name]
    np.save("few.npy", np.ones(2))
    np.save("wide.npy", np.ones((2, 6)))
    np.save("object.npy", np.array([[{}]]), allow_pickle=True)
    assert words in refuse(*arguments)


def test_failures_of_memory_and_convergence(refuse, monkeypatch):
    for error in (MemoryError("needs 8 TB"), fastsub.ConvergenceError("the SVD\ngave up", 3)):

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr("fastsub.cli.app.analyse", fail)
        assert str(error).split()[0] in refuse("report")


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
def test_file_names_are_only_text(call, refuse):
    for name in ("[bold]x[red].npy", "a\x1b[31mb\n.npy", "[link=x]y.npy"):
        np.save(name, A)
        shown = repr(name)[1:-1]
        assert shown in call("report", name)
        assert shown in call("solve", name, "b.npy", "-o", name, "--force")
        assert shown in refuse("report", name)  # a vector by now
        assert json.loads(call("solve", "A.npy", "b.npy", "--json"))["matrix"] == "A.npy"


# ---- the command as a whole ----


def test_help_and_version(call):
    assert call("--version") == f"fastsub {fastsub.__version__}\n"
    for command in ("report", "null", "solve", "rref", "identify", "bench"):
        assert command in call("--help")
        assert f"fastsub {command}" in call(command, "--help").partition("Examples:")[2]
    assert call() == call("--help")
    assert CliRunner().invoke(app, ["report", "--json"]).exit_code == 0


def test_the_entry_point_is_main():
    for entry in entry_points(group="console_scripts", name="fastsub"):
        assert entry.load() is main


def test_without_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "fastsub.cli.app")
    assert main(["report"]) == 2
    assert 'pip install "fastsub-linalg[cli]"' in capsys.readouterr().err


def test_interrupted(monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastsub.cli.app.analyse", interrupt)
    assert main(["report"]) == 130
    assert capsys.readouterr().err.strip() == "fastsub: interrupted"


def test_as_a_process(here):
    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            env={**ENVIRONMENT, **environment},
            check=False,
        )

    report = run("report", PYTHONIOENCODING="ascii")
    assert (report.returncode, report.stderr) == (0, b"")
    assert b"rank + nullity" in report.stdout
    assert b"\x1b" not in report.stdout
    missing = run("report", "no.npy")
    assert (missing.returncode, missing.stdout) == (2, b"")
    assert missing.stderr.decode().splitlines() == ["fastsub: no.npy: No such file or directory"]


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
def test_in_a_terminal(here):
    """Progress shows on the terminal behind stderr, Ctrl-C ends it with 130 and one line."""
    import pty

    ours, theirs = pty.openpty()
    slow = (
        "import sys, time, fastsub.cli.app as app; from fastsub.cli import main;"
        "app.analyse = lambda *_, **__: (sys.stderr.write('at work'), sys.stderr.flush(),"
        " [time.sleep(0.1) for _ in range(600)]);"  # another thread may be given the signal
        "sys.exit(main(['report']))"
    )
    environment = {**ENVIRONMENT, "TERM": "xterm"}
    # What a shell starts in the background ignores interrupts, and so do its children.
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        [sys.executable, "-c", slow],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
        preexec_fn=heeding,
    ) as process:
        os.close(theirs)
        shown, deadline = b"", time.monotonic() + 30
        # Until it works and says so: an interrupt of what only starts ends otherwise.
        wanted = b"at work", b"analysing 72 x 95"
        while not all(part in shown for part in wanted) and time.monotonic() < deadline:
            shown += _read(ours)
        process.send_signal(signal.SIGINT)
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert b"analysing 72 x 95" in shown
    assert process.returncode == 130, shown[-1000:].decode(errors="replace")
    assert shown.rstrip().endswith(b"fastsub: interrupted")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other side is closed
        return b""
