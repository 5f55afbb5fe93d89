"""A batch of which each of several processes holds some samples."""

import torch
import torch.distributed as dist

from ..nn.batch_context import BatchContext


class SharedBatch(BatchContext):
    """A batch that ranks share, seen from one of them.

    They take turns: the first sample is that of rank 0, the next that of rank 1. Where
    there are fewer samples than ranks, those without one compute the last sample, too,
    and it does not count.

    Parameters
    ----------
    ranks : Communicator
        Who shares the batch.
    n_samples : int, default=0
        Number of samples of the whole batch.
    """

    is_shared = True

    def __init__(self, ranks, n_samples=0):
        self.ranks, self.n_samples = ranks, n_samples

    @property
    def n_counted(self):
        """Number of the samples of this rank that count."""
        return len(range(self.ranks.rank, self.n_samples, self.ranks.size))

    @property
    def n_local(self):
        """Number of samples that this rank computes."""
        return max(1, self.n_counted)

    @property
    def weight(self):
        """What a mean over this rank's samples adds to the mean over the batch."""
        return self.n_counted / self.n_samples

    def begin(self, n_samples):
        """Go on to another batch, of so many samples."""
        self.n_samples = n_samples

    def local_part(self, part):
        """Return which samples of a batch, given as a slice, this rank computes."""
        start = min(part.start + self.ranks.rank, part.stop - 1)
        return slice(start, part.stop, self.ranks.size)

    def size(self, x):
        """Return the number of samples of the whole batch."""
        return self.n_samples

    def first(self, x, n_samples):
        """Return what is here of the first samples of the batch, and their context."""
        batch = SharedBatch(self.ranks, n_samples)
        return x[: batch.n_local], batch

    def draw(self, function, shape, **options):
        """Draw for all samples of the batch; return what is for those of this rank."""
        drawn = function((self.n_samples, *shape[1:]), **options)
        return drawn[self.local_part(slice(0, self.n_samples))]

    def gather(self, x):
        """Return the rows of all samples of the batch, in its order."""
        n_rows = -(-self.n_samples // self.ranks.size)
        padded = x.new_zeros((n_rows, *x.shape[1:]))
        padded[: self.n_counted] = x[: self.n_counted]
        parts = self.ranks.gather(padded)
        return torch.stack(parts, dim=1).flatten(0, 1)[: self.n_samples]

    def local_rows(self, rows):
        """Return where rows of the batch are among this rank's, -1 for the others."""
        is_here = rows % self.ranks.size == self.ranks.rank
        return torch.where(is_here, rows // self.ranks.size, -1)

    def extremes(self, low, high):
        """Return the least and the largest of what the ranks have found."""
        values = torch.stack([-low, high])
        self.ranks.reduce(values, dist.ReduceOp.MAX)
        return -values[0], values[1]
