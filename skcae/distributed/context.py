"""Which processes share a fit: this one alone, unless users say otherwise."""

import threading
from contextlib import contextmanager, nullcontext

_THREAD = threading.local()


class Alone:
    """One process that does everything itself; see `Group` for what others say."""

    rank, size, is_first, gpu = 0, 1, True, "cuda"

    def share(self, n_samples):
        """Return all of a pass."""
        return slice(0, n_samples)

    def own(self, part):
        """Return all of a batch."""
        return part

    def n_own(self, n_samples):
        """Return how many of some samples there are to compute."""
        return n_samples

    def begin(self, n_samples):
        """Begin a batch."""

    def beginning(self, n_samples):
        """Look at the first samples of a batch alone."""
        return nullcontext()

    def n_in_batch(self, x):
        """Return the number of samples."""
        return len(x)

    n_that_count = n_in_batch

    def drawn(self, draw, shape, **how):
        """Draw for a batch."""
        return draw(shape, **how)

    def gathered(self, x):
        """Return the rows of a batch."""
        return x

    def extremes(self, low, high):
        """Return the least and the largest values."""
        return low, high

    def average_gradients(self, parameters, x):
        """Leave gradients as they are."""

    def mean(self, loss, x):
        """Return the loss of a batch."""
        return loss

    def sums(self, *values):
        """Return numbers."""
        return [float(value) for value in values]

    def any(self, flag):
        """Return whether it is so."""
        return flag

    def from_first(self, function):
        """Return what a function returns."""
        return function()

    def from_all(self, value):
        """Return the only value."""
        return [value]

    def check_same(self, facts):
        """Agree with oneself."""


ALONE = Alone()


def current():
    """Return the processes that share the fit this thread is in."""
    return getattr(_THREAD, "ranks", ALONE)


@contextmanager
def shared_fit():
    """Share the fit inside with others, in a `data_parallel` block; yield them all."""
    meeting = getattr(_THREAD, "meeting", None)
    if meeting is None or current() is not ALONE:
        yield current()
        return
    with meeting.fit() as ranks:
        _THREAD.ranks = ranks
        try:
            yield ranks
        finally:
            _THREAD.ranks = ALONE


@contextmanager
def data_parallel():
    """Let all processes of a distributed job train each model of the block together.

    Each process, called a rank, calls the same fits with the same parameters and the
    same `X`. Of that it reads its own part: of every batch, every rank takes an equal
    share, and their gradients are averaged before each step. So `batch_size` is that of
    all ranks together, the losses are those that one process would find, and every rank
    ends with the same fitted estimator. `transform`, `score` and what else follows a
    fit is computed by each rank for itself.

    The ranks are those of ``torch.distributed``. Where it is not initialised yet, the
    block does so from the environment that ``torchrun`` or ``accelerate launch`` has
    set, and ends it again. A process that nothing has launched works alone, so the same
    script runs under plain ``python``. Fits outside of the block, in other threads or
    in processes that a search starts (`n_jobs`) are not shared.

    Yields
    ------
    ranks : object
        With the attributes `rank`, the number of this process from 0 (int), and `size`,
        their number (int).

    Raises
    ------
    RuntimeError
        In `fit`, if another rank has failed or does not take part. ``ValueError``,
        ``TypeError`` and ``MemoryError`` of one rank are raised on all.

    References
    ----------
    .. [1] S. Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel
       Training", VLDB 2020, :doi:`10.14778/3415478.3415530`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> import skcae
    >>> X = load_digits().images
    >>> cae = skcae.ConvAutoencoderTransformer(n_filters=8, max_epochs=1)
    >>> with skcae.data_parallel() as ranks:
    ...     cae = cae.fit(X)
    >>> ranks.rank, ranks.size  # the first of two: 0, 2
    (0, 1)
    """
    if getattr(_THREAD, "meeting", None) is not None:
        yield _THREAD.meeting
        return
    from .process_group import is_launched, open_session

    if not is_launched():
        yield ALONE
        return
    with open_session() as meeting:
        _THREAD.meeting = meeting
        try:
            yield ALONE if meeting is None else meeting
        finally:
            _THREAD.meeting = None
