"""Samples of a torch Dataset, loaded one by one, here or in worker processes."""

import multiprocessing
import threading
import traceback
from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

from ..utils.masked_arrays import refuse_masked
from ..utils.tensor_conversion import from_torch
from .row_source import RowSource

_WHAT_SAMPLES_ARE = (
    "an array, a tensor or an image of real numbers, or a tuple that begins with one"
)

_DEFAULT_LOADING = {"num_workers": 0, "multiprocessing_context": None}


def is_dataset(X, name="X"):
    """Whether `X` is a torch Dataset.

    Raises
    ------
    TypeError
        If it is one without numbers for its samples, or a DataLoader.
    """
    if isinstance(X, DataLoader):
        raise TypeError(
            f"Got {name} as a DataLoader; expected the Dataset itself, as batches are "
            "made in fit. Pass its attribute dataset, and the number of workers as "
            "net_params={'iterator_train__num_workers': ...}."
        )
    if not isinstance(X, Dataset):
        return False
    if isinstance(X, IterableDataset) or not hasattr(X, "__len__"):
        raise TypeError(
            f"Got {name} as a {type(X).__name__}, a Dataset without numbers for its "
            "samples or without a length; expected one with __getitem__ and __len__. "
            "Call partial_fit on arrays of some samples each."
        )
    return True


class _BadSampleError(Exception):
    """What is wrong with a sample, as the type and the text of an error to raise."""


@dataclass
class _Failure:
    """An error on its way from a worker; the error itself might not survive it."""

    kind: type
    message: str
    details: str

    def raise_it(self):
        error = self.kind(self.message)
        if self.details:
            error.add_note(self.details)
        raise error


class _Reader:
    """Reads many samples of a Dataset into one array; this is what goes to workers."""

    def __init__(self, dataset, name):
        self.dataset, self.name = dataset, name
        self.shape, self.dtype = None, None

    def __getitem__(self, rows):
        """Return an array of samples or, instead of raising an error, a failure."""
        try:
            return self.read(rows)
        except _BadSampleError as error:
            kind, message = error.args
            cause = error.__cause__
            lines = traceback.format_exception(cause) if cause else ()
            return _Failure(kind, message, "".join(lines))

    def read(self, rows):
        """Return an array of samples."""
        out = np.empty((len(rows), *self.shape), dtype=self.dtype)
        for place, number in enumerate(rows):
            sample = self.sample(int(number))
            self._check(sample, number)
            out[place] = sample
        return out

    def sample(self, number):
        """Return one sample as an array of real numbers."""
        name = f"sample {number} of {self.name}"
        try:
            item = self.dataset[number]
            if isinstance(item, tuple) and item:
                item = item[0]
            kind = type(item).__name__
            sample = np.asarray(from_torch(item, name))
        except Exception as error:
            raise _BadSampleError(
                ValueError,
                f"Got {type(error).__name__} ({error}) from {self.name}[{number}] of "
                f"type {type(self.dataset).__name__}; expected {_WHAT_SAMPLES_ARE}. "
                "Look what that sample is, and mend or leave it out.",
            ) from error
        _refuse_masked_sample(item, name)
        if sample.dtype.kind not in "biuf" or not sample.ndim:
            raise _BadSampleError(
                TypeError,
                f"Got {name} as {kind} (shape {sample.shape}, dtype {sample.dtype}); "
                f"expected {_WHAT_SAMPLES_ARE}. Convert it in the Dataset.",
            )
        return sample

    def _check(self, sample, number):
        if sample.shape != self.shape:
            raise _BadSampleError(
                ValueError,
                f"Got sample {number} of {self.name} with shape {sample.shape}, and "
                f"sample 0 with shape {self.shape}; expected one shape for all. Resize "
                "or crop them in the Dataset.",
            )
        is_float = self.dtype.kind == sample.dtype.kind == "f"
        if not is_float and not np.can_cast(sample.dtype, self.dtype):
            raise _BadSampleError(
                ValueError,
                f"Got sample {number} of {self.name} with dtype {sample.dtype}, and "
                f"sample 0 with dtype {self.dtype}; expected one dtype for all. "
                "Convert them in the Dataset.",
            )


def _refuse_masked_sample(item, name):
    try:
        refuse_masked(item, name)
    except ValueError as error:
        raise _BadSampleError(ValueError, str(error)) from None


class DatasetRows(RowSource):
    """Samples of a map-style torch Dataset.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Gives a sample, or a tuple that begins with one, for each number.
    name : str, default="X"
        What messages call it.
    num_workers : int, default=0
        Processes that load samples ahead; 0: this process loads them when needed. A
        process that may have no children loads them itself.
    multiprocessing_context : str or None, default=None
        How they are started; None: as torch does.
    """

    def __init__(
        self, dataset, name="X", *, num_workers=0, multiprocessing_context=None
    ):
        self._reader = _Reader(dataset, name)
        self._loading_params = {
            "num_workers": num_workers,
            "multiprocessing_context": multiprocessing_context,
        }
        self.num_workers = num_workers
        if multiprocessing.current_process().daemon:
            self.num_workers = 0
        self._context = multiprocessing_context
        if len(dataset):
            sample = _raising(self._reader.sample, 0)
            self._reader.shape, self._reader.dtype = sample.shape, sample.dtype
            super().__init__((len(dataset), *sample.shape), sample.dtype)
        else:
            super().__init__((0, 0), np.float32)
        self._loader, self._loading = None, None
        self._plan, self._coming, self._early = [], deque(), {}
        self._lock = threading.Lock()

    def loaded_with(self, params):
        """Return the samples as they are loaded with other parameters."""
        if _DEFAULT_LOADING | params == self._loading_params:
            return self
        return DatasetRows(self._reader.dataset, self._reader.name, **params)

    def prefetch(self, indices):
        """Hear which slices or index arrays are going to be read, in which order.

        Workers, which live until `close`, begin to load them.
        """
        if not self.num_workers:
            return
        with self._lock:
            self._plan[:] = [self._numbers(index) for index in indices]
            self._coming = deque(rows.tobytes() for rows in self._plan)
            self._early = {}
            self._loader = self._loader or self._make_loader()
            with torch.device("cpu"):  # torch draws a seed on the default device
                self._loading = iter(self._loader)

    def read(self, rows):
        """Return some samples, by their numbers, as a fresh array."""
        key = rows.tobytes()
        with self._lock:
            while key in self._coming:
                self._receive()
            loaded = self._early.pop(key, None)
        return _raising(self._reader.read, rows) if loaded is None else loaded

    def close(self):
        """End the workers."""
        # Workers end with the loader, to which nothing else must refer.
        self._loading, self._loader = None, None
        self._plan, self._coming, self._early = [], deque(), {}

    def _make_loader(self):
        return DataLoader(
            self._reader,
            batch_size=None,
            sampler=self._plan,
            collate_fn=_as_it_is,
            num_workers=self.num_workers,
            multiprocessing_context=self._context,
            persistent_workers=True,
            generator=torch.Generator(),  # not the global one
        )

    def _receive(self):
        """Wait for the next rows."""
        key = self._coming[0]
        batch, error = self._next()
        if error is not None:
            raise error
        if isinstance(batch, _Failure):
            batch.raise_it()
        self._coming.popleft()
        self._early[key] = batch

    def _next(self):
        """Return the next batch, or an error without the frames that it came through.

        As long as somebody holds these, the loader and its workers would live.
        """
        try:
            return next(self._loading), None
        except BaseException as error:
            caught = error.with_traceback(None)
            caught.__cause__ = caught.__context__ = None
        if not isinstance(caught, RuntimeError) or "worker" not in str(caught):
            return None, caught
        return None, RuntimeError(
            f"Got no answer from a process that loads {self._reader.name} "
            f"({str(caught).splitlines()[0]}); expected one to live until the end. "
            "Set num_workers to 0 to load samples in this process, which shows why."
        )


def _as_it_is(batch):
    return batch


def _raising(read, argument):
    """Call a method of a reader in this process."""
    try:
        return read(argument)
    except _BadSampleError as error:
        kind, message = error.args
        raise kind(message) from error.__cause__
