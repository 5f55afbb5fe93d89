"""The feature maps of one sample."""

import numpy as np

from ..data.layout import Layout
from ..data.read_input import read_samples
from .base import BaseDisplay
from .drawing import axes_grid, draw_curve_mosaic, draw_mosaic
from .mosaic import (
    as_colours,
    colour_range,
    largest,
    middle_slice,
    to_unit,
    value_range,
)

# Maps side by side, by whether they are curves.
_N_COLS = {True: 4, False: 8}
_WIDTH, _FOR_TITLE = 6.4, 0.25
# Height of the cell of a curve, in units of its width.
_CELL_HEIGHT = 0.45


class FeatureMapDisplay(BaseDisplay):
    """Feature maps of one sample, stage by stage.

    Use :meth:`~skcae.FeatureMapDisplay.from_estimator` to create one. The maps are
    those after the activation and the pooling of each stage, before any pooling over a
    grid. Each layer has its own axes: the sample, the whitened sample (with `whiten`),
    and the maps of every stage, from their least value (black) to their largest
    (white). Volumes are shown as the middle slice of their first axis, signals as
    curves. A sample with three channels is shown in colour; other channels lie side by
    side.

    Parameters
    ----------
    sample : ndarray of shape (...)
        The sample, with its own axes, in the units of the data.
    maps : list of ndarray of shape (n_maps, ...)
        Maps of every stage.
    whitened : ndarray of shape (...), default=None
        The whitened sample, with the axes of `sample`. None: there is no whitening.
    channel_axis : int, default=None
        Axis of the sample that holds channels; None: there is no such axis.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_layers,)
        The sample, the whitened sample if there is one, and stages.
    bounding_ax_ : matplotlib Axes or None
        The axes that were divided into `axes_`, if one was passed.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    FilterDisplay : The filters that make the maps.
    ReconstructionDisplay : What the decoder makes of them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderTransformer, FeatureMapDisplay
    >>> X = load_digits().images
    >>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=2, random_state=0)
    >>> display = FeatureMapDisplay.from_estimator(cae.fit(X), X)
    >>> [maps.shape for maps in display.maps]
    [(8, 8, 8)]
    """

    def __init__(self, *, sample, maps, whitened=None, channel_axis=None):
        self.sample = sample
        self.maps = maps
        self.whitened = whitened
        self.channel_axis = channel_axis

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        sample=0,
        ax=None,
        n_maps=16,
        n_cols=None,
        normalize="each",
        im_kw=None,
        line_kw=None,
    ):
        """Encode one sample and draw its maps.

        Parameters
        ----------
        estimator : ConvAutoencoderTransformer
            A fitted transformer; its features may be pooled or a dense code.
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape that `fit` saw, or of any shape that `transform` takes.
        sample : int, default=0
            Number of the sample to show. Negative numbers count from the last.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to divide, or as many axes as layers. None: a new figure.
        n_maps : int, default=16
            Number of maps of each stage to show, from the first. None: all.
        n_cols : int, default=None
            Number of maps side by side. None: four for signals, else eight.
        normalize : {"all", "each"}, default="each"
            What decides the grey scale or the height of a cell: the least and the
            largest value of all maps of a stage that are shown, or those of each map by
            itself.
        im_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.imshow`.
        line_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : FeatureMapDisplay
            Holds the maps of all stages and the axes.

        Raises
        ------
        TypeError
            If `estimator` is not an autoencoder, or `ax` holds no axes.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a parameter or `X` is out of range.
        """
        drawn = {"n_maps": n_maps, "n_cols": n_cols, "normalize": normalize}
        drawn |= {"im_kw": im_kw, "line_kw": line_kw}
        cls._check_call("from_estimator", sample=sample, **drawn)
        cls._check_autoencoder(estimator)
        from ..runtime.inference import feature_maps

        any_size = estimator._fitted.takes_any_size
        with read_samples(estimator, X, any_size=any_size) as samples:
            n_samples = len(samples)
            if not -n_samples <= sample < n_samples:
                raise ValueError(
                    f"Got sample={sample} but X has {n_samples} sample(s); expected a "
                    f"number between {-n_samples} and {n_samples - 1}. Pass the row of "
                    "X to show."
                )
            net, layout = estimator.net_, samples.layout
            samples = samples.subset(np.array([sample % n_samples]))
            maps = [
                feature_maps(net, samples, n)
                for n in range(len(net.module_.encoder) + 1)
            ]
            whitened = None
            if net.module_.whitening is not None:
                whitened = layout.from_channels_first(maps[0])[0]
            display = cls(
                sample=layout.from_channels_first(samples[:])[0],
                maps=[layer[0] for layer in maps[1:]],
                whitened=whitened,
                channel_axis=layout.channel_axis,
            )
        return display.plot(ax, **drawn)

    def plot(
        self,
        ax=None,
        *,
        n_maps=16,
        n_cols=None,
        normalize="each",
        im_kw=None,
        line_kw=None,
    ):
        """Draw the maps.

        Parameters
        ----------
        ax, n_maps, n_cols, normalize, im_kw, line_kw : optional
            As in :meth:`~skcae.FeatureMapDisplay.from_estimator`.

        Returns
        -------
        display : FeatureMapDisplay
            The display itself.
        """
        self._check_call(
            "plot",
            n_maps=n_maps,
            n_cols=n_cols,
            normalize=normalize,
            im_kw=im_kw,
            line_kw=line_kw,
        )
        titles, layers = zip(*self._layers(n_maps), strict=True)
        is_curves = self.maps[0].ndim == 2
        n_cols = n_cols or min(_N_COLS[is_curves], max(map(len, layers)))
        heights = [_height(layer, n_cols, is_curves) for layer in layers]
        figsize = (_WIDTH, sum(heights) + _FOR_TITLE * len(layers))
        axes, self.bounding_ax_ = axes_grid(ax, (len(layers), 1), figsize, heights)
        self.axes_ = axes[:, 0]
        self.figure_ = self.axes_[0].figure
        n_given = len(layers) - len(self.maps)
        for number, (axis, cells) in enumerate(zip(self.axes_, layers, strict=True)):
            is_each = normalize == "each" and number >= n_given
            if is_curves:
                ranges = np.array([value_range(x) for x in cells])
                limits = ranges if is_each else value_range(cells)
                draw_curve_mosaic(axis, cells, n_cols, limits, **line_kw or {})
            else:
                cells = to_unit(cells) if is_each else cells
                low, high = value_range(cells)
                style = {"cmap": "gray", "vmin": low, "vmax": high} | (im_kw or {})
                draw_mosaic(axis, cells, n_cols, **style)
                axis.set_anchor("W")
            axis.set_title(titles[number], loc="left", fontsize="medium")
        return self

    def _layers(self, n_maps):
        """Yield title and pictures of every layer."""
        yield "Input", self._pictures(self.sample, colour_range)
        if self.whitened is not None:
            yield "Whitened", self._pictures(self.whitened, _around_0)
        for number, maps in enumerate(self.maps, start=1):
            n_shown = min(len(maps), n_maps or len(maps))
            count = f"{n_shown} of " if n_shown < len(maps) else ""
            shape = " × ".join(map(str, maps.shape[1:]))
            title = f"Stage {number}: {count}{len(maps)} maps of {shape}"
            pictures = middle_slice(maps) if maps.ndim == 4 else maps
            yield title, (pictures[:, None] if maps.ndim == 2 else pictures)[:n_shown]

    def _pictures(self, sample, limits_of):
        """Return the cells of a sample: its colours, or its channels."""
        layout = Layout(sample.shape, self.channel_axis)
        channels = layout.to_channels_first(sample[None])
        if len(layout.spatial) == 1:
            return channels
        if len(layout.spatial) == 3:
            channels = middle_slice(channels)
        if channels.shape[1] == 3:
            return as_colours(channels, *limits_of(channels))
        return channels[0]


def _around_0(values):
    return -largest(values), largest(values)


def _height(cells, n_cols, is_curves):
    """Return the height of a layer, in inches."""
    n_rows = -(-len(cells) // n_cols)
    cell = _CELL_HEIGHT if is_curves else cells.shape[1] / cells.shape[2]
    return _WIDTH * cell * n_rows / n_cols
