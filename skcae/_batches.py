"""Whole batches out of an array: what skorch iterates over instead of a DataLoader."""

import numpy as np
import torch


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
    """

    def __init__(self, dataset, batch_size, shuffle=False, seed=0):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        order = self.rng.permutation(len(self.dataset)) if self.shuffle else None
        for part in self.dataset.slices(self.batch_size):
            batch = self.dataset[part if order is None else order[part]]
            x = torch.from_numpy(batch)
            yield x, x
