"""Which processes share a fit: this one alone, unless users say otherwise."""

import threading
from contextlib import contextmanager

from .single_process import SINGLE_PROCESS

_THREAD = threading.local()


def current():
    """Return the ranks that share the fit which this thread is in.

    Only estimators and what starts a training ask for them; all else gets them as an
    argument.
    """
    return getattr(_THREAD, "ranks", SINGLE_PROCESS)


@contextmanager
def shared_fit():
    """Share the fit inside with the others of a `data_parallel` block; yield the ranks.

    A fit within a shared fit is a part of it.
    """
    session = getattr(_THREAD, "session", None)
    if session is None or current() is not SINGLE_PROCESS:
        yield current()
        return
    with session.fit() as ranks:
        _THREAD.ranks = ranks
        try:
            yield ranks
        finally:
            _THREAD.ranks = SINGLE_PROCESS


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
    if getattr(_THREAD, "session", None) is not None:
        yield _THREAD.session
        return
    from .session import is_launched, open_session

    if not is_launched():
        yield SINGLE_PROCESS
        return
    with open_session() as session:
        _THREAD.session = session
        try:
            yield SINGLE_PROCESS if session is None else session
        finally:
            _THREAD.session = None
