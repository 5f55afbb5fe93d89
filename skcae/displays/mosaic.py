"""Many small pictures as one: arithmetic of tiles, without matplotlib."""

import math

import numpy as np

# Pictures of fewer pixels a side are enlarged, so that gaps of one pixel are thin.
_LEAST_SIDE = 12
# How far the columns may be from the best number to leave no place empty.
_TOLERANCE = 1.5


def n_columns(n_tiles, tile_shape, aspect=2.0):
    """Return how many tiles to put side by side.

    Parameters
    ----------
    n_tiles : int
        Number of tiles.
    tile_shape : tuple of int
        Height and width of one tile.
    aspect : float, default=2.0
        Wanted width of the whole, in units of its height.

    Returns
    -------
    n_columns : int
        A divisor of `n_tiles` where one comes near enough.
    """
    height, width = tile_shape
    best = math.sqrt(aspect * n_tiles * height / width)
    best = min(max(best, 1.0), n_tiles)

    def distance(n):
        return abs(math.log(n / best))

    divisors = [n for n in range(n_tiles, 0, -1) if n_tiles % n == 0]
    nearest = min(divisors, key=distance)
    if distance(nearest) <= math.log(_TOLERANCE):
        return nearest
    n_rows = math.ceil(n_tiles / math.ceil(best))
    return math.ceil(n_tiles / n_rows)


def enlarged(tiles):
    """Repeat the pixels of tiles ``(n_tiles, height, width, ...)`` that are small."""
    times = math.ceil(_LEAST_SIDE / max(tiles.shape[1:3]))
    return tiles.repeat(times, axis=1).repeat(times, axis=2)


def mosaic(tiles, n_cols, gap=1):
    """Return tiles as one image, row by row, with NaN between them.

    Parameters
    ----------
    tiles : ndarray of shape (n_tiles, height, width) or (n_tiles, height, width, 3)
        Images of equal size.
    n_cols : int
        Tiles side by side; the last row may have fewer.
    gap : int, default=1
        Pixels between tiles.

    Returns
    -------
    image : ndarray of shape (n_rows * (height + gap) - gap, ...)
    """
    n_tiles, height, width, *colours = tiles.shape
    n_rows = math.ceil(n_tiles / n_cols)
    cells = np.full((n_rows * n_cols, height + gap, width + gap, *colours), np.nan)
    cells[:n_tiles, :height, :width] = tiles
    cells = cells.reshape(n_rows, n_cols, *cells.shape[1:]).swapaxes(1, 2)
    image = cells.reshape(n_rows * (height + gap), n_cols * (width + gap), *colours)
    return image[: len(image) - gap, : image.shape[1] - gap]


def middle_slice(X):
    """Return the middle of the first spatial axis of volumes ``(..., D, H, W)``."""
    return X[..., X.shape[-3] // 2, :, :]


def largest(X):
    """Return the largest absolute value, or 1 where all are 0: to divide by."""
    return float(np.abs(X).max()) or 1.0


def value_range(X):
    """Return the least value and the largest, or a larger one where all are equal."""
    low, high = float(X.min()), float(X.max())
    return (low, high) if low < high else (low, low + 1.0)


def to_unit(X):
    """Return each of the arrays of `X` scaled to values from 0 to 1."""
    ranges = np.array([value_range(x) for x in X])
    low, high = ranges.T.reshape(2, len(X), *(1,) * (X.ndim - 1))
    return (X - low) / (high - low)


def colour_range(X):
    """Return the range of brightness that colours use: as images are stored."""
    low, high = value_range(X)
    for top in (1.0, 255.0):
        if low >= 0.0 and high <= top:
            return 0.0, top
    return low, high


def as_colours(X, low, high):
    """Return channels ``(n, 3, ...)`` as colours ``(n, ..., 3)`` between 0 and 1."""
    return np.moveaxis(((X - low) / (high - low)).clip(0.0, 1.0), 1, -1)
