"""Filters of decoders reach all of a sample, and are no larger than that takes."""

import itertools

import pytest
import torch

from skcae.nn.autoencoder import ConvAutoencoder
from skcae.nn.decoder_stage import DecoderStage
from skcae.nn.encoder_stage import EncoderStage
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage


def reached_weights(stage, spatial, built_for):
    """Return which weights of a decoder of one channel have a part in its output."""
    encoder = EncoderStage(1, stage, len(spatial))
    decoder = DecoderStage(encoder, 1, "identity", False, built_for)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.fill_(1.0)
    code = torch.ones(1, stage.n_filters, *map(stage.pooled, spatial))
    y = decoder(code, spatial)
    assert y.shape[2:] == spatial
    (gradient,) = torch.autograd.grad(y.sum(), [decoder.convolution.weight])
    return gradient != 0


@pytest.mark.parametrize("padding", ["same", "full"])
@pytest.mark.parametrize("stride", [1, 2, 7])
@pytest.mark.parametrize("pool_size", [1, 3])
def test_filters_are_cut_to_what_a_sample_can_reach(padding, stride, pool_size):
    for kernel_size, side in itertools.product((1, 2, 3, 8, 15), (1, 2, 5, 8)):
        stage = Stage(1, kernel_size, stride, pool_size, padding, "relu")
        for spatial in ((side,), (side, side)):
            cut = reached_weights(stage, spatial, built_for=spatial)
            whole = reached_weights(stage, spatial, built_for=(50,) * len(spatial))
            assert cut.sum() == whole.sum()
            assert cut[..., 0].any()
            assert cut[..., -1].any()


def test_cut_filters_do_what_whole_ones_do():
    """Values that are cut off have no part in the output."""
    generator = torch.Generator().manual_seed(0)
    for padding, stride, pool_size in itertools.product(
        ("same", "full"), (1, 2, 7), (1, 2)
    ):
        stage = Stage(2, 9, stride, pool_size, padding, "relu")
        encoder = EncoderStage(1, stage, 1)
        whole = DecoderStage(encoder, 1, "identity", False, (50,))
        cut = DecoderStage(encoder, 1, "identity", False, (4,))
        side, offset = stage.decoder_filter((4,))
        first = stage.decoder_filter((50,))[1] - offset
        with torch.no_grad():
            whole.convolution.weight.normal_(generator=generator)
            whole.convolution.bias.fill_(0.5)
            part = whole.convolution.weight[..., first : first + side]
            cut.convolution.weight.copy_(part)
            cut.convolution.bias.fill_(0.5)
        code = torch.randn(3, 2, stage.pooled(4), generator=generator)
        torch.testing.assert_close(cut(code, (4,)), whole(code, (4,)))


def test_small_volumes_need_no_large_decoders():
    stage = Stage(2, 3, 50, 4, "same", "relu")
    module = ConvAutoencoder(Architecture([stage], (4, 6, 4)))
    assert module.decoder[0].convolution.weight.numel() <= 2 * 6**3
    assert module.architecture.n_weights_of_stage(0) == sum(
        layer.convolution.weight.numel() for layer in (*module.encoder, *module.decoder)
    )


@pytest.mark.parametrize("size", [(2, 2), (9, 5), (30, 40)])
@pytest.mark.parametrize("stride", [1, 3, 20])
def test_samples_of_other_sizes_are_rebuilt(size, stride):
    stage = Stage(2, 15, stride, 2, "same", "relu")
    module = ConvAutoencoder(Architecture([stage], (4, 4)))
    module.reset_parameters(torch.Generator().manual_seed(0))
    y = module(torch.ones(1, 1, *size))
    assert y.shape == (1, 1, *size)
    assert y.isfinite().all()
