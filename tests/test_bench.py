"""The benchmark runner: right answers first, both sides in turns, nothing hidden."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg

from fastsub import bench
from fastsub.bench import checks, flops, matrices, pages, summary, table, timing
from fastsub.bench.case import Case, Peer, WrongAnswerError
from fastsub.bench.peers import economy_null_space
from fastsub.bench.runner import Comparison, Row
from fastsub.bench.sweep import _MANY

DTYPES = ["float32", "float64", "complex64", "complex128"]


def null_space_case(ours=scipy.linalg.null_space, **peers):
    """Return a 6×5 case of rank 3."""
    return Case(
        group="null_space",
        title="",
        shape=(6, 5),
        rank=3,
        dtype="float64",
        make=lambda rng: (matrices.of_rank(rng, 6, 5, 3),),
        ours=ours,
        peers=peers or {"economy": Peer(economy_null_space, floor=1e6)},
        flops=flops.null_space(6, 5, 3),
        check=partial(checks.check_null_space, rank=3),
    )


def row(ratio=2.0, **fields):
    """Return a row without measuring."""
    base = Row(
        group="rank",
        title="",
        shape=(7, 7),
        rank=6,
        dtype="float64",
        peer="numpy",
        ours_seconds=1e-3,
        peer_seconds=ratio * 1e-3,
        gemm_seconds=1e-4,
        ratio=ratio,
        ratio_min=ratio,
        ratio_max=ratio,
        pairs=3,
        over_gemm=10.0,
        residual=None,
        floor=None,
        decided_by="bounds",
        method="fake",
    )
    return replace(base, **fields)


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *inputs):
        self.calls += 1
        return self.function(*inputs)


def test_measures_ours_the_peer_and_a_gemm():
    found = bench.measure(null_space_case(), "economy", budget=0.01)
    assert found.pairs >= timing.LEAST_PAIRS
    assert found.ratio_min <= found.ratio <= found.ratio_max
    assert found.ours_seconds > 0
    assert found.gemm_seconds > 0
    assert found.residual < 1e-14
    assert not found.floor_met


@pytest.mark.parametrize("wrong", ["ours", "theirs"])
def test_wrong_answer_is_refused_before_timing(wrong):
    def tilted(A):
        N = scipy.linalg.null_space(A)
        N[:, 0] = np.roll(N[:, 0], 1)
        return N

    ours = Counted(tilted if wrong == "ours" else scipy.linalg.null_space)
    theirs = Counted(tilted if wrong == "theirs" else scipy.linalg.null_space)
    case = null_space_case(ours, peer=Peer(theirs))
    with pytest.raises(WrongAnswerError):
        bench.measure(case, "peer")
    assert ours.calls == theirs.calls == 1
    comparison = bench.compare([case])
    assert not comparison.rows
    assert "WrongAnswerError" in comparison.refused[0].reason
    assert any("Refused" in line for line in table.remarks(comparison))


def test_who_answered_is_counted_once_a_matrix():
    methods = ("normal equations, 1 step", "normal equations, 0 steps", "lu, 1 step", "svd")
    rows = [
        row(group="lstsq", shape=(9, n), method=method, peer=peer)
        for n, method in enumerate(methods, 1)
        for peer in ("gelsd", "gelsy", "torch")[: 1 + n % 3]
    ]
    lines = table.remarks(bench.Comparison([*rows, row(method="another")]))
    assert (
        "Answers by method, lstsq: normal equations 50%, lu 25%, rank-revealing (svd) 25%." in lines
    )


def test_failing_peer_stops_nothing():
    def fails(A):
        raise np.linalg.LinAlgError("did not converge")

    case = null_space_case(failing=Peer(fails), good=Peer(economy_null_space))
    comparison = bench.compare([case], budget=0.001)
    assert [found.peer for found in comparison.rows] == ["good"]
    assert "did not converge" in comparison.refused[0].reason


def test_slow_peer_is_called_once_and_only_when_asked():
    slow = Counted(economy_null_space)
    case = null_space_case(slow=Peer(slow, slow=True))
    assert "slow" in bench.compare([case]).left_out[0]
    assert slow.calls == 0
    (found,) = bench.compare([case], slow=True).rows
    assert slow.calls == found.pairs == 1


def _spoil(answer, part=None):
    """Return an answer with one entry moved by a ten-thousandth."""
    if part is None:
        answer = answer.copy()
        answer.flat[1] += 1e-4
        return answer
    fields = vars(answer) if isinstance(answer, SimpleNamespace) else None
    return SimpleNamespace(**fields | {part: _spoil(fields[part])})


@pytest.mark.parametrize("dtype", DTYPES)
def test_checks_tell_right_from_wrong(dtype):
    A = matrices.of_rank(np.random.default_rng(33550336), 12, 9, 6, dtype)
    N, Q = scipy.linalg.null_space(A), scipy.linalg.orth(A)
    assert checks.check_null_space((A,), N, N, rank=6) < 1e-5
    assert checks.check_orth((A,), Q, Q, rank=6) < 1e-5
    for right, check in ((N, checks.check_null_space), (Q, checks.check_orth)):
        for wrong in (_spoil(right), right[:, :-1], right * np.nan):
            with pytest.raises(WrongAnswerError):
                check((A,), wrong, right, rank=6)
    checks.check_rank((A,), 6, np.int64(6), rank=6)
    for ours, theirs in ((5, 6), (6, 7)):
        with pytest.raises(WrongAnswerError):
            checks.check_rank((A,), ours, theirs, rank=6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_checks_of_factors_and_solutions(dtype):
    rng = np.random.default_rng(137438691328)
    A = matrices.of_rank(rng, 12, 9, 9, dtype)
    Q, R, p = scipy.linalg.qr(A, mode="economic", pivoting=True)
    ours = SimpleNamespace(Q=Q, R=R, p=p)
    for theirs in ((R, p), (scipy.linalg.qr(A, mode="r")[0],)):
        assert checks.check_rrqr((A,), ours, theirs, rank=9) < 1e-5
    for part in ("Q", "R"):
        with pytest.raises(WrongAnswerError):
            checks.check_rrqr((A,), _spoil(ours, part), (R, p), rank=9)

    b = matrices.right_hand_side(rng, A, 2)
    answer = scipy.linalg.lstsq(A, b)
    assert checks.check_lstsq((A, b), answer, answer[0], rank=9) < 1e-5
    for wrong in (_spoil(answer[0]) + 0.1, answer[0][:-1], (answer[0], None, 8, None)):
        with pytest.raises(WrongAnswerError):
            checks.check_lstsq((A, b), wrong, answer, rank=9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_matrices_have_the_rank_they_say(dtype, order):
    rng = np.random.default_rng(8589869056)
    for m, n, r in ((9, 9, 0), (9, 9, 9), (40, 7, 5), (7, 40, 1)):
        A = matrices.of_rank(rng, m, n, r, dtype, order)
        assert A.dtype == dtype
        assert A.flags[f"{order}_CONTIGUOUS"]
        assert np.linalg.matrix_rank(A) == r
    s = np.linalg.svd(matrices.undecided(rng, 80, 80, 70, dtype), compute_uv=False)
    assert 1 < s[69] / (80 * np.finfo(dtype).eps * s[0]) < 1.1


def test_turns_are_taken_and_everything_is_read():
    turns = []
    lazy = type("Lazy", (), {"R": property(lambda self: turns.append("R")), "p": None})()
    contenders = [
        timing.Contender(lambda: turns.append("ours") or lazy),
        timing.Contender(lambda: turns.append("theirs") or (np.ones(3),)),
    ]
    seconds = timing.interleave(contenders, 2)
    assert seconds.shape == (2, 2)
    assert (seconds > 0).all()
    assert [turn for turn in turns if turn != "R"] == ["ours", "theirs"] * 2
    assert "R" in turns  # asked for, though it is only made then


def test_flop_counts_are_the_textbook_ones():
    n = 30
    assert flops.qr_steps(n, n, n) == pytest.approx(4 * n**3 / 3)
    assert flops.qr_steps(50, n, n) == pytest.approx(2 * 50 * n**2 - 2 * n**3 / 3)
    assert flops.null_space(50, n, n) == flops.qr_steps(50, n, n)
    assert flops.orth(n, n, 0) == 0


def test_losing_cases_are_in_every_table(capsys):
    loses = null_space_case(lambda A: time.sleep(0.003) or scipy.linalg.null_space(A))
    comparison = bench.compare([loses], budget=0.001)
    assert comparison.rows[0].losing
    assert "slower**" in table.markdown(comparison, None)
    bench.print_table(comparison)
    printed = capsys.readouterr().out
    assert "economy" in printed
    assert "1 lost" in printed


def swept():
    """Return the comparison of a sweep of two shapes, 40 ratios from 0.5 on each."""
    ratios = np.linspace(0.5, 20, 40).tolist()
    rows = [
        row(each, part="sweep", shape=shape) for shape in ((7, 7), (900, 20)) for each in ratios
    ]
    return Comparison(rows=rows, classes=summary.classes(rows))


def test_sweep_is_shown_by_its_classes_and_every_losing_row():
    comparison = swept()
    small, tall = comparison.classes
    assert (small.sizes, small.aspect, small.count) == ("1-16", "square", 40)
    assert (tall.sizes, tall.aspect, tall.count) == ("501-2000", "tall", 40)
    assert (small.least, small.largest) == (0.5, 20)
    assert small.lost == sum(each.losing for each in comparison.rows[:40]) > 0
    assert "900×20" in tall.worst
    losing = [each for each in comparison.rows if each.losing]
    assert table._shown(comparison)["sweep"] == losing
    kept = pages.without_won(comparison)
    assert kept.rows == losing
    assert kept.classes == comparison.classes
    assert "80 comparisons" in " ".join(table.remarks(kept))


def test_json_comes_back(tmp_path):
    comparison = swept()
    comparison.rows.append(row(memory=0.5, residual=1e-15))
    comparison.refused.append(bench.Refused("case", "peer", "reason"))
    where = bench.Machine("cpu", 2, ("blas",), ("Python",), "2026-01-01", 0.5)
    rounded = Comparison(
        [replace(each, **_four_digits(each)) for each in comparison.rows],
        comparison.refused,
        comparison.left_out,
        [replace(each, **_four_digits(each)) for each in comparison.classes],
    )
    bench.write_json(tmp_path / "all.json", comparison, where)
    assert bench.read_json(tmp_path / "all.json") == (rounded, where)
    bench.write_json(tmp_path / "all.json", Comparison())
    assert bench.read_json(tmp_path / "all.json") == (Comparison(), None)


def _four_digits(values):
    return {
        name: float(f"{value:.4g}")
        for name, value in vars(values).items()
        if isinstance(value, float)
    }


def test_page_is_renewed_between_its_markers(tmp_path):
    page = tmp_path / "README.md"
    marked = f"before\n\n{pages.BEGIN}\nold\n{pages.END}\n\nafter\n"
    page.write_text(marked, encoding="utf-8")
    text = table.brief_markdown(
        Comparison(rows=[row(main=True, floor=1.0), row(0.25, main=True, floor=1.0)]), None
    )
    texts = []
    for _ in range(2):
        pages.update_page(page, text)
        texts.append(page.read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    assert texts[0].startswith(f"before\n\n{pages.BEGIN}\n")
    assert texts[0].endswith(f"{pages.END}\n\nafter\n")
    assert "old" not in texts[0]
    assert "0.25×" in texts[0]


@pytest.mark.parametrize("text", ["none", f"{pages.END} {pages.BEGIN}", pages.BEGIN + "\n"])
def test_page_without_markers_is_left_alone(text, tmp_path):
    page = tmp_path / "README.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="once each"):
        pages.update_page(page, "")
    assert page.read_text(encoding="utf-8") == text


def test_charts_and_pages_are_made_from_the_same_rows(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/benchmarks.md"):
        (tmp_path / name).write_text(f"{pages.BEGIN}\n{pages.END}\n", encoding="utf-8")
    curve = [
        row(
            part="growth",
            title="square",
            peer="scipy null_space",
            shape=(n, n),
            ours_seconds=n * 1e-6,
        )
        for n in (16, 100, 4000)
    ]
    comparison = Comparison(rows=[row(3.5, main=True, floor=3.0), row(4.5), *curve])
    written = bench.publish(tmp_path, comparison, None)
    pictures = [path for path in written if path.suffix == ".svg"]
    assert [path.name for path in pictures] == ["null-space-square.svg"]
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in bench.publish(tmp_path, comparison, None)] == before
    page, readme = (path.read_text(encoding="utf-8") for path in written[:2])
    assert "3.5×" in page
    assert "3.5×" in readme
    assert "4.5×" in page
    assert "4.5×" not in readme


def test_a_loss_is_measured_twice(monkeypatch):
    budgets = []

    def rounds(budget, turns):
        budgets.append(budget)
        return 3

    monkeypatch.setattr("fastsub.bench.runner.rounds_within", rounds)
    loses = null_space_case(lambda A: time.sleep(0.002) or scipy.linalg.null_space(A))
    assert bench.measure(loses, "economy", budget=0.5).losing
    assert budgets == [0.5, 1.0]
    budgets.clear()
    wins = null_space_case(slow=Peer(lambda A: time.sleep(0.002) or economy_null_space(A)))
    assert not bench.measure(wins, "slow", budget=0.5).losing
    assert budgets == [0.5]


def test_sweep_spends_its_pairs_where_the_ratio_is_near_one():
    def slower_by(factor):
        def call(A):
            time.sleep(0.03 * factor)
            return scipy.linalg.null_space(A)

        return call

    def case(theirs, title):
        found = null_space_case(slower_by(1.0), peer=Peer(slower_by(theirs), floor=1.0))
        return replace(found, title=title, part="sweep")

    clear, near = case(5.0, "clear"), case(1.1, "near")
    comparison = bench.compare_sweep([[clear, near]], budget=0)
    first, second = comparison.rows
    assert (first.title, first.pairs) == ("clear", 1)
    assert second.pairs == _MANY
    assert [each.count for each in comparison.classes] == [2]


def test_sweep_measures_again_before_it_calls_a_loss():
    again = []
    loses = null_space_case(lambda A: time.sleep(0.003) or scipy.linalg.null_space(A))
    loses = replace(loses, part="sweep")
    comparison = bench.compare_sweep([[loses]], budget=0.001, again=again.append)
    assert again == [loses.name]
    (found,) = comparison.rows
    assert found.losing
    assert found.gemm_seconds > 0  # which only the second measurement has
    assert comparison.classes[0].lost == 1


def test_sweep_refuses_wrong_answers():
    def wrong(A):
        return np.ones((5, 2))

    good = replace(null_space_case(), part="sweep")
    cases = [replace(null_space_case(wrong), part="sweep"), good]
    comparison = bench.compare_sweep([cases], budget=0.001)
    assert len(comparison.rows) == len(comparison.refused) == 1


def test_progress_counts_what_is_left():
    lines = []
    progress = bench.Progress(lines.append)
    first = progress.follow(["a", "b"], cost=lambda _: 1.0, name=str.upper)
    second = progress.follow(["c"], cost=lambda _: 198.0, name=str)
    assert progress.remaining() == "3 min left"
    assert [*first, *second] == ["a", "b", "c"]
    assert [line.split()[-1] for line in lines] == ["A", "B", "c"]
    assert progress.remaining() == "0 s left"


def test_cases_of_every_group_scale():
    assert {case.group for case in bench.cases()} == set(bench.GROUPS)
    for case, larger in zip(bench.cases(), bench.cases(scale=1.07), strict=True):
        assert larger.shape >= case.shape
        assert larger.part == "scaled"
        assert all(peer.floor for peer in larger.peers.values())
        assert (case.rank == min(case.shape)) == (larger.rank == min(larger.shape))
    names = [case.name for case in bench.cases()]
    assert len(set(names)) == len(names)
    with pytest.raises(ValueError, match="null_space"):
        bench.cases(["nullspace"])


def test_real_cases_hold_at_small_sizes():
    small = [case for case in bench.cases() if max(case.shape) <= 16 and "100000" not in case.title]
    swept = list(bench.sweep(sizes=(1, 3)))
    assert {case.group for case in small} == set(bench.GROUPS)
    comparison = bench.compare(small, budget=0) + bench.compare_sweep(swept, budget=0)
    assert not comparison.refused
    assert len(comparison.rows) >= len(small) + sum(map(len, swept))


def test_sweep_has_every_shape_rank_and_order():
    cases = [case for batch in bench.sweep(["rank"], sizes=(1, 3, 8)) for case in batch]
    found = {(case.shape, case.rank, "Fortran" in case.title) for case in cases}
    assert len(found) == len(cases)
    for m in (1, 3, 8):
        for n in (1, 3, 8):
            full = min(m, n)
            ranks = {0, 1, full // 2, full - 1, full}
            assert {rank for shape, rank, _ in found if shape == (m, n)} == ranks
    for case in cases:
        (A,) = case.inputs()
        assert A.flags.f_contiguous if "Fortran" in case.title else A.flags.c_contiguous
        assert np.linalg.matrix_rank(A) == case.rank


def test_curves_grow_and_have_their_peers():
    curves = list(bench.growth())
    assert {case.title for case in curves} == {"square", "tall"}
    for case in curves:
        m, n = case.shape
        assert 0 < case.rank < n <= m
        assert case.peers
        assert not any(peer.slow for peer in case.peers.values())
    square = [case.shape[0] for case in curves if case.title == "square"]
    assert square == sorted(square)
    assert (square[0], square[-1]) == (16, 4000)


def test_machine_names_processor_blas_and_versions():
    pytest.importorskip("threadpoolctl")
    line = str(bench.machine())
    assert f"NumPy {np.__version__}" in line
    assert "core" in line
    assert "thread" in line


def test_missing_extra_is_named(monkeypatch):
    for name in ("threadpoolctl", "rich"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"fastsub-linalg\[bench\]"):
        bench.machine()
    with pytest.raises(ModuleNotFoundError, match=r"fastsub-linalg\[bench\]"):
        bench.print_table(Comparison())
