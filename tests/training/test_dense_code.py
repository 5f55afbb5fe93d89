"""Dense codes that are computed: principal components, against scikit-learn's."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

import skcae

from ..conftest import make_small
from .conftest import STACK, WINNERS

POOLED = {"pooling": "avg", "feature_stages": "all", "power": 0.5}
# Stages are trained one by one or not at all, or a code cannot be trained.
COMPUTED = {
    "stack": STACK,
    "denoising-stack": {**STACK, "corruption": "mask", "max_epochs": 6},
    "tied-stack": {**STACK, "tied_weights": True},
    "winners": WINNERS,
    "winners-stack": {**STACK, **WINNERS, **POOLED},
    "all-stages": {"n_filters": (4, 6), "pooling": "max", "feature_stages": "all"},
    "power": {**POOLED, "feature_stages": "last", "sparsity": "l1"},
    "untrained": {"init": "kmeans", "max_epochs": 0},
    "untrained-pooled": {"init": "patches", "max_epochs": 0, "pooling": "avg"},
    "grey": skcae.recipes["grey"] | {"n_filters": (6, 3), "max_epochs": 1},
    "small": skcae.recipes["small"] | {"n_filters": 16},
    "stacked": skcae.recipes["textbook_stacked"]
    | {"n_filters": (8, 8, 8), "max_epochs": 10},
}
every_way = pytest.mark.parametrize("params", COMPUTED.values(), ids=COMPUTED)


@every_way
def test_code_is_the_principal_components_of_the_features(params, digits):
    X, unseen = digits[:300], digits[300:400]
    wide = make_small(**params).fit(X)
    cae = make_small(**params, n_components=5).fit(X)
    pca = PCA(5, svd_solver="full").fit(wide.transform(X).astype(np.float64))
    expected = pca.transform(wide.transform(unseen))
    code = cae.transform(unseen)
    assert code.shape == (100, 5)
    signs = np.sign((code * expected).sum(axis=0))
    # The solver for many features is a randomised one.
    np.testing.assert_allclose(code * signs, expected, atol=0.02 * expected.std())
    # The stages have learnt what they learn without a code behind them.
    np.testing.assert_array_equal(cae.filters_, wide.filters_)
    assert [row["train_loss"] for row in cae.history_] == [
        row["train_loss"] for row in wide.history_
    ]


@every_way
def test_reconstruction_is_that_of_the_code(params, digits):
    X, unseen = digits[:300], digits[300:400]
    few, many = (
        make_small(**params, n_components=n_components).fit(X)
        for n_components in (2, 15)
    )
    for cae in (few, many):
        rebuilt = cae.inverse_transform(cae.transform(unseen))
        error = np.square(rebuilt - unseen).sum()
        score = 1 - error / np.square(unseen - cae.mean_).sum()
        np.testing.assert_allclose(cae.score(unseen), score, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            cae.score_samples(unseen),
            -np.square(rebuilt - unseen).mean(axis=(1, 2)),
            rtol=1e-4,
        )
    # Only a decoder of its own is fitted to the code.
    if not params.get("tied_weights"):
        assert many.score(unseen) > few.score(unseen) > 0


@pytest.mark.parametrize("params", [STACK, {**WINNERS, **POOLED}], ids=str)
def test_more_components_than_there_are_samples(params, digits):
    with pytest.warns(UserWarning, match=r"(28|29) of 40 components .* Lower n_comp"):
        cae = make_small(**params, n_components=40).fit(digits[:12])
    code = cae.transform(digits[:50])
    assert code.shape == (50, 40)
    assert not code[:, 12:].any()
    assert cae.n_dead_units_ in (28, 29)
    assert cae.score(digits[:12]) > 0


def test_features_that_do_not_vary(digits):
    dead = {"activation": "relu", "init": "random", "lr": 1e-12}
    cae = make_small(**STACK, **dead, n_components=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        X = np.zeros((20, 8, 8))
        X[0, 0, 0] = 1e-3
        cae.fit(X)
    assert np.isfinite(cae.transform(X)).all()
    assert np.isfinite(cae.inverse_transform(cae.transform(X))).all()


def test_samples_that_are_too_few_leave_the_code_alone(digits):
    cae = make_small(**WINNERS, n_components=6).partial_fit(digits[:100])
    before = cae.module_.dense.components.clone()
    cae.partial_fit(digits[100:106])
    assert torch.equal(cae.module_.dense.components, before)
    cae.partial_fit(digits[100:200])
    assert not torch.equal(cae.module_.dense.components, before)
    code = cae.transform(digits[100:200])
    correlation = np.corrcoef(code.T) - np.eye(6)
    assert np.abs(correlation).max() < 1e-3


def test_warm_start_computes_the_code_anew(digits):
    cae = make_small(**STACK, **POOLED, n_components=4, warm_start=True)
    cae.fit(digits[:100])
    first = cae.transform(digits[:100])
    cae.fit(digits[:100])
    second = cae.transform(digits[:100])
    assert not np.allclose(first, second)
    assert np.abs(np.corrcoef(second.T) - np.eye(4)).max() < 1e-3


def test_warm_start_from_an_untrained_code(digits):
    params = {"init": "kmeans", "pooling": "avg", "n_components": 4}
    cae = make_small(**params, max_epochs=0, warm_start=True).fit(digits[:100])
    filters = cae.filters_
    cae.set_params(max_epochs=3).fit(digits[:100])
    assert not np.array_equal(cae.filters_, filters)
    assert cae.inverse_transform(cae.transform(digits[:9])).shape == (9, 8, 8)


def test_trained_code_goes_on_stage_by_stage(digits):
    cae = make_small(n_components=4, warm_start=True).fit(digits[:100])
    cae.set_params(layerwise=True, max_epochs=1).fit(digits[:100])
    code = cae.transform(digits[:100])
    assert np.abs(np.corrcoef(code.T) - np.eye(4)).max() < 1e-3


def test_encoder_behind_which_a_code_is_computed_learns_at_full_rate(digits):
    for params in (STACK, POOLED | {"n_filters": (4, 4)}):
        plain, dense = (
            make_small(**params, n_components=n).fit(digits[:100]) for n in (None, 4)
        )
        np.testing.assert_array_equal(plain.filters_, dense.filters_)


def test_code_of_samples_of_another_size(digits):
    cae = make_small(**STACK, **POOLED, n_components=4).fit(digits[:100])
    tall = np.concatenate([digits[:50], digits[50:100]], axis=1)
    code = cae.transform(tall)
    assert code.shape == (50, 4)
    assert cae.inverse_transform(code).shape == (50, 8, 8)
