"""How the weights of an autoencoder start, from a few of the samples."""

import math
from importlib import import_module

import numpy as np
import torch

from ..params.filter_starts import FILTER_STARTS
from .code_fit import fit_code, start_dense_code
from .decoder_fit import fit_decoder
from .patches import draw_patches
from .whitening_start import start_whitening

# Statistics and patches are taken from so many samples, and values, at most.
_MAX_SAMPLES = 2000
_MAX_VALUES = 2**24
_N_PATCHES = 30000
_N_WINDOWS = 6000
_N_CALIBRATED = 200


class NetInitializer:
    """How the filters of a net start, from a few of the samples.

    Parameters
    ----------
    net : AutoencoderNet
        Its whitening, filters and thresholds are set.
    samples : Samples
        Training data.
    init : {"random", "patches", "kmeans", "convolutional_kmeans"}
        How filters start; "random" leaves them as they are.
    whiten : float or None
        Regularisation of the whitening.
    threshold : float
        Of the activations that have one, in standard deviations of the responses.
    seed : int
        Picks samples and patches.
    """

    def __init__(self, net, samples, *, init, whiten, threshold, seed):
        self.net, self.module = net, net.module_
        self.samples = samples
        self.init, self.whiten, self.threshold = init, whiten, threshold
        self.seed, self.rng = seed, np.random.default_rng(seed)

    @torch.no_grad()
    def learn_whitening(self):
        """Learn the whitening, where there is one."""
        layer = self.module.whitening
        if layer is not None:
            x = self.module.scaler(self._draw(self.samples.layout.n_features))
            start_whitening(layer, x.cpu().numpy(), self.whiten, self.rng)

    def start_stages(self, number):
        """Start one stage, or all and what is trained with them if `number` is None."""
        all_stages = range(len(self.module.encoder))
        for one in all_stages if number is None else [number]:
            self._start_stage(one)
        if number is None and self.module.architecture.trains_dense_code:
            start_dense_code(self.net, self.samples, self.seed)

    def fit_code(self, **options):
        """Compute what is not trained of a code, see `fit_code`."""
        fit_code(self.net, self.samples, self.seed, **options)

    @torch.no_grad()
    def _start_stage(self, number):
        """Set filters and thresholds of a stage, given those before it."""
        row = FILTER_STARTS[self.init]
        if row.function is not None:
            self._draw_filters(number, row)
        self.calibrate(number)

    def _draw_filters(self, number, row):
        layer, x = self.module.encoder[number], self._seen_by(number)
        if layer.stage.depthwise:
            x = x.reshape(-1, 1, *x.shape[2:])
        weight = layer.convolution.weight
        # Filters may be larger than the sample: then they are zero around a patch.
        kernel = tuple(map(min, weight.shape[2:], x.shape[2:]))
        # Whitened samples have hardly any mean; what there is tells something.
        centred = number > 0 or self.module.whitening is None
        filters = _filters_from(
            x.cpu().numpy(), kernel, row, len(weight), self.rng, centred=centred
        )
        middle = (
            slice((side - length) // 2, (side - length) // 2 + length)
            for side, length in zip(weight.shape[2:], kernel, strict=True)
        )
        weight.zero_()
        weight[:, :, *middle] = torch.from_numpy(filters).view(
            *weight.shape[:2], *kernel
        )

    @torch.no_grad()
    def calibrate(self, number):
        """Set the thresholds of a stage by its responses."""
        layer = self.module.encoder[number]
        if layer.is_thresholded:
            n_maps, sizes = self.module.channels[number + 1], self.module.sizes[number]
            n_values = n_maps * math.prod(map(layer.stage.convolved, sizes))
            x = self._seen_by(number, n_values, _N_CALIBRATED)
            layer.calibrate(x, self.threshold)

    @torch.no_grad()
    def fit_decoder(self):
        """Fit the decoder to the code by least squares."""
        n_values = max(
            n_maps * math.prod(size)
            for n_maps, size in zip(
                self.module.channels, self.module.sizes, strict=True
            )
        )
        x = self.module.standardise(self._draw(n_values))
        fit_decoder(self.module, x)

    def _seen_by(self, number, n_values=0, n_samples=_MAX_SAMPLES):
        """Return what a stage sees of some samples, of which it makes `n_values`."""
        n_seen = self.module.channels[number] * math.prod(self.module.sizes[number])
        n_values = max(n_values, n_seen, self.samples.layout.n_features)
        x = self._draw(n_values, n_samples)
        # As many at a time as a step of the training takes.
        parts = x.split(self.net.batch_size)
        return torch.cat(
            [self.module.maps(self.module.standardise(part), number) for part in parts]
        )

    def _draw(self, n_values, n_samples=_MAX_SAMPLES):
        """Return some samples, fewer of those whose maps have many values."""
        size = min(n_samples, max(_MAX_VALUES // n_values, 50))
        some = self.samples.draw(size, self.rng)
        x = torch.from_numpy(np.ascontiguousarray(some[:]))
        return x.to(self.net.device)


def _filters_from(x, kernel, row, n_filters, rng, **options):
    """Return filters that a row of `FILTER_STARTS` finds in what a stage sees."""
    module, _, name = row.function.partition(".")
    function = getattr(import_module(f".{module}", __package__), name)
    if not row.sees_windows:
        patches = draw_patches(x, kernel, _N_PATCHES, rng)
        return function(patches, n_filters, rng, **options)
    window = tuple(
        min(2 * side - 1, length)
        for side, length in zip(kernel, x.shape[2:], strict=True)
    )
    windows = draw_patches(x, window, _N_WINDOWS, rng)
    windows = windows.reshape(-1, x.shape[1], *window)
    return function(windows, kernel, n_filters, rng, **options)
