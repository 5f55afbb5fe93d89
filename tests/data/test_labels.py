"""Labels and weights: what is read, and what is refused before any work."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning

from skcae.data.labels import read_labels

Y = np.arange(12) % 3
TEXT = np.array(["a", "b", None, "c"] * 3, dtype=object)
THREE_PARTS = re.compile(r"Got .*; expected .*\. [A-Z].*\.", re.DOTALL)


def read(y=Y, **weights):
    return read_labels(y, 12, **weights)


def codes_of(y):
    return read(y).codes


@pytest.mark.parametrize(
    "y",
    [
        torch.tensor(Y),
        torch.tensor(Y, dtype=torch.float64, requires_grad=True),
        pd.Series(Y, dtype="Int64"),
        Y.tolist(),
        np.ma.masked_array(Y),
        Y[::-1].copy()[::-1],
    ],
    ids=lambda y: type(y).__name__,
)
def test_kinds_of_arrays(y):
    assert_array_equal(codes_of(y), Y)


@pytest.mark.parametrize(
    "missing",
    [
        pd.Series([1, 2, pd.NA, 3] * 3, dtype=object),
        pd.Series(["a", "b", pd.NA, "c"] * 3, dtype="string"),
        np.array([1, 2, np.nan, 3] * 3, dtype=object),
        pd.Series(pd.to_datetime(["2020", "2021", None, "2023"] * 3)),
        TEXT,
    ],
    ids=["NA", "string", "NaN", "NaT", "None"],
)
def test_missing_labels(missing):
    with pytest.raises(ValueError, match=r"3 missing label.*of sample 2; exp") as info:
        read(missing)
    assert THREE_PARTS.fullmatch(str(info.value))


def test_missing_integers():
    with pytest.raises(ValueError, match="Input y contains NaN"):
        read(pd.Series([1, 2, pd.NA, 3] * 3, dtype="Int64"))


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_masked_values(name):
    masked = np.ma.masked_equal(Y, 1)
    with pytest.raises(ValueError, match=rf"Got {name} with masked .*4\)") as info:
        read(**{name: masked})
    assert THREE_PARTS.fullmatch(str(info.value))


def test_a_column_is_warned_of_where_it_was_passed():
    with pytest.warns(DataConversionWarning, match="column-vector y") as caught:
        assert_array_equal(codes_of(Y[:, None]), Y)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("weight", [-1, -np.inf, np.nan, np.inf, "a", None, 1j])
def test_class_weights_that_are_none(weight):
    with pytest.raises(ValueError, match=r"class_weight with .* class 1; ex") as info:
        read(class_weight={0: 1.0, 1: weight})
    assert THREE_PARTS.fullmatch(str(info.value))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(12), "Got negative weights in sample_weight, down to -1; expected"),
        (np.ones(11), r"Got sample_weight of shape \(11,\); expected \(12,\)"),
        (np.ones((12, 1)), r"Got sample_weight of shape \(12, 1\); expected"),
        (np.zeros(12), "Got y without a label that counts: .* weight of zero"),
        (np.full(12, np.nan), "Input sample_weight contains NaN"),
    ],
)
def test_sample_weights_that_are_none(weights, message):
    with pytest.raises(ValueError, match=message):
        read(sample_weight=weights)


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1.0, 7, 1e300, 1.7e308])
@pytest.mark.parametrize("of_classes", [5e-324, 1.0, 1.7e308])
def test_weights_of_any_size(size, of_classes):
    class_weight = dict.fromkeys(range(3), of_classes)
    labels = read(sample_weight=np.full(12, size), class_weight=class_weight)
    assert_array_equal(labels.weights, np.ones(12, dtype=np.float32))


def test_weights_of_every_size():
    weights = np.geomspace(1e-300, 1e300, 12)
    found = read(sample_weight=torch.tensor(weights, requires_grad=True)).weights
    assert np.isfinite(found).all()
    assert found.argmax() == 11
    assert found.mean() == pytest.approx(1)


def test_one_weight_for_all():
    assert_array_equal(read(sample_weight=3).weights, np.ones(12))


def test_products_are_those_of_scikit_learn():
    weights = np.random.default_rng(0).random(12)
    expected = weights * np.array([1.0, 0.3, 2.0])[Y]
    found = read(sample_weight=weights, class_weight={1: 0.3, 2: 2}).weights
    assert_array_equal(found, (expected / expected.mean()).astype(np.float32))


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ({"sample_weight": [10**400] * 12}, ValueError),
        ({"sample_weight": 10**400}, ValueError),
        ({"sample_weight": object()}, TypeError),
        ({"class_weight": {0: 10**400, 1: 1, 2: 1}}, ValueError),
    ],
)
def test_weights_that_no_float_can_hold(weights, kind):
    with pytest.raises(kind, match=THREE_PARTS):
        read(**weights)
