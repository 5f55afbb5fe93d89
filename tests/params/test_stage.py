from itertools import product

import pytest
import torch

from skcae.nn.autoencoder import ConvAutoencoder
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage, map_sizes


def stage(kernel_size=3, stride=1, pool_size=1, padding="same", n_filters=2):
    return Stage(n_filters, kernel_size, stride, pool_size, padding, "relu")


@pytest.mark.parametrize(
    ("padding", "kernel_size", "stride", "expected"),
    [
        ("same", 3, 1, 28),
        ("same", 4, 1, 28),
        ("same", 3, 2, 14),
        ("valid", 3, 1, 26),
        ("valid", 5, 2, 12),
        ("full", 3, 1, 30),
        ("full", 5, 1, 32),
        ("full", 5, 2, 16),
    ],
)
def test_size_of_a_map(padding, kernel_size, stride, expected):
    assert stage(kernel_size, stride, padding=padding).convolved(28) == expected


def test_strided_valid_convolution_follows_the_textbook():
    # The article: strides move a filter of side 2k + 1 to (I - (2k+1)) / S + 1 places.
    for size, k, step in [(9, 1, 2), (32, 2, 3), (7, 3, 1)]:
        side = 2 * k + 1
        here = stage(side, step, padding="valid")
        assert here.convolved(size) == (size - side) // step + 1


def test_pooling_drops_no_position():
    assert stage(pool_size=2).pooled(7) == 4
    assert stage(pool_size=3).pooled(1) == 1


def test_filter_larger_than_the_padded_map():
    with pytest.raises(ValueError, match=r"stage 2 .*kernel_size=3 on maps of shape"):
        map_sizes((4,), [stage(padding="valid"), stage(padding="valid")])


@pytest.mark.parametrize("padding", ["same", "valid", "full"])
@pytest.mark.parametrize("tied_weights", [False, True])
@pytest.mark.parametrize("n_stages", [1, 2])
@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_decoder_gives_back_every_size(n_axes, n_stages, tied_weights, padding):
    sizes = {1: range(1, 17), 2: (1, 2, 7, 8), 3: (1, 4, 5)}[n_axes]
    kernel_sizes = (1, 3, 4) if n_axes == 3 else (1, 2, 3, 4)
    for kernel_size, stride, pool_size, size in product(
        kernel_sizes, (1, 2, 3), (1, 2, 3), sizes
    ):
        stages = [stage(kernel_size, stride, pool_size, padding)] * n_stages
        try:
            shapes = map_sizes((size,) * n_axes, stages)
        except ValueError:
            assert padding == "valid"
            continue
        module = ConvAutoencoder(
            Architecture(stages, (size,) * n_axes, tied_weights=tied_weights)
        )
        module.reset_parameters(torch.Generator().manual_seed(0))
        x = torch.ones(1, 1, *(size,) * n_axes)
        code = module.encode(x)
        assert code.shape[2:] == shapes[-1]
        rebuilt = module.decode(code)
        assert rebuilt.shape == x.shape
        assert rebuilt.isfinite().all()


def test_all_sizes_up_to_64():
    module = ConvAutoencoder(
        Architecture([stage(pool_size=2), stage(stride=2)], (8, 8))
    )
    module.reset_parameters(torch.Generator().manual_seed(0))
    for size in range(1, 65):
        x = torch.ones(1, 1, size, size)
        assert module(x).shape == x.shape
