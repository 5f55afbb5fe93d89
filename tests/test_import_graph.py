"""Packages import in one direction, and torch is not imported before it computes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skcae

PACKAGE = Path(skcae.__file__).parent
# Each package imports only from itself and from those before it.
ORDER = [
    "utils",
    "distributed",
    "params",
    "data",
    "nn",
    "runtime",
    "persistence",
    "training",
    "estimators",
    "displays",
    "export",
]
# What nobody but the files named imports, by package.
WITHOUT = {
    "utils": {"torch", "skorch"},
    "params": {"torch", "skorch"},
    "data": {"torch", "skorch"},
    "nn": {"skorch", "sklearn"},
    "runtime": {"skorch"},
    "estimators": {"torch", "skorch"},
    "displays": {"torch", "skorch"},
}
ALLOWED = {("data/dataset_rows.py", "torch")}
# What stands at the top of the package.
DOORS = {"__init__.py", "onnx.py"}
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.glob("*/*.py")
    if path.name != "__init__.py"
)


def imports_of(path):
    """Return (level, module, names) of every import statement of a file."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            yield node.level, node.module or "", names


def own_imports_of(path):
    """Return the imports from within skcae, as "package" or "package.module"."""
    package = Path(path).parent.name
    for level, module, names in imports_of(path):
        if level == 1:
            yield f"{package}.{module}" if package else module
        elif level == 2 and module:
            yield module
        elif level:
            yield from names


def test_every_file_lives_in_a_package():
    assert {path.name for path in PACKAGE.glob("*.py")} == DOORS
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == set(ORDER)


@pytest.mark.parametrize("path", MODULES)
def test_packages_import_in_one_direction(path):
    package = Path(path).parent.name
    above = set(ORDER[: ORDER.index(package) + 1])
    imported = {name.split(".")[0] for name in own_imports_of(path)}
    assert imported <= above


def test_files_of_a_package_do_not_import_each_other_in_a_circle():
    graph = {
        path.removesuffix(".py").replace("/", "."): set(own_imports_of(path))
        for path in MODULES
    }
    while leaves := [name for name, needs in graph.items() if not needs & set(graph)]:
        for name in leaves:
            del graph[name]
    assert not graph


@pytest.mark.parametrize("package", ORDER)
def test_a_package_says_what_it_must_not_know(package):
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text())
    assert len(tree.body) == 1, "an __init__.py holds its docstring alone"
    assert len(ast.get_docstring(tree).split("\n\n")) == 2


@pytest.mark.parametrize("path", MODULES)
def test_a_package_does_not_import_what_it_must_not_know(path):
    foreign = {
        module.split(".")[0] for level, module, _ in imports_of(path) if not level
    }
    found = foreign & WITHOUT.get(Path(path).parent.name, set())
    assert not {name for name in found if (path, name) not in ALLOWED}


def test_only_one_file_imports_private_parts_of_scikit_learn():
    for path in MODULES:
        if path == "utils/sklearn_compat.py":
            continue
        for level, module, names in imports_of(path):
            if not level and module.split(".")[0] == "sklearn":
                parts = module.split(".") + names
                assert not [part for part in parts if part.startswith("_")], path


@pytest.mark.parametrize("path", MODULES)
def test_only_estimators_ask_which_processes_share_a_fit(path):
    imported = set(own_imports_of(path))
    package = Path(path).parent.name
    if package not in {"distributed", "estimators"}:
        assert "distributed.context" not in imported
    if package in {"params", "nn"}:
        assert not [name for name in imported if name.startswith("distributed")]


def test_building_a_pipeline_imports_neither_torch_nor_onnx():
    script = (
        "import sys, skcae; from sklearn.base import clone; "
        "clone(skcae.ConvAutoencoderTransformer(n_filters=3)); "
        "unwanted = {'torch', 'skorch', 'matplotlib', 'onnx', 'skl2onnx'}; "
        "assert not unwanted & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_public_names():
    assert skcae.__all__ == [
        "ConvAutoencoderClassifier",
        "ConvAutoencoderOutlierDetector",
        "ConvAutoencoderTransformer",
        "FeatureMapDisplay",
        "FilterDisplay",
        "ProgressLines",
        "ReconstructionDisplay",
        "TrainingCurveDisplay",
        "data_parallel",
        "recipes",
    ]
    assert skcae.__version__
