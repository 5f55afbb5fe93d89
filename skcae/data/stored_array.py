"""Arrays on disk that are read by slices: zarr, h5py, and whatever looks like them."""

import threading
from itertools import pairwise
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from ..utils.user_warnings import warn
from .row_source import RowSource, slices_between

# What is kept in memory of an array.  Samples that are shuffled together come from it.
_BUFFER_BYTES = 2**27
# Reading fewer bytes at a time costs more in calls than in bytes.
_MIN_BLOCK_BYTES = 2**18
# Neighbouring blocks are read together, up to this size: it comes on top of the buffer.
_MAX_READ_BYTES = 2**23
# With fewer blocks than these in the buffer, few kinds of samples would meet in it.
_MIN_BLOCKS = 4
# A few samples that stand for all come from so many blocks, and are one of so many rows
# in these, at least.
_MIN_BLOCKS_OF_FEW = 32
_ROWS_PER_SAMPLE = 4


def is_stored_array(X):
    """Whether `X` is no array itself, but has rows of numbers that slices give.

    Arrays of other libraries that compute in memory, or as numpy asks them to (such as
    those of Dask), are left to numpy.
    """
    try:
        dtype, shape = getattr(X, "dtype", None), getattr(X, "shape", ())
    except Exception as error:  # h5py has several for closed files
        raise ValueError(
            f"Got a {type(X).__name__} that cannot be read ({error}); expected one of "
            "an open file. Open it again."
        ) from error
    return (
        isinstance(dtype, np.dtype)
        and len(shape) > 1
        and hasattr(X, "__getitem__")
        and not isinstance(X, np.ndarray)
        and not issparse(X)
        and not hasattr(X, "__array_function__")
        and not hasattr(X, "__array_namespace__")
        and not hasattr(X, "__dlpack__")
    )


class StoredArray(RowSource):
    """Rows of an array that is read in blocks, of which the latest stay in memory.

    A block is one chunk of the storage along the first axis, or a few small ones: to
    read one row, the storage has to unpack all of its chunk.

    Parameters
    ----------
    array : object
        Has `shape`, `dtype` and slices.
    name : str, default="X"
        What messages call it.
    """

    def __init__(self, array, name="X"):
        super().__init__(array.shape, array.dtype)
        self.array, self.name = array, name
        self.block_rows = self._find_block_rows()
        n_blocks = -(-len(self) // self.block_rows)
        block_bytes = self.block_rows * self.row_bytes
        self.n_slots = max(1, min(n_blocks, _BUFFER_BYTES // block_bytes))
        self._slot_of = np.full(n_blocks, -1)
        self._block_in = np.full(self.n_slots, -1)
        self._last_use = np.zeros(self.n_slots, dtype=np.int64)
        self._buffer = None
        self._lock = threading.Lock()

    @property
    def _chunk_rows(self):
        chunks = getattr(self.array, "chunks", None)
        # Some libraries have tuples of lengths there.
        return chunks[0] if chunks and isinstance(chunks[0], Integral) else 1

    def warn_before_training(self):
        """Warn where chunks are so large that they have to be read more than once."""
        rows, here = self._chunk_rows, self.block_rows
        if rows > here:
            size = min(rows, len(self)) * self.row_bytes / 2**20
            warn(
                f"Got {self.name} in chunks of {rows} samples ({size:.0f} MiB), each "
                "of which is unpacked several times in every pass, to read it in "
                f"smaller parts. Store it in chunks of at most {here} samples."
            )

    def _find_block_rows(self):
        length = self._chunk_rows
        most = max(1, _BUFFER_BYTES // _MIN_BLOCKS // self.row_bytes)
        if length > most and len(self) > most:
            return most
        n_chunks = -(-_MIN_BLOCK_BYTES // (length * self.row_bytes))
        return int(length * n_chunks)

    def read(self, rows):
        """Return some rows, by their numbers, as a fresh array."""
        out = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        blocks, places = np.divmod(rows, self.block_rows)
        wanted = np.unique(blocks)
        with self._lock:
            # First those at hand: the others take their places.
            wanted = wanted[np.argsort(self._slot_of[wanted] < 0, kind="stable")]
            for start in range(0, len(wanted), self.n_slots):
                part = wanted[start : start + self.n_slots]
                self._load(part)
                here = np.isin(blocks, part) if len(part) < len(wanted) else slice(None)
                out[here] = self._buffer[self._slot_of[blocks[here]], places[here]]
        return out

    def shuffled(self, rows, rng):
        """Return the places of `rows` in an order that reads each block about once.

        Blocks are drawn in groups of as many as the buffer holds, and rows are shuffled
        within groups. Where one group holds all, or blocks are single rows, that is an
        order like any other.
        """
        order = rng.permutation(len(rows))
        if self.block_rows == 1 or self.n_slots == len(self._slot_of):
            return order
        present, block = np.unique(rows // self.block_rows, return_inverse=True)
        n_groups = -(-len(present) // self.n_slots)
        group = rng.permutation(len(present)) * n_groups // len(present)
        return order[np.argsort(group[block[order]], kind="stable")]

    def near_at_hand(self, rows, size, rng=None):
        """Return the places of `rows` that lie in some of the blocks.

        Where the buffer holds all blocks, they are the places of all rows. Else blocks
        are drawn at random or, without `rng`, evenly spaced.
        """
        places = np.arange(len(rows))
        present, block = np.unique(rows // self.block_rows, return_inverse=True)
        n_wanted = -(-_ROWS_PER_SAMPLE * size * len(present) // max(1, len(rows)))
        n_wanted = max(n_wanted, _MIN_BLOCKS_OF_FEW)
        if len(present) <= max(n_wanted, self.n_slots):
            return places
        if rng is None:
            chosen = np.linspace(0, len(present) - 1, n_wanted).astype(int)
        else:
            chosen = rng.choice(len(present), n_wanted, replace=False)
        return places[np.isin(block, chosen)]

    def close(self):
        """Give back the buffer."""
        self._buffer = None
        self._slot_of[:] = self._block_in[:] = -1

    def _load(self, blocks):
        """Have blocks, no more than there are slots, in the buffer."""
        if self._buffer is None:
            shape = self.n_slots, self.block_rows, *self.shape[1:]
            self._buffer = np.empty(shape, dtype=self.dtype)
        at_hand = self._slot_of[blocks] >= 0
        missing = np.sort(blocks[~at_hand])
        if len(missing):
            order = self._last_use.copy()
            order[self._slot_of[blocks[at_hand]]] = np.iinfo(np.int64).max
            slots = np.argsort(order, kind="stable")[: len(missing)]
            for run in self._runs(missing):
                self._load_run(missing[run], slots[run])
        self._last_use[self._slot_of[blocks]] = self._last_use.max() + 1

    def _runs(self, blocks):
        """Yield slices of sorted blocks that follow each other."""
        most = max(1, _MAX_READ_BYTES // (self.block_rows * self.row_bytes))
        gaps = np.flatnonzero(np.diff(blocks) > 1) + 1
        for start, stop in pairwise([0, *gaps, len(blocks)]):
            yield from slices_between(start, stop, most)

    def _load_run(self, blocks, slots):
        """Read blocks that follow each other into slots."""
        first = int(blocks[0]) * self.block_rows
        stop = min(first + len(blocks) * self.block_rows, len(self))
        rows = self._slice(first, stop)
        for number, (block, slot) in enumerate(zip(blocks, slots, strict=True)):
            part = rows[number * self.block_rows : (number + 1) * self.block_rows]
            if self._block_in[slot] >= 0:
                self._slot_of[self._block_in[slot]] = -1
            self._buffer[slot, : len(part)] = part
            self._slot_of[block], self._block_in[slot] = slot, block

    def _slice(self, first, stop):
        rows = self.array[first:stop]
        if np.ma.is_masked(rows):
            raise ValueError(
                f"Got {self.name} with masked values among samples {first} to "
                f"{stop - 1}; expected numbers. Fill them in, or drop those samples."
            )
        rows = np.asarray(rows)
        if rows.shape != (stop - first, *self.shape[1:]) or rows.dtype != self.dtype:
            raise TypeError(
                f"Got rows of shape {rows.shape} and dtype {rows.dtype} from "
                f"{self.name}[{first}:{stop}] of type {type(self.array).__name__}; "
                f"expected those of shape {(stop - first, *self.shape[1:])} and dtype "
                f"{self.dtype}, as {self.name} says. Pass numpy.asarray({self.name})."
            )
        return rows
