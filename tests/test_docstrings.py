"""What the docstrings of the public classes say is true."""

import ast
import inspect
import re

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import ERROR_MSGS, validate
from sklearn.datasets import load_digits

import skcae
from skcae import ConvAutoencoderTransformer, ProgressLines

from .conftest import make_small

LEFT_OUT = {
    "ES01",  # a summary in one sentence may say all there is
    "RT02",  # scikit-learn names return values
}
# Of methods only: theirs are in the docstring of the class.
LEFT_OUT_OF_METHODS = LEFT_OUT | {"SA01", "EX01"}

CLASSES = [
    getattr(skcae, name)
    for name in skcae.__all__
    if isinstance(getattr(skcae, name), type)
]
PARAMETERS = [
    (cls, name) for cls in CLASSES for name in inspect.signature(cls).parameters
]
METHODS = [
    (cls, name)
    for cls in CLASSES
    for name, member in vars(cls).items()
    if not name.startswith("_")
    and not name.endswith("_request")  # scikit-learn makes these
    and not isinstance(member, property)
    and callable(getattr(cls, name))
]
# The hooks of a callback return nothing.
RETURNING = [(cls, name) for cls, name in METHODS if cls is not ProgressLines]


def name_of(value):
    return value.__name__ if isinstance(value, type) else str(value)


def section_of(cls, section):
    """Return the entries of a section by their names."""
    return {entry.name: entry for entry in ClassDoc(cls)[section]}


def errors_of(path, left_out):
    assert left_out <= set(ERROR_MSGS)
    return [error for error in validate(path)["errors"] if error[0] not in left_out]


@pytest.fixture(scope="module")
def frame():
    """Digits as a frame with names of columns, (120, 64)."""
    return load_digits(as_frame=True).data[:120]


@pytest.fixture(scope="module")
def fitted_on_frame(frame):
    """A transformer with every fitted attribute; do not fit it again."""
    return make_small(input_shape=(8, 8), early_stopping=True).fit(frame)


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_class_is_valid(cls):
    assert errors_of(f"skcae.{cls.__name__}", LEFT_OUT) == []


@pytest.mark.parametrize(("cls", "method"), METHODS, ids=name_of)
def test_method_is_valid(cls, method):
    path = f"skcae.{cls.__name__}.{method}"
    assert errors_of(path, LEFT_OUT_OF_METHODS) == []


def test_methods_were_found():
    names = {name for cls, name in METHODS if cls is ConvAutoencoderTransformer}
    assert {"fit", "partial_fit", "transform", "inverse_transform", "score"} < names


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_parameters_in_the_order_of_the_signature(cls):
    documented = list(section_of(cls, "Parameters"))
    assert documented == list(inspect.signature(cls).parameters)


@pytest.mark.parametrize(("cls", "name"), PARAMETERS, ids=name_of)
def test_default(cls, name):
    default = inspect.signature(cls).parameters[name].default
    documented = section_of(cls, "Parameters")[name].type
    if default is inspect.Parameter.empty:
        assert "default" not in documented
        return
    text = re.fullmatch(r".+, default=(\S.*)", documented, flags=re.DOTALL)
    assert text, f"no default in {documented!r}"
    value = ast.literal_eval(text[1])
    assert (type(value), value) == (type(default), default)


def test_fitted_attributes(fitted_on_frame):
    found = {
        name
        for name in [*vars(fitted_on_frame), *dir(type(fitted_on_frame))]
        if name.endswith("_") and not name.startswith("_")
    }
    documented = section_of(ConvAutoencoderTransformer, "Attributes")
    assert found == set(documented)
    for name in documented:
        getattr(fitted_on_frame, name)


def test_types_of_attributes(fitted_on_frame):
    types = {"int": int, "float": float, "list": list, "tuple": tuple}
    for name, entry in section_of(ConvAutoencoderTransformer, "Attributes").items():
        word = re.match(r"\w+", entry.type)[0]
        expected = np.ndarray if word == "ndarray" else types.get(word, object)
        assert isinstance(getattr(fitted_on_frame, name), expected), name


@pytest.mark.parametrize(("cls", "method"), RETURNING, ids=name_of)
def test_method_says_what_it_returns(cls, method):
    returns = FunctionDoc(getattr(cls, method))["Returns"]
    assert len(returns) == 1
    assert returns[0].type
    assert (returns[0].name == "self") == (method in ("fit", "partial_fit"))


def test_what_methods_return(frame, fitted_on_frame):
    unfitted = make_small(input_shape=(8, 8))
    assert unfitted.fit(frame) is unfitted
    assert unfitted.partial_fit(frame) is unfitted
    features = fitted_on_frame.transform(frame)
    arguments = {"transform": frame, "inverse_transform": features}
    checked = set()
    for cls, method in RETURNING:
        kind = FunctionDoc(getattr(cls, method))["Returns"][0].type
        if cls is not ConvAutoencoderTransformer or kind == "object":
            continue
        result = getattr(fitted_on_frame, method)(arguments.get(method, frame))
        if kind == "float":
            assert isinstance(result, float)
        else:
            shape = "(n_samples,)" if result.ndim == 1 else "(n_samples, "
            assert kind.startswith(f"ndarray of shape {shape}")
            assert kind.endswith(f", {result.dtype}")
            assert len(result) == len(frame)
        checked.add(method)
    assert checked == {"transform", "inverse_transform", "score", "score_samples"}


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_references(cls):
    """Each is cited, and has a DOI or an address."""
    references = "\n".join(ClassDoc(cls)["References"])
    entries = re.split(r"^\.\. \[(\d+)\] ", references, flags=re.MULTILINE)[1:]
    numbers, texts = entries[::2], entries[1::2]
    cited = re.findall(r"\[(\d+)\]_", inspect.getdoc(cls))
    assert list(dict.fromkeys(cited)) == numbers
    assert numbers or cls.__name__.endswith(("Display", "Lines"))
    for text in texts:
        assert re.search(r":doi:`10\.\d{4,9}/\S+`|https://\S+\.\w+", text), text
