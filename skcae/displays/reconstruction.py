"""Samples, what an autoencoder rebuilds of them, and the difference."""

import numpy as np

from ..data.layout import Layout
from ..data.read_input import read_samples
from .base import BaseDisplay
from .drawing import (
    FRAME,
    axes_grid,
    draw_colour_bar,
    draw_curves,
    draw_image,
    number_axis,
)
from .mosaic import as_colours, colour_range, largest, middle_slice, value_range

_ROWS = ("input", "rebuilt", "error")
_N_SAMPLES = 8
# Height of a panel in inches, and how wide it is at least and at most.
_HEIGHT, _WIDTHS = 0.8, (0.4, 2.4)
_SIGNAL_WIDTH = 1.0
# Left free above and below curves, in units of their range.
_SPACE = 0.05


class ReconstructionDisplay(BaseDisplay):
    """Samples in one row, their reconstructions below them, the errors below these.

    Use :meth:`~skcae.ReconstructionDisplay.from_estimator` to create one. Each sample
    is a column. Images are shown as they are, volumes as the middle slice of their
    first axis, signals as curves. All inputs and reconstructions share one scale, in
    the units of the data; all errors share another. Images with three channels are
    shown in colour, images with other numbers of channels as the mean of these.
    Signals show all their channels.

    The error of an image or volume is the absolute difference; with several channels,
    it is the root of the mean squared difference. The error of a signal is the
    difference, reconstruction minus input.

    Parameters
    ----------
    inputs : ndarray of shape (n_samples, ...)
        Samples, with the axes that a sample has.
    reconstructions : ndarray of shape (n_samples, ...)
        Their reconstructions, of the same shape and in the same units.
    channel_axis : int, default=None
        Axis of a sample that holds channels; None: there is no such axis.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (3, n_samples)
        Inputs, reconstructions and errors.
    bounding_ax_ : matplotlib Axes or None
        The axes that were divided into `axes_`, if one was passed.
    figure_ : matplotlib Figure
        Figure with the axes.
    colorbar_ : matplotlib Colorbar or None
        Colour bar of the errors.

    See Also
    --------
    ConvAutoencoderTransformer.score_samples : Minus the mean squared error of samples.
    FeatureMapDisplay : What the stages make of one sample.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderTransformer, ReconstructionDisplay
    >>> X = load_digits().images
    >>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=2, random_state=0)
    >>> display = ReconstructionDisplay.from_estimator(cae.fit(X), X, n_samples=5)
    >>> display.axes_.shape
    (3, 5)
    """

    def __init__(self, *, inputs, reconstructions, channel_axis=None):
        self.inputs = inputs
        self.reconstructions = reconstructions
        self.channel_axis = channel_axis

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        n_samples=None,
        channel=None,
        ax=None,
        colorbar=True,
        im_kw=None,
        error_kw=None,
        line_kw=None,
    ):
        """Rebuild samples and draw them.

        Parameters
        ----------
        estimator : ConvAutoencoderTransformer
            A fitted transformer; its features may be pooled.
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape that `fit` saw. The first of them are shown.
        n_samples : int, default=None
            Number of samples to show. None: at most eight.
        channel : int, default=None
            The only channel to show, from 0. None: all.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to divide, or three rows of as many axes as samples. None: a new
            figure.
        colorbar : bool, default=True
            Whether to add the colour bar of the errors of images and volumes.
        im_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.imshow` for inputs and
            reconstructions.
        error_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.imshow` for the errors.
        line_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for signals.

        Returns
        -------
        display : ReconstructionDisplay
            Holds the samples, their reconstructions and the axes.

        Raises
        ------
        TypeError
            If `estimator` is not an autoencoder, or `ax` holds no axes.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a parameter or `X` is out of range.
        """
        drawn = {"channel": channel, "colorbar": colorbar}
        styles = {"im_kw": im_kw, "error_kw": error_kw, "line_kw": line_kw}
        cls._check_call("from_estimator", n_samples=n_samples, **drawn, **styles)
        cls._check_autoencoder(estimator)
        from ..runtime.inference import reconstruct

        with read_samples(estimator, X) as samples:
            if n_samples is not None and n_samples > len(samples):
                raise ValueError(
                    f"Got n_samples={n_samples} but X has {len(samples)} sample(s); "
                    "expected at most as many. Lower n_samples, or pass more samples."
                )
            _check_channel(channel, samples.layout)
            layout = samples.layout
            n_samples = n_samples or min(_N_SAMPLES, len(samples))
            samples = samples.subset(np.arange(n_samples))
            display = cls(
                inputs=layout.from_channels_first(samples[:]),
                reconstructions=layout.from_channels_first(
                    reconstruct(estimator.net_, samples)
                ),
                channel_axis=layout.channel_axis,
            )
        return display.plot(ax, **drawn, **styles)

    def plot(
        self,
        ax=None,
        *,
        channel=None,
        colorbar=True,
        im_kw=None,
        error_kw=None,
        line_kw=None,
    ):
        """Draw the samples.

        Parameters
        ----------
        ax, channel, colorbar, im_kw, error_kw, line_kw : optional
            As in :meth:`~skcae.ReconstructionDisplay.from_estimator`.

        Returns
        -------
        display : ReconstructionDisplay
            The display itself.
        """
        self._check_call(
            "plot",
            channel=channel,
            colorbar=colorbar,
            im_kw=im_kw,
            error_kw=error_kw,
            line_kw=line_kw,
        )
        layout = Layout(self.inputs.shape[1:], self.channel_axis)
        _check_channel(channel, layout)
        pairs = [layout.to_channels_first(self.inputs)]
        pairs.append(layout.to_channels_first(self.reconstructions))
        if channel is not None:
            pairs = [X[:, [channel]] for X in pairs]
        shape = (3, len(self.inputs))
        figsize = (_panel_width(layout) * shape[1] + 1.2, _HEIGHT * 3 + 0.1)
        self.axes_, self.bounding_ax_ = axes_grid(ax, shape, figsize)
        self.figure_ = self.axes_[0, 0].figure
        self.colorbar_ = None
        if len(layout.spatial) == 1:
            self._draw_signals(*pairs, line_kw or {})
        else:
            if len(layout.spatial) == 3:
                pairs = [middle_slice(X) for X in pairs]
            self._draw_images(*pairs, colorbar, im_kw or {}, error_kw or {})
        for axis, name in zip(self.axes_[:, 0], _ROWS, strict=True):
            axis.set_ylabel(name, rotation=0, ha="right", va="center")
        return self

    def _draw_images(self, inputs, rebuilt, colorbar, im_kw, error_kw):
        errors = np.sqrt(np.square(rebuilt - inputs).mean(axis=1))
        if inputs.shape[1] == 3:
            limits = colour_range(inputs)
            inputs, rebuilt = (as_colours(X, *limits) for X in (inputs, rebuilt))
        else:
            inputs, rebuilt = inputs.mean(axis=1), rebuilt.mean(axis=1)
        low, high = value_range(inputs)
        im_kw = {"cmap": "gray", "vmin": low, "vmax": high} | im_kw
        error_kw = {"cmap": "inferno", "vmin": 0.0, "vmax": largest(errors)} | error_kw
        layers = zip((inputs, rebuilt, errors), (im_kw, im_kw, error_kw), strict=True)
        for row, (images, style) in zip(self.axes_, layers, strict=True):
            for axis, image in zip(row, images, strict=True):
                drawn = draw_image(axis, image, **style)
        if colorbar:
            last = self.axes_[2, -1]
            self.colorbar_ = draw_colour_bar(drawn, last, gap=0.1, width=0.1)

    def _draw_signals(self, inputs, rebuilt, line_kw):
        errors = rebuilt - inputs
        limits = value_range(np.concatenate([inputs, rebuilt]))
        top = largest(errors)
        for row, signals, (low, high) in zip(
            self.axes_,
            (inputs, rebuilt, errors),
            (limits, limits, (-top, top)),
            strict=True,
        ):
            space = _SPACE * (high - low)
            for axis, channels in zip(row, signals, strict=True):
                draw_curves(axis, channels, **line_kw)
                axis.set(xticks=[], yticks=[], ylim=(low - space, high + space))
                axis.spines[:].set_color(FRAME)
            number_axis(row[0].yaxis)


def _panel_width(layout):
    if len(layout.spatial) == 1:
        return _SIGNAL_WIDTH
    height, width = layout.spatial[-2:]
    low, high = _WIDTHS
    return min(max(_HEIGHT * width / height, low), high)


def _check_channel(channel, layout):
    if channel is not None and channel >= layout.n_channels:
        raise ValueError(
            f"Got channel={channel} but samples have {layout.n_channels} channel(s); "
            f"expected at most {layout.n_channels - 1}, as the first is 0. Lower "
            "channel, or leave it at None for all."
        )
