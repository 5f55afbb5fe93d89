"""Transposed convolutions, as blocks or not, against torch's own."""

import math

import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from skcae.nn.autoencoder import ConvAutoencoder
from skcae.nn.transposed_convolution import TransposedConvolution
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage

from .conftest import draw

TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
# Kernel, stride, offset, size of the code and of the output.
SHAPES = {
    "signals": ((4,), 2, 1, (5,), (10,)),
    "signals, cut": ((5,), 2, 1, (5,), (8,)),
    "images": ((4, 4), 2, 1, (5, 4), (10, 8)),
    "images, lengthened": ((3, 3), 2, 1, (4, 4), (8, 8)),
    "images, cut": ((6, 6), 3, 1, (3, 3), (7, 8)),
    "volumes": ((2, 2, 2), 2, 0, (3, 2, 2), (6, 4, 3)),
}


def make(kernel, stride, offset, n_out=1):
    layer = TransposedConvolution(3, n_out, kernel, stride, offset)
    with torch.no_grad():
        layer.weight.copy_(draw(*layer.weight.shape))
        layer.bias.copy_(draw(n_out))
    return layer


def plain(x, weight, bias, stride, offset, size):
    """Return torch's own transposed convolution, cut or lengthened to a size."""
    n_axes = x.ndim - 2
    y = F.pad(TRANSPOSE[n_axes](x, weight, None, stride), (0, stride) * n_axes)
    for axis, length in enumerate(size, start=2):
        y = y.narrow(axis, offset, length)
    return y + bias.view(-1, *(1,) * n_axes)


def gradients(function, x, layer, needed):
    """Return an output and its gradients by those inputs that are named."""
    tensors = {"x": x, "weight": layer.weight, "bias": layer.bias}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name in needed)
    y = function(x)
    found = torch.autograd.grad(
        y, [tensors[name] for name in needed], draw(*y.shape), retain_graph=True
    )
    return y, found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_out", [1, 30])
@pytest.mark.parametrize(
    "needed", [("x",), ("weight",), ("bias",), ("x", "bias"), ("x", "weight", "bias")]
)
def test_output_and_gradients_are_those_of_torch(shape, n_out, needed):
    kernel, stride, offset, here, size = SHAPES[shape]
    layer, x = make(kernel, stride, offset, n_out), draw(2, 3, *here)
    y, found = gradients(lambda x: layer(x, None, size), x, layer, needed)
    expected, wanted = gradients(
        lambda x: plain(x, layer.weight, layer.bias, stride, offset, size),
        x,
        layer,
        needed,
    )
    # Blocks are for few channels.
    assert ("Blocks" in type(y.grad_fn).__name__) == (n_out == 1)
    assert_allclose(y.detach(), expected.detach(), atol=1e-5)
    for gradient, other in zip(found, wanted, strict=True):
        assert gradient.shape == other.shape
        assert_allclose(gradient, other, rtol=1e-4, atol=1e-4)


class GradientsAskedFor(TorchDispatchMode):
    """Hears which gradients the backward pass of a convolution is asked for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution_backward.default:
            self.of_x_weight_bias = args[-1]
        return func(*args, **kwargs or {})


@pytest.mark.parametrize("needed", [["x"], ["weight"], ["bias"], ["x", "bias"]])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_gradient_is_computed_that_nobody_needs(needed, shape):
    kernel, stride, offset, here, size = SHAPES[shape]
    layer, x = make(kernel, stride, offset), draw(2, 3, *here)
    for name, tensor in (("x", x), *layer.named_parameters()):
        tensor.requires_grad_(name in needed)
    y = layer(x, None, size)
    with GradientsAskedFor() as asked:
        y.backward(torch.ones_like(y))
    assert asked.of_x_weight_bias == [
        name in needed for name in ("x", "weight", "bias")
    ]


@pytest.mark.parametrize(
    ("kernel", "stride"), [((4,), 2), ((6, 6), 3), ((5, 5), 2), ((4, 4, 4), 2)]
)
def test_fan_in_is_what_reaches_an_output_value_on_average(kernel, stride):
    layer = TransposedConvolution(7, 1, kernel, stride)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.zero_()
    size = [9 * stride] * len(kernel)
    y = layer(torch.ones(1, 7, *(9,) * len(kernel)), None, size)
    for axis in range(2, y.ndim):  # far from the borders
        y = y.narrow(axis, 3 * stride, 3 * stride)
    assert layer.fan_in == pytest.approx(y.mean().item(), abs=0.5)


def test_fan_in_of_filters_that_are_cut_to_small_samples():
    stage = Stage(16, 3, 20, 1, "same", "relu")
    module = ConvAutoencoder(Architecture([stage], (4, 4)))
    assert module.decoder[0].convolution.weight.shape == (16, 1, 4, 4)
    assert module.decoder[0].convolution.fan_in == 16


def test_decoder_starts_within_the_root_of_its_fan_in():
    stage = Stage(16, 4, 2, 2, "same", "relu")
    module = ConvAutoencoder(Architecture([stage, stage], (32, 32)))
    module.reset_parameters(torch.Generator().manual_seed(0))
    for layer in module.decoder:
        weight, fan_in = layer.convolution.weight, layer.convolution.fan_in
        n_in, _, *sides = weight.shape
        assert fan_in == round(n_in * math.prod(sides) / 4**2)
        assert_allclose(weight.abs().max().item(), fan_in**-0.5, rtol=0.01)
