"""By family of matrices, who decided ranks and who solved: printed when the tests end.

A plugin of pytest that `test_collection.py` registers while it runs; nothing is printed without it.
"""

from collections import Counter, defaultdict

import numpy as np

DTYPES = ("float32", "float64", "complex64", "complex128")
PATHS = ("function", "blocked")
"""As a user calls it, and by the blocked decomposition, which large matrices take."""


def of_path(method):
    """The path that a certificate's method names, without steps and details."""
    first = method.partition(",")[0]
    return (
        first
        if first in ("normal equations", "preconditioned", "lu")
        else ("small" if first.startswith("small") else "rank-revealing")
    )


class Shares:
    """Counts of the decisions on matrices that have a gap."""

    def __init__(self):
        # (path, family, dtype) -> who decided each matrix
        self.decided = defaultdict(list)
        # family -> which path solved its least-squares problems
        self.solved = defaultdict(Counter)

    def add(self, path, family, dtype, decided_by):
        """Count one decision."""
        self.decided[path, family, np.dtype(dtype).name].append(decided_by == "bounds")

    def solve(self, family, method):
        """Count one least-squares problem."""
        self.solved[family][of_path(method)] += 1

    def of(self, path, dtype, family=None):
        """Return the share decided by bounds and the number of matrices."""
        decided = [
            by_bounds
            for (p, f, d), some in self.decided.items()
            if p == path and d == np.dtype(dtype).name and family in (None, f)
            for by_bounds in some
        ]
        return (float(np.mean(decided)) if decided else 1.0), len(decided)

    def pytest_terminal_summary(self, terminalreporter):
        """Print both tables."""
        self._print_solved(terminalreporter)
        self._print_decided(terminalreporter)

    def _print_solved(self, terminalreporter):
        """Print one line per family, one column per path of least squares."""
        if not self.solved:
            return
        total = sum(self.solved.values(), Counter())
        terminalreporter.section("least squares by path")
        paths = [path for path, _ in total.most_common()]
        terminalreporter.write_line(f"{'family':22}" + "".join(f"{path:>18}" for path in paths))
        for family, counts in (*self.solved.items(), ("all", total)):
            cells = (f"{counts[path] / counts.total():.0%}" for path in paths)
            line = f"{family:22}" + "".join(f"{cell:>18}" for cell in cells)
            terminalreporter.write_line(f"{line}   of {counts.total()}")

    def _print_decided(self, terminalreporter):
        """Print one line per family, one column per path and dtype."""
        if not self.decided:
            return
        columns = [(path, dtype) for path in PATHS for dtype in DTYPES]
        write = terminalreporter.write_line
        terminalreporter.section("rank decisions made by bounds, of matrices that have a gap")
        write("".join(f"{'':22}" + "".join(f"{path:^52}" for path in PATHS)))
        write(f"{'family':22}" + "".join(f"{dtype:>13}" for _, dtype in columns))
        for family in dict.fromkeys(f for _, f, _ in self.decided):
            write(f"{family:22}" + self._cells(columns, family))
        write(f"{'all':22}" + self._cells(columns, None))

    def _cells(self, columns, family):
        cells = []
        for path, dtype in columns:
            share, count = self.of(path, dtype, family)
            cells.append(f"{share:.0%} of {count}" if count else "-")
        return "".join(f"{cell:>13}" for cell in cells)


SHARES = Shares()
