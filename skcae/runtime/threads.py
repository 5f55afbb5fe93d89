"""How many threads torch uses for a piece of work."""

import torch

# With fewer multiplications per batch, it takes longer to wake other threads than they
# save, and many times longer on a machine where another process is busy.
_WORTH_THREADS = 1e7


class one_thread:  # noqa: N801 (used like a function)
    """Compute on one thread; yield torch's own setting, which is left as found.

    It is no generator, see `SharedSwitch`.

    Parameters
    ----------
    when : bool, default=True
        Whether to do so at all.
    """

    def __init__(self, when=True):
        self.n_threads = torch.get_num_threads()
        self.changes = when and self.n_threads > 1

    def __enter__(self):
        if self.changes:
            torch.set_num_threads(1)
        return self.n_threads

    def __exit__(self, *error):
        if self.changes:
            torch.set_num_threads(self.n_threads)


def is_worth_threads(n_multiplications):
    """Whether a batch of so many multiplications is worth more than one thread."""
    return n_multiplications >= _WORTH_THREADS
