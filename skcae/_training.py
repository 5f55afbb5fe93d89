"""One training of a net on samples, with what belongs to that training alone."""

from contextlib import contextmanager

import numpy as np
import torch
from skorch.helper import predefined_split

from ._threads import is_worth_threads, one_thread


def train(net, samples, valid, *, epochs, seed, callbacks):
    """Train `net` on samples and leave nothing of this training in it.

    Parameters
    ----------
    net : AutoencoderNet
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

    Returns
    -------
    rows : list of dict
        Epoch number, losses and seconds of every epoch.
    """
    order_seed, noise_seed = np.random.SeedSequence(seed).generate_state(2)
    net.max_epochs, net.iterator_train__seed = epochs, int(order_seed)
    corruption = net.module_.corruption
    if corruption is not None:
        generator = torch.Generator(device=net.device)
        corruption.generator = generator.manual_seed(int(noise_seed))
    n_before = len(net.history)
    n_multiplications, _ = net.module_.cost()
    with (
        _for_this_training(net, valid, callbacks),
        one_thread(when=not is_worth_threads(n_multiplications * net.batch_size)),
    ):
        net.partial_fit(samples)
    return [_summary(row) for row in net.history[n_before:]]


@contextmanager
def _for_this_training(net, valid, callbacks):
    own = net.callbacks_
    # The net's own come first: they record what these look at.
    net.callbacks_ = [*own, *callbacks]
    net.train_split = None if valid is None else predefined_split(valid)
    try:
        yield
    finally:
        net.callbacks_, net.train_split = own, None


def _summary(row):
    losses = {key: row[key] for key in ("train_loss", "valid_loss") if key in row}
    return {"epoch": row["epoch"], **losses, "seconds": row["dur"]}
