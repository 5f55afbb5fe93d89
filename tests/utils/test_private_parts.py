"""Which private parts of other libraries are used, and whether they are still there."""

import ast
import importlib
from functools import reduce
from importlib.metadata import version
from pathlib import Path

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

import skcae

PACKAGE = Path(skcae.__file__).parent
HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
# "module: name" of each, by the file that uses it.
USED = {
    "utils/sklearn_compat.py": {
        "sklearn.base: _fit_context",
        "sklearn.utils._param_validation: Interval",
        "sklearn.utils._param_validation: StrOptions",
        "sklearn.utils._param_validation: validate_parameter_constraints",
        "sklearn.callback._transport: close_listener",
        "sklearn.callback._transport: open_listener",
        "sklearn.callback._transport: send",
    },
    "export/skl2onnx_compat.py": {"skl2onnx._parse: _parse_sklearn"},
}
# Methods of base classes, which no import names.
METHODS = [
    "sklearn.callback: CallbackSupportMixin._init_callback_context",
    "skorch: NeuralNet._default_callbacks",
    "skorch: NeuralNet._set_training",
]
EVERYTHING = sorted({*METHODS, *(name for names in USED.values() for name in names)})


def is_private(dotted):
    parts = dotted.replace(": ", ".").split(".")
    return any(part.startswith("_") and not part.startswith("__") for part in parts)


def private_parts(path):
    """Return what a file imports, or takes from a module, that has a private name."""
    tree = ast.parse(path.read_text())
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {
                alias.asname or alias.name.split(".")[0] for alias in node.names
            }
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if is_private(name := f"{node.module}: {alias.name}"):
                    yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if dotted.split(".")[0] in modules and is_private(dotted):
                yield dotted


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem
)
def test_private_parts_are_listed_here(path):
    found = set(private_parts(path)) - {"sys._getframe"}
    unlisted = found - USED.get(path.relative_to(PACKAGE).as_posix(), set())
    assert not unlisted, "take a public way, or list it here"


@pytest.mark.parametrize("name", EVERYTHING)
def test_private_parts_are_still_there(name):
    module, attributes = name.split(": ")
    if module.startswith("sklearn.callback") and not HAS_CALLBACKS:
        pytest.skip("scikit-learn has no callbacks yet, and the stand-ins serve")
    library = module.split(".")[0].replace("sklearn", "scikit-learn")
    message = f"{library} {version(library)} has no {name}: find another way in skcae/"
    try:
        reduce(getattr, attributes.split("."), importlib.import_module(module))
    except (ImportError, AttributeError):
        pytest.fail(message)
