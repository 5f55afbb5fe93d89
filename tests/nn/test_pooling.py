"""Pooling of maps, against that of PyTorch."""

import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skcae.nn.pooling import GridPooling, pool

from .conftest import GRID, draw


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


@pytest.mark.parametrize(
    ("shape", "size"),
    [((12,), 2), ((12,), 3), ((9, 12), 3), ((7, 8), 2), ((4, 6, 8), 2)],
)
def test_pooling_with_and_without_gradient(shape, size):
    rng = np.random.default_rng(0)
    # Of few values, so that there are ties.
    x = rng.integers(-3, 3, size=(5, 4, *shape)).astype(np.float32)
    x[0, 0].flat[0] = np.nan
    x = torch.from_numpy(x)
    expected = pool(x.clone().requires_grad_(), "max", size)
    assert_array_equal(pool(x, "max", size), expected.detach())
