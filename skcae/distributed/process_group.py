"""Processes that share a fit: what each of them does, and what they tell each other."""

import os
from contextlib import contextmanager

import torch
import torch.distributed as dist

# Errors that mean the same to whoever did not raise them.
_OF_ALL = (ValueError, TypeError, MemoryError)
_SET_BY_LAUNCHERS = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}


class PeerFailure(RuntimeError):  # noqa: N818 (the error is another's)
    """Raised where the other processes do not answer: one of them has failed."""


class Group:
    """The processes that share a fit, seen from one of them.

    Of each batch they take turns: the first sample is that of rank 0, the next that of
    rank 1.  Where there are fewer samples than processes, the last one is computed by
    those without a sample too, and does not count.

    Parameters
    ----------
    on_cpu, on_gpu : ProcessGroup
        Who talks about tensors; without `on_gpu` those of a GPU go through the CPU.
    """

    def __init__(self, on_cpu, on_gpu=None):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.on_cpu, self.on_gpu = on_cpu, on_gpu
        self.n_samples = 0

    @property
    def is_first(self):
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    @property
    def gpu(self):
        """Name of the GPU of this process."""
        return _own_gpu()

    def share(self, n_samples):
        """Return this process's consecutive part of a pass over samples, as a slice."""
        first, last = (n_samples * (self.rank + k) // self.size for k in (0, 1))
        return slice(first, last)

    def own(self, part):
        """Return which samples of a batch, a slice, are this process's."""
        start = min(part.start + self.rank, part.stop - 1)
        return slice(start, part.stop, self.size)

    def n_own(self, n_samples):
        """Return how many of the first samples of a batch this process computes."""
        return max(1, self._n_counted(n_samples))

    def _n_counted(self, n_samples):
        return len(range(self.rank, n_samples, self.size))

    def begin(self, n_samples):
        """Note how many samples the batch has of which this process gets its own."""
        self.n_samples = n_samples

    @contextmanager
    def beginning(self, n_samples):
        """Look at the first samples of a batch alone."""
        before, self.n_samples = self.n_samples, n_samples
        try:
            yield
        finally:
            self.n_samples = before

    def n_in_batch(self, x):
        """Return the number of samples of a batch of which `x` are one's own."""
        return self.n_samples

    def n_that_count(self, x):
        """Return how many of one's own samples count."""
        return self._n_counted(self.n_samples)

    def drawn(self, draw, shape, **how):
        """Draw for all samples of a batch, and return what is drawn for one's own."""
        of_all = draw((self.n_samples, *shape[1:]), **how)
        return of_all[self.own(slice(0, self.n_samples))]

    def gathered(self, x):
        """Return the rows of all, one for each sample, in the order of the batch."""
        n_rows = -(-self.n_samples // self.size)
        padded = x.new_zeros((n_rows, *x.shape[1:]))
        n_own = self._n_counted(self.n_samples)
        padded[:n_own] = x[:n_own]
        parts = self._gather(padded)
        return torch.stack(parts, dim=1).flatten(0, 1)[: self.n_samples]

    def places(self, rows):
        """Return rows of a batch as rows of one's own part, -1 for those of others."""
        return torch.where(rows % self.size == self.rank, rows // self.size, -1)

    def extremes(self, low, high):
        """Return the least and the largest values of all."""
        values = torch.stack([-low, high])
        self._reduce(values, dist.ReduceOp.MAX)
        return -values[0], values[1]

    def average_gradients(self, parameters, x):
        """Make gradients those of the mean loss of a batch."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        flat *= self.n_that_count(x) / self.n_samples
        self._reduce(flat)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, flat.split(sizes), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def mean(self, loss, x):
        """Return the mean loss of a batch."""
        loss = loss.detach() * (self.n_that_count(x) / self.n_samples)
        self._reduce(loss)
        return loss

    def sums(self, *values):
        """Return sums of numbers over all."""
        total = torch.tensor([float(value) for value in values], dtype=torch.float64)
        self._reduce(total)
        return total.tolist()

    def any(self, flag):
        """Whether it is so for one of them."""
        return self.sums(flag)[0] > 0

    def from_first(self, function):
        """Return what a function returns to rank 0, which alone calls it."""
        found = [function() if self.is_first else None]
        with _telling_of_lost_ranks():
            dist.broadcast_object_list(found, src=0, group=self.on_cpu)
        return found[0]

    def from_all(self, value):
        """Return the values of all, in the order of the ranks."""
        values = [None] * self.size
        with _telling_of_lost_ranks():
            dist.all_gather_object(values, value, group=self.on_cpu)
        return values

    def check_same(self, facts):
        """Raise ValueError where the processes are not about to do the same.

        Parameters
        ----------
        facts : dict of str
            What is to be the same, in words.
        """
        of_all = self.from_all(facts)
        for name, value in of_all[0].items():
            for rank, there in enumerate(of_all):
                if there[name] != value:
                    raise ValueError(
                        f"Got {name}={value} on rank 0 and {name}={there[name]} on "
                        f"rank {rank}; expected the same on every rank, as each reads "
                        "its own part of it. Pass all of them all samples and the same "
                        "parameters, or fit outside of data_parallel."
                    )

    def close(self):
        """Hang up: the connections end with the last reference to them."""
        groups, self.on_cpu, self.on_gpu = (self.on_gpu, self.on_cpu), None, None
        for group in groups:
            if group is not None:
                dist.destroy_process_group(group)

    def _gather(self, x):
        group = self._group_for(x)
        here = x if group is self.on_gpu else x.cpu()
        parts = [torch.empty_like(here) for _ in range(self.size)]
        with _telling_of_lost_ranks():
            dist.all_gather(parts, here, group=group)
        return [part.to(x.device) for part in parts]

    def _reduce(self, x, operation=dist.ReduceOp.SUM):
        group = self._group_for(x)
        here = x if group is self.on_gpu else x.cpu()
        with _telling_of_lost_ranks():
            dist.all_reduce(here, operation, group=group)
        if here is not x:
            x.copy_(here)

    def _group_for(self, x):
        return self.on_cpu if self.on_gpu is None or not x.is_cuda else self.on_gpu


class ParallelSession:
    """Where processes meet before and after each fit that they share.

    Raises
    ------
    RuntimeError
        If they do not find each other.
    """

    def __init__(self):
        self.group = dist.new_group(backend="gloo")
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        mine = _own_gpu() is not None and _has_gpu_of_its_own()
        self.have_gpus = all(self._tell(mine))

    @contextmanager
    def fit(self):
        """Yield the group of one fit; an error of one process ends it for all."""
        on_gpu = dist.new_group(backend="nccl") if self.have_gpus else None
        group = Group(dist.new_group(backend="gloo"), on_gpu)
        found = None
        try:
            yield group
        except BaseException as error:
            found = error
            raise
        finally:
            # Whoever waits for this process learns now that it will not answer.
            group.close()
            self._compare(found)

    def _compare(self, error):
        """Raise the error of another process where this one has none of its own."""
        has_own = error is not None and not isinstance(error, PeerFailure)
        try:
            errors = self._tell(_in_words(error))
        except PeerFailure:
            if has_own:
                return
            raise
        if has_own:
            return
        for rank, found in enumerate(errors):
            if found is None or found[0] is PeerFailure:
                continue
            kind, name, message = found
            if kind in _OF_ALL:
                raised = kind(message)
                raised.add_note(f"Raised on rank {rank}.")
                raise raised from None
            raise RuntimeError(
                f"Got {name} on rank {rank} ({message}); expected every rank to do its "
                "part of the fit. See what that rank reports, and start all again."
            ) from None

    def _tell(self, value):
        values = [None] * self.size
        with _telling_of_lost_ranks():
            dist.all_gather_object(values, value, group=self.group)
        return values

    def close(self):
        """Part."""
        dist.destroy_process_group(self.group)


def is_launched():
    """Whether a launcher such as torchrun has started this process beside others."""
    if not dist.is_available():
        return False
    return dist.is_initialized() or _SET_BY_LAUNCHERS <= set(os.environ)


@contextmanager
def open_session():
    """Yield where the processes meet; None where there is but one."""
    owns = not dist.is_initialized()
    if owns:
        _begin()
    meeting = None
    try:
        if dist.get_world_size() > 1:
            meeting = ParallelSession()
        yield meeting
    finally:
        if meeting is not None:
            meeting.close()
        if owns:
            dist.destroy_process_group()


def _begin():
    """Initialise torch.distributed from what a launcher has set."""
    store, rank, size = next(dist.rendezvous("env://"))
    # Processes that torchrun starts again would find addresses of those before.
    store = dist.PrefixStore(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"), store)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size)


@contextmanager
def _telling_of_lost_ranks():
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
    else:
        return
    raise PeerFailure(
        f"Got no answer from another rank ({reason}); expected all ranks to call the "
        "same fits in a data_parallel block. See what the others report, and start all "
        "again."
    )


def _in_words(error):
    """Return an error as its kind, its name and its message, in builtin types."""
    if error is None:
        return None
    kinds = (PeerFailure, *_OF_ALL)
    kind = next((kind for kind in kinds if isinstance(error, kind)), None)
    return kind, type(error).__name__, str(error)


def _own_gpu():
    if not torch.cuda.is_available():
        return None
    return f"cuda:{int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count()}"


def _has_gpu_of_its_own():
    n_processes = int(os.environ.get("LOCAL_WORLD_SIZE", dist.get_world_size()))
    return dist.is_nccl_available() and n_processes <= torch.cuda.device_count()
