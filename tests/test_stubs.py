"""The stubs say what the sources of the compiled modules say: names, arguments, defaults, types."""

import ast
import importlib
import pkgutil
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from fastsub import kernels

FOLDER = Path(kernels.__file__).parent
MODULES = [
    module.name
    for module in pkgutil.iter_modules(kernels.__path__)
    if not find_spec(f"fastsub.kernels.{module.name}").origin.endswith(".py")
]

modules = pytest.mark.parametrize("name", MODULES)

# What a type of the source is called in a stub, as a regular expression.
TYPES = {
    "str": r"str|_\w+",  # an alias of Literal
    "bint": "bool",
    "int": "int",
    "Py_ssize_t": "int",
    "double": "float",
    "scalar": "complex",
    "double[]": r"NDArray\[np.float64\]",
    "blas_int[]": r"NDArray\[np.intc\]",
    "scalar[]": r"NDArray\[(_Scalar|Any)\]",
}


def in_source(name):
    """{function: [(argument, type, default or None)]} of the `def py_*` lines of the .pyx."""
    source = (FOLDER / f"{name}.pyx").read_text(encoding="utf-8")
    found = {}
    for match in re.finditer(r"^def (py_\w+)\((.*?)\):\s", source, re.MULTILINE | re.DOTALL):
        # One line; `const scalar[::1, :] A` becomes `scalar[] A`.
        text = re.sub(r"\[[:1, ]*\]", "[]", " ".join(match[2].split()))
        found[match[1]] = []
        for argument in filter(None, text.replace("const ", "").split(", ")):
            declared, _, default = argument.partition("=")
            kind, _, argument_name = declared.strip().rpartition(" ")
            found[match[1]].append((argument_name, kind, default.strip() or None))
    return found


def in_stub(name):
    """The same of the stub."""
    found = {}
    for node in ast.parse((FOLDER / f"{name}.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            arguments = node.args.args
            defaults = [ast.unparse(default) for default in node.args.defaults]
            defaults = [None] * (len(arguments) - len(defaults)) + defaults
            found[node.name] = [
                (argument.arg, ast.unparse(argument.annotation), default)
                for argument, default in zip(arguments, defaults, strict=True)
            ]
    return found


def test_every_kernel_is_compiled():
    assert {"blas", "qrcp", "householder", "rz", "triangular", "gram", "layout"} <= set(MODULES)


@modules
def test_names(name):
    compiled = importlib.import_module(f"fastsub.kernels.{name}")
    public = {function for function in dir(compiled) if function.startswith("py_")}
    assert set(in_stub(name)) == public
    assert set(in_source(name)) == public


@modules
def test_arguments(name):
    stub = in_stub(name)
    for function, wanted in in_source(name).items():
        got = stub[function]
        assert [argument for argument, _, _ in got] == [argument for argument, _, _ in wanted]
        assert [default for *_, default in got] == [default for *_, default in wanted], function
        for (argument, kind, _), (_, annotation, _) in zip(wanted, got, strict=True):
            pattern = TYPES.get(kind, ".*")
            assert re.fullmatch(rf"({pattern})( \| None)?", annotation), (
                f"{function}, {argument}: {annotation}"
            )
