"""Results are finite, or values are refused, whatever the values are."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skcae import ConvAutoencoderClassifier, ConvAutoencoderOutlierDetector

from ..conftest import make_small
from .conftest import assert_explained

UNITS = [1e-45, 1e-40, 1e-30, 1e-20, 1e-5, 1.0, 1e5, 1e20, 1e29, 1e35, 3e38]
FILL_VALUES = [-9999.0, 1e20, 9.96921e36, -3e38, 1e-300]
SHAPES = [(4, 4), (1, 5), (9,), (2,)]
CONFIGURATIONS = [
    {},
    {"output_activation": "tanh"},
    {"output_activation": "sigmoid", "loss": "log_loss"},
    {"whiten": 0.01, "init": "kmeans"},
    {"sparsity": "winner_take_all", "whiten": 0.1},
    {"n_components": 2},
    {"max_epochs": 0, "init": "patches", "activation": "two_sided"},
    {"activation": "triangle", "pooling": "avg", "power": 0.5},
]


def few_values(draw, rng, shape):
    kind = draw(st.sampled_from(["normal", "one value", "equal", "sparse", "whole"]))
    X = rng.normal(size=shape)
    if kind == "one value":  # zeros but for one
        X = np.zeros(shape)
        X.flat[draw(st.integers(0, X.size - 1))] = 1
    elif kind == "equal":  # samples that are all the same, but for one
        X[1:] = X[0]
        X[-1, 0] += draw(st.sampled_from([0, 1e-7, 1]))
    elif kind == "sparse":
        X *= rng.random(shape) < 0.1
    elif kind == "whole":
        X = np.round(X)
    return X


@st.composite
def samples(draw, shape=None):
    """Draw samples in some unit, around some value, with fill values among them."""
    shape = shape or draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    X = few_values(draw, rng, (draw(st.integers(2, 12)), *shape))
    X *= draw(st.sampled_from(UNITS))
    X += draw(st.sampled_from([0.0, 0.0, 1.0, 1e6, -1e25]))
    if draw(st.booleans()):
        X.flat[draw(st.integers(0, X.size - 1))] = draw(st.sampled_from(FILL_VALUES))
    with np.errstate(over="ignore"):
        return X.astype(draw(st.sampled_from([np.float64, np.float32])))


def call(function, *args):
    """Return what a function returns, which must be finite, or None if it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        try:
            result = function(*args)
        except ValueError as error:
            if "Got a loss of" not in str(error):  # says to lower lr
                assert_explained(error)
            return None
    if isinstance(result, (np.ndarray, float)):
        assert np.isfinite(result).all()
    return result


@given(X=samples(), params=st.sampled_from(CONFIGURATIONS), data=st.data())
def test_transformer(X, params, data):
    cae = call(make_small(n_filters=2, batch_size=8, **params).fit, X)
    assume(cae is not None)
    for other in (X, data.draw(samples(X.shape[1:]))):
        features = call(cae.transform, other)
        if features is not None and hasattr(cae, "inverse_transform"):
            call(cae.inverse_transform, features)
        assert (call(cae.score_samples, other) is None) == (features is None)
        call(cae.score, other)


@pytest.fixture(scope="module")
def seen(digits):
    return digits[:60, :4, :4] / 16


@pytest.mark.parametrize("unit", [1e-25, 1e-5, 1, 1e25])
def test_estimators_with_an_autoencoder(unit, seen, digit_labels):
    X = seen * unit
    autoencoder = make_small(n_filters=2).fit(X)
    classifier = ConvAutoencoderClassifier(autoencoder, max_epochs=1, random_state=0)
    classifier.fit(X, digit_labels[:60])
    detector = ConvAutoencoderOutlierDetector(autoencoder).fit(X)
    by_errors = ConvAutoencoderOutlierDetector(autoencoder, criterion="reconstruction")
    by_errors.fit(X)

    @given(other=samples((4, 4)))
    def check(other):
        call(classifier.predict_proba, other)
        for each in (detector, by_errors):
            call(each.decision_function, other)
            call(each.error_map, other)
            found = call(each.predict, other)
            if found is not None and np.abs(other).max() > 1e6 * unit:
                assert (found == -1).any()

    check()
