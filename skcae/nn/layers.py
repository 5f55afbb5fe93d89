"""Parts of the autoencoder: torch modules on tensors of shape (N, C, *spatial)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .convolutions import Convolution
from .pooling import pool
from .transposed_convolution import TransposedConvolution

_GRID_MAX = {
    1: F.adaptive_max_pool1d,
    2: F.adaptive_max_pool2d,
    3: F.adaptive_max_pool3d,
}


def _identity(x):
    return x


def _triangle(x):
    return torch.relu_(x - x.mean(dim=1, keepdim=True))


# In place: no layer here needs its own output, and memory traffic is what they cost.
ACTIVATIONS = {
    "relu": torch.relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "identity": _identity,
    "abs": torch.abs,
    "triangle": _triangle,
    # Their thresholds are subtracted before; what rebuilds a code cannot be negative.
    "soft_threshold": torch.relu_,
    "two_sided": torch.relu_,
}
# Maps that are rebuilt have been compared with their mean before.
DECODER_ACTIVATIONS = ACTIVATIONS | {"triangle": torch.relu_}
_MONOTONE = frozenset(("relu", "tanh", "sigmoid", "identity", "soft_threshold"))
_THRESHOLDED = frozenset(("soft_threshold", "two_sided"))


class EncoderStage(nn.Module):
    """Convolution, activation and pooling.

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
        self.n_maps = stage.n_maps(n_in)
        self.convolution = Convolution(
            1 if stage.depthwise else n_in,
            stage.n_filters,
            (stage.kernel_size,) * n_axes,
            stage.stride,
            stage.zeros,
        )
        if self.is_thresholded:
            self.register_buffer("threshold", torch.zeros(stage.n_filters))

    @property
    def is_thresholded(self) -> bool:
        """Whether responses have to exceed a threshold."""
        return self.stage.activation in _THRESHOLDED

    @torch.no_grad()
    def calibrate(self, x: Tensor, level: float) -> None:
        """Set every filter's threshold to `level` standard deviations of responses.

        Only for activations that have one.
        """
        self.threshold.zero_()
        groups = list(self.responses(x))
        if self.stage.depthwise:
            rows = torch.stack([responses.flatten() for responses in groups])
        else:
            rows = groups[0].movedim(1, 0).flatten(1)
        self.threshold.copy_(level * rows.std(dim=1, correction=0))

    def responses(self, x: Tensor):
        """Yield what the filters find in `x`, less the thresholds: maps by the group.

        A filter that sees every map separately makes a group of its own.
        """
        bias = self.convolution.bias
        if self.is_thresholded:
            bias = bias - self.threshold
        if not self.stage.depthwise:
            yield self.convolution(x, bias=bias)
            return
        for number in range(self.stage.n_filters):
            yield self.convolution.depthwise(x, number, bias[number])

    def parts(self, x: Tensor):
        """Yield the feature maps of `x` by the group: together they are the code."""
        for number, responses in enumerate(self.responses(x)):
            if self.stage.activation == "two_sided":
                double_threshold = 2 * self._threshold_of(number, responses)
                yield self._pool(torch.relu(responses))
                yield self._pool(torch.relu_(responses.neg() - double_threshold))
            else:
                yield self._activate_and_pool(responses)

    def _threshold_of(self, number, responses):
        if self.stage.depthwise:
            return self.threshold[number]
        return self.threshold.view(-1, *(1,) * (responses.ndim - 2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled feature maps of `x`."""
        parts = list(self.parts(x))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def _activate_and_pool(self, x):
        activate = ACTIVATIONS[self.stage.activation]
        # A monotone function commutes with the maximum: apply it to fewer values.
        if self.stage.activation in _MONOTONE and self.stage.pool_mode == "max":
            return activate(self._pool(x))
        return self._pool(activate(x))

    def _pool(self, x):
        return pool(x, self.stage.pool_mode, self.stage.pool_size)


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
        self.n_out = n_out
        n_axes = encoder.convolution.weight.ndim - 2
        sides = (stage.kernel_size,) * n_axes
        # Filters that see every map separately are undone map by map.
        if stage.depthwise:
            n_out = 1
        n_in = stage.n_filters * stage.n_signs
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
            self.convolution = Convolution(n_in, n_out, sides, zeros=zeros)
        else:
            side, offset = stage.upsampling()
            self.convolution = TransposedConvolution(
                n_in, n_out, (side,) * n_axes, stage.reduction, offset
            )

    def forward(self, x: Tensor, size) -> Tensor:
        """Return the pre-activation of spatial shape `size`."""
        n_samples = len(x)
        if self.stage.depthwise:
            x = self.separate(x)
        if self.convolution.is_tied and self.stage.n_signs == 2:
            positive, negative = x.chunk(2, dim=1)
            x = positive - negative
        y = self.convolve(x, size)
        return y.reshape(n_samples, -1, *y.shape[2:]) if self.stage.depthwise else y

    def separate(self, code: Tensor) -> Tensor:
        """Return the maps that belong to one map of the input as one sample."""
        code = code.unflatten(1, (-1, self.n_out)).transpose(1, 2)
        code = code.reshape(-1, *code.shape[2:])
        # Filter by filter, both signs: all of one sign first.
        signs = (-1, self.stage.n_signs)
        return code.unflatten(1, signs).transpose(1, 2).flatten(1, 2)

    def convolve(self, x: Tensor, size) -> Tensor:
        """Return the pre-activation of spatial shape `size`, of a separated code."""
        if isinstance(self.convolution, Convolution):
            return self.convolution(x)
        unpooled = [self.stage.convolved(length) for length in size]
        return self.convolution(x, unpooled, size)


def linear(x: Tensor, weight: Tensor, bias: Tensor, *, exact: bool) -> Tensor:
    """Return ``x @ weight.T + bias``.

    A matrix product sums in an order that depends on a row's place in the batch.  In
    double precision, an exact one, that does not reach the digits of the result.
    """
    if not exact or x.device.type != "cpu":
        return F.linear(x, weight, bias)
    return F.linear(x.double(), weight.double(), bias.double()).float()


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
        return linear(x, weight, bias, exact=not self.training)

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
        pixels = x.movedim(1, -1)
        if x.shape[1] == 1 or not pixels.is_contiguous():
            return x.sub(self.mean).div_(self.scale)
        # Row by row is 8x faster than pixel by pixel, of three values each.
        row = pixels.shape[-2]
        mean, scale = (part.flatten().repeat(row) for part in (self.mean, self.scale))
        rows = pixels.flatten(-2).sub(mean).div_(scale)
        return rows.view(pixels.shape).movedim(-1, 1)

    def inverse(self, x: Tensor) -> Tensor:
        """Go back to the data's units."""
        return x * self.scale + self.mean


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
        n_axes = maps.ndim - 2
        if self.kind == "max":
            return _GRID_MAX[n_axes](maps, self.grid)
        # As a product with a matrix it takes a fraction of the time.
        weights = self.weights(maps.shape[2:], maps.device)
        means = torch.matmul(weights, maps.movedim(1, -1).flatten(1, -2))
        return means.transpose(1, 2).unflatten(2, (self.grid,) * n_axes)

    def weights(self, spatial, device=None) -> Tensor:
        """Return what each position of maps adds to the mean of each cell."""
        weights = torch.ones(1, 1, device=device)
        for length in spatial:
            weights = torch.kron(weights, cells(length, self.grid, device))
        return weights


def cells(length, grid, device=None):
    """Return which positions the cells of an axis average, as rows of weights."""
    number = torch.arange(grid, device=device)[:, None]
    place = torch.arange(length, device=device)
    first, last = number * length // grid, -(-(number + 1) * length // grid)
    inside = ((place >= first) & (place < last)).float()
    return inside / inside.sum(dim=1, keepdim=True)
