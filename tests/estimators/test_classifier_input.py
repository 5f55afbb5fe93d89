"""What bad input to the classifier gets, before anything is trained."""

import re

import numpy as np
import pytest
from skorch.callbacks import EarlyStopping

from skcae import ConvAutoencoderClassifier
from skcae.params.constraints import CLASSIFIER_CONSTRAINTS, TRAINING_CONSTRAINTS

from ..conftest import make_small
from .conftest import assert_explained, global_state
from .test_bad_parameters import BAD_VALUES

X = np.random.default_rng(0).normal(size=(12, 8, 8)).astype(np.float32)
Y = np.arange(12) % 3
OBJECTS = Y.astype(object)
# Values that no parameter takes, besides those of every training.
OF_CLASSIFIERS = {
    "frozen_epochs": [-1, 1.5, "some", None, True],
    "head_init": ["random", None],
    "dropout": [-0.1, 1.0, None, True, np.nan],
    "shift": [-1, 0.5, None, True],
    "flip": [None, "yes", 1],
    "label_smoothing": [-0.1, 1.0, None, True, np.nan],
    "class_weight": ["even", 2.0],
    "encoder_lr": [0, "slow", True, np.nan],
    "lr_schedule": ["exponential", None],
}
VALUES = OF_CLASSIFIERS | {name: BAD_VALUES[name] for name in TRAINING_CONSTRAINTS}
PAIRS = [(name, value) for name, values in VALUES.items() for value in values]

ROWS = {
    "nan": (np.where(X > 2, np.nan, X), Y, {}, "contains NaN .* expected finite"),
    "1-d": (X[:, 0, 0], Y, {}, "Got X of shape .* expected"),
    "length": (X, Y[:11], {}, "inconsistent numbers of samples"),
    "y-none": (X, None, {}, "requires y to be passed, but the target y is None"),
    "y-nan": (X, np.where(Y, Y, np.nan), {}, "Input y contains NaN"),
    "y-columns": (X, np.stack([Y, Y], axis=1), {}, "y should be a 1d array"),
    "y-continuous": (X, Y + 0.5, {}, "Unknown label type: continuous"),
    "unlabelled": (X, np.full(12, -1), {}, "Got y without a label .* expected"),
    "weights": (X, Y, {"sample_weight": -np.ones(12)}, "[Nn]egative"),
    "n-weights": (X, Y, {"sample_weight": np.ones(11)}, "sample_weight"),
}  # fmt: skip


def make(**params):
    params = {"max_epochs": 1, "random_state": 0} | params
    params.setdefault("autoencoder", make_small(n_filters=2, max_epochs=1))
    return ConvAutoencoderClassifier(**params)


@pytest.fixture
def untrained(monkeypatch):
    """Let every training of an autoencoder fail."""

    def fit(self, *args):
        raise AssertionError("an autoencoder is trained")

    monkeypatch.setattr("skcae.ConvAutoencoderTransformer.fit", fit)


def refused(model, *args, kind=(ValueError, TypeError), match, **kwargs):
    before = global_state()
    with pytest.raises(kind, match=match) as info:
        model.fit(*args, **kwargs)
    assert global_state() == before
    assert not model.__sklearn_is_fitted__()
    assert not [name for name in vars(model) if name.endswith("_")]
    return info.value


@pytest.mark.parametrize(
    ("name", "value"), PAIRS, ids=[f"{n}={v!r}"[:40] for n, v in PAIRS]
)
@pytest.mark.usefixtures("untrained")
def test_values_of_parameters(name, value):
    came = re.escape(repr(value))
    message = (
        rf"'{name}' parameter of \w+ must be (.|\n)*Got {came} instead|"
        rf"Got {name}={came}(;| \(|, which)"
    )
    assert_explained(refused(make(**{name: value}), X, Y, match=message))


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.usefixtures("untrained")
def test_data(row):
    X, y, kwargs, message = ROWS[row]
    refused(make(), X, y, match=message, **kwargs)


def test_the_table_has_a_bad_value_for_every_parameter():
    assert set(VALUES) == set(CLASSIFIER_CONSTRAINTS)


@pytest.mark.parametrize("value", ["cae", ConvAutoencoderClassifier(), 3])
def test_autoencoder_of_another_kind(value):
    refused(make(autoencoder=value), X, Y, match="'autoencoder' parameter of")


@pytest.mark.usefixtures("untrained")
def test_together():
    error = refused(
        make(callbacks=[EarlyStopping("valid_loss")]),
        X,
        Y,
        match="no validation samples",
    )
    assert_explained(error)
    error = refused(make(net_params={"lr": 1.0}), X, Y, match="Got 'lr' in net_params")
    assert_explained(error)
    error = refused(
        make(net_params={"optimizer__beta": 1.0}), X, Y, match="skorch cannot make"
    )
    assert_explained(error)
    error = refused(
        make(early_stopping=True, validation_fraction=0.05), X, Y, match="stratified"
    )
    assert_explained(error)
    error = refused(make(class_weight={0: 0, 1: 0, 2: 0}), X, Y, match="Got class_weig")
    assert_explained(error)
    mixed = np.array([*OBJECTS[:11], "a"], dtype=object)
    error = refused(make(), X, mixed, match="labels of types .* Convert them")
    assert_explained(error)


@pytest.mark.usefixtures("untrained")
def test_an_architecture_that_does_not_fit():
    cae = make_small(kernel_size=9, padding="valid")
    error = refused(make(autoencoder=cae), X, Y, match="kernel_size=9")
    assert_explained(error)


def test_samples_that_the_autoencoder_does_not_know(fitted):
    error = refused(make(autoencoder=fitted), X[:, 1:], Y, match="Resize the samples")
    assert_explained(error)


def test_a_loss_without_bounds():
    model = make(lr=1e30, optimizer="sgd", max_epochs=5)
    refused(model, X, Y, match="Got a train loss of .* expected .* Lower lr")


def test_predicting_needs_a_fit():
    with pytest.raises(ValueError, match="not fitted"):
        make().predict(X)


def test_predicting_needs_samples_of_that_shape():
    model = make().fit(X, Y)
    with pytest.raises(ValueError, match="Classifier was fitted on samples of shape"):
        model.predict(X[:, 1:])
