"""Units of channels."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skcae.nn.channel_scaler import ChannelScaler


@pytest.mark.parametrize("shape", [(7,), (5, 6), (3, 4, 5)])
@pytest.mark.parametrize("is_channels_last", [False, True])
def test_units_of_channels(shape, is_channels_last):
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(4, *shape, 3)).astype(np.float32))
    x = x.movedim(-1, 1)
    if not is_channels_last:
        x = x.contiguous()
    scaler = ChannelScaler(3, len(shape))
    mean, scale = rng.normal(size=3), rng.uniform(1, 2, size=3)
    scaler.set(mean, scale)
    expected = (x.movedim(1, -1).numpy() - mean) / scale
    actual = scaler(x)
    assert actual.stride() == x.stride()
    assert_allclose(actual.movedim(1, -1), expected, rtol=1e-4, atol=1e-6)
    assert_allclose(scaler.inverse(actual), x, rtol=1e-4, atol=1e-6)
