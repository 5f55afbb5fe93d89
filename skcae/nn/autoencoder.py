"""The convolutional autoencoder as a torch module, usable without scikit-learn."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..params.stage import map_sizes
from .activations import activate, before_activation
from .channel_scaler import ChannelScaler
from .code_decoder import CodeDecoder
from .corruption import Corruption
from .decoder_stage import DecoderStage
from .dense_code import DenseCode
from .encoder_stage import EncoderStage
from .filters import draw_filters, draw_uniform
from .pooling import GridPooling
from .power import signed_power
from .whitening import Whitening


class ConvAutoencoder(nn.Module):
    """Convolutional autoencoder of signals, images or volumes.

    Without a dense code the parameters do not depend on the size of the samples, and
    other sizes may be encoded and decoded.

    Parameters
    ----------
    architecture : Architecture
        What it is built of.
    """

    def __init__(self, architecture):
        super().__init__()
        self.architecture = architecture
        stages, spatial = architecture.stages, architecture.spatial
        channels, self.sizes = architecture.channels, architecture.sizes
        n_axes = len(spatial)
        self.scaler = ChannelScaler(channels[0], n_axes)
        self.whitening = None
        if architecture.whitening is not None:
            self.whitening = Whitening(channels[0], architecture.whitening)
        self.corruption = None
        if architecture.corruption is not None:
            self.corruption = Corruption(
                architecture.corruption, architecture.corruption_level
            )
        self.encoder = nn.ModuleList(
            EncoderStage(n_in, stage, n_axes)
            for n_in, stage in zip(channels, stages, strict=False)
        )
        activations = [architecture.output_activation]
        activations += [stage.activation for stage in stages]
        outputs = zip(self.encoder, channels, activations, self.sizes, strict=False)
        self.decoder = nn.ModuleList(
            DecoderStage(encoder, n_out, activation, architecture.tied_weights, size)
            for encoder, n_out, activation, size in reversed(list(outputs))
        )
        self.grids = None
        if architecture.pooling is not None:
            self.grids = nn.ModuleList(
                GridPooling(architecture.pooling, grid)
                for grid in architecture.pool_grid
            )
        self.dense = None
        if architecture.n_components is not None:
            self.dense = DenseCode(
                architecture.feature_shape, architecture.n_components
            )
        self.code_decoder = None
        if architecture.decodes_features:
            self.code_decoder = CodeDecoder(architecture)

    def remove_decoder(self) -> None:
        """Remove all weights that only rebuilding needs."""
        self.decoder, self.code_decoder = nn.ModuleList(), None
        if self.dense is not None:
            self.dense.remove_inverse()

    @property
    def stages(self):
        """Sizes and names of the encoder's stages."""
        return self.architecture.stages

    @property
    def spatial(self):
        """Spatial shape of the samples that the module was built for."""
        return self.architecture.spatial

    @property
    def channels(self):
        """Number of channels of the samples, then of the maps of each stage."""
        return self.architecture.channels

    @property
    def ends_in_product(self) -> bool:
        """Whether features are a product with a matrix."""
        return self.dense is not None

    def cost(self, spatial=None) -> tuple[int, int]:
        """Return what it takes to encode one sample.

        Parameters
        ----------
        spatial : tuple of int or None, default=None
            Spatial shape of the sample; None: the one the module was built for.

        Returns
        -------
        n_multiplications, n_values : int
            Of the convolutions, and of the largest feature maps.
        """
        sizes = self.sizes if spatial is None else map_sizes(spatial, self.stages)
        n_multiplications, n_values = 0, 0
        for stage, layer, n_in, size in zip(
            self.stages, self.encoder, self.channels[:-1], sizes[:-1], strict=True
        ):
            n_places = math.prod(stage.convolved(length) for length in size)
            n_weights = layer.convolution.weight.numel()
            # What sees every map by itself is computed filter by filter.
            n_times, n_maps = (n_in, n_in) if stage.depthwise else (1, stage.n_filters)
            n_multiplications += n_places * n_weights * n_times
            n_values = max(n_values, n_places * n_maps)
        return n_multiplications, n_values

    @property
    def filters(self) -> Tensor:
        """First-layer filters, shape (n_filters, n_channels, *kernel)."""
        return self.encoder[0].convolution.weight

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw random filters.

        Encoder filters are normal numbers without mean and of unit norm, decoder
        weights uniform within plus/minus 1/sqrt(fan-in); biases are zero.

        Parameters
        ----------
        generator : torch.Generator
            Source of randomness, on the CPU.
        """
        for stage in self.encoder:
            draw_filters(stage.convolution.weight, generator)
            stage.convolution.bias.zero_()
        for stage in self.decoder:
            layer = stage.convolution
            layer.bias.zero_()
            if not layer.is_tied:
                draw_uniform(layer.weight, layer.fan_in, generator)
        if self.dense is not None:
            for parameter in self.dense.parameters():
                draw_uniform(parameter, parameter.shape[-1], generator)

    def draw_from(self, generator: torch.Generator, context=None) -> None:
        """Set what draws the noise of a training, and the batch that it is for."""
        if self.corruption is not None:
            self.corruption.draw_from(generator, context)

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of samples in the data's own units.

        Parameters
        ----------
        x : Tensor of shape (N, C, *spatial)
            Samples.

        Returns
        -------
        code : Tensor of shape (N, n_maps, *map) or (N, n_features)
            Maps, or rows of pooled features or components.
        """
        return self.encode_standardised(self.standardise(x))

    def set_scale(self, mean, scale, moments) -> None:
        """Set centre and unit of every channel, and the range of reconstructions.

        Parameters
        ----------
        mean, scale : ndarray of shape (n_channels,)
            Centre and unit.
        moments : dict of ndarray
            Has the least and the largest value: "channel_min" and "channel_max".
        """
        self.scaler.set(mean, scale)
        self.set_range(moments)

    def set_range(self, moments, *, widens=False) -> None:
        """Set the range of reconstructions from features, or widen it.

        Parameters
        ----------
        moments : dict of ndarray
            As of `set_scale`.
        widens : bool, default=False
            Whether reconstructions may also have the values that they have had.
        """
        if self.code_decoder is not None:
            bounds = (moments[f"channel_{name}"] for name in ("min", "max"))
            low, high = map(self.scaler.standardised, bounds)
            self.code_decoder.set_range(low, high, widens=widens)

    def value_range(self):
        """Return the least and the largest value of each channel that may come in."""
        return self.scaler.value_range()

    def standardise(self, x: Tensor) -> Tensor:
        """Return samples in the net's units, whitened where that is asked for."""
        x = self.scaler(x)
        return x if self.whitening is None else self.whitening(x)

    def decode(self, code: Tensor, spatial=None) -> Tensor:
        """Return samples in the data's own units.

        Parameters
        ----------
        code : Tensor
            As `encode` gives it.
        spatial : tuple of int or None, default=None
            Spatial shape of the samples; None: the one the module was built for, which
            is always that of samples that are rebuilt from pooled features.

        Returns
        -------
        x : Tensor of shape (N, C, *spatial)
        """
        if self.code_decoder is not None:
            return self.scaler.inverse(self._decode_features(code))
        x = self.activate_output(self.decode_standardised(code, spatial))
        return self.scaler.inverse(
            x if self.whitening is None else self.whitening.inverse(x)
        )

    def _decode_features(self, code):
        """Return samples in standardised units, not whitened."""
        return self.code_decoder(self.features_of_code(code))

    def features_of_code(self, code: Tensor) -> Tensor:
        """Return the rows of pooled features that a code stands for."""
        return code if self.dense is None else self.dense.inverse(code).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction of samples in the data's own units."""
        return self.decode(self.encode(x), x.shape[2:])

    def features(self, x: Tensor) -> Tensor:
        """Return one row of features per sample: the code, flattened."""
        return self.encode(x).flatten(1)

    def wide_features(self, x: Tensor) -> Tensor:
        """Return what a dense code is made from, as rows; features without one."""
        if self.dense is None:
            return self.features(x)
        return self.dense.flatten(self.before_dense(self.standardise(x)))

    def _pooled_rows(self, x):
        n_unpooled = len(self.encoder) - len(self.grids)
        x = self.maps(x, n_unpooled)
        rows = []
        for number, grid in enumerate(self.grids, start=n_unpooled):
            if number + 1 < len(self.encoder):
                x = self.encoder[number](x)
                parts = (x,)
            else:
                # The last maps are not needed as a whole.
                parts = self.encoder[number].iter_maps(x)
            rows += [grid(part).flatten(1) for part in parts]
        return signed_power(torch.cat(rows, dim=1), self.architecture.power)

    def training_pair(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return output before its activation, and clean target, standardised.

        The output is rebuilt from the code, also where that is not trained. In training
        mode it is computed from a corrupted input.
        """
        noisy, target = self.training_input(x)
        code = self.encode_standardised(noisy)
        if self.code_decoder is None:
            return self.decode_standardised(code, noisy.shape[2:]), target
        rebuilt = self._decode_features(code)
        if self.whitening is not None:
            rebuilt = self.whitening(rebuilt)
        name = self.architecture.output_activation
        return before_activation(rebuilt, name), target

    def training_input(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what to encode, and what to rebuild of it, standardised."""
        target = self.standardise(x)
        noisy = target if self.corruption is None else self.corruption(target)
        return noisy, target

    def training_output(self, noisy: Tensor) -> Tensor:
        """Return the reconstruction before its activation, standardised."""
        return self.decode_trained(self.encode_trained(noisy), noisy.shape[2:])

    def encode_trained(self, x: Tensor) -> Tensor:
        """Return what training rebuilds samples from: their code, or the last maps.

        It is the maps where features are pooled or a dense code is computed after the
        training.
        """
        if self.architecture.trains_dense_code:
            return self.encode_standardised(x)
        return self.maps(x)

    def decode_trained(self, code: Tensor, spatial) -> Tensor:
        """Return what `encode_trained` has encoded, before the output's activation."""
        if self.architecture.trains_dense_code:
            return self.decode_standardised(code, spatial)
        return self._decode_maps(code, self._sizes_of(spatial))

    def activate_output(self, x: Tensor) -> Tensor:
        """Apply the activation of the reconstruction."""
        return activate(x, self.architecture.output_activation)

    def before_dense(self, x: Tensor) -> Tensor:
        """Return what the dense code is made from, of standardised samples."""
        if self.grids is None:
            return self.maps(x)
        if self.architecture.trains_dense_code:
            return self.grids[0](self.maps(x))
        return self._pooled_rows(x).unflatten(1, self.architecture.feature_shape)

    def units(self, x: Tensor) -> Tensor:
        """Return the units of the code: components, or the last maps."""
        if self.dense is not None:
            return self.encode(x)
        return self.maps(self.standardise(x))

    def maps(self, x: Tensor, n_stages=None) -> Tensor:
        """Return the feature maps of the first stages, of standardised samples."""
        for stage in self.encoder[:n_stages]:
            x = stage(x)
        return x

    def encode_standardised(self, x: Tensor) -> Tensor:
        """Return the code of samples in the net's units."""
        if self.dense is not None:
            return self.dense(self.before_dense(x))
        return self.maps(x) if self.grids is None else self._pooled_rows(x)

    def decode_standardised(self, code: Tensor, spatial=None) -> Tensor:
        """Return samples in the net's units, before the output's activation.

        The code is one that is not made from pooled features, or is trained.
        """
        sizes = self._sizes_of(spatial)
        return self._decode_maps(self.maps_of_code(code, sizes[-1]), sizes)

    def maps_of_code(self, code: Tensor, size) -> Tensor:
        """Return the last maps that a code stands for, of a spatial shape."""
        if self.dense is None:
            return code
        maps = self.dense.inverse(code)
        return maps if maps.shape[2:] == size else F.interpolate(maps, size=size)

    def decode_stage(self, number: int, maps: Tensor, sizes=None) -> Tensor:
        """Return the maps that an encoder stage was given, from those it has made.

        Parameters
        ----------
        number : int
            Number of the encoder stage, from 0. What the first was given are samples,
            before the output's activation.
        maps : Tensor
            Maps of the stage.
        sizes : list of tuple of int or None, default=None
            Spatial shapes from the samples to the last maps; None: those that the
            module was built for.
        """
        stage = self.decoder[-1 - number]
        x = stage(maps, (sizes or self.sizes)[number])
        return activate(x, stage.activation) if number else x

    def _decode_maps(self, maps, sizes):
        for number in reversed(range(len(self.decoder))):
            maps = self.decode_stage(number, maps, sizes)
        return maps

    def _sizes_of(self, spatial):
        if spatial is None or tuple(spatial) == self.spatial:
            return self.sizes
        return map_sizes(spatial, self.stages)
