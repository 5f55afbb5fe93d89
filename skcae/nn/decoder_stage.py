"""Stages of the decoder."""

from torch import Tensor, nn

from .convolutions import Convolution
from .transposed_convolution import TransposedConvolution


class DecoderStage(nn.Module):
    """Rebuild what an encoder stage was given from its feature maps.

    Parameters
    ----------
    encoder : EncoderStage
        The encoder stage.
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
        n_axes = len(spatial)
        # Filters that see every map separately are undone map by map.
        if stage.depthwise:
            n_out = 1
        n_in = stage.n_filters * stage.n_signs
        if tied:
            self.convolution = TransposedConvolution(
                stage.n_filters,
                n_out,
                (stage.kernel_size,) * n_axes,
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
        """Return the rebuilt input, of spatial shape `size`, before its activation."""
        n_samples = len(x)
        if self.stage.depthwise:
            x = self.separate(x)
        if self.convolution.is_tied and self.stage.n_signs == 2:
            positive, negative = x.chunk(2, dim=1)
            x = positive - negative
        y = self.convolve(x, size)
        return y.reshape(n_samples, -1, *y.shape[2:]) if self.stage.depthwise else y

    def separate(self, code: Tensor) -> Tensor:
        """Return a depthwise code in which the maps of each input map are a sample."""
        code = code.unflatten(1, (-1, self.n_out)).transpose(1, 2)
        code = code.reshape(-1, *code.shape[2:])
        # Maps of both signs lie filter by filter. Here all of one sign come first.
        signs = (-1, self.stage.n_signs)
        return code.unflatten(1, signs).transpose(1, 2).flatten(1, 2)

    def convolve(self, x: Tensor, size) -> Tensor:
        """Do what `forward` does, of a code that `separate` has gone over."""
        if isinstance(self.convolution, Convolution):
            return self.convolution(x)
        unpooled = [self.stage.convolved(length) for length in size]
        return self.convolution(x, unpooled, size)
