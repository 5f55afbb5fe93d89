"""What layers and losses ask about the whole batch of which they hold samples."""

from torch import Tensor


class BatchContext:
    """The whole batch, seen from where all of its samples are.

    Some layers and losses depend on more than the samples at hand: random numbers are
    drawn for the whole batch, and winners are found among all of its samples. Where a
    batch is spread over several places, each of which holds some samples, a subclass
    with the same methods answers for all of them, so that layers and losses need not
    know of it.
    """

    is_shared = False

    def size(self, x: Tensor) -> int:
        """Return the number of samples of the whole batch, of which `x` are here."""
        return len(x)

    def first(self, x: Tensor, n_samples: int):
        """Return what is here of the first samples of the batch, and their context."""
        return x[:n_samples], self

    def draw(self, function, shape, **options) -> Tensor:
        """Return random numbers for the samples that are here.

        Parameters
        ----------
        function : callable
            Such as ``torch.rand``; called for the whole batch.
        shape : tuple of int
            Of what is drawn for the samples that are here.
        **options : dict
            More arguments of `function`.
        """
        return function(shape, **options)

    def gather(self, x: Tensor) -> Tensor:
        """Return the rows of all samples of the batch, in its order."""
        return x

    def local_rows(self, rows: Tensor) -> Tensor:
        """Return where rows of the whole batch are here, -1 for those elsewhere."""
        return rows

    def extremes(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Return the least and the largest of values that each place has found."""
        return low, high
