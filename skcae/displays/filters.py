"""The filters of one stage."""

import numpy as np

from .base import BaseDisplay
from .drawing import draw_colour_bar, draw_curve_mosaic, draw_mosaic, one_axes
from .mosaic import as_colours, enlarged, largest, mosaic, n_columns

# More curves than these in one cell are hard to tell apart.
_MAX_CURVES = 4
# Width and height of the cell of a curve: it is wider than high.
_CELL = (2, 3)
# Pixels between filters that are more than one picture.
_WIDE_GAP = 6
# In inches: the largest width and height of all cells, and the largest cell.
_WIDTH, _HEIGHT, _MAX_CELL = 6.0, 8.0, 0.8
_FOR_BAR, _FOR_TITLE = 0.8, 0.3


class FilterDisplay(BaseDisplay):
    """All filters of one stage.

    Use :meth:`~skcae.FilterDisplay.from_estimator` to create one. The colour scale is
    symmetric around 0; curves have a line at 0. Where samples have three channels, the
    filters of the first stage are shown in colour, in which grey is 0. Other channels,
    and the slices of volumes, lie side by side, so that a filter is a row of them. A
    filter of signals is a cell with a curve for each channel or, with many channels,
    an image with a row for each.

    The weights are those of `filters_`. They are applied to standardised samples and,
    with `whiten`, to whitened samples. The whitening is the one that changes samples
    least (ZCA), so that filters behind it look like what they find: edges, for example.

    Parameters
    ----------
    filters : ndarray of shape (n_filters, n_channels, ...)
        Weights.
    stage : int, default=1
        Number of the stage, from 1. The channels of later stages are feature maps and
        are never shown in colour.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with all filters.
    figure_ : matplotlib Figure
        Figure with the axes.
    im_ : matplotlib AxesImage or None
        Image of all filters; None where curves are drawn.
    lines_ : list of matplotlib Line2D or None
        Curves, filter by filter, channel by channel; None where an image is drawn.
    colorbar_ : matplotlib Colorbar or None
        Colour bar of the weights.

    See Also
    --------
    FeatureMapDisplay : What the filters make of one sample.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderTransformer, FilterDisplay
    >>> X = load_digits().images
    >>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=2, random_state=0)
    >>> display = FilterDisplay.from_estimator(cae.fit(X))
    >>> display.filters.shape
    (8, 1, 3, 3)
    """

    def __init__(self, *, filters, stage=1):
        self.filters = filters
        self.stage = stage

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        stage=1,
        ax=None,
        n_cols=None,
        normalize="each",
        colorbar=True,
        im_kw=None,
        line_kw=None,
    ):
        """Draw the filters of a stage.

        Parameters
        ----------
        estimator : ConvAutoencoderTransformer
            A fitted transformer.
        stage : int, default=1
            Number of the stage whose filters are drawn, from 1.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: those of a new figure.
        n_cols : int, default=None
            Number of filters side by side. None: the figure becomes about twice as wide
            as high.
        normalize : {"all", "each"}, default="each"
            What decides the colour scale or the height of a cell: the largest absolute
            weight of all filters, or that of each filter by itself.
        colorbar : bool, default=True
            Whether to add a colour bar. There is none with `normalize="each"`, nor for
            filters in colour.
        im_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.imshow`.
        line_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : FilterDisplay
            Holds the filters and the axes.

        Raises
        ------
        TypeError
            If `estimator` is not an autoencoder, or `ax` holds no axes.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a parameter is out of range.
        """
        drawn = {"n_cols": n_cols, "normalize": normalize, "colorbar": colorbar}
        styles = {"im_kw": im_kw, "line_kw": line_kw}
        cls._check_call("from_estimator", stage=stage, **drawn, **styles)
        cls._check_autoencoder(estimator)
        encoder = estimator.module_.encoder
        if stage > len(encoder):
            raise ValueError(
                f"Got stage={stage} but {type(estimator).__name__} has {len(encoder)} "
                f"stage(s); expected at most {len(encoder)}, as the first is 1. Lower "
                "stage."
            )
        weight = encoder[stage - 1].convolution.weight
        filters = weight.detach().cpu().numpy().copy()
        return cls(filters=filters, stage=stage).plot(ax, **drawn, **styles)

    def plot(
        self,
        ax=None,
        *,
        n_cols=None,
        normalize="each",
        colorbar=True,
        im_kw=None,
        line_kw=None,
    ):
        """Draw the filters.

        Parameters
        ----------
        ax, n_cols, normalize, colorbar, im_kw, line_kw : optional
            As in :meth:`~skcae.FilterDisplay.from_estimator`.

        Returns
        -------
        display : FilterDisplay
            The display itself.
        """
        self._check_call(
            "plot",
            n_cols=n_cols,
            normalize=normalize,
            colorbar=colorbar,
            im_kw=im_kw,
            line_kw=line_kw,
        )
        filters, limit = self.filters, largest(self.filters)
        if normalize == "each":
            filters, limit = np.stack([f / largest(f) for f in filters]), 1.0
        self.im_ = self.lines_ = self.colorbar_ = None
        if self._is_curves:
            n_cols = n_cols or n_columns(len(filters), _CELL)
            self.ax_ = one_axes(ax, _figure_size(len(filters), n_cols, _CELL))
            self.lines_ = draw_curve_mosaic(
                self.ax_, filters, n_cols, (-limit, limit), **line_kw or {}
            )
        else:
            has_bar = colorbar and normalize == "all" and not self._is_colours
            self._draw_image(ax, filters, limit, n_cols, has_bar, im_kw or {})
        self.figure_ = self.ax_.figure
        n_channels, *sides = self.filters.shape[1:]
        shape = " × ".join(map(str, [n_channels, *sides] if n_channels > 1 else sides))
        self.ax_.set_title(
            f"Stage {self.stage}: {len(self.filters)} filters of {shape}",
            fontsize="medium",
        )
        return self

    @property
    def _is_curves(self):
        n_channels, *sides = self.filters.shape[1:]
        return len(sides) == 1 and n_channels <= _MAX_CURVES

    @property
    def _is_colours(self):
        n_channels, *sides = self.filters.shape[1:]
        return self.stage == 1 and n_channels == 3 and len(sides) > 1

    def _pictures(self, filters, limit):
        """Return the pictures of every filter, row by row, and how many are in a row.

        Rows are channels where there are slices, which then are side by side.
        """
        n_filters, n_channels, *sides = filters.shape
        if self._is_colours:
            pictures = as_colours(filters, -limit, limit)
            pictures = pictures.reshape(n_filters, -1, *pictures.shape[-3:])
            return pictures, pictures.shape[1]
        if len(sides) == 1:
            return filters[:, None], 1
        return filters.reshape(n_filters, -1, *sides[-2:]), (n_channels, *sides)[-3]

    def _draw_image(self, ax, filters, limit, n_cols, has_bar, im_kw):
        pictures, n_slices = self._pictures(filters, limit)
        n_filters, n_pictures = pictures.shape[:2]
        gap = 1 if n_pictures == 1 else _WIDE_GAP
        blocks = np.stack([mosaic(enlarged(x), n_slices) for x in pictures])
        cell = tuple(side + gap for side in blocks.shape[1:3])
        n_cols = n_cols or n_columns(n_filters, cell)
        self.ax_ = one_axes(ax, _figure_size(n_filters, n_cols, cell, has_bar))
        style = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} | im_kw
        self.im_ = draw_mosaic(self.ax_, blocks, n_cols, gap, **style)
        if has_bar:
            self.colorbar_ = draw_colour_bar(self.im_, self.ax_)


def _figure_size(n_cells, n_cols, cell, has_bar=False):
    """Return width and height of a figure, in inches."""
    height, width = cell
    n_rows = -(-n_cells // n_cols)
    inches = min(_WIDTH, n_cols * _MAX_CELL * max(1.0, width / height))
    aspect = n_rows * height / (n_cols * width)
    inches = min(inches, _HEIGHT / aspect)
    return inches + has_bar * _FOR_BAR, inches * aspect + _FOR_TITLE
