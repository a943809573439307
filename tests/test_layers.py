"""Imports point downward only, and `import fastsub` stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastsub

ROOT = Path(fastsub.__file__).parent

LAYERS = {
    "fastsub.errors": 0,
    "fastsub.extras": 0,
    "fastsub.data": 0,
    "fastsub.html": 0,
    "fastsub.kernels": 1,  # the package itself is empty
    "fastsub.kernels.blas": 1,
    "fastsub.kernels.scalars": 1,
    "fastsub.kernels.*": 2,
    "fastsub.factor": 3,
    "fastsub.functions": 4,
    "fastsub.exact": 4,
    "fastsub.models": 4,
    "fastsub.operators": 4,
    "fastsub.subspace": 4,
    "fastsub.solution": 4,
    "fastsub.sparse": 4,
    "fastsub.streams": 4,
    "fastsub": 5,
    "fastsub.cli": 5,
    "fastsub.dask": 5,
    "fastsub.plot": 5,
    "fastsub.bench": 5,
    "fastsub.patch": 5,
    "fastsub.testing": 5,  # nobody below may use it; what it may use stands in ITS_OWN
}
ITS_OWN = {"fastsub.testing": ("fastsub.testing", "fastsub.errors", "fastsub.data")}
"""Layers that may import these and nothing else of the package."""

THIRD_PARTY = {"numpy", "scipy", "libc", "cpython", "cython"}
"""What layers 0 to 4 may import besides the standard library."""

EXTRAS = {
    "fastsub.models.frames": {"narwhals"},
    "fastsub.exact.rational": {"sympy"},
    "fastsub.streams.tables": {"pyarrow"},
    "fastsub.factor.sparse.suitesparse": {"sparseqr"},
}
"""What a module may import inside a function, because somebody asked for it."""

OPTIONAL = {
    *(
        "rich",
        "typer",
        "click",
        "matplotlib",
        "torch",
        "narwhals",
        "pandas",
        "polars",
        "dask",
        "sympy",
        "flint",
    ),
    *("h5py", "zarr", "pyarrow", "mpmath", "threadpoolctl", "pytest", "hypothesis"),
    *("fastsub.cli", "fastsub.bench", "fastsub.testing", "fastsub.plot", "fastsub.patch"),
    "fastsub.dask",
}
"""What a plain `import fastsub` must not load."""

SOURCES = sorted(
    path for suffix in ("py", "pyi", "pyx", "pxd") for path in ROOT.rglob(f"*.{suffix}")
)


def module_of(path):
    """Dotted name of a source file: fastsub/factor/choose.py is fastsub.factor.choose."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in SOURCES}


def layer_of(module):
    """Layer of a module: the longest name in LAYERS that it begins with."""
    if module in LAYERS:
        return LAYERS[module]
    parts = module.split(".")
    if module.startswith("fastsub.kernels."):
        return LAYERS["fastsub.kernels.*"]
    for length in range(len(parts) - 1, 1, -1):
        if (name := ".".join(parts[:length])) in LAYERS:
            return LAYERS[name]
    raise AssertionError(f"{module} stands in no layer: give it one in test_layers.py")


def imports_of_python(text, module, is_package):
    """Yield (line, imported module); inside functions and `if TYPE_CHECKING` too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                home = module.split(".")
                home = home[: len(home) - node.level + is_package]
                base = ".".join([*home, *([base] if base else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield node.lineno, name if name in MODULES else base
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", ""))
            in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def imports_of_cython(text):
    """Yield (line, imported module) for import and cimport lines."""
    for match in re.finditer(
        r"^[ \t]*(from[ \t]+([\w.]+)[ \t]+)?c?import[ \t]+([^#\n]+)", text, re.M
    ):
        line = text.count("\n", 0, match.start()) + 1
        base = match[2]
        names = re.findall(r"([\w.]+)(?:[ \t]+as[ \t]+\w+)?", match[3])
        if base is None:
            yield from ((line, name) for name in names)
        else:
            for name in names or [""]:
                yield line, f"{base}.{name}" if f"{base}.{name}" in MODULES else base


def imports_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".pyx", ".pxd"):
        # Docstrings hold examples, not imports.
        blank = re.sub(r'"""[\s\S]*?"""', lambda match: "\n" * match[0].count("\n"), text)
        return sorted(set(imports_of_cython(blank)))
    return sorted(set(imports_of_python(text, module_of(path), path.stem == "__init__")))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downward(path):
    module, wrong = module_of(path), []
    allowed_outside = THIRD_PARTY | sys.stdlib_module_names | EXTRAS.get(module, set())
    for line, imported in imports_of(path):
        top = imported.partition(".")[0]
        if top != "fastsub":
            if layer_of(module) < 5 and top not in allowed_outside:
                wrong.append(f"line {line}: {module} (layer {layer_of(module)}) imports {top}")
            continue
        for package, allowed in ITS_OWN.items():
            if (module + ".").startswith(package + "."):
                if not any((imported + ".").startswith(name + ".") for name in allowed):
                    wrong.append(f"line {line}: {module} imports {imported}, may only {allowed}")
                break
        else:
            if layer_of(imported) > layer_of(module):
                wrong.append(
                    f"line {line}: {module} (layer {layer_of(module)}) imports {imported} "
                    f"(layer {layer_of(imported)})"
                )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("of_folders", [False, True])
def test_no_import_goes_round_a_circle(of_folders):
    """Neither from file to file, nor among the folders of factor/."""
    edges = {}
    for path in SOURCES:
        if path.suffix == ".py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            # What only a type checker reads is no circle at run time.
            tree.body = [node for node in tree.body if not _for_type_checkers(node)]
            module, is_package = module_of(path), path.stem == "__init__"
            found = {name for _, name in imports_of_python(ast.unparse(tree), module, is_package)}
            if of_folders:
                found = {folder_of(name) for name in found if name.startswith("fastsub.factor.")}
                module = folder_of(module)
                found.discard(module)
            edges.setdefault(module, set()).update(found)
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for imported in sorted(edges.get(module, ())):
            visit(imported)
        done.add(path.pop())

    for module in edges:
        visit(module)


def folder_of(module):
    """Dotted name of the folder of factor/ a module lies in; a module beside those is its own."""
    return ".".join(module.split(".")[:3])


def _for_type_checkers(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def test_the_reading_of_imports():
    """The reader itself: a lazy, a relative, a conditional and a cimported import are all seen."""
    text = "def f():\n    from fastsub.cli import main\nif 0:\n    from . import cod\nimport numpy"
    assert {
        name for _, name in imports_of_python(text, "fastsub.factor.orthogonal.urv", False)
    } == {
        "fastsub.cli",
        "fastsub.factor.orthogonal.cod",
        "numpy",
    }
    text = "cimport numpy\nfrom fastsub.kernels.blas cimport (\ncimport fastsub.kernels.rz as r"
    assert {name for _, name in imports_of_cython(text)} == {
        "numpy",
        "fastsub.kernels.blas",
        "fastsub.kernels.rz",
    }
    assert len(SOURCES) > 30
    assert sum(len(imports_of(path)) for path in SOURCES) > 100
    assert layer_of("fastsub.kernels.scalars") < layer_of("fastsub.kernels.qrcp")
    with pytest.raises(AssertionError, match="no layer"):
        layer_of("fastsub.unheard_of")


def run_python(code):
    """Run in a fresh interpreter that finds this very package; return what it printed."""
    setup = f"import sys; sys.path.insert(0, {str(ROOT.parent)!r}); "
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", setup + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_import_loads_nothing_optional():
    loaded = set(run_python("import fastsub; print(*sys.modules)"))
    assert "fastsub.factor.orthogonal.cod" in loaded
    assert not loaded & OPTIONAL


def test_import_starts_no_thread():
    # NumPy's and SciPy's BLAS start theirs; what is counted comes after them.
    code = (
        "import os, threading, numpy, scipy.linalg.cython_blas, scipy.linalg.cython_lapack\n"
        "task = '/proc/self/task'\n"
        "count = lambda: len(os.listdir(task)) if os.path.exists(task) else 0\n"
        "before = count()\n"
        "import fastsub\n"
        "print(count() - before, threading.active_count())"
    )
    assert run_python(code) == ["0", "1"]


def test_import_sets_no_environment_and_no_state():
    code = (
        "import os, warnings, numpy as np, scipy.linalg\n"
        "def state():\n"
        "    numpy = np.geterr(), np.get_printoptions(), np.random.get_state()[2]\n"
        "    return dict(os.environ), numpy\n"
        "before = state()\n"
        "import fastsub\n"
        "fastsub.null_space(np.ones((4, 3)))\n"
        "print(state() == before)"
    )
    assert run_python(code) == ["True"]
