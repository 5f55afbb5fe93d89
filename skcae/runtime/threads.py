"""How many threads torch uses for a piece of work."""

from contextlib import contextmanager

import torch

# Below this many multiplications per batch, waking other threads costs more than they
# save; beside another busy process it costs many times more.
_WORTH_THREADS = 1e7


@contextmanager
def one_thread(when=True):
    """Compute on one thread; yield torch's own setting, which is left as found."""
    before = torch.get_num_threads()
    if not when or before == 1:
        yield before
        return
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def is_worth_threads(n_multiplications):
    """Whether a batch of so many multiplications is worth more than one thread."""
    return n_multiplications >= _WORTH_THREADS
