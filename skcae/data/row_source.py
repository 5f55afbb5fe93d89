"""Rows that are read when they are needed: what stands in for an array in memory."""

import math

import numpy as np
from sklearn.utils import gen_batches


def slices_between(start, stop, size):
    """Yield consecutive slices of at most `size` rows."""
    for part in gen_batches(stop - start, size):
        yield slice(start + part.start, start + part.stop)


class RowSource:
    """Rows of samples with a shape and a dtype, read by their numbers.

    Parameters
    ----------
    shape : tuple of int
        Number of samples, then the shape of one.
    dtype : numpy.dtype
        Of what is read.
    """

    def __init__(self, shape, dtype):
        self.shape = tuple(int(side) for side in shape)
        self.dtype = np.dtype(dtype)

    def __len__(self):
        return self.shape[0]

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    @property
    def row_bytes(self):
        """Bytes that one row takes in memory."""
        return max(1, math.prod(self.shape[1:]) * self.dtype.itemsize)

    def __getitem__(self, index):
        """Return the rows of a slice or an index array as a fresh array."""
        return self.read(self._numbers(index))

    def _numbers(self, index):
        if isinstance(index, slice):
            return np.arange(*index.indices(len(self)))
        return np.asarray(index, dtype=np.int64)

    def read(self, rows):
        """Return some rows, by their numbers, as a fresh array."""
        raise NotImplementedError

    def shuffled(self, rows, rng):
        """Return the places of `rows` in a new random order."""
        return rng.permutation(len(rows))

    def near_at_hand(self, rows, size, rng=None):
        """Return the places of rows from which `size` can be taken with few reads."""
        return np.arange(len(rows))

    def loaded_with(self, params):
        """Return the rows as they are loaded with some parameters, if it has any."""
        return self

    def prefetch(self, indices):
        """Hear which slices or index arrays are going to be read, in which order."""

    def warn_before_training(self):
        """Warn the user if training is going to be slower than it has to be."""

    def close(self):
        """Give back what reading took."""
