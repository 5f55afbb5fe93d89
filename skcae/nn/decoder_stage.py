"""Stages of the decoder."""

from torch import Tensor, nn

from .convolutions import Convolution
from .transposed_convolution import TransposedConvolution


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
    spatial : tuple of int
        Spatial shape of that stage's input.
    """

    def __init__(self, encoder, n_out, activation, tied, spatial):
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
            return
        side, offset = stage.decoder_filter(spatial)
        if stage.reduction == 1:
            # At stride 1 the transposed convolution is a convolution with the
            # complementary zeros: the textbook decoder ("full" is undone by "valid").
            n_zeros = stage.kernel_size - 1 + side - 1 - sum(stage.zeros)
            zeros = offset, n_zeros - offset
            self.convolution = Convolution(n_in, n_out, (side,) * n_axes, zeros=zeros)
        else:
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
