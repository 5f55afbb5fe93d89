"""How samples are encoded, and how maps become features, against plain formulas."""

import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn import functional as F

from skcae.nn.encoder_stage import EncoderStage
from skcae.nn.pooling import GridPooling
from skcae.params.activations import ACTIVATIONS
from skcae.params.stage import Stage

from ..conftest import make_small

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
POOL = {
    "max": {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d},
    "avg": {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d},
}
GRID = {
    "max": {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d},
    "avg": {
        1: F.adaptive_avg_pool1d,
        2: F.adaptive_avg_pool2d,
        3: F.adaptive_avg_pool3d,
    },
}
# What each activation makes of responses z, given one threshold per map.
FORMULAS = {
    "relu": lambda z, t: np.maximum(0, z),
    "abs": lambda z, t: np.abs(z),
    "identity": lambda z, t: z,
    "tanh": lambda z, t: np.tanh(z),
    "sigmoid": lambda z, t: 1 / (1 + np.exp(-z)),
    "soft_threshold": lambda z, t: np.maximum(0, z - t),
    "two_sided": lambda z, t: np.concatenate(
        [np.maximum(0, z - t), np.maximum(0, -z - t)], axis=1
    ),
    "triangle": lambda z, t: np.maximum(0, z - z.mean(axis=1, keepdims=True)),
}


def make_stage(n_in=2, n_axes=2, **params):
    """Return an encoder stage with random weights, biases and thresholds."""
    sizes = {"n_filters": 3, "kernel_size": 3, "stride": 1, "pool_size": 1}
    stage = Stage(**sizes | {"padding": "same", "activation": "relu"} | params)
    layer = EncoderStage(n_in, stage, n_axes)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (layer.convolution.weight, layer.convolution.bias):
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        if layer.is_thresholded:
            layer.threshold.copy_(torch.rand(3, generator=generator))
    return layer


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def as_tensor(X):
    return torch.from_numpy(X[:, None].astype(np.float32))


def responses_of(layer, x):
    """Return what the filters find, before thresholds, activation and pooling."""
    zeros = layer.stage.zeros
    x = F.pad(x, zeros * (x.ndim - 2))
    weight, bias = layer.convolution.weight, layer.convolution.bias
    return CONVOLVE[x.ndim - 2](x, weight, bias, layer.stage.stride)


def thresholds_of(layer, n_axes=2):
    if not layer.is_thresholded:
        return None
    return layer.threshold.view(-1, *(1,) * n_axes).numpy()


# Activations and thresholds


@pytest.mark.parametrize("n_axes", [1, 2, 3])
@pytest.mark.parametrize("name", FORMULAS)
@torch.no_grad()
def test_activation(name, n_axes):
    layer, x = make_stage(n_axes=n_axes, activation=name), draw(4, 2, *(6,) * n_axes)
    z = responses_of(layer, x).numpy()
    expected = FORMULAS[name](z, thresholds_of(layer, n_axes))
    assert_allclose(layer(x), expected, atol=1e-5)
    assert expected.shape[1] == layer.n_maps


def test_every_activation_has_a_formula():
    assert set(FORMULAS) == set(ACTIVATIONS)


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


# Depthwise stages and pooling within them


@pytest.mark.parametrize("n_axes", [1, 2, 3])
@pytest.mark.parametrize("name", ["relu", "abs", "soft_threshold", "two_sided"])
@torch.no_grad()
def test_depthwise_stage_is_a_loop_over_filters_and_maps(name, n_axes):
    layer = make_stage(5, n_axes, activation=name, depthwise=True, kernel_size=2)
    x = draw(3, 5, *(6,) * n_axes)
    alone = [responses_of(layer, x[:, [i]]).numpy() for i in range(5)]
    t = thresholds_of(layer, n_axes)
    parts = []
    for k in range(3):
        z = np.concatenate([maps[:, [k]] for maps in alone], axis=1)
        parts.append(FORMULAS[name](z, None if t is None else t[k]))
    expected = np.concatenate(parts, axis=1)
    assert layer.n_maps == expected.shape[1]
    assert_allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize("n_axes", [1, 2, 3])
@pytest.mark.parametrize("name", ["relu", "abs", "two_sided", "triangle"])
@torch.no_grad()
def test_pooling_behind_the_activation(name, n_axes, mode):
    """The last windows may be smaller: no position is dropped."""
    layer = make_stage(n_axes=n_axes, activation=name, pool_size=3, pool_mode=mode)
    x = draw(4, 2, *(7,) * n_axes)
    z = responses_of(layer, x).numpy()
    maps = torch.from_numpy(FORMULAS[name](z, thresholds_of(layer, n_axes)))
    expected = POOL[mode][n_axes](maps, 3, ceil_mode=True)
    assert_allclose(layer(x), expected, atol=1e-5)


# From maps to features


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        *itertools.product([(8,), (7,), (2,), (1,)], [1, 2, 3, 5]),
        *itertools.product([(8, 6), (7, 5), (1, 9)], [1, 2, 3, 4]),
        *itertools.product([(4, 6, 8), (3, 5, 7)], [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("order", ["channels_first", "channels_last"])
def test_average_over_a_grid(size, grid, order):
    maps = draw(5, 3, *size)
    if order == "channels_last":
        maps = maps.movedim(1, -1).contiguous().movedim(-1, 1)
    expected = GRID["avg"][len(size)](maps, grid)
    assert_allclose(GridPooling("avg", grid)(maps), expected, atol=1e-6)


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


def test_power_changes_neither_training_nor_score(small_digits):
    params = {"pooling": "max", "n_filters": (3, 2)}
    plain = make_small(**params).fit(small_digits)
    other = make_small(power=0.5, feature_stages="all", **params).fit(small_digits)
    assert other.score(small_digits) == plain.score(small_digits)
    assert_array_equal(other.filters_, plain.filters_)


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


# Whitening


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
