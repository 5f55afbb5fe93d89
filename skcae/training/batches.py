"""Whole batches out of an array: what skorch iterates over instead of a DataLoader."""

import numpy as np
import torch
from sklearn.utils import gen_batches

from ..runtime.transfer import for_device


class Batches:
    """Iterate over samples batch by batch, as pairs (input, target) of one tensor.

    Per-sample access and collation cost more than the training of small samples.

    Parameters
    ----------
    dataset : Samples
        What to iterate over.
    batch_size : int
        Samples per batch; the last batch may be smaller, none is dropped.
    shuffle : bool, default=False
        Whether every pass takes a new random order.
    seed : int, default=0
        Decides these orders.
    device : str, default="cpu"
        Where the batches are wanted.
    max_samples : int or None, default=None
        Of a new random order, only so many samples are taken; None: all.

    Attributes
    ----------
    share : SharedBatch or None
        Which samples of each batch are read; None: all.
    """

    def __init__(
        self,
        dataset,
        batch_size,
        shuffle=False,
        seed=0,
        device="cpu",
        max_samples=None,
    ):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.n_samples = min(len(dataset), max_samples or len(dataset))
        self.rng = np.random.default_rng(seed)
        self.on_device = for_device(dataset, device)
        self.share = None

    def __len__(self):
        return -(-self.n_samples // self.batch_size)

    @property
    def parts(self):
        """Which places of the order make each batch, as slices."""
        return list(gen_batches(self.n_samples, self.batch_size))

    def __iter__(self):
        order = self.dataset.shuffled(self.rng) if self.shuffle else None
        wholes = parts = self.parts
        if self.share is not None:
            parts = [self.share.local_part(whole) for whole in wholes]
        if self.on_device is not None:
            batches = self.on_device.batches(parts, order)
        else:
            batches = self._from_memory(parts, order)
        for whole, part, x in zip(wholes, parts, batches, strict=True):
            if self.share is not None:
                self.share.begin(whole.stop - whole.start)
            yield x, self.target(x, part if order is None else order[part])

    def _from_memory(self, parts, order):
        if order is not None:
            parts = [order[part] for part in parts]
        self.dataset.prefetch(parts)
        for part in parts:
            yield torch.from_numpy(self.dataset[part])

    def target(self, x, index):
        """Return what a batch is to be mapped to: here to itself."""
        return x


class LabelledBatches(Batches):
    """Iterate over labelled samples, as pairs (samples, (codes, weights)).

    Parameters
    ----------
    dataset : LabelledSamples
        What to iterate over.
    *args, **kwargs
        Of `Batches`.
    """

    def target(self, x, index):
        """Return codes of the classes, and weights."""
        labels = self.dataset.labels
        codes = torch.from_numpy(labels.codes[index])
        weights = torch.from_numpy(labels.weights[index])
        return codes.to(x.device), weights.to(x.device)
