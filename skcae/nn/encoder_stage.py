"""Stages of the encoder."""

import torch
from torch import Tensor, nn

from ..params.activations import ACTIVATIONS
from ..params.pool_modes import POOL_MODES
from .activations import activate
from .convolutions import Convolution
from .pooling import pool


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
        return self._activation.has_threshold

    @property
    def _activation(self):
        return ACTIVATIONS[self.stage.activation]

    @torch.no_grad()
    def calibrate(self, x: Tensor, level: float) -> None:
        """Set the threshold of every filter, for activations that have one.

        Parameters
        ----------
        x : Tensor of shape (N, C, *spatial)
            What the stage sees of some samples.
        level : float
            Threshold in standard deviations of the filter's responses to them.
        """
        self.threshold.zero_()
        groups = list(self.responses(x))
        if self.stage.depthwise:
            rows = torch.stack([responses.flatten() for responses in groups])
        else:
            rows = groups[0].movedim(1, 0).flatten(1)
        self.threshold.copy_(level * rows.std(dim=1, correction=0))

    def responses(self, x: Tensor):
        """Yield the responses of the filters to `x`, minus their thresholds, by group.

        Filters that see all maps are one group. A depthwise filter is a group of its
        own, with one response per map.
        """
        bias = self.convolution.bias
        if self.is_thresholded:
            bias = bias - self.threshold
        if not self.stage.depthwise:
            yield self.convolution(x, bias=bias)
            return
        for number in range(self.stage.n_filters):
            yield self.convolution.depthwise(x, number, bias[number])

    def iter_maps(self, x: Tensor):
        """Yield the pooled feature maps of `x` by group: concatenated, they are all."""
        for number, responses in enumerate(self.responses(x)):
            signs = [responses]
            if self.stage.n_signs == 2:
                threshold = self._threshold_of(number, responses)
                # Responses are z - t: minus 2 t, their negatives become -z - t.
                signs.append(responses.neg() - 2 * threshold)
            for maps in signs:
                yield self._activate_and_pool(maps)

    def _threshold_of(self, number, responses):
        if self.stage.depthwise:
            return self.threshold[number]
        return self.threshold.view(-1, *(1,) * (responses.ndim - 2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled feature maps of `x`."""
        parts = list(self.iter_maps(x))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def _activate_and_pool(self, x):
        name, mode = self.stage.activation, POOL_MODES[self.stage.pool_mode]
        if self._activation.subtracts_mean:
            x = x - x.mean(dim=1, keepdim=True)
        # Behind the pooling there are fewer values to apply the activation to.
        if self._activation.is_monotone and mode.commutes_with_monotone:
            return activate(self._pool(x), name)
        return self._pool(activate(x, name))

    def _pool(self, x):
        return pool(x, self.stage.pool_mode, self.stage.pool_size)
