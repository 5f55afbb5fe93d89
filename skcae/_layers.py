"""Parts of the autoencoder: torch modules on tensors of shape (N, C, *spatial)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _convolve_signals(x, weight, bias, stride, zeros):
    x, weight = x.unsqueeze(2), weight.unsqueeze(2)
    return F.conv2d(x, weight, bias, (1, stride), (0, zeros)).squeeze(2)


def _transpose_signals(x, weight, bias, stride, padding, output_padding):
    x, weight = x.unsqueeze(2), weight.unsqueeze(2)
    padding, output_padding = (0, padding), (0, *output_padding)
    y = F.conv_transpose2d(x, weight, bias, (1, stride), padding, output_padding)
    return y.squeeze(2)


def _max_pool_signals(x, size, ceil_mode):
    return F.max_pool2d(x.unsqueeze(2), (1, size), ceil_mode=ceil_mode).squeeze(2)


# Signals are computed as images of one row: only those have channels_last kernels,
# which are about twice as fast.
_CONVOLVE = {1: _convolve_signals, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSE = {1: _transpose_signals, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX_POOL = {1: _max_pool_signals, 2: F.max_pool2d, 3: F.max_pool3d}
_GRID_POOL = {
    ("max", 1): F.adaptive_max_pool1d,
    ("max", 2): F.adaptive_max_pool2d,
    ("max", 3): F.adaptive_max_pool3d,
    ("avg", 1): F.adaptive_avg_pool1d,
    ("avg", 2): F.adaptive_avg_pool2d,
    ("avg", 3): F.adaptive_avg_pool3d,
}


def _identity(x):
    return x


# In place: no layer here needs its own output, and memory traffic is what they cost.
ACTIVATIONS = {
    "relu": torch.relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "identity": _identity,
    "abs": torch.abs,
}
_MONOTONE = frozenset(("relu", "tanh", "sigmoid", "identity"))


_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@torch.no_grad()
def use_channels_last(module: nn.Module) -> None:
    """Store filters so that convolutions run on channels_last tensors, the fastest."""
    for parameter in module.parameters():
        if parameter.ndim == 3:
            parameter.data = _channels_last(parameter.unsqueeze(2)).squeeze(2)
        elif parameter.ndim in _CHANNELS_LAST:
            parameter.data = _channels_last(parameter)


def _channels_last(x):
    # Not `contiguous`: one channel lies in both orders, and only strides tell which.
    return torch.empty_like(x, memory_format=_CHANNELS_LAST[x.ndim]).copy_(x)


def fit_size(x: Tensor, size) -> Tensor:
    """Cut the end of every spatial axis down to `size`."""
    for axis, length in enumerate(size, start=2):
        if x.shape[axis] > length:
            x = x.narrow(axis, 0, length)
    return x


def draw_filters(weight: Tensor, generator: torch.Generator) -> None:
    """Fill `weight` with random filters of unit norm and, from 3 values on, no mean.

    What a filter without mean finds does not depend on the brightness.
    """
    rows = torch.randn(len(weight), weight[0].numel(), generator=generator)
    if rows.shape[1] > 2:
        rows -= rows.mean(dim=1, keepdim=True)
    rows /= rows.norm(dim=1, keepdim=True)
    weight.copy_(rows.view(weight.shape))


def draw_uniform(weight: Tensor, fan_in: int, generator: torch.Generator) -> None:
    """Fill `weight` with uniform numbers within plus/minus 1/sqrt(`fan_in`)."""
    values = torch.rand(weight.shape, generator=generator)
    weight.copy_((2 * values - 1) / math.sqrt(fan_in))


class Convolution(nn.Module):
    """Convolution of signals, images or volumes with zeros on each side.

    Parameters
    ----------
    n_in, n_out : int
        Number of channels.
    kernel : tuple of int
        Spatial shape of the filters.
    stride : int
        Step of the filters.
    zeros : tuple of int
        Zeros before and after the input, along every spatial axis.
    """

    def __init__(self, n_in, n_out, kernel, stride=1, zeros=(0, 0)):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in, *kernel))
        self.bias = nn.Parameter(torch.empty(n_out))
        self.stride = stride
        self.zeros = zeros

    is_tied = False

    @property
    def fan_in(self) -> int:
        """Number of inputs of one output value."""
        return self.weight[0].numel()

    def forward(self, x: Tensor) -> Tensor:
        """Return the feature maps of `x`."""
        n_axes = self.weight.ndim - 2
        before, after = self.zeros
        if before != after:
            x, before = F.pad(x, (before, after) * n_axes), 0
        return _CONVOLVE[n_axes](x, self.weight, self.bias, self.stride, before)


class TransposedConvolution(nn.Module):
    """Transposed convolution onto a given size, optionally with borrowed filters.

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
    repeat : int
        Each input position is repeated that often first (undoes pooling).
    tied_to : Convolution or None
        Layer whose filters are used: as a transposed convolution applies them, they
        are flipped in every spatial axis.
    """

    def __init__(
        self, n_in, n_out, kernel, stride=1, offset=0, *, repeat=1, tied_to=None
    ):
        super().__init__()
        # A list keeps the borrowed layer out of this module's own parameters.
        self._tied_to = [] if tied_to is None else [tied_to]
        if tied_to is None:
            self.weight = nn.Parameter(torch.empty(n_in, n_out, *kernel))
        self.bias = nn.Parameter(torch.empty(n_out))
        self.n_axes = len(kernel)
        self.stride, self.offset, self.repeat = stride, offset, repeat

    @property
    def is_tied(self) -> bool:
        """Whether the filters are another layer's."""
        return bool(self._tied_to)

    @property
    def fan_in(self) -> int:
        """Number of inputs that reach one output value, on average."""
        weight = self._filters()
        n_blocks = math.prod(side / self.stride for side in weight.shape[2:])
        return max(1, round(weight.shape[0] * n_blocks))

    def _filters(self):
        return self._tied_to[0].weight if self._tied_to else self.weight

    def forward(self, x: Tensor, unpooled, size) -> Tensor:
        """Return an output of spatial shape `size` from code of shape `unpooled`."""
        if self.repeat > 1:
            for axis in range(2, x.ndim):
                x = x.repeat_interleave(self.repeat, dim=axis)
            x = fit_size(x, unpooled)
        weight = self._filters()
        if self._makes_blocks(x, weight, size):
            return self._convolve_to_blocks(x, weight, size)
        missing = [
            length - ((here - 1) * self.stride + side - 2 * self.offset)
            for length, here, side in zip(
                size, x.shape[2:], weight.shape[2:], strict=True
            )
        ]
        y = _TRANSPOSE[self.n_axes](
            x,
            weight,
            self.bias,
            stride=self.stride,
            padding=self.offset,
            output_padding=[max(0, length) for length in missing],
        )
        return fit_size(y, size)

    def _makes_blocks(self, x, weight, size):
        """Whether a convolution can write all of a single channel block by block."""
        n_blocks = -(-weight.shape[2] // self.stride)
        return (
            self.stride > 1
            and weight.shape[1] == 1
            and all(
                (here + n_blocks - 1) * self.stride >= self.offset + length
                for here, length in zip(x.shape[2:], size, strict=True)
            )
        )

    def _convolve_to_blocks(self, x, weight, size):
        """Return the same as a transposed convolution onto one channel, but faster.

        One convolution computes all values of a block of `stride` positions per axis
        as channels; then the channels move to their positions.
        """
        step, n_axes = self.stride, self.n_axes
        n_in, _, side, *_ = weight.shape
        n_blocks = -(-side // step)
        weight = F.pad(weight, (0, n_blocks * step - side) * n_axes)
        weight = weight.reshape(n_in, *(n_blocks, step) * n_axes)
        blocks, places = range(1, 2 * n_axes, 2), range(2, 2 * n_axes + 1, 2)
        weight = weight.flip(tuple(blocks)).permute(*places, 0, *blocks)
        weight = weight.reshape(-1, n_in, *(n_blocks,) * n_axes)
        bias = self.bias.expand(len(weight))
        y = _CONVOLVE[n_axes](x, weight, bias, 1, n_blocks - 1)
        sides = y.shape[2:]
        y = y.reshape(len(y), *(step,) * n_axes, *sides)
        pairs = [(1 + n_axes + axis, 1 + axis) for axis in range(n_axes)]
        y = y.permute(0, *(axis for pair in pairs for axis in pair))
        y = y.reshape(len(y), 1, *(step * length for length in sides))
        for axis, length in enumerate(size, start=2):
            y = y.narrow(axis, self.offset, length)
        return y


class EncoderStage(nn.Module):
    """Convolution, max-pooling and activation.

    Parameters
    ----------
    n_in : int
        Number of input channels.
    stage : Stage
        Sizes and names of the stage.
    n_axes : int
        Number of spatial axes.
    """

    def __init__(self, n_in, stage, n_axes):
        super().__init__()
        self.stage = stage
        self.convolution = Convolution(
            n_in,
            stage.n_filters,
            (stage.kernel_size,) * n_axes,
            stage.stride,
            stage.zeros,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled feature maps of `x`."""
        activate = ACTIVATIONS[self.stage.activation]
        x = self.convolution(x)
        if self.stage.pool_size == 1:
            return activate(x)
        # A monotone function commutes with the maximum: apply it to fewer values.
        if self.stage.activation in _MONOTONE:
            return activate(self._pool(x))
        return self._pool(activate(x))

    def _pool(self, x):
        return _MAX_POOL[x.ndim - 2](x, self.stage.pool_size, ceil_mode=True)


class DecoderStage(nn.Module):
    """Undo one encoder stage: back to its input's number of channels and size.

    Parameters
    ----------
    encoder : EncoderStage
        The stage to undo.
    n_out : int
        Number of channels of that stage's input.
    activation : str
        Name of the activation of the output.
    tied : bool
        Whether to use the encoder's filters.
    """

    def __init__(self, encoder, n_out, activation, tied):
        super().__init__()
        stage = self.stage = encoder.stage
        self.activation = activation
        n_axes = encoder.convolution.weight.ndim - 2
        sides = (stage.kernel_size,) * n_axes
        if tied:
            self.convolution = TransposedConvolution(
                stage.n_filters,
                n_out,
                sides,
                stage.stride,
                stage.zeros[0],
                repeat=stage.pool_size,
                tied_to=encoder.convolution,
            )
        elif stage.reduction == 1:
            # At stride 1 the transposed convolution is a convolution with the
            # complementary zeros: the textbook decoder ("full" is undone by "valid").
            reach = stage.kernel_size - 1
            zeros = tuple(reach - side for side in stage.zeros)
            self.convolution = Convolution(stage.n_filters, n_out, sides, zeros=zeros)
        else:
            side, offset = stage.upsampling()
            self.convolution = TransposedConvolution(
                stage.n_filters, n_out, (side,) * n_axes, stage.reduction, offset
            )

    def forward(self, x: Tensor, size) -> Tensor:
        """Return the pre-activation of spatial shape `size`."""
        if isinstance(self.convolution, Convolution):
            return self.convolution(x)
        unpooled = [self.stage.convolved(length) for length in size]
        return self.convolution(x, unpooled, size)


class DenseCode(nn.Module):
    """Linear code of the flattened feature maps, and the way back.

    Parameters
    ----------
    map_shape : tuple of int
        Shape (C, *spatial) of the feature maps.
    n_components : int
        Width of the code.
    """

    def __init__(self, map_shape, n_components):
        super().__init__()
        self.map_shape = tuple(map_shape)
        n_features = math.prod(map_shape)
        self.components = nn.Parameter(torch.empty(n_components, n_features))
        self.offset = nn.Parameter(torch.empty(n_components))
        self.atoms = nn.Parameter(torch.empty(n_features, n_components))
        self.mean = nn.Parameter(torch.empty(n_features))

    def forward(self, maps: Tensor) -> Tensor:
        """Return codes of shape (N, n_components)."""
        return self._linear(self.flatten(maps), self.components, self.offset)

    def inverse(self, code: Tensor) -> Tensor:
        """Return feature maps of shape (N, C, *spatial)."""
        n_maps, *spatial = self.map_shape
        maps = self._linear(code, self.atoms, self.mean)
        return maps.unflatten(1, (*spatial, n_maps)).movedim(-1, 1)

    def _linear(self, x, weight, bias):
        if self.training or x.device.type != "cpu":
            return F.linear(x, weight, bias)
        # A matrix product sums in an order that depends on a row's place in the batch.
        # In double precision that does not reach the digits of the result.
        return F.linear(x.double(), weight.double(), bias.double()).float()

    @staticmethod
    def flatten(maps: Tensor) -> Tensor:
        """Return rows of values, position by position: no copy of channels_last."""
        return maps.movedim(1, -1).flatten(1)


class ChannelScaler(nn.Module):
    """Affine map of each channel between the data's own units and the net's.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    n_axes : int
        Number of spatial axes.
    """

    def __init__(self, n_channels, n_axes):
        super().__init__()
        shape = (1, n_channels) + (1,) * n_axes
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def set(self, mean, scale):
        """Set centre and unit of every channel."""
        for buffer, values in ((self.mean, mean), (self.scale, scale)):
            buffer.copy_(torch.as_tensor(values).reshape(buffer.shape))

    def forward(self, x: Tensor) -> Tensor:
        """Go to the net's units."""
        return x.sub(self.mean).div_(self.scale)

    def inverse(self, x: Tensor) -> Tensor:
        """Go back to the data's units."""
        return x * self.scale + self.mean


class Corruption(nn.Module):
    """Noise on the input of a denoising autoencoder; nothing outside training.

    Parameters
    ----------
    kind : {"mask", "gaussian", "salt_and_pepper"}
        Set values to 0, add normal noise, or set values to their channel's extremes.
    level : float
        Share of the values that are replaced, or the noise's standard deviation in
        units of the standardised data.
    """

    def __init__(self, kind, level):
        super().__init__()
        self.kind, self.level = kind, level
        self.generator = None

    def forward(self, x: Tensor) -> Tensor:
        """Return a noisy copy of `x` in training mode, else `x`."""
        if not self.training:
            return x
        draw = torch.randn if self.kind == "gaussian" else torch.rand
        noise = draw(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        if self.kind == "gaussian":
            return x + self.level * noise
        if self.kind == "mask":
            return x * (noise >= self.level)
        axes = (0, *range(2, x.ndim))
        low, high = x.amin(axes, keepdim=True), x.amax(axes, keepdim=True)
        x = torch.where(noise < self.level / 2, low, x)
        return torch.where(noise > 1 - self.level / 2, high, x)


class GridPooling(nn.Module):
    """Pool feature maps of any size over a grid of fixed size.

    Parameters
    ----------
    kind : {"max", "avg"}
        What to keep of each cell.
    grid : int
        Cells per spatial axis.
    """

    def __init__(self, kind, grid):
        super().__init__()
        self.kind, self.grid = kind, grid

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of shape (N, C, grid, ...)."""
        return _GRID_POOL[self.kind, maps.ndim - 2](maps, self.grid)
