"""The line that must stand beside every figure: processor, threads, BLAS, versions, date."""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastsub.extras import load


@dataclass(frozen=True)
class Machine:
    """Where and with what a comparison ran.

    Attributes
    ----------
    cpu : str
        The processor's own name for itself.
    cores : int
        Logical cores that this process may use.
    blas : tuple of str
        One entry a loaded library, such as ``"SciPy: openblas 0.3.30, 2 threads, SkylakeX"``.
    versions : tuple of str
        Python, NumPy, SciPy and, if installed, torch.
    date : str
        Year-month-day.
    load : float or None
        Processes that wanted a core in the last minute, where the system says: above 0.5 or so
        the figures are spoilt by somebody else.
    """

    cpu: str
    cores: int
    blas: tuple[str, ...]
    versions: tuple[str, ...]
    date: str
    load: float | None

    def __str__(self) -> str:
        cpu = f"{self.cpu}, {self.cores} core{'s' * (self.cores != 1)}"
        if self.load is not None:
            cpu += f", load {self.load:.1f} at the start"
        return "; ".join([cpu, *self.blas, ", ".join(self.versions), self.date])


def machine() -> Machine:
    """Describe this machine and the libraries loaded.

    Returns
    -------
    Machine

    Raises
    ------
    ModuleNotFoundError
        If threadpoolctl, of the extra ``bench``, is not installed.
    """
    threadpoolctl = load("threadpoolctl", "bench", "the machine's description needs")
    import scipy.linalg  # noqa: F401  (so that its BLAS is among those listed)

    has_torch = importlib.util.find_spec("torch") is not None
    if has_torch:
        import torch  # noqa: F401
    libraries = ["numpy", "scipy", *(["torch"] if has_torch else [])]
    return Machine(
        cpu=_cpu(),
        cores=_cores(),
        blas=tuple(sorted(_describe(pool) for pool in threadpoolctl.threadpool_info())),
        versions=(
            f"Python {platform.python_version()}",
            *(f"{_NAMES[name]} {importlib.metadata.version(name)}" for name in libraries),
        ),
        date=datetime.date.today().isoformat(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


_NAMES = {"numpy": "NumPy", "scipy": "SciPy", "torch": "torch"}


def _describe(pool: dict[str, Any]) -> str:
    """Say whose the library is, its name and version, its threads and the kernels it chose."""
    folders = Path(pool["filepath"]).parts
    owners = [name for key, name in _NAMES.items() if {key, f"{key}.libs"} & set(folders)]
    name = " ".join(str(pool[key]) for key in ("internal_api", "version") if pool.get(key))
    count = pool["num_threads"]
    parts = [name, f"{count} thread{'s' * (count != 1)}", pool.get("architecture")]
    return f"{owners[-1] if owners else 'shared'}: " + ", ".join(part for part in parts if part)


def _cpu() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
