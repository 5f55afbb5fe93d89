"""Samples as the user stores them, handed out as float32 batches (N, C, *spatial)."""

import math
from contextlib import nullcontext

import numpy as np

from ..utils.tensor_conversion import fits_torch
from .memory_map import find_mmap, release_pages
from .row_source import RowSource, slices_between

# Large enough to hide the cost of a Python loop, small enough for the CPU cache.
_CHUNK_BYTES = 4 * 2**20
# Larger values than these may overflow float32 while they are computed with, and
# smaller differences may vanish.
LARGEST, SMALLEST = 1e30, 1e-30
# Rows of a memory map read between two calls to give its memory back: reading one value
# may map as much as 2 MiB around it.
_MAPPED_ROWS = 16


class Samples:
    """An array of samples that is read batch by batch.

    The array stays as it is (dtype, strides, memory map); only the rows of one batch
    are ever copied.

    Parameters
    ----------
    X : ndarray or RowSource
        Real numbers, of shape (n_samples, n_features) or (n_samples, *layout.shape).
    layout : Layout
        What one sample looks like.
    rows : ndarray of int or None, default=None
        Rows of `X` that belong; None: all.
    original : array-like or None, default=None
        What the user passed, from which `X` was made.
    """

    def __init__(self, X, layout, rows=None, original=None):
        self.X = X
        self.layout = layout
        self.rows = rows
        self.original = original
        self._moments = {}

    def __len__(self):
        return len(self.X) if self.rows is None else len(self.rows)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    @property
    def _is_array(self):
        return not isinstance(self.X, RowSource)

    @property
    def is_read_only(self):
        """Whether what `view_readonly` gives may be memory that must not be written."""
        return self._is_array and not self.X.flags.writeable

    def __getitem__(self, index):
        """Return the samples of a slice or an index array as float32 (B, C, *spatial).

        The result is a fresh array in the memory order of the samples.
        """
        return self._as_batch(self.stored(index, np.float32))

    def view_readonly(self, part):
        """Return the samples of a slice like `self[part]`, to be read only.

        Where they are float32 in memory already, the result is a view of them.
        """
        return self._as_batch(self.stored(part, np.float32, copy=None))

    def _as_batch(self, rows):
        rows = rows.reshape(len(rows), *self.layout.shape)
        return self.layout.to_channels_first(rows)

    def stored(self, index, dtype, copy=True):
        """Return the rows of a slice or an index array, as a fresh array of some dtype.

        With ``copy=None`` it is only made where it has to be.
        """
        index = self._rows_of(index)
        # Gathering makes a copy. (np.take would first copy the whole of an array whose
        # memory order is not C.)
        is_slice = isinstance(index, slice)
        rows = self.X[index] if is_slice else self._gather(index)
        if not is_slice:
            copy = None
        elif find_mmap(self.X) is not None:
            copy = True  # its pages are about to be given back
        batch = np.array(rows, dtype=dtype, order="C", copy=copy)
        if not fits_torch(batch):
            batch = batch.copy()
        release_pages(self.X)
        return batch

    def _rows_of(self, index):
        return index if self.rows is None else self.rows[index]

    def _gather(self, index):
        if find_mmap(self.X) is None:
            return self.X[index]
        rows = np.empty((len(index), *self.X.shape[1:]), dtype=self.X.dtype)
        for start in range(0, len(index), _MAPPED_ROWS):
            part = slice(start, start + _MAPPED_ROWS)
            rows[part] = self.X[index[part]]
            release_pages(self.X)
        return rows

    def subset(self, numbers):
        """Return some of the samples, by their numbers among these."""
        return Samples(self.X, self.layout, self._rows_of(numbers))

    def evenly_spaced(self, size):
        """Return at most `size` of the samples, from the first to the last."""
        numbers = self._near_at_hand(size)
        places = np.linspace(0, len(numbers) - 1, min(len(numbers), size))
        return self.subset(numbers[places.astype(int)])

    def draw(self, size, rng):
        """Return at most `size` of the samples, drawn at random, in their order."""
        numbers = self._near_at_hand(size, rng)
        places = rng.choice(len(numbers), min(len(numbers), size), replace=False)
        return self.subset(numbers[np.sort(places)])

    def _near_at_hand(self, size, rng=None):
        """Return the numbers of all samples, or those that few reads of a file give.

        There are several times `size` of them, if there are so many samples.
        """
        if self._is_array:
            return np.arange(len(self))
        return self.X.near_at_hand(self._all_rows, size, rng)

    @property
    def _all_rows(self):
        return np.arange(len(self)) if self.rows is None else self.rows

    def shuffled(self, rng):
        """Return the numbers of all samples in a new random order for one pass."""
        if self._is_array:
            return rng.permutation(len(self))
        return self.X.shuffled(self._all_rows, rng)

    def slices(self, size, within=None):
        """Return consecutive slices of at most `size` samples, within a slice or all.

        Whoever asks for them is going to read them in turn.
        """
        within = slice(0, len(self)) if within is None else within
        parts = list(slices_between(within.start, within.stop, size))
        self.prefetch(parts)
        return parts

    def prefetch(self, indices):
        """Hear which slices or index arrays are going to be read, in which order."""
        if not self._is_array:
            self.X.prefetch(self._rows_of(index) for index in indices)

    def lend(self, loading):
        """Return a context with these samples, at whose end they stay open.

        Parameters
        ----------
        loading : dict
            How samples of a Dataset are loaded within the context.
        """
        source = self.X if self._is_array else self.X.loaded_with(loading)
        if source is self.X:
            return nullcontext(self)
        return Samples(source, self.layout, self.rows, self.original)

    def close(self):
        """Give back what reading took; arrays in memory stay as they are."""
        if not self._is_array:
            self.X.close()

    @property
    def chunk_size(self):
        """Number of samples that a pass over the data reads at a time."""
        return max(1, _CHUNK_BYTES // (4 * max(1, self.layout.n_features)))

    def check_values(self, name="X", value_range=None, within=None):
        """Raise ValueError where a value is no number that float32 can compute with.

        Parameters
        ----------
        name : str, default="X"
            What messages call the samples.
        value_range : tuple of ndarray of shape (n_channels,) or None, default=None
            Least and largest values that are allowed, as far as they leave float32
            room; None: all that do.
        within : slice or None, default=None
            Which samples to look at; None: all.
        """
        any_value = np.full(self.layout.n_channels, LARGEST)
        low, high = (-any_value, any_value) if value_range is None else value_range
        low, high = np.maximum(low, -LARGEST), np.minimum(high, LARGEST)
        if _all_are_within(self.X.dtype, low.max(), high.min()):
            return
        for part in self.slices(self.chunk_size, within):
            with np.errstate(over="ignore"):
                batch = self.view_readonly(part)
            # Not so where there is NaN.
            if low.max() <= batch.min() and batch.max() <= high.min():
                continue
            pixels = np.moveaxis(batch, 1, -1)
            outside = pixels[~((low <= pixels) & (pixels <= high))]
            if len(outside):
                _raise_values(name, part, outside)

    def moments(self, within=None):
        """Statistics of the samples, in one pass; asked again, they are remembered.

        Parameters
        ----------
        within : slice or None, default=None
            Of which samples, at least one; None: all.

        Returns
        -------
        moments : dict of ndarray
            ``mean`` of every element, shape (C, *spatial), and per channel, shape
            (C,): ``channel_mean``, ``channel_std``, ``channel_min``, ``channel_max``.
        """
        within = slice(0, len(self)) if within is None else within
        key = within.start, within.stop
        if key not in self._moments:
            self._moments[key] = self._compute_moments(within)
        return self._moments[key]

    def _compute_moments(self, within):
        n_channels, n_samples = self.layout.n_channels, within.stop - within.start
        total = np.zeros((n_channels, *self.layout.spatial))
        low, high = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
        # Moments about the first sample's mean: no cancellation for data far from 0.
        first = self[within.start : within.start + 1]
        origin = first.reshape(n_channels, -1).mean(axis=1, dtype=np.float64)
        squares = np.zeros(n_channels)
        for part in self.slices(self.chunk_size, within):
            batch = self.view_readonly(part)
            total += batch.sum(axis=0, dtype=np.float64)
            rows = np.moveaxis(batch, 1, 0).reshape(n_channels, -1)
            low = np.minimum(low, rows.min(axis=1))
            high = np.maximum(high, rows.max(axis=1))
            centred = rows - origin[:, None].astype(np.float32)
            squares += np.einsum("ij,ij->i", centred, centred, dtype=np.float64)
        mean = total / n_samples
        channel_mean = mean.reshape(n_channels, -1).mean(axis=1)
        shift = origin.astype(np.float32) - channel_mean
        variance = squares / (n_samples * math.prod(self.layout.spatial)) - shift**2
        return {
            "mean": mean,
            "channel_mean": channel_mean,
            "channel_std": np.sqrt(np.maximum(variance, 0.0)),
            "channel_min": low,
            "channel_max": high,
        }


def _all_are_within(dtype, low, high):
    """Whether no value of a dtype can lie outside of a range."""
    if dtype.kind not in "iu":
        return dtype.kind == "b" and low <= 0 and high >= 1
    limits = np.iinfo(dtype)
    return low <= limits.min and limits.max <= high


def _raise_values(name, part, outside):
    """Raise ValueError because of some values among the samples of a slice."""
    where = f"among samples {part.start} to {part.stop - 1}"
    if np.isfinite(outside).all():
        raise ValueError(
            f"Input {name} contains values too large for dtype('float32'), in which "
            f"all is computed, {where}, such as {outside[0]:g}; expected values nearer "
            "to each other, and to those of fit. Look whether they stand for missing "
            f"values, which can be imputed (sklearn.impute), or rescale {name}."
        )
    found = "NaN" if np.isnan(outside).any() else "infinity"
    raise ValueError(
        f"Input {name} contains {found} or a value too large for dtype('float32') "
        f"{where}; expected finite numbers. Impute such values (sklearn.impute), "
        f"rescale {name}, or drop those samples."
    )
