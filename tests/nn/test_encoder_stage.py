"""One stage of an encoder, against plain formulas."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional as F

from skcae.params.activations import ACTIVATIONS

from .conftest import FORMULAS, draw, make_stage, responses_of, thresholds_of

POOL = {
    "max": {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d},
    "avg": {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d},
}


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
