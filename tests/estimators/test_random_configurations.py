"""What holds for every configuration and every kind of samples, drawn at random."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone

from skcae import ConvAutoencoderTransformer
from skcae.params.activations import ACTIVATIONS
from skcae.params.corruptions import CORRUPTIONS
from skcae.params.filter_starts import FILTER_STARTS
from skcae.params.losses import LOSSES
from skcae.params.pool_modes import POOL_MODES
from skcae.params.sparsities import SPARSITIES

from .conftest import assert_explained


def names_of(table):
    return st.sampled_from(sorted(table))


def one_or_per_stage(values):
    return values | st.tuples(values, values)


CHOICES = {
    "n_filters": one_or_per_stage(st.integers(1, 5)),
    "kernel_size": one_or_per_stage(st.integers(1, 5)),
    "stride": one_or_per_stage(st.integers(1, 3)),
    "pool_size": one_or_per_stage(st.integers(1, 3)),
    "padding": st.sampled_from(["same", "valid", "full"]),
    "pool_mode": names_of(POOL_MODES),
    "depthwise": st.booleans(),
    "whiten": st.none() | st.sampled_from([0.01, 0.1, 1.0]),
    "activation": one_or_per_stage(names_of(ACTIVATIONS)),
    "threshold": st.sampled_from([0.0, 0.5, 2.0]),
    "output_activation": st.sampled_from(["identity", "relu", "tanh", "sigmoid"]),
    "tied_weights": st.booleans(),
    "n_components": st.none() | st.integers(1, 4),
    "loss": names_of(LOSSES),
    "corruption": st.none() | names_of(CORRUPTIONS),
    "sparsity": st.none() | names_of(SPARSITIES),
    "crop_size": st.none() | st.integers(2, 6),
    "init": names_of(FILTER_STARTS),
    "layerwise": st.booleans(),
    "pooling": st.none() | names_of(POOL_MODES),
    "pool_grid": st.integers(1, 3),
    "feature_stages": st.sampled_from(["last", "all"]),
    "power": st.sampled_from([1.0, 0.5]),
    "max_epochs": st.integers(0, 2),
    "max_samples": st.none() | st.integers(1, 40),
    "batch_size": st.integers(1, 20),
    "early_stopping": st.booleans(),
}
SHAPES = [(9,), (2,), (6, 5), (4, 4, 4), (6, 4, 2), (5, 3)]


@st.composite
def configurations(draw):
    """Draw a few parameters, so that many configurations are legal."""
    names = draw(st.sets(st.sampled_from(sorted(CHOICES)), max_size=6))
    params = {name: draw(CHOICES[name]) for name in sorted(names)}
    small = {"n_filters": 3, "max_epochs": 1, "batch_size": 8, "random_state": 0}
    return ConvAutoencoderTransformer(**small | params)


@st.composite
def samples(draw):
    """Draw samples of some shape; some of them are whole numbers, or sparse."""
    shape, n_samples = draw(st.sampled_from(SHAPES)), draw(st.integers(4, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    X = rng.normal(size=(n_samples, *shape))
    kind = draw(st.sampled_from(["normal", "counts", "sparse", "shifted"]))
    if kind == "counts":
        X = rng.poisson(2.0, size=X.shape).astype(np.uint8)
    elif kind == "sparse":
        X *= rng.random(X.shape) < 0.3
    elif kind == "shifted":
        X = (100 + X).astype(np.float32)
    assume(X.min() < X.max())
    return X


def fit_or_refuse(cae, X):
    """Return the fitted estimator, or skip what an explained error refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return cae.fit(X)
    except (ValueError, TypeError) as error:
        assert_explained(error)
        assert not cae.__sklearn_is_fitted__()
        assume(False)


@given(cae=configurations(), X=samples())
def test_features(cae, X):
    before = X.copy()
    fit_or_refuse(cae, X)
    features = cae.transform(X)
    np.testing.assert_array_equal(X, before)
    assert features.dtype == np.float32
    assert features.shape == (len(X), len(cae.get_feature_names_out()))
    assert np.isfinite(features).all()
    # They do not depend on other samples, their order, memory or the file.
    np.testing.assert_array_equal(cae.transform(X[::-1])[::-1], features)
    np.testing.assert_array_equal(cae.transform(X[1:2]), features[1:2])
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(cae)).transform(X), features
    )
    flat = clone(cae).set_params(input_shape=X.shape[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        again = flat.fit(X.reshape(len(X), -1)).transform(X.reshape(len(X), -1))
    np.testing.assert_array_equal(again, features)


@given(cae=configurations(), X=samples())
def test_reconstructions(cae, X):
    fit_or_refuse(cae, X)
    scores = cae.score_samples(X)
    assert scores.shape == (len(X),)
    assert np.isfinite(scores).all()
    assert np.isfinite(cae.score(X))
    if not hasattr(cae, "inverse_transform"):
        return
    rebuilt = cae.inverse_transform(cae.transform(X))
    assert rebuilt.shape == X.shape
    errors = np.square(rebuilt - X.astype(np.float64)).reshape(len(X), -1).mean(axis=1)
    scale = np.square(X.astype(np.float64)).mean()
    np.testing.assert_allclose(-scores, errors, rtol=1e-3, atol=1e-6 * scale)
    total = np.square(X - cae.mean_).mean()
    assert cae.score(X) == pytest.approx(1 - errors.mean() / total, abs=1e-3)
