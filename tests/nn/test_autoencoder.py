"""The convolutional autoencoder of the article, against its formulas in numpy."""

from itertools import product

import numpy as np
import pytest
import torch

from skcae.nn.autoencoder import ConvAutoencoder
from skcae.nn.losses import ReconstructionLoss
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage

from ..conftest import make_small

RNG = np.random.default_rng(0)


def correlate(samples, filters, biases):
    """Sum over channels of every filter at every place it fits, plus a bias per map.

    samples (N, C, *spatial), filters (F, C, *kernel), biases (F,).
    """
    kernel = filters.shape[2:]
    places = [
        size - side + 1 for size, side in zip(samples.shape[2:], kernel, strict=True)
    ]
    maps = np.empty((len(samples), len(filters), *places))
    for n, f in product(range(len(samples)), range(len(filters))):
        for place in product(*map(range, places)):
            window = tuple(
                slice(start, start + side)
                for start, side in zip(place, kernel, strict=True)
            )
            patch = samples[(n, slice(None), *window)]
            maps[(n, f, *place)] = (patch * filters[f]).sum() + biases[f]
    return maps


def pad(samples, zeros):
    n_axes = samples.ndim - 2
    return np.pad(samples, [(0, 0), (0, 0)] + [(zeros, zeros)] * n_axes)


def textbook(n_axes, n_channels, side=5, k=1, n_filters=3, **params):
    stage = Stage(n_filters, 2 * k + 1, 1, 1, "full", "tanh")
    module = ConvAutoencoder(
        Architecture([stage], (side,) * n_axes, n_channels, **params)
    )
    module.reset_parameters(torch.Generator().manual_seed(1))
    with torch.no_grad():  # biases that matter
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn(
                parameter.shape, generator=torch.Generator().manual_seed(2)
            )
    weights = {name: p.detach().numpy() for name, p in module.named_parameters()}
    samples = RNG.normal(size=(2, n_channels, *(side,) * n_axes)).astype(np.float32)
    return module, weights, samples


@pytest.mark.parametrize("n_axes", [1, 2, 3])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("k", [1, 2])
def test_encode_decode_and_loss(n_axes, n_channels, k):
    side = 5 if n_axes < 3 else 4
    module, weights, samples = textbook(n_axes, n_channels, side, k)
    x = torch.from_numpy(samples)

    filters = weights["encoder.0.convolution.weight"]
    biases = weights["encoder.0.convolution.bias"]
    zeros = (2 * k + 1) - 1
    code = np.tanh(correlate(pad(samples, zeros), filters, biases))
    encoded = module.encode(x).detach().numpy()
    assert encoded.shape[2:] == (side + (2 * k + 1) - 1,) * n_axes
    np.testing.assert_allclose(encoded, code, atol=1e-5)

    rebuilt = correlate(
        code,
        weights["decoder.0.convolution.weight"],
        weights["decoder.0.convolution.bias"],
    )
    assert rebuilt.shape == samples.shape
    decoded = module.decode(module.encode(x)).detach().numpy()
    np.testing.assert_allclose(decoded, rebuilt, atol=1e-4)

    loss = ReconstructionLoss("squared_error", "identity")
    np.testing.assert_allclose(
        loss(*module.training_pair(x)).item(),
        0.5 * np.mean((samples - rebuilt) ** 2),
        rtol=1e-5,
    )


@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_tied_decoder_uses_flipped_filters(n_axes):
    module, weights, samples = textbook(n_axes, 2, side=4, tied_weights=True)
    filters = weights["encoder.0.convolution.weight"]
    flipped = np.flip(filters, axis=range(2, filters.ndim)).swapaxes(0, 1)
    code = module.encode(torch.from_numpy(samples))
    rebuilt = correlate(
        code.detach().numpy(), flipped, weights["decoder.0.convolution.bias"]
    )
    np.testing.assert_allclose(module.decode(code).detach(), rebuilt, atol=1e-4)


def test_strides_and_valid_padding():
    stage = Stage(2, 3, 2, 1, "valid", "tanh")
    module = ConvAutoencoder(Architecture([stage], (9, 9)))
    module.reset_parameters(torch.Generator().manual_seed(0))
    samples = RNG.normal(size=(1, 1, 9, 9)).astype(np.float32)
    filters = module.filters.detach().numpy()
    expected = np.tanh(correlate(samples, filters, np.zeros(2))[:, :, ::2, ::2])
    encoded = module.encode(torch.from_numpy(samples))
    assert encoded.shape[2:] == ((9 - 3) // 2 + 1,) * 2
    np.testing.assert_allclose(encoded.detach(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("n_channels", "tied_weights", "expected"),
    [
        (1, False, 32 * 9 + 32 + 32 * 9 + 1),
        (3, False, 32 * 27 + 32 + 32 * 27 + 3),
        (1, True, 32 * 9 + 32 + 1),
        (3, True, 32 * 27 + 32 + 3),
    ],
)
def test_number_of_parameters_does_not_depend_on_the_size(
    n_channels, tied_weights, expected
):
    for side in (8, 28, 101):
        module, *_ = textbook(
            2, n_channels, side, n_filters=32, tied_weights=tied_weights
        )
        assert sum(p.numel() for p in module.parameters()) == expected


def test_the_transformer_trains_the_textbook_autoencoder(small_digits):
    cae = make_small(
        padding="full", activation="tanh", pool_size=1, max_epochs=5, lr=0.01
    )
    code = cae.fit_transform(small_digits)
    assert code.shape == (120, 4 * 10 * 10)
    scaled = (small_digits - small_digits.mean()) / small_digits.std()
    weights = {n: p.detach().numpy() for n, p in cae.module_.named_parameters()}
    expected = np.tanh(
        correlate(
            pad(scaled[:3, None], 2),
            cae.filters_,
            weights["encoder.0.convolution.bias"],
        )
    )
    np.testing.assert_allclose(code[:3], expected.reshape(3, -1), atol=1e-5)
    assert cae.history_[-1]["train_loss"] < cae.history_[0]["train_loss"]


@pytest.mark.parametrize("power", [0.5, 0.25])
def test_roots_of_features_can_be_trained_through(power):
    """A root has no slope at 0, where rectified maps often are."""
    stage = Stage(1, 1, 1, 1, "same", "relu")
    module = ConvAutoencoder(Architecture([stage], (6,), pooling="max", power=power))
    layer = module.encoder[0].convolution
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.zero_()
    x = torch.tensor([[[-1.0, 0.0, -2.0, 1e-5, 0.5, 4.0]], [[1e-7, 0, 0, 3, 0, 0]]])
    with torch.no_grad():
        exact = module.features(x)
    features = module.features(x)
    features.sum().backward()
    assert layer.weight.grad.isfinite().all()
    assert layer.bias.grad.isfinite().all()
    assert layer.weight.grad > 0
    # The slope is that of the least magnitude, also below it.
    small = torch.tensor([[[-1.0, -1.0, -1.0, 1e-8, -1.0, -1.0]]])
    layer.bias.grad = None
    module.features(small)[0, 1].backward()
    assert layer.bias.grad.item() <= power * 1e-6 ** (power - 1)
    # What is not next to nothing is exact, and the rest is next to nothing.
    np.testing.assert_allclose(
        features.detach(), exact, atol=1e-6**power * 1.001, rtol=1e-6
    )
    np.testing.assert_allclose(features.detach()[:, 1], exact[:, 1], rtol=1e-6)
