"""Features of a transformer against plain formulas."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from ..conftest import as_tensor, make_small
from ..nn.conftest import GRID, responses_of


@pytest.mark.parametrize("name", ["soft_threshold", "two_sided"])
@pytest.mark.parametrize("depthwise", [False, True])
def test_thresholds_are_deviations_of_the_responses(name, depthwise, small_digits):
    cae = make_small(
        activation=("relu", name),
        depthwise=(False, depthwise),
        n_filters=(4, 3),
        threshold=0.7,
        max_epochs=0,
    ).fit(small_digits)
    module = cae.module_
    first, second = module.encoder
    with torch.no_grad():
        seen = module.standardise(as_tensor(small_digits))
        maps = first(seen)
        maps = maps.reshape(-1, 1, *maps.shape[2:]) if depthwise else maps
        z = responses_of(second, maps).movedim(1, 0).flatten(1)
    assert_allclose(second.threshold, 0.7 * z.std(dim=1, correction=0), rtol=1e-4)


def test_thresholds_come_from_all_of_the_samples(digits):
    """Samples are often sorted, and the first ones then are of one kind."""
    X = np.concatenate([0.01 * digits[:900], digits[900:1797]])
    cae = make_small(activation="soft_threshold", threshold=1.0, max_epochs=0).fit(X)
    module = cae.module_
    with torch.no_grad():
        x = module.standardise(as_tensor(X))
        z = responses_of(module.encoder[0], x).movedim(1, 0).flatten(1)
    assert_allclose(module.encoder[0].threshold, z.std(dim=1), rtol=0.1)


def test_no_threshold_is_the_rectifier(small_digits):
    params = {"max_epochs": 0, "pool_size": 1, "threshold": 0.0}
    relu = make_small(**params).fit_transform(small_digits)
    soft = make_small(activation="soft_threshold", **params).fit_transform(small_digits)
    assert_allclose(soft, relu, atol=1e-6)
    both = make_small(activation="two_sided", **params).fit_transform(small_digits)
    absolute = make_small(activation="abs", **params).fit_transform(small_digits)
    assert_allclose(both[:, :256] + both[:, 256:], absolute, atol=1e-5)
    assert_array_equal(both[:, :256] * both[:, 256:], 0)


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("depthwise", [False, True])
def test_features_of_all_stages(pooling, depthwise, small_digits):
    cae = make_small(
        n_filters=(4, 3),
        activation=("abs", "two_sided"),
        depthwise=(False, depthwise),
        pooling=pooling,
        pool_grid=(3, 2),
        feature_stages="all",
        power=0.5,
    ).fit(small_digits)
    module = cae.module_.eval()
    with torch.no_grad():
        x = module.standardise(as_tensor(small_digits))
        first = module.encoder[0](x)
        second = module.encoder[1](first)
        rows = [
            GRID[pooling][2](maps, grid).flatten(1)
            for maps, grid in ((first, 3), (second, 2))
        ]
    expected = torch.cat(rows, dim=1).sqrt()  # nothing negative here
    features = cae.transform(small_digits)
    assert_allclose(features, expected, atol=1e-5)
    width = 4 * 9 + (24 if depthwise else 6) * 4
    assert features.shape == (120, width)
    assert len(cae.get_feature_names_out()) == width
    last = cae.set_params(feature_stages="last", pool_grid=2).fit(small_digits)
    assert_allclose(last.transform(small_digits), features[:, 4 * 9 :], atol=1e-6)


def test_all_stages_of_one_stage_are_the_last(small_digits):
    first, second = (
        make_small(pooling="avg", feature_stages=stages).fit_transform(small_digits)
        for stages in ("all", "last")
    )
    assert_array_equal(first, second)


@pytest.mark.parametrize("power", [0.5, 0.25, 2.0])
def test_power_keeps_signs(power, small_digits):
    params = {"activation": "identity", "pooling": "avg"}
    plain = make_small(**params).fit_transform(small_digits)
    raised = make_small(power=power, **params).fit_transform(small_digits)
    assert (plain < 0).any()
    expected = np.sign(plain) * np.abs(plain) ** power
    assert_allclose(raised, expected, rtol=1e-4, atol=1e-6)


def test_what_becomes_a_feature_does_not_change_the_training(small_digits):
    params = {"pooling": "max", "n_filters": (3, 2)}
    plain = make_small(**params).fit(small_digits)
    for changes in ({"power": 0.5}, {"power": 0.5, "feature_stages": "all"}):
        other = make_small(**params, **changes).fit(small_digits)
        assert_same_training(other, plain)
        # Samples are rebuilt from other features, but not less well.
        assert other.score(small_digits) > plain.score(small_digits) - 0.02


def assert_same_training(one, other):
    losses = [[row["train_loss"] for row in cae.history_] for cae in (one, other)]
    assert losses[0] == losses[1]
    for ours, theirs in zip(one.module_.encoder, other.module_.encoder, strict=True):
        assert_array_equal(
            ours.convolution.weight.detach(), theirs.convolution.weight.detach()
        )


ANY_SIZE = {
    "whiten": 0.1,
    "init": "kmeans",
    "n_filters": (4, 2),
    "depthwise": (False, True),
    "activation": ("two_sided", "abs"),
    "pooling": "avg",
    "feature_stages": "all",
    "power": 0.5,
}


@pytest.mark.parametrize(
    ("shape", "others"),
    [
        ((40, 1), [(56, 1), (33, 1), (9, 1)]),
        ((8, 8), [(16, 8), (5, 11), (3, 3)]),
        ((6, 8, 8), [(8, 6, 9), (3, 4, 5)]),
    ],
)
def test_samples_of_other_sizes(shape, others):
    rng = np.random.default_rng(0)
    # The width of rows is fixed; an axis of channels tells signals from them.
    axis = -1 if shape[-1] == 1 else None
    cae = make_small(**ANY_SIZE, channel_axis=axis, max_epochs=1)
    cae.fit(rng.normal(size=(30, *shape)))
    width = len(cae.get_feature_names_out())
    for other in others:
        X = rng.normal(size=(7, *other))
        features = cae.transform(X)
        assert features.shape == (7, width)
        assert_array_equal(cae.transform(X[3:4]), features[3:4])


def test_other_sizes_see_the_same_filters(digits):
    """Of two copies side by side each half is pooled as the sample alone."""
    cae = make_small(pooling="max", pool_grid=1, activation="two_sided")
    cae.fit(digits[:100])
    # Their borders are zero, as is all that surrounds them.
    X = np.pad(digits[:50], [(0, 0), (4, 4), (4, 4)])
    X_twice = np.concatenate([X, X], axis=2)
    assert_allclose(cae.transform(X_twice), cae.transform(X), atol=1e-5)


def test_features_of_rows_signals_and_volumes_have_names(signals, volumes):
    for X in (signals, volumes):
        cae = make_small(**ANY_SIZE).fit(X)
        width = (4 * 2 + 4 * 2 * 2) * 2 ** (X.ndim - 1)
        assert cae.transform(X).shape == (len(X), width)
        assert len(cae.get_feature_names_out()) == width


@pytest.mark.parametrize("kernel_size", [2, 3, 5])
def test_whitened_samples_come_back_in_their_own_units(kernel_size, digits):
    cae = make_small(
        whiten=0.1,
        kernel_size=kernel_size,
        n_filters=32,
        pool_size=1,
        sparsity="winner_take_all",
        max_epochs=5,
    ).fit(1000 + 50 * digits[:600])
    X = 1000 + 50 * digits[600:]
    rebuilt = cae.inverse_transform(cae.transform(X))
    error = ((rebuilt - X) ** 2).sum() / ((X - cae.mean_) ** 2).sum()
    assert cae.score(X) == pytest.approx(1 - error, abs=1e-3)
    assert error < 0.5


def test_whitening_is_that_of_the_fit(small_digits):
    cae = make_small(whiten=0.1).fit(small_digits)
    before = cae.module_.whitening.kernel.clone()
    cae.partial_fit(1000 * small_digits[::-1] ** 2)
    assert torch.equal(cae.module_.whitening.kernel, before)


def test_more_whitening_with_a_smaller_epsilon(small_digits):
    def correlation(epsilon):
        cae = make_small(whiten=epsilon, max_epochs=0).fit(small_digits)
        x = as_tensor(small_digits)
        x = cae.module_.standardise(x)[:, 0]
        return float((x[:, :, 1:] * x[:, :, :-1]).mean() / (x**2).mean())

    values = [abs(correlation(epsilon)) for epsilon in (0.01, 1.0, 100.0)]
    assert values == sorted(values)
    assert values[0] < 0.1 < 0.4 < values[2]


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_pooled_features_of_other_sizes(pooling, digits):
    cae = make_small(pooling=pooling, pool_grid=3).fit(digits[:100])
    wide = np.concatenate([digits[:50], digits[50:100]], axis=2)
    features = cae.transform(wide)
    assert features.shape == (50, 4 * 9)
    # Samples come back in the size of those that the decoder was fitted to.
    rebuilt = cae.inverse_transform(features)
    assert rebuilt.shape == (50, 8, 8)
    assert np.isfinite(rebuilt).all()


def test_pooled_dense_code_of_other_sizes(digits):
    hardly_trained, cae = (
        make_small(pooling="avg", n_components=5, max_epochs=n).fit(digits[:100])
        for n in (1, 40)
    )
    tall = np.concatenate([digits[:50], digits[50:100]], axis=1)
    assert cae.transform(tall).shape == (50, 5)
    assert cae.score(digits[:100]) > hardly_trained.score(digits[:100])
