"""Decoders by least squares, against the solution of numpy."""

import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skcae.nn.autoencoder import ConvAutoencoder
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage
from skcae.training import decoder_fit
from skcae.training.decoder_fit import fit_decoder

from ..conftest import make_small
from .conftest import STACK, WINNERS


def random_module(spatial, n_channels=1, **params):
    sizes = {"n_filters": 3, "kernel_size": 3, "stride": 1, "pool_size": 1}
    names = {"padding": "same", "activation": "abs"}
    stage = Stage(**sizes | names | params)
    module = ConvAutoencoder(Architecture([stage], spatial, n_channels)).eval()
    module.reset_parameters(torch.Generator().manual_seed(0))
    return module


def design_of(module, x):
    """Return the matrix by which a decoder's weights and biases are multiplied."""
    layer = module.decoder[0].convolution
    parameters = [layer.weight, layer.bias]
    columns = []
    with torch.no_grad():
        code = module.encoder[0](x)
        for parameter in parameters:
            parameter.zero_()
        for parameter in parameters:
            for number in range(parameter.numel()):
                index = np.unravel_index(number, parameter.shape)
                parameter[index] = 1.0
                columns.append(module.decoder[0](code, x.shape[2:]).flatten())
                parameter.zero_()
    return torch.stack(columns, dim=1).double().numpy()


DECODERS = [
    {},
    {"n_channels": 2},
    {"kernel_size": 2},
    {"kernel_size": 4, "padding": "full"},
    {"padding": "valid"},
    {"padding": "full", "activation": "two_sided"},
    {"pool_size": 2},
    {"pool_size": 3, "pool_mode": "avg", "padding": "valid"},
    {"pool_size": 2, "kernel_size": 2, "padding": "full"},
    {"stride": 2},
    {"stride": 3, "kernel_size": 2},
    {"stride": 2, "pool_size": 2, "padding": "valid"},
    {"n_channels": 3, "depthwise": True, "activation": "two_sided", "pool_size": 2},
    {"n_channels": 2, "depthwise": True},
]


@pytest.mark.parametrize(
    ("params", "spatial"),
    [
        *itertools.product(DECODERS, [(9, 8)]),
        *itertools.product(DECODERS[::3], [(21,), (5, 6, 4)]),
    ],
    ids=str,
)
def test_decoder_is_the_least_squares_solution(params, spatial, monkeypatch):
    monkeypatch.setattr(decoder_fit, "_RIDGE", 1e-7)
    monkeypatch.setattr(decoder_fit, "_MAX_ITER", 400)
    monkeypatch.setattr(decoder_fit, "_TOLERANCE", 1e-5)
    generator = torch.Generator().manual_seed(1)
    n_channels = params.get("n_channels", 1)
    module = random_module(spatial, **params)
    x = torch.randn((40, n_channels, *spatial), generator=generator)
    x = x.cumsum(dim=2) / 3
    fit_decoder(module, x)
    with torch.no_grad():
        rebuilt = module.decoder[0](module.encoder[0](x), spatial)
    error = float((rebuilt - x).square().mean())
    design, target = design_of(module, x), x.flatten().double().numpy()
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    least = np.square(design @ solution - target).mean()
    assert least < np.var(target)
    assert least * (1 - 1e-5) <= error <= 1.002 * least + 1e-5


def test_decoder_survives_more_iterations_than_digits(monkeypatch):
    generator = torch.Generator().manual_seed(1)
    for params in DECODERS[::3]:
        module = random_module((9, 8), **params)
        n_channels = params.get("n_channels", 1)
        x = torch.randn((40, n_channels, 9, 8), generator=generator).cumsum(dim=2)
        errors = []
        for n, tolerance in ((100, 1e-4), (600, 0.0)):
            monkeypatch.setattr(decoder_fit, "_MAX_ITER", n)
            monkeypatch.setattr(decoder_fit, "_TOLERANCE", tolerance)
            fit_decoder(module, x)
            with torch.no_grad():
                rebuilt = module.decoder[0](module.encoder[0](x), (9, 8))
            errors.append(float((rebuilt - x).square().mean()))
        assert errors[1] <= 1.01 * errors[0]


def test_decoder_of_a_stack_rebuilds_the_maps_before_it(digits):
    params = {**STACK, "init": "kmeans", "n_filters": (6, 18), "max_epochs": 0}
    for name in ("relu", "tanh", "sigmoid", "triangle", "two_sided"):
        cae = make_small(activation=name, pool_size=1, **params).fit(digits[:300])
        assert cae.score(digits[300:]) > 0.5, name


def test_decoder_of_samples_smaller_than_a_window(small_digits):
    X = small_digits.reshape(-1, 2)
    for pool_size in (3, 5):
        cae = make_small(pool_size=pool_size, **WINNERS).fit(X)
        assert np.isfinite(cae.score(X))
        assert np.isfinite(cae.inverse_transform(cae.transform(X))).all()


def test_tied_decoders_are_not_fitted(small_digits):
    params = {"init": "kmeans", "max_epochs": 0, "tied_weights": True}
    cae = make_small(**params).fit(small_digits)
    assert np.isfinite(cae.score(small_digits))


def test_decoders_behind_an_untrained_dense_code_are_fitted(digits):
    for init in ("kmeans", "random"):
        params = {"init": init, "max_epochs": 0, "n_filters": 16, "n_components": 16}
        cae = make_small(**params).fit(digits[:300])
        assert cae.score(digits[300:]) > 0.5


@pytest.mark.filterwarnings("ignore:4 of 4 units")
@pytest.mark.parametrize("seed", [6, 42, 68, 129])
def test_dead_units_leave_a_finite_decoder(seed):
    X = np.random.default_rng(seed).normal(size=(5, 11, 1))
    cae = make_small(
        kernel_size=2,
        stride=2,
        padding="full",
        pool_size=1,
        init="kmeans",
        max_epochs=0,
        random_state=seed,
    ).fit(X)
    assert cae.n_dead_units_ == 4
    # All that is left is the bias: the mean of the samples.
    assert_allclose(cae.inverse_transform(cae.transform(X)), X.mean(), atol=1e-5)
