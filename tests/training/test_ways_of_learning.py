"""Every way to learn filters: seeds, processes, files, kinds of samples."""

import pickle

import joblib
import numpy as np
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EpochScoring

from ..conftest import make_small, weights_of
from .conftest import CONFIGURATIONS, STACK, WINNERS, changed, every_configuration

# Going on, copies, files, processes


@every_configuration
def test_partial_fit_and_warm_start_go_on(params, small_digits):
    for cae in (make_small(**params), make_small(**params, warm_start=True)):
        train = cae.fit if cae.warm_start else cae.partial_fit
        train(small_digits)
        n_before, before = cae.n_iter_, weights_of(cae)
        train(small_digits)
        epochs = 2 * n_before if params.get("max_epochs") != 0 else cae.n_iter_
        assert cae.n_iter_ == len(cae.history_) == epochs
        after = weights_of(cae)
        if cae.n_iter_ > n_before:
            assert "encoder.0.convolution.weight" in changed(before, after)
        fixed = {name for name in before if "whitening" in name or "scaler" in name}
        assert not fixed & changed(before, after)


def test_parameters_set_after_a_fit_do_not_change_how_it_goes_on(small_digits):
    for params in (WINNERS, STACK, {}):
        same, other = (make_small(**params).fit(small_digits) for _ in "ab")
        other.set_params(sparsity="l1", layerwise=False, init="patches", whiten=3.0)
        other.set_params(threshold=9.0, crop_size=1, sparsity_level=0.9)
        assert_array_equal(same.transform(small_digits), other.transform(small_digits))
        for cae in (same, other):
            cae.partial_fit(small_digits)
        assert not changed(weights_of(same), weights_of(other))


@every_configuration
def test_same_seed_same_bits(params, small_digits):
    first = make_small(**params).fit(small_digits)
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    second = clone(first).fit(small_digits)
    assert not changed(weights_of(first), weights_of(second))
    other = clone(first).set_params(random_state=1).fit(small_digits)
    assert changed(weights_of(first), weights_of(other))


def test_same_bits_in_other_workers(small_digits):
    models = [make_small(**params) for params in CONFIGURATIONS.values()]
    here = [clone(model).fit(small_digits) for model in models]
    for backend in ("loky", "threading"):
        there = joblib.Parallel(n_jobs=2, backend=backend)(
            joblib.delayed(model.fit)(small_digits) for model in map(clone, models)
        )
        for one, other in zip(here, there, strict=True):
            assert not changed(weights_of(one), weights_of(other))


@every_configuration
def test_files(params, small_digits):
    cae = make_small(**params).fit(small_digits)
    features, score = cae.transform(small_digits), cae.score(small_digits)
    data = skops.io.dumps(cae)
    trusted = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("skcae.") for name in trusted)
    pickled = pickle.dumps(cae)
    assert b"torch" not in pickled
    cae.partial_fit(small_digits)
    for loaded in (pickle.loads(pickled), skops.io.loads(data, trusted=trusted)):
        assert_array_equal(loaded.transform(small_digits), features)
        assert loaded.score(small_digits) == score
        # Training goes on with the same samples and crops, by a new optimizer.
        assert loaded.partial_fit(small_digits).n_iter_ == cae.n_iter_


def test_search_over_how_filters_are_learnt(small_digits):
    grid = {
        "init": ["random", "kmeans"],
        "sparsity": [None, "winner_take_all"],
        "whiten": [None, 0.1],
    }
    serial, parallel = (
        GridSearchCV(make_small(), grid, cv=2, n_jobs=n_jobs, error_score="raise").fit(
            small_digits
        )
        for n_jobs in (1, 2)
    )
    scores = serial.cv_results_["mean_test_score"]
    assert_array_equal(parallel.cv_results_["mean_test_score"], scores)
    assert len(set(scores)) == 8


@every_configuration
def test_callbacks_that_listen_to_batches_change_nothing(params, small_digits):
    class Listener(Callback):
        losses = []

        def on_batch_end(self, net, training=False, loss=None, **kwargs):
            assert torch.isfinite(net.module_.filters).all()

    callbacks = [Listener(), EpochScoring(_spread, name="spread")]
    quiet = make_small(**params).fit(small_digits)
    loud = make_small(**params, callbacks=callbacks).fit(
        small_digits, X_val=small_digits
    )
    assert not changed(weights_of(quiet), weights_of(loud))
    assert all("spread" in row for row in loud.net_.history)


def _spread(net, X, y=None):
    return 1.0


# Kinds of samples


@every_configuration
@pytest.mark.parametrize("shape", [(64,), (4, 4, 4)])
def test_signals_and_volumes(shape, params, small_digits):
    X = small_digits.reshape(-1, *shape)
    params = {**params, "kernel_size": 2}
    cae = make_small(**params).fit(X)
    features = cae.transform(X)
    assert np.isfinite(features).all()
    assert_array_equal(cae.transform(X[5:7]), features[5:7])
    assert cae.inverse_transform(features).shape == X.shape


@every_configuration
def test_samples_as_they_are_stored(params, small_digits, tmp_path):
    expected = make_small(**params).fit(small_digits.astype(np.float32))
    stored = small_digits.astype(np.uint8)
    mapped = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.uint8, shape=stored.shape
    )
    mapped[:] = stored
    mapped.flush()
    for X in (stored, np.load(tmp_path / "X.npy", mmap_mode="r")):
        cae = make_small(**params).fit(X)
        assert not changed(weights_of(cae), weights_of(expected))
        assert_array_equal(
            cae.transform(X), expected.transform(small_digits.astype(np.float32))
        )
    assert_array_equal(stored, small_digits)


@every_configuration
def test_channels(params, digits):
    X = digits[:240].reshape(80, 3, 8, 8)
    cae = make_small(**params, channel_axis=0).fit(X)
    assert cae.inverse_transform(cae.transform(X)).shape == X.shape
    last = make_small(**params, channel_axis=-1).fit(np.moveaxis(X, 1, -1))
    assert_allclose(last.transform(np.moveaxis(X, 1, -1)), cae.transform(X), atol=2e-2)


@every_configuration
def test_few_samples(params, digits):
    cae = make_small(**params, batch_size=2).fit(digits[:3])
    assert np.isfinite(cae.transform(digits[:9])).all()


@pytest.mark.slow
def test_compiled_stages_and_few_samples_train_the_same(small_digits):
    plain = make_small(max_samples=20).fit(small_digits)
    compiled = make_small(max_samples=20, compile=True).fit(small_digits)
    assert_allclose(
        compiled.transform(small_digits), plain.transform(small_digits), atol=1e-4
    )
