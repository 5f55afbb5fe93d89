"""Every row of every table of variants works wherever it is read."""

import inspect

import numpy as np
import pytest
import skl2onnx
import torch
from numpy.testing import assert_allclose, assert_array_equal

import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import ConvAutoencoderOutlierDetector, ConvAutoencoderTransformer
from skcae.nn.activations import activate, before_activation
from skcae.nn.corruption import Corruption
from skcae.nn.losses import ReconstructionLoss
from skcae.nn.pooling import GridPooling, pool
from skcae.params.activations import ACTIVATIONS
from skcae.params.constraints import CHOICES
from skcae.params.corruptions import CORRUPTIONS
from skcae.params.filter_starts import FILTER_STARTS
from skcae.params.losses import LOSSES
from skcae.params.optimizers import OPTIMIZERS
from skcae.params.pool_modes import POOL_MODES
from skcae.params.scaling import resolve_scale
from skcae.params.sparsities import SPARSITIES

from .conftest import make_small
from .export.conftest import outputs_of


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def assert_exported(cae, X):
    model = skl2onnx.to_onnx(cae, X[:1].astype(np.float32))
    (features,) = outputs_of(model, X.astype(np.float32)).values()
    assert_allclose(features, cae.transform(X), atol=1e-5)


@pytest.mark.parametrize("parameter", CHOICES)
def test_every_name_is_documented(parameter):
    text = inspect.getdoc(ConvAutoencoderTransformer)
    names = ", ".join(f'"{name}"' for name in CHOICES[parameter])
    assert f"\n{parameter} : {{{names}}}" in text


# Activations


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_fitted_and_exported(name, small_digits):
    row = ACTIVATIONS[name]
    cae = make_small(activation=name, init="kmeans", max_epochs=0).fit(small_digits)
    assert cae.transform(small_digits).shape == (120, 4 * row.n_signs * 4 * 4)
    assert_exported(cae, small_digits)
    untrained = make_small(activation=name, max_epochs=0).fit(small_digits)
    assert cae.score(small_digits) > untrained.score(small_digits) + 0.05


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_keeps_its_bounds_and_order(name):
    row, x = ACTIVATIONS[name], draw(1000).sort().values * 3
    y = activate(x.clone(), name)
    low, high = row.bounds
    assert low is None or y.min() >= low
    assert high is None or y.max() <= high
    if row.is_monotone:
        assert_array_equal(y, y.sort().values)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_undone(name):
    y = activate(draw(1000), name)
    assert_allclose(activate(before_activation(y.clone(), name), name), y, atol=0.03)


@pytest.mark.parametrize("name", CHOICES["output_activation"])
def test_data_are_scaled_into_the_bounds_of_the_output(name, small_digits):
    moments = {
        "channel_min": np.array([-3.0, 5.0]),
        "channel_max": np.array([1.0, 5.0]),
        "channel_mean": np.array([0.5, 5.0]),
        "channel_std": np.array([2.0, 0.0]),
    }
    mean, scale = resolve_scale(name, moments)
    assert scale[1] == 1.0
    low, high = ACTIVATIONS[name].bounds
    # Bounds such as that of the arc tangent are not exact.
    assert low is None or (-3.0 - mean[0]) / scale[0] == pytest.approx(low)
    assert high is None or (1.0 - mean[0]) / scale[0] == pytest.approx(high)
    params = {"output_activation": name, "max_epochs": 1, "n_components": 2}
    detector = ConvAutoencoderOutlierDetector(
        make_small(**params), criterion="reconstruction"
    ).fit(small_digits)
    X = small_digits.astype(np.float32)
    scores = outputs_of(skl2onnx.to_onnx(detector, X[:1]), X)["scores"].ravel()
    assert_allclose(scores, detector.decision_function(X), rtol=1e-4, atol=1e-4)


# Losses


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_least_for_the_target(name):
    row = LOSSES[name]
    loss = ReconstructionLoss(name, row.implies_output or "identity")
    target = draw(50, 1, 3, 3).sigmoid()
    perfect = before_activation(target, row.implies_output or "identity")
    other = perfect + draw(50, 1, 3, 3)
    losses = [loss(output, target) for output in (perfect, other)]
    assert losses[0] < losses[1]
    of_samples = loss.of_samples(other, target)
    assert of_samples.shape == (50,)
    assert_allclose(of_samples.mean(), losses[1], rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_trained_with(name, small_digits):
    cae = make_small(loss=name, max_epochs=3, lr=0.02).fit(small_digits)
    first, *_, last = (row["train_loss"] for row in cae.history_)
    assert last < first


# Pooling


@pytest.mark.parametrize("pooling", [None, *POOL_MODES])
@pytest.mark.parametrize("mode", POOL_MODES)
def test_pooling_is_exported(mode, pooling, digits):
    X = digits[:60, :7, :5]
    cae = make_small(
        pool_mode=mode, pool_size=3, pooling=pooling, pool_grid=3, max_epochs=0
    ).fit(X)
    assert_exported(cae, X)


@pytest.mark.parametrize("mode", POOL_MODES)
@pytest.mark.parametrize("shape", [(9,), (6, 9), (4, 7), (3, 6, 3), (1, 2, 9)])
def test_pooling_is_the_same_with_gradients(mode, shape):
    x = draw(2, 3, *shape)
    pooled = pool(x, mode, 3)
    assert_array_equal(pool(x.clone().requires_grad_(), mode, 3).detach(), pooled)
    assert pooled.shape[2:] == tuple(-(-length // 3) for length in shape)
    assert_allclose(
        pool(x, mode, 9).flatten(1), GridPooling(mode, 1)(x).flatten(1), rtol=1e-5
    )


@pytest.mark.parametrize("mode", POOL_MODES)
def test_pooling_commutes_with_monotone_functions_where_it_says_so(mode):
    x = draw(2, 3, 6, 6)
    commutes = torch.equal(pool(x, mode, 2).tanh(), pool(x.tanh(), mode, 2))
    assert commutes == POOL_MODES[mode].commutes_with_monotone


# Optimizers and starts


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer(name, small_digits):
    row = OPTIMIZERS[name]
    kind = getattr(torch.optim, row.torch)
    assert row.is_fused == ("fused" in inspect.signature(kind).parameters)
    cae = make_small(optimizer=name, max_epochs=3, lr=0.01).fit(small_digits)
    assert type(cae.net_.optimizer_) is kind
    first, *_, last = (row["train_loss"] for row in cae.history_)
    assert last < first


@pytest.mark.parametrize("name", FILTER_STARTS)
def test_start_of_filters(name, small_digits):
    cae = make_small(init=name, max_epochs=0).fit(small_digits)
    filters = cae.filters_.reshape(4, -1)
    assert_allclose(np.linalg.norm(filters, axis=1), 1.0, rtol=1e-5)
    assert_allclose(filters.sum(axis=1), 0.0, atol=1e-5)
    # Only a decoder of filters that fit the samples is fitted to them.
    assert (cae.score(small_digits) > 0.2) == FILTER_STARTS[name].sees_samples


# Noise and sparsity


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_noise(name, small_digits):
    row = CORRUPTIONS[name]
    x = torch.tensor(small_digits[:, None], dtype=torch.float32)
    shares = []
    for level in (0.0, 0.3, 1.0):
        noise = Corruption(name, level)
        noise.generator = torch.Generator().manual_seed(0)
        assert noise.eval()(x) is x
        noisy = noise.train()(x)
        assert noisy.shape == x.shape
        shares.append((noisy != x).float().mean().item())
    assert shares[0] == 0
    if row.level_is_share:
        # Some values are those that would replace them.
        assert 0.1 < shares[1] < 0.35
        assert 0.4 < shares[2]
        with pytest.raises(ValueError, match="expected a share"):
            make_small(corruption=name, corruption_level=1.1).fit(small_digits)
    cae = make_small(corruption=name, corruption_level=0.9).fit(small_digits)
    assert cae.module_.corruption is not None


@pytest.mark.parametrize("name", SPARSITIES)
def test_sparsity(name, small_digits):
    row = SPARSITIES[name]
    cae = make_small(sparsity=name, max_epochs=3, lr=0.02).fit(small_digits)
    first, *_, last = (row["train_loss"] for row in cae.history_)
    assert last < first
    assert ("stage" in cae.history_[0]) == row.is_stagewise
    n_stages = 2 if row.is_stagewise else 1
    layerwise = {"n_filters": (3, 2), "layerwise": row.is_stagewise}
    cae = make_small(sparsity=name, **layerwise).fit(small_digits)
    assert cae.n_iter_ == 2 * n_stages
    other = make_small(sparsity=name, sparsity_level=0.9, **layerwise).fit(small_digits)
    assert not np.array_equal(other.filters_, cae.filters_)
    if row.uses_crops:
        crops = make_small(sparsity=name, crop_size=4, **layerwise).fit(small_digits)
        assert not np.array_equal(crops.filters_, cae.filters_)
    if row.fits_decoder:
        untrained = make_small(max_epochs=0, **layerwise).fit(small_digits)
        assert cae.score(small_digits) > untrained.score(small_digits) + 0.1
