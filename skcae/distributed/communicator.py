"""What processes that share a fit tell each other."""

from contextlib import contextmanager

import torch
import torch.distributed as dist


class PeerFailure(RuntimeError):  # noqa: N818 (the error is another's)
    """Raised where the other processes do not answer: one of them has failed."""


class Communicator:
    """The processes that share a fit, called ranks, seen from one of them.

    Every rank has to call the same methods in the same order. `SingleProcess` has those
    that make sense for one process, too.

    Parameters
    ----------
    on_cpu, on_gpu : ProcessGroup
        What carries tensors. Without `on_gpu` those of a GPU go through the CPU.
    gpu : str or None
        Name of the GPU of this process.
    """

    def __init__(self, on_cpu, on_gpu=None, gpu=None):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.is_first = self.rank == 0
        self.on_cpu, self.on_gpu, self.gpu = on_cpu, on_gpu, gpu

    def sum(self, *numbers):
        """Return the sums of numbers over all ranks."""
        total = torch.tensor([float(number) for number in numbers], dtype=torch.float64)
        self.reduce(total)
        return total.tolist()

    def any(self, flag):
        """Return whether a flag is set on some rank."""
        return self.sum(flag)[0] > 0

    def reduce(self, x, operation=dist.ReduceOp.SUM):
        """Replace a tensor by its sum over all ranks, or by another reduction."""
        group = self.group_for(x.device)
        here = x if group is self.on_gpu else x.cpu()
        with explain_lost_ranks():
            dist.all_reduce(here, operation, group=group)
        if here is not x:
            x.copy_(here)

    def gather(self, x):
        """Return the tensors of all ranks, which have one shape."""
        group = self.group_for(x.device)
        here = x if group is self.on_gpu else x.cpu()
        parts = [torch.empty_like(here) for _ in range(self.size)]
        with explain_lost_ranks():
            dist.all_gather(parts, here, group=group)
        return [part.to(x.device) for part in parts]

    def gather_objects(self, value):
        """Return the values of all ranks, in their order."""
        values = [None] * self.size
        with explain_lost_ranks():
            dist.all_gather_object(values, value, group=self.on_cpu)
        return values

    def broadcast_result(self, function):
        """Call a function on rank 0 alone, and return its result on every rank."""
        found = [function() if self.is_first else None]
        with explain_lost_ranks():
            dist.broadcast_object_list(found, src=0, group=self.on_cpu)
        return found[0]

    def check_same(self, description):
        """Raise ValueError where the ranks are about to do different things.

        Parameters
        ----------
        description : dict of str
            What has to be the same on every rank, in words.
        """
        of_all = self.gather_objects(description)
        for name, value in of_all[0].items():
            for rank, there in enumerate(of_all):
                if there[name] != value:
                    raise ValueError(
                        f"Got {name}={value} on rank 0 and {name}={there[name]} on "
                        f"rank {rank}; expected the same on every rank, as each reads "
                        "its own part of it. Pass all of them all samples and the same "
                        "parameters, or fit outside of data_parallel."
                    )

    def group_for(self, device):
        """Return the process group that carries the tensors of a device."""
        on_gpu = self.on_gpu is not None and torch.device(device).type == "cuda"
        return self.on_gpu if on_gpu else self.on_cpu

    def close(self):
        """Close the connections, which end with the last reference to them."""
        groups, self.on_cpu, self.on_gpu = (self.on_gpu, self.on_cpu), None, None
        for group in groups:
            if group is not None:
                dist.destroy_process_group(group)


@contextmanager
def explain_lost_ranks(unless=lambda error: False):
    """Make a PeerFailure of torch's error about lost connections.

    Parameters
    ----------
    unless : callable
        Tells which RuntimeError has another reason, and is left as it is.
    """
    try:
        yield
    except RuntimeError as error:
        if unless(error):
            raise
        reason = str(error).splitlines()[0]
        raise PeerFailure(
            f"Got no answer from another rank ({reason}); expected all ranks to call "
            "the same fits in a data_parallel block. See what the others report, and "
            "start all again."
        ) from error
