"""What scikit-learn asks of estimators, for signals, images and volumes."""

import hashlib
import pickle
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from ..conftest import KINDS, assert_same_weights, make_small

# What decides how a result is summed up: threads, batches and kernels.
ARCHITECTURES = [
    {},
    {"n_components": 5},
    {"pooling": "avg", "n_components": 3},
    {"pooling": "max"},
    {"n_filters": (4, 6), "tied_weights": True, "activation": "abs"},
    {"stride": 2, "pool_size": 1, "corruption": "gaussian"},
]


def checksum(X):
    return hashlib.sha256(np.ascontiguousarray(X).tobytes()).hexdigest()


def test_fitting_twice_gives_the_same_estimator(case):
    X, fitted = case
    again = clone(fitted).fit(X)
    assert_same_weights(fitted, again)
    before = again.transform(X)
    again.fit(X)
    assert_array_equal(again.transform(X), before)
    assert again.n_iter_ == len(again.history_) == 2


def test_transform_equals_fit_transform(case):
    X, fitted = case
    assert_array_equal(clone(fitted).fit_transform(X), fitted.transform(X))


def test_features_are_finite_float32_of_the_announced_width(case):
    X, fitted = case
    features = fitted.transform(X)
    assert features.dtype == np.float32
    assert features.shape == (len(X), len(fitted.get_feature_names_out()))
    assert np.isfinite(features).all()
    assert np.ptp(features, axis=0).max() > 0.1
    assert fitted.inverse_transform(features).dtype == np.float32


def test_shape_attributes(case):
    X, fitted = case
    assert fitted.n_features_in_ == np.prod(X.shape[1:])
    assert fitted.input_shape_ == X.shape[1:]
    assert fitted.mean_.shape == X.shape[1:]
    assert_allclose(fitted.mean_, X.mean(axis=0), atol=1e-5)
    n_channels = 1 if fitted.channel_axis is None else X.shape[-1]
    n_axes = X.ndim - 1 - (fitted.channel_axis is not None)
    assert fitted.filters_.shape == (4, n_channels) + (3,) * n_axes
    assert not hasattr(fitted, "feature_names_in_")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_does_not_depend_on_the_others(data_of, kind, architecture):
    X = data_of[kind][:34]
    cae = make_small(channel_axis=KINDS[kind], max_epochs=1, **architecture).fit(X)
    order = np.random.default_rng(0).permutation(len(X))
    for method in (cae.transform, cae.score_samples):
        together = method(X)
        assert_array_equal(method(X[order]), together[order])
        one_by_one = np.concatenate([method(X[i : i + 1]) for i in range(len(X))])
        assert_array_equal(one_by_one, together)
        for size in (2, 7):
            parts = [method(X[i : i + size]) for i in range(0, len(X), size)]
            assert_array_equal(np.concatenate(parts), together)
        assert_array_equal(method(np.concatenate([X] * 9))[: len(X)], together)


def test_a_reconstruction_does_not_depend_on_the_others(case):
    X, fitted = case
    features = fitted.transform(X)
    together = fitted.inverse_transform(features)
    assert_array_equal(fitted.inverse_transform(features[::-1]), together[::-1])
    one_by_one = [fitted.inverse_transform(row[None])[0] for row in features]
    assert_array_equal(np.array(one_by_one), together)


def test_batch_size_of_the_training_does_not_matter_to_transform(case):
    X, fitted = case
    before = fitted.transform(X)
    copy = pickle.loads(pickle.dumps(fitted)).set_params(batch_size=3)
    assert_array_equal(copy.transform(X), before)


@pytest.mark.parametrize("method", ["fit", "fit_transform", "partial_fit"])
@pytest.mark.parametrize("kind", KINDS)
def test_fit_changes_neither_data_nor_parameters(data_of, kind, method):
    X = np.array(data_of[kind], dtype=np.float32)
    params = {
        "n_filters": [3, 2],
        "net_params": {"optimizer__betas": (0.8, 0.9)},
        "callbacks": [],
        "corruption": "mask",
        "output_activation": "sigmoid",
        "channel_axis": KINDS[kind],
    }
    cae = make_small(**params)
    before, given = checksum(X), deepcopy(cae.get_params())
    getattr(cae, method)(X)
    cae.score(X)
    cae.score_samples(X)
    features = cae.transform(X)
    kept = checksum(features)
    cae.inverse_transform(features)
    assert checksum(X) == before
    assert checksum(features) == kept
    assert cae.get_params() == given
    assert cae.n_filters is params["n_filters"]


def test_pickled_estimator_gives_the_same_results(case):
    X, fitted = case
    copy = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copy.transform(X), fitted.transform(X))
    assert copy.score(X) == fitted.score(X)
    assert copy.input_shape_ == fitted.input_shape_
    features = fitted.transform(X)
    assert_array_equal(
        copy.inverse_transform(features), fitted.inverse_transform(features)
    )
