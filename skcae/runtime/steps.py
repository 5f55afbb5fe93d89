"""What is done with a batch, in order: by one process alone, or by several together."""

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..distributed.communicator import explain_lost_ranks
from ..nn.batch_context import BatchContext
from .devices import is_out_of_memory
from .shared_batch import SharedBatch


def make_steps(ranks, loss, optimizer, *, after_step, device, parameters):
    """Return how batches are computed.

    Parameters
    ----------
    ranks : SingleProcess or Communicator
        Who computes them.
    loss : callable
        ``loss(context, *batch)`` returns the mean loss of the samples at hand, and what
        is predicted for them.
    optimizer : torch.optim.Optimizer
        Takes the steps.
    after_step : callable
        Called without arguments behind each step of the optimizer.
    device : str
        Where batches are computed.
    parameters : list of Parameter
        What `loss` depends on.

    Returns
    -------
    steps : EagerSteps
    """
    if ranks.size == 1:
        return EagerSteps(loss, optimizer, after_step=after_step, device=device)
    return SharedSteps(
        loss,
        optimizer,
        after_step=after_step,
        device=device,
        ranks=ranks,
        parameters=parameters,
    )


class EagerSteps:
    """Steps of one process that holds whole batches.

    `train` and `evaluate` take a batch through `prepare`, `forward_backward`, `reduce`,
    `step` and `record`. Subclasses compute the same in other ways.

    Parameters
    ----------
    loss, optimizer, after_step, device
        As in `make_steps`.

    Attributes
    ----------
    context : BatchContext
        The batch that layers and losses ask about.
    share : SharedBatch or None
        Which samples of each batch are computed here; None: all.
    """

    share = None

    def __init__(self, loss, optimizer, *, after_step, device):
        self.loss, self.optimizer = loss, optimizer
        self.after_step, self.device = after_step, device
        self.context = BatchContext()

    def begin_epoch(self):
        """Forget the losses of the epoch before; callbacks may have changed the net."""
        self.total, self.count = 0.0, 0
        groups = self.optimizer.param_groups
        self.optimized = [p for group in groups for p in group["params"]]

    def train(self, batch):
        """Take one step of a training."""
        batch = self.prepare(batch)
        loss, _ = self.forward_backward(batch)
        self.reduce()
        self.step()
        self.record(loss, batch)

    def evaluate(self, batch):
        """Compute the loss of one batch."""
        batch = self.prepare(batch)
        loss, _ = self.loss(self.context, *batch)
        self.record(loss, batch)

    def prepare(self, batch):
        """Return a batch where it is computed."""
        return _to_device(batch, self.device)

    def forward_backward(self, batch):
        """Compute the gradients; return the loss, and what is predicted."""
        # What the optimizer's own method costs shows in small steps.
        for parameter in self.optimized:
            parameter.grad = None
        loss, output = self.loss(self.context, *batch)
        loss.backward()
        return loss, output

    def reduce(self):
        """Make the gradients those of the whole batch."""

    def step(self):
        """Change the weights."""
        self.optimizer.step()
        self.after_step()

    def record(self, loss, batch):
        """Add the loss of a batch to that of the epoch."""
        n_samples = self._n_counted(batch)
        self.total = self.total + loss.detach() * n_samples
        self.count += n_samples

    def epoch_loss(self):
        """Return the mean loss of all samples since `begin_epoch`."""
        return float(self.total) / self.count

    def batch_loss(self, loss):
        """Return the mean loss of the whole batch, given that of the samples here."""
        return loss

    def any(self, flag):
        """Return whether a flag is set in one of the processes."""
        return flag

    def n_local(self, n_samples):
        """Return how many samples are computed here of a batch of so many."""
        return n_samples

    def close(self):
        """Release what only this training needs."""

    def _n_counted(self, batch):
        return len(batch[0])


class SharedSteps(EagerSteps):
    """Steps that several ranks take together, each with its samples of every batch.

    PyTorch's DistributedDataParallel averages the gradients. What the loss has to know
    of the whole batch it asks `context`.

    Parameters
    ----------
    loss, optimizer, after_step, device
        As in `make_steps`.
    ranks : Communicator
        Who takes the steps.
    parameters : list of Parameter
        What the loss depends on.
    """

    def __init__(self, loss, optimizer, *, after_step, device, ranks, parameters):
        super().__init__(loss, optimizer, after_step=after_step, device=device)
        self.ranks, self.parameters = ranks, parameters
        self.context = self.share = SharedBatch(ranks)
        self.averaged, self.averaged_loss = [], None

    def begin_epoch(self):
        """Forget the losses of the epoch before, and see what has to be averaged."""
        super().begin_epoch()
        averaged = [p for p in self.parameters if p.requires_grad]
        # Tensors do not compare as a whole.
        if list(map(id, averaged)) != list(map(id, self.averaged)):
            self.averaged, self.averaged_loss = averaged, self._average(averaged)

    def _average(self, parameters):
        """Return the loss as a module whose gradients are averaged over the ranks."""
        with explain_lost_ranks(unless=is_out_of_memory):
            return DistributedDataParallel(
                _Loss(self.loss, parameters),
                init_sync=False,  # ranks have the same weights already
                process_group=self.ranks.group_for(self.device),
            )

    def forward_backward(self, batch):
        """Compute the gradients of the whole batch; return the loss at hand."""
        for parameter in self.optimized:
            parameter.grad = None
        loss, output = self.averaged_loss(self.context, *batch)
        # Ranks count alike in its average, whose samples may differ in number.
        scaled = loss * (self.context.weight * self.ranks.size)
        with explain_lost_ranks(unless=is_out_of_memory):
            scaled.backward()
        return loss, output

    def epoch_loss(self):
        """Return the mean loss of all samples of all ranks since `begin_epoch`."""
        total, count = self.ranks.sum(self.total, self.count)
        return total / count

    def batch_loss(self, loss):
        """Return the mean loss of the whole batch, given that of the samples here."""
        loss = loss.detach() * self.context.weight
        self.ranks.reduce(loss)
        return loss

    def any(self, flag):
        """Return whether a flag is set on some rank."""
        return self.ranks.any(flag)

    def n_local(self, n_samples):
        """Return how many samples this rank computes of a batch of so many."""
        return SharedBatch(self.ranks, n_samples).n_local

    def close(self):
        """Let go of the connections, which would stay open."""
        self.averaged_loss = None

    def _n_counted(self, batch):
        return self.context.n_counted


class _Loss(nn.Module):
    """A loss as a module with the parameters that it depends on."""

    def __init__(self, loss, parameters):
        super().__init__()
        self.loss = loss
        self.weights = nn.ParameterList(parameters)

    def forward(self, context, *batch):
        return self.loss(context, *batch)


def _to_device(values, device):
    if isinstance(values, tuple | list):
        return tuple(_to_device(value, device) for value in values)
    return values.to(device)
