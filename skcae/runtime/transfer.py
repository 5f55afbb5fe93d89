"""Batches for a device, of samples that lie on it or are sent to it batch by batch."""

import math

import numpy as np
import torch

from .devices import free_memory, is_cpu, release_cached_memory

# Dtypes that torch has on every device and that float32 holds exactly. Samples of other
# dtypes are converted to float32 before they are sent, which gives the same numbers and
# takes no more memory.
_AS_STORED = frozenset(
    np.dtype(kind)
    for kind in (np.bool_, np.uint8, np.int8, np.int16, np.float16, np.float32)
)
# Share of a device's free memory that samples may take. The rest is for weights,
# feature maps and gradients, and for other processes.
_SHARE = 0.5


def _dtype_on_device(X):
    return X.dtype if X.dtype in _AS_STORED else np.dtype(np.float32)


def send(samples, index, device):
    """Return the rows of a slice or an index array on a device, as stored.

    They are copied from page-locked memory while this process reads the next rows. Only
    when the copy has ended does torch use that memory again.
    """
    rows = torch.from_numpy(samples.stored(index, _dtype_on_device(samples.X)))
    if torch.device(device).type != "cuda":
        return rows.to(device)
    return rows.pin_memory().to(device, non_blocking=True)


def receive(tensor):
    """Return a tensor as a numpy array, from a GPU through page-locked memory."""
    if tensor.device.type != "cuda":
        return tensor.cpu().numpy()
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor).numpy()


def as_batch(rows, layout, copy=False):
    """Return rows on a device as float32 samples (B, C, *spatial)."""
    x = rows.to(torch.float32, copy=copy).reshape(len(rows), *layout.shape)
    if layout.channel_axis is None:
        return x.unsqueeze(1)
    return x.movedim(layout.channel_axis % len(layout.shape) + 1, 1)


class OnDeviceSamples:
    """Samples that lie on a device, in the dtype of their array.

    Parameters
    ----------
    samples : Samples
        All of them are copied there, and no other row of their array.
    device : str
        Where to.
    """

    def __init__(self, samples, device):
        self.layout, self.device = samples.layout, device
        dtype = torch.from_numpy(np.empty(0, _dtype_on_device(samples.X))).dtype
        shape = len(samples), *samples.X.shape[1:]
        self.rows = torch.empty(shape, dtype=dtype, device=device)
        for part in samples.slices(samples.chunk_size):
            self.rows[part] = send(samples, part, device)

    def batches(self, slices, order=None):
        """Yield the samples of slices, of an index array where there is one."""
        if order is not None:
            order = torch.from_numpy(order).to(self.device)
        for part in slices:
            if order is None:
                # Whoever gets a batch may write into it.
                yield as_batch(self.rows[part], self.layout, copy=True)
            else:
                yield as_batch(self.rows.index_select(0, order[part]), self.layout)


class StreamedSamples:
    """Samples that stay where they are and go to a device batch by batch.

    Parameters
    ----------
    samples : Samples
        What to copy from.
    device : str
        Where to.
    """

    def __init__(self, samples, device):
        self.samples, self.device = samples, device

    def batches(self, slices, order=None):
        """Yield the samples of slices, of an index array where there is one."""
        if order is not None:
            slices = [order[part] for part in slices]
        self.samples.prefetch(slices)
        for part in slices:
            yield as_batch(send(self.samples, part, self.device), self.samples.layout)


def for_device(samples, device):
    """Return samples for a device: resident where they fit; None for the CPU."""
    if is_cpu(device):
        return None
    n_values = len(samples) * math.prod(samples.X.shape[1:])
    n_bytes = n_values * _dtype_on_device(samples.X).itemsize
    if n_bytes <= _SHARE * free_memory(device):
        try:
            return OnDeviceSamples(samples, device)
        except torch.OutOfMemoryError:  # another process was faster
            release_cached_memory(device)
    return StreamedSamples(samples, device)
