"""Noise of a denoising autoencoder."""

import pytest
import torch

from skcae.nn.corruption import Corruption


@pytest.fixture
def x():
    """Samples of two channels of different ranges, all of whose values differ."""
    drawn = torch.rand(20, 2, 30, generator=torch.Generator().manual_seed(0))
    return drawn * torch.tensor([1.0, 10.0]).view(2, 1) - 5


def noisy(x, kind, level):
    layer = Corruption(kind, level)
    layer.draw_from(torch.Generator().manual_seed(1))
    return layer(x)


@pytest.mark.parametrize("kind", ["mask", "gaussian", "salt_and_pepper"])
def test_no_noise_outside_training(kind, x):
    assert Corruption(kind, 0.5).eval()(x) is x


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
def test_salt_and_pepper_are_as_frequent_and_of_the_channel(level, x):
    y = noisy(x, "salt_and_pepper", level)
    for channel in range(2):
        before, after = x[:, channel], y[:, channel]
        low, high = before.min(), before.max()
        for extreme in (low, high):
            assert (after == extreme).float().mean() == pytest.approx(
                level / 2, abs=0.05
            )
        is_kept = (after != low) & (after != high)
        assert torch.equal(after[is_kept], before[is_kept])


def test_masked_values_are_zero(x):
    y = noisy(x, "mask", 0.3)
    is_kept = y != 0
    assert is_kept.float().mean() == pytest.approx(0.7, abs=0.05)
    assert torch.equal(y[is_kept], x[is_kept])


def test_deviation_of_normal_noise(x):
    noise = noisy(x, "gaussian", 0.3) - x
    assert noise.std() == pytest.approx(0.3, rel=0.05)
    assert noise.mean() == pytest.approx(0, abs=0.03)
