"""One training of a net on samples, with what belongs to that training alone."""

from contextlib import ExitStack
from functools import partial

import numpy as np
import torch
from skorch.callbacks import PrintLog
from skorch.helper import predefined_split
from skorch.history import History

from ..runtime.compilation import check_compiler, compiled, for_full_batches
from ..runtime.devices import release_cached_memory
from ..runtime.precision import in_bfloat16, matmul_precision, trains_in_bfloat16
from ..runtime.steps import make_steps
from ..runtime.threads import is_worth_threads, one_thread


def train(
    net,
    samples,
    valid,
    *,
    epochs,
    seed,
    callbacks,
    objective,
    ranks,
    checkpoint=None,
):
    """Train `net` on samples and leave nothing of this training in it.

    Parameters
    ----------
    net : BaseNet
        Trained in place.
    samples : Samples
        Training data.
    valid : Samples or None
        Validation data.
    epochs : int
        Passes over the training data.
    seed : sequence of int
        Decides order and noise.
    callbacks : list of (str, Callback)
        In force for this training, after the net's own.
    objective : Objective
        What is minimised.
    ranks : SingleProcess or Communicator
        Who shares the training.
    checkpoint : Checkpoint or None, default=None
        Where to write each epoch, and what to go on from.

    Returns
    -------
    rows : list of dict
        Epoch number, losses and seconds of every epoch.
    """
    order_seed, noise_seed = np.random.SeedSequence(seed).generate_state(2)
    order = np.random.default_rng(int(order_seed))
    net.max_epochs, net.iterator_train__seed = epochs, order
    generator = torch.Generator(device=net.device).manual_seed(int(noise_seed))
    first, n_done = [], 0
    if checkpoint is not None:
        first, n_done = [("checkpoint", checkpoint)], checkpoint.n_epochs
        checkpoint.generators |= {"order": order, "noise": generator}
    n_before = len(net.history)
    n_multiplications, _ = net.module_.cost()
    n_samples = min(len(samples), net.iterator_train__max_samples or len(samples))
    steps = make_steps(
        ranks,
        net.compute_loss,
        net.optimizer_,
        after_step=partial(objective.after_step, net),
        device=net.device,
        parameters=objective.parameters(net.module_),
    )
    output = _training_output(net, steps.n_local(min(n_samples, net.batch_size)))
    with (
        ExitStack() as stack,
        one_thread(when=not is_worth_threads(n_multiplications * net.batch_size)),
        matmul_precision(net.precision, net.device),
    ):
        stack.callback(_tear_down, net, steps, generator, net.callbacks_)
        net._objective, net._steps, net._training_output = objective, steps, output
        net.module_.draw_from(generator, steps.context)
        net.callbacks_ = [*first, *_own_callbacks(net, ranks), *callbacks]
        net.train_split = None if valid is None else predefined_split(valid)
        net.partial_fit(samples, epochs=epochs - n_done)
    release_cached_memory(net.device)
    return [_summary(row) for row in net.history[n_before:]]


class fresh_history:  # noqa: N801 (used like a function)
    """Hide the earlier epochs, so that schedules and best losses begin anew.

    Parameters
    ----------
    net : BaseNet
        An initialised net.
    earlier : bool
        Whether there are any.
    """

    def __init__(self, net, *, earlier):
        self.net, self.history = net, net.history_ if earlier else None

    def __enter__(self):
        if self.history is None:
            return
        self.net.history_ = History()
        for group in self.net.optimizer_.param_groups:
            group["lr"] = group.get("initial_lr", group["lr"])

    def __exit__(self, *error):
        if self.history is None:
            return
        self.history.extend(self.net.history_)
        self.net.history_ = self.history


def _training_output(net, size):
    """Return how batches of `size` samples are rebuilt, as precision and compile ask.

    Raises
    ------
    ValueError
        If the device cannot do that.
    """
    function = plain = type(net)._training_output
    if net.compile and net.max_epochs:
        check_compiler(net.device)
        function = for_full_batches(compiled(plain, net, size), plain, size)
    if trains_in_bfloat16(net.precision, net.device):
        function = in_bfloat16(function)
    return function


def _tear_down(net, steps, generator, callbacks):
    """Remove from a net what only one training needs."""
    steps.close()
    net.module_.draw_from(generator)
    net.train_split, net.callbacks_ = None, callbacks
    for name in ("_objective", "_steps", "_training_output"):
        vars(net).pop(name, None)


def _own_callbacks(net, ranks):
    """Return the callbacks of a net, which come before those that read their records.

    Only the first rank prints a table.
    """
    return [
        pair
        for pair in net.callbacks_
        if ranks.is_first or not isinstance(pair[1], PrintLog)
    ]


def _summary(row):
    losses = {key: row[key] for key in ("train_loss", "valid_loss") if key in row}
    return {"epoch": row["epoch"], **losses, "seconds": row["dur"]}
