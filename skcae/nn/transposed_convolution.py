"""Transposed convolutions onto a given size, and a faster way to few channels."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .convolutions import CONVOLVE


def _transpose_signals(x, weight, bias, stride, padding, output_padding):
    x, weight = x.unsqueeze(2), weight.unsqueeze(2)
    padding, output_padding = (0, padding), (0, *output_padding)
    y = F.conv_transpose2d(x, weight, bias, (1, stride), padding, output_padding)
    return y.squeeze(2)


# Signals are computed as images of one row, as in `CONVOLVE`.
_TRANSPOSE = {1: _transpose_signals, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
# Up to so many values of a block (channels times positions), convolving to blocks is
# about twice as fast as a transposed convolution.
_MAX_BLOCK_CHANNELS = 20


class TransposedConvolution(nn.Module):
    """Transposed convolution whose output has a given size.

    Parameters
    ----------
    n_in, n_out : int
        Number of channels.
    kernel : tuple of int
        Spatial shape of the filters.
    stride : int
        Step between the blocks that are written.
    offset : int
        How far the first block starts before the output.
    repeat : int, default=1
        How often each input position is repeated first, which undoes pooling.
    tied_to : Convolution or None, default=None
        Layer whose filters are used, flipped in every spatial axis, as transposed
        convolutions do. None: filters of its own.
    """

    def __init__(
        self, n_in, n_out, kernel, stride=1, offset=0, *, repeat=1, tied_to=None
    ):
        super().__init__()
        # In a list, the other layer does not become a part of this module.
        self._tied_to = [] if tied_to is None else [tied_to]
        if tied_to is None:
            self.weight = nn.Parameter(torch.empty(n_in, n_out, *kernel))
        self.bias = nn.Parameter(torch.empty(n_out))
        self.n_axes = len(kernel)
        self.stride, self.offset, self.repeat = stride, offset, repeat

    @property
    def is_tied(self) -> bool:
        """Whether the filters are those of another layer."""
        return bool(self._tied_to)

    @property
    def fan_in(self) -> int:
        """Number of inputs that reach one output value, on average."""
        weight = self.filters
        # Filters that were cut to small samples reach each value once.
        n_blocks = math.prod(max(1, side / self.stride) for side in weight.shape[2:])
        return round(weight.shape[0] * n_blocks)

    @property
    def filters(self) -> Tensor:
        """Weights, its own or those of another layer."""
        return self._tied_to[0].weight if self._tied_to else self.weight

    def missing(self, here, size) -> tuple[int, ...]:
        """Return how many values the output of code of shape `here` lacks to `size`."""
        return tuple(
            length - ((n - 1) * self.stride + side - 2 * self.offset)
            for length, n, side in zip(size, here, self.filters.shape[2:], strict=True)
        )

    def forward(self, x: Tensor, unpooled, size) -> Tensor:
        """Return an output of spatial shape `size` from code of shape `unpooled`."""
        if self.repeat > 1:
            for axis in range(2, x.ndim):
                x = x.repeat_interleave(self.repeat, dim=axis)
            x = _cut_to_size(x, unpooled)
        weight = self.filters
        how = self.stride, self.offset, self.missing(x.shape[2:], size)
        if self._is_worth_blocks(x, weight, size):
            tensors = _as_autocast(x, weight, self.bias)
            return _TransposedByBlocks.apply(*tensors, *how)
        return _transpose(x, weight, self.bias, *how)

    def _is_worth_blocks(self, x, weight, size):
        """Whether a convolution can write all output block by block, and faster."""
        side, step = weight.shape[2], self.stride
        n_blocks = -(-side // step)
        return (
            step > 1
            and weight.shape[1] * step**self.n_axes <= _MAX_BLOCK_CHANNELS
            and all(
                (here + n_blocks - 1) * step >= self.offset + length
                for here, length in zip(x.shape[2:], size, strict=True)
            )
        )


def _cut_to_size(x: Tensor, size) -> Tensor:
    """Cut the end of every spatial axis down to `size`."""
    for axis, length in enumerate(size, start=2):
        if x.shape[axis] > length:
            x = x.narrow(axis, 0, length)
    return x


def _transpose(x, weight, bias, stride, offset, missing):
    """Return a transposed convolution, lengthened or cut by `missing` at the end."""
    n_axes = weight.ndim - 2
    added = [min(max(0, length), stride - 1) for length in missing]
    size = _output_size(x, weight, stride, offset, missing)
    if max(missing) < stride:
        y = _TRANSPOSE[n_axes](x, weight, bias, stride, offset, added)
        return _cut_to_size(y, size)
    # Filters that were cut to smaller samples do not reach the end of these.
    y = _TRANSPOSE[n_axes](x, weight, None, stride, offset, added)
    y = _cut_to_size(y, size)
    for axis, length in enumerate(reversed(size)):
        pads = (0, 0) * axis + (0, length - y.shape[-1 - axis])
        y = F.pad(y, pads)
    return y + bias.view(-1, *(1,) * n_axes)


def _output_size(x, weight, stride, offset, missing):
    return [
        (here - 1) * stride + side - 2 * offset + length
        for here, side, length in zip(
            x.shape[2:], weight.shape[2:], missing, strict=True
        )
    ]


def _convolve_to_blocks(x, weight, bias, step, offset, size):
    """Return the same as a transposed convolution, by a plain one.

    It computes all values of a block of `step` positions per axis as channels; then
    the channels move to their positions.
    """
    n_axes = weight.ndim - 2
    n_in, n_out, side, *_ = weight.shape
    n_blocks = -(-side // step)
    if n_blocks * step > side:
        weight = F.pad(weight, (0, n_blocks * step - side) * n_axes)
    weight = weight.reshape(n_in, n_out, *(n_blocks, step) * n_axes)
    blocks, places = range(2, 2 * n_axes + 1, 2), range(3, 2 * n_axes + 2, 2)
    weight = weight.flip(tuple(blocks)).permute(*places, 1, 0, *blocks)
    weight = weight.reshape(-1, n_in, *(n_blocks,) * n_axes)
    bias = bias.expand(step**n_axes, n_out).flatten()
    y = CONVOLVE[n_axes](x, weight, bias, 1, n_blocks - 1).movedim(1, -1)
    n_samples, *sides, _ = y.shape
    y = y.reshape(n_samples, *sides, *(step,) * n_axes, n_out)
    pairs = [(1 + axis, 1 + n_axes + axis) for axis in range(n_axes)]
    y = y.permute(0, *(axis for pair in pairs for axis in pair), -1)
    y = y.reshape(n_samples, *(step * length for length in sides), n_out)
    y = y.movedim(-1, 1)
    for axis, length in enumerate(size, start=2):
        y = y.narrow(axis, offset, length)
    return y


def _as_autocast(*tensors):
    """Return tensors as autocast would give them to a convolution."""
    kind = tensors[0].device.type
    if not torch.is_autocast_enabled(kind):
        return tensors
    return [tensor.to(torch.get_autocast_dtype(kind)) for tensor in tensors]


class _TransposedByBlocks(torch.autograd.Function):
    """Transposed convolution onto few channels.

    Only its forward pass is faster as a convolution to blocks.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, stride, offset, missing):
        ctx.save_for_backward(x, weight)
        ctx.how = stride, offset, missing
        size = _output_size(x, weight, stride, offset, missing)
        y = _convolve_to_blocks(x, weight, bias, stride, offset, size)
        # Without a copy this were a view, which activations could not overwrite.
        return y.clone()

    @staticmethod
    def backward(ctx, gradient):
        """Return the gradients by those arguments of forward that need one."""
        x, weight = ctx.saved_tensors
        stride, offset, missing = ctx.how
        n_axes = weight.ndim - 2
        cut = [max(0, -length) for length in reversed(missing)]
        if any(cut):
            gradient = F.pad(gradient, [n for length in cut for n in (0, length)])
        steps, offsets = [stride] * n_axes, [offset] * n_axes
        added = [max(0, length) for length in missing]
        if n_axes == 1:
            # Signals are images of one row, as in `CONVOLVE`.
            gradient, x, weight = (t.unsqueeze(2) for t in (gradient, x, weight))
            steps, offsets, added = [1, *steps], [0, *offsets], [0, *added]
        of_x, of_weight, of_bias = torch.ops.aten.convolution_backward(
            gradient,
            x,
            weight,
            [weight.shape[1]],
            steps,
            offsets,
            dilation=[1] * len(steps),
            transposed=True,
            output_padding=added,
            groups=1,
            output_mask=ctx.needs_input_grad[:3],
        )
        if n_axes == 1:
            of_x, of_weight = (
                None if t is None else t.squeeze(2) for t in (of_x, of_weight)
            )
        return of_x, of_weight, of_bias, None, None, None
