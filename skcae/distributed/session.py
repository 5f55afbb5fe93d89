"""When processes begin and end what they share, and how errors reach all of them."""

import os
import traceback
from contextlib import contextmanager

import torch
import torch.distributed as dist

from .communicator import Communicator, PeerFailure

# Errors that are raised on every rank as what they are on one.
_RAISED_ON_ALL = (ValueError, TypeError, MemoryError)
_SET_BY_LAUNCHERS = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}


class ParallelSession:
    """A `data_parallel` block of several processes, which may share many fits.

    Its own connections outlive those of a fit, so that the ranks can tell each other
    how a fit has ended.

    Raises
    ------
    RuntimeError
        If the processes do not find each other.
    """

    def __init__(self):
        self.ranks = Communicator(dist.new_group(backend="gloo"), gpu=_gpu())
        self.rank, self.size = self.ranks.rank, self.ranks.size
        own_gpu = self.ranks.gpu is not None and _has_gpu_of_its_own()
        self.uses_nccl = all(self.ranks.gather_objects(own_gpu))

    @contextmanager
    def fit(self):
        """Yield the ranks of one fit; an error of one of them ends it for all."""
        on_gpu = dist.new_group(backend="nccl") if self.uses_nccl else None
        on_cpu = dist.new_group(backend="gloo")
        ranks = Communicator(on_cpu, on_gpu, self.ranks.gpu)
        failure = None
        del on_cpu, on_gpu
        try:
            yield ranks
        except BaseException as error:
            failure = error
            _clear_frames(error)
            raise
        finally:
            # Ranks that wait for this one learn now that it will not answer.
            ranks.close()
            self._compare(failure)

    def _compare(self, error):
        """Raise the error of another rank where this one has none of its own."""
        has_own = error is not None and not isinstance(error, PeerFailure)
        try:
            failures = self.ranks.gather_objects(_in_words(error))
        except PeerFailure:
            if has_own:
                return
            raise
        if has_own:
            return
        for rank, failure in enumerate(failures):
            if failure is None or failure[0] is PeerFailure:
                continue
            kind, name, message = failure
            if kind in _RAISED_ON_ALL:
                raised = kind(message)
                raised.add_note(f"Raised on rank {rank}.")
                raise raised from None
            raise RuntimeError(
                f"Got {name} on rank {rank} ({message}); expected every rank to do its "
                "part of the fit. See what that rank reports, and start all again."
            ) from None

    def close(self):
        """Close the connections of the block."""
        self.ranks.close()


def is_launched():
    """Whether a launcher such as torchrun has started this process beside others."""
    if not dist.is_available():
        return False
    return dist.is_initialized() or _SET_BY_LAUNCHERS <= set(os.environ)


@contextmanager
def open_session():
    """Yield the session of all processes; None where there is but one."""
    owns_processes = not dist.is_initialized()
    if owns_processes:
        _initialize_processes()
    session = None
    try:
        if dist.get_world_size() > 1:
            session = ParallelSession()
        yield session
    finally:
        if session is not None:
            session.close()
        if owns_processes:
            dist.destroy_process_group()


def _initialize_processes():
    """Initialise torch.distributed from what a launcher has set.

    ``init_method="env://"`` would do, but for processes that torchrun starts again:
    their launcher still has the addresses of those before, so that each start needs
    names of its own.
    """
    store, rank, size = next(dist.rendezvous("env://"))
    start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = dist.PrefixStore(start, store)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size)


def _clear_frames(error):
    """Forget the local variables of the calls that an error has ended.

    They hold connections, which would stay open, and other ranks would wait on them.
    """
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _in_words(error):
    """Return an error as its kind, its name and its message, in builtin types."""
    if error is None:
        return None
    kinds = (PeerFailure, *_RAISED_ON_ALL)
    kind = next((kind for kind in kinds if isinstance(error, kind)), None)
    return kind, type(error).__name__, str(error)


def _gpu():
    """Return the name of the GPU of this process, None without one."""
    if not torch.cuda.is_available():
        return None
    return f"cuda:{int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count()}"


def _has_gpu_of_its_own():
    n_processes = int(os.environ.get("LOCAL_WORLD_SIZE", dist.get_world_size()))
    return dist.is_nccl_available() and n_processes <= torch.cuda.device_count()
