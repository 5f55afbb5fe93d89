"""Parts of the autoencoder: torch modules on tensors of shape (N, C, *spatial)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._convolutions import MAX_POOL, Convolution, TransposedConvolution

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
        return MAX_POOL[x.ndim - 2](x, self.stage.pool_size, ceil_mode=True)


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
