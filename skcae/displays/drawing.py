"""Draws images and curves on axes; matplotlib is imported only when it is used."""

import numpy as np

from .mosaic import enlarged, mosaic

FRAME = "0.8"
_LINE = {"color": "0.2", "linewidth": 0.9}
# A curve of one value is a point.
_POINT = {"marker": "o", "markersize": 3}
# Share of a cell that its curves leave free on each side.
_MARGIN = 0.08


def _check_axes(axes):
    from matplotlib.axes import Axes

    for axis in axes:
        if not isinstance(axis, Axes):
            raise TypeError(
                f"Got ax with an object of type {type(axis).__name__}; expected axes "
                "of matplotlib. Pass what matplotlib.pyplot.subplots returns second, "
                "or ax=None for a new figure."
            )


def one_axes(ax, figsize):
    """Return `ax`, or the axes of a new figure where it is None."""
    import matplotlib.pyplot as plt

    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    _check_axes([ax])
    return ax


def axes_grid(ax, shape, figsize, height_ratios=None):
    """Return axes in rows and columns.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        Axes to divide, or the axes themselves; None: those of a new figure.
    shape : tuple of int
        Number of rows and of columns.
    figsize : tuple of float
        Width and height of a new figure, in inches.
    height_ratios : list of float, default=None
        Heights of the rows; None: all are alike.

    Returns
    -------
    axes : ndarray of shape `shape`
        The axes.
    bounding_ax : matplotlib Axes or None
        The axes that were divided.
    """
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    if ax is None:
        figure = plt.figure(figsize=figsize, layout="constrained")
        ratios = {"height_ratios": height_ratios}
        return figure.subplots(*shape, squeeze=False, gridspec_kw=ratios), None
    if isinstance(ax, Axes):
        return _divide(ax, shape, height_ratios), ax
    axes = np.asarray(ax, dtype=object)
    _check_axes(axes.flat)
    n_rows, n_cols = shape
    if axes.size != n_rows * n_cols:
        raise ValueError(
            f"Got ax with {axes.size} axes; expected {n_rows * n_cols}, in {n_rows} "
            f"row(s) of {n_cols}. Pass plt.subplots({n_rows}, {n_cols})[1], one axes "
            "to divide, or ax=None."
        )
    return axes.reshape(shape), None


def _divide(ax, shape, height_ratios):
    """Return axes in the place of one."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    if not ax.axison or ax.get_subplotspec() is None:
        raise ValueError(
            "Got ax that is switched off, as a display leaves the axes it has divided, "
            "or that has no place in a grid; expected axes that can be divided. Pass "
            "ax=display.axes_, or axes of matplotlib.pyplot.subplots."
        )
    ax.set_axis_off()
    grid = GridSpecFromSubplotSpec(
        *shape, subplot_spec=ax.get_subplotspec(), height_ratios=height_ratios
    )
    axes = [ax.figure.add_subplot(cell) for cell in grid]
    return np.array(axes, dtype=object).reshape(shape)


def draw_image(ax, image, **kwargs):
    """Draw an image without ticks; pixels that are NaN, in any channel, stay empty."""
    if image.ndim == 3:
        is_there = ~np.isnan(image).any(axis=2, keepdims=True)
        image = np.concatenate([np.nan_to_num(image), is_there], axis=2)
    drawn = ax.imshow(image, **{"interpolation": "nearest"} | kwargs)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color(FRAME)
    return drawn


def draw_mosaic(ax, tiles, n_cols, gap=1, **kwargs):
    """Draw images of equal size side by side, without frames."""
    drawn = draw_image(ax, mosaic(enlarged(tiles), n_cols, gap), **kwargs)
    ax.spines[:].set_visible(False)
    return drawn


def draw_curves(ax, channels, **kwargs):
    """Draw the curves of one signal, (n_channels, length); return the lines."""
    style = _LINE if len(channels) == 1 else {"linewidth": _LINE["linewidth"]}
    if channels.shape[1] == 1:
        style = style | _POINT
    return ax.plot(channels.T, **style | kwargs)


def draw_curve_mosaic(ax, signals, n_cols, limits, **kwargs):
    """Draw signals in cells, row by row; return the lines.

    Parameters
    ----------
    ax : matplotlib Axes
        Its unit squares become the cells.
    signals : ndarray of shape (n_signals, n_channels, length)
        Curves; those of one signal share a cell.
    n_cols : int
        Cells side by side.
    limits : tuple of float or ndarray of shape (n_signals, 2)
        Values at the bottom and at the top of a cell, of all or of each; they differ.
    **kwargs : dict
        Of :meth:`matplotlib.axes.Axes.plot`.

    Returns
    -------
    lines : list of matplotlib Line2D
        Signal by signal, channel by channel.
    """
    n_signals, n_channels, length = signals.shape
    n_rows = -(-n_signals // n_cols)
    limits = np.broadcast_to(limits, (n_signals, 2))
    within = np.linspace(0.0, 1.0, length) if length > 1 else np.array([0.5])
    left, inner = _MARGIN, 1.0 - 2 * _MARGIN
    styles = [_LINE] if n_channels == 1 else [{"color": f"C{n}"} for n in range(10)]
    lines = []
    for number, channels in enumerate(signals):
        row, column = divmod(number, n_cols)
        low, high = limits[number]
        bottom = n_rows - 1 - row + left
        heights = bottom + inner * (channels - low) / (high - low)
        if low <= 0.0 <= high:
            zero = bottom - inner * low / (high - low)
            places = [column + left, column + 1 - left]
            ax.hlines(zero, *places, color=FRAME, linewidth=0.6, zorder=1)
        for channel, height in enumerate(heights):
            style = {"linewidth": _LINE["linewidth"]} | styles[channel % len(styles)]
            if length == 1:
                style |= _POINT
            lines += ax.plot(column + left + inner * within, height, **style | kwargs)
    ax.set(xlim=(0, n_cols), ylim=(0, n_rows), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return lines


def draw_colour_bar(image, ax, *, gap=0.04, width=0.03, **kwargs):
    """Draw the colour bar of an image right of some axes, as high as these."""
    place = ax.inset_axes([1.0 + gap, 0.0, width, 1.0])
    bar = ax.figure.colorbar(image, cax=place, **kwargs)
    bar.outline.set_edgecolor(FRAME)
    number_axis(bar.ax.yaxis)
    return bar


def number_axis(axis):
    """Put few and small numbers on an axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(3))
    axis.set_tick_params(labelsize="small", length=2, color=FRAME)
