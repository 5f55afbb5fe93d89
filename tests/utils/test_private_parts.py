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
    "export/skl2onnx_compat.py": {
        "skl2onnx._parse: _parse_sklearn",
        "skl2onnx._parse: _parse_sklearn_simple_model",
        "skl2onnx._parse: sklearn_parsers_map",
    },
}
# Methods of base classes, which no import names.
METHODS = ["sklearn.callback: CallbackSupportMixin._init_callback_context"]
# What torch does not document. The public way, torch.nn.grad, takes 2.7 times as long
# for filters of few channels.
UNDOCUMENTED = ["torch: ops.aten.convolution_backward"]
# What else has a private name and is not ours.
OTHERS = {"_getframe"}
IMPORTED = (name for names in USED.values() for name in names)
EVERYTHING = sorted({*METHODS, *UNDOCUMENTED, *IMPORTED})


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
    listed = USED.get(path.relative_to(PACKAGE).as_posix(), set())
    assert not found - listed, "take a public way, or list it here"
    assert not listed - found, "is not used any more"


def is_private_name(name):
    return name.startswith("_") and not name.startswith("__")


def test_private_attributes_are_ours_or_listed():
    """An attribute of a private name that nothing here defines is another's."""
    used, defined = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(attr=name, ctx=ast.Load()):
                    used.add(name)
                case ast.Attribute(attr=name) | ast.Name(id=name, ctx=ast.Store()):
                    defined.add(name)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    defined.add(name)
    listed = {method.rpartition(".")[2] for method in METHODS} | OTHERS
    assert set(filter(is_private_name, used - defined)) == listed


def test_private_parts_of_base_classes_are_not_replaced():
    found = set()
    for path in sorted(PACKAGE.glob("*/*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if module.startswith("skcae.export"):
            continue  # functions alone, which need other libraries
        for kind in vars(importlib.import_module(module)).values():
            if isinstance(kind, type) and kind.__module__.startswith("skcae"):
                found |= set(replaced_parts(kind))
    # scikit-learn tells subclasses of estimators to have these, and Python and torch
    # set the others by themselves.
    public = {"_parameter_constraints", "_sklearn_auto_wrap_output_keys"}
    assert found <= public | {"_abc_impl", "_backward_cls"}


def replaced_parts(kind):
    """Yield private names of a class that its base classes of others have, too."""
    for base in kind.__mro__[1:]:
        if not base.__module__.startswith("skcae"):
            yield from filter(is_private_name, vars(base).keys() & vars(kind).keys())


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
