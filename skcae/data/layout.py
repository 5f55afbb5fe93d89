"""The shape of one sample, and which of its axes holds channels."""

import math
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from ..utils.user_warnings import warn


@dataclass(frozen=True)
class Layout:
    """Shape of one sample and the axis that holds its channels.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample as the user sees it.
    channel_axis : int or None
        Axis of `shape` that holds channels; None: there is no such axis.
    """

    shape: tuple
    channel_axis: int | None = None

    @property
    def n_features(self):
        """Number of values in one sample."""
        return math.prod(self.shape)

    @property
    def n_channels(self):
        """Number of channels."""
        return 1 if self.channel_axis is None else self.shape[self.channel_axis]

    @property
    def spatial(self):
        """Spatial shape."""
        if self.channel_axis is None:
            return self.shape
        axis = self.channel_axis % len(self.shape)
        return self.shape[:axis] + self.shape[axis + 1 :]

    def to_channels_first(self, X):
        """View samples ``(N, *shape)`` as ``(N, C, *spatial)``."""
        if self.channel_axis is None:
            return X[:, None]
        return np.moveaxis(X, self.channel_axis % len(self.shape) + 1, 1)

    def from_channels_first(self, X):
        """View ``(N, C, *spatial)`` as samples ``(N, *shape)``."""
        if self.channel_axis is None:
            return X[:, 0]
        return np.moveaxis(X, 1, self.channel_axis % len(self.shape) + 1)


def _check_shape_parameter(input_shape):
    shape = tuple(input_shape)
    if not shape or not all(
        isinstance(side, Integral) and not isinstance(side, bool) and side >= 1
        for side in shape
    ):
        raise ValueError(
            f"Got input_shape={input_shape!r}; expected integers of at least 1, such "
            "as (28, 28). Pass the shape of one sample."
        )
    return tuple(int(side) for side in shape)


def _check_channel_axis(channel_axis, shape):
    n_axes = len(shape)
    if isinstance(channel_axis, bool) or (
        channel_axis is not None and not -n_axes <= channel_axis < n_axes
    ):
        raise ValueError(
            f"Got channel_axis={channel_axis} for samples of shape {shape}; expected "
            f"an axis between {-n_axes} and {n_axes - 1}, or None. Pass the axis of a "
            "sample (not of X) that holds its channels."
        )
    n_spatial = n_axes - (channel_axis is not None)
    if not 1 <= n_spatial <= 3:
        raise ValueError(
            f"Got samples of shape {shape} with channel_axis={channel_axis}, which "
            f"leaves {n_spatial} spatial axes; expected 1 (signals), 2 (images) or 3 "
            "(volumes). Set channel_axis or input_shape, or reshape X."
        )


def resolve_layout(X_shape, input_shape, channel_axis):
    """Return the layout of samples of an array.

    Parameters
    ----------
    X_shape : tuple of int
        Shape of the whole array.
    input_shape : tuple of int or None
        Shape of one sample, where the user names it.
    channel_axis : int or None
        Axis of a sample that holds channels.

    Returns
    -------
    layout : Layout

    Raises
    ------
    ValueError
        If the shapes do not agree.
    """
    here = tuple(X_shape[1:])
    shape = here if input_shape is None else _check_shape_parameter(input_shape)
    _check_channel_axis(channel_axis, shape)
    layout = Layout(shape, None if channel_axis is None else int(channel_axis))
    if channel_axis is None and len(shape) == 3 and shape[-1] in (1, 3, 4):
        warn(
            f"Samples of shape {shape} are taken for volumes of one channel. Pass "
            "channel_axis=-1 if the last axis holds channels."
        )
    if len(here) == 1 and layout.n_features != here[0]:
        raise ValueError(
            f"Got input_shape={shape} ({layout.n_features} values) but X has {here[0]} "
            "features; pass the shape of one sample, or check X."
        )
    if len(here) > 1 and here != shape:
        raise ValueError(
            f"Got input_shape={shape} but X holds samples of shape {here}; expected "
            "them to be equal. Leave input_shape at None for N-D X, or check X."
        )
    if 0 in here:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={tuple(X_shape)}) while a minimum "
            "of 1 is required. Check how X was sliced."
        )
    return layout


def layout_of_other_size(layout, shape):
    """Return the layout for samples that differ in spatial shape alone, else None."""
    if len(shape) == 1 or len(shape) != len(layout.shape) or 0 in shape:
        return None
    other = Layout(tuple(shape), layout.channel_axis)
    return other if other.n_channels == layout.n_channels else None
