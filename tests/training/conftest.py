"""Ways to learn filters, and callbacks that look on."""

from collections import Counter

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

STACK = {"n_filters": (4, 6), "layerwise": True}
WINNERS = {"sparsity": "winner_take_all", "init": "kmeans", "sparsity_level": 0.2}
CONFIGURATIONS = {
    "stack": STACK,
    "denoising-stack": {**STACK, "corruption": "mask", "activation": "tanh"},
    "tied-stack": {**STACK, "tied_weights": True, "activation": "two_sided"},
    "l1": {"sparsity": "l1", "sparsity_level": 0.01},
    "l1-stack": {**STACK, "sparsity": "l1", "activation": "soft_threshold"},
    "winners": {**WINNERS, "crop_size": 5, "max_samples": 50},
    "winners-whitened": {**WINNERS, "whiten": 0.1, "activation": "triangle"},
    "winners-stack": {**STACK, **WINNERS, "padding": "valid", "pool_mode": "avg"},
    "winners-depthwise": {
        **STACK,
        **WINNERS,
        "n_filters": (4, 2),
        "depthwise": (False, True),
        "activation": "two_sided",
        "crop_size": 6,
    },
    "patches": {"init": "patches", "max_epochs": 0, "padding": "full"},
    "kmeans-trained": {"init": "kmeans", "whiten": 0.5, "activation": "abs"},
}
every_configuration = pytest.mark.parametrize(
    "params", CONFIGURATIONS.values(), ids=CONFIGURATIONS
)


def changed(before, after):
    """Return the names of the weights that differ."""
    return {name for name in before if not torch.equal(before[name], after[name])}


def heard_by(estimator, name="Recorder"):
    """Return the copy of a callback that has seen the training of an estimator."""
    return dict(estimator.net_.callbacks_)[name]


class Recorder(Callback):
    """Count events, and note what came with them."""

    def __init__(self):
        self.events = []
        self.batch_sizes = Counter()
        self.losses = []
        self.n_gradients = 0

    def on_train_begin(self, net, **kwargs):
        self.events.append("train begin")

    def on_train_end(self, net, **kwargs):
        self.events.append("train end")

    def on_epoch_begin(self, net, **kwargs):
        self.events.append("epoch begin")

    def on_epoch_end(self, net, **kwargs):
        self.events.append("epoch end")
        self.losses.append(net.history[-1, "train_loss"])


class BatchRecorder(Recorder):
    """Also listen to what happens in every batch."""

    def on_batch_begin(self, net, batch, training, **kwargs):
        self.events.append("batch begin")
        self.batch_sizes[training, len(batch[0])] += 1

    def on_batch_end(self, net, batch, training, loss, y_pred, **kwargs):
        self.events.append("batch end")
        assert torch.isfinite(loss)
        assert y_pred.shape == batch[0].shape

    def on_grad_computed(self, net, named_parameters, **kwargs):
        gradients = [parameter.grad for _, parameter in named_parameters]
        self.n_gradients += sum(gradient is not None for gradient in gradients)


class Interrupt(Callback):
    """Raise what Ctrl-C raises, in some event."""

    def __init__(self, event, epoch=1):
        self.event = event
        self.epoch = epoch

    def notify(self, method_name, net, **kwargs):
        if method_name == self.event and len(net.history) == self.epoch:
            raise KeyboardInterrupt


class InterruptEpoch(Interrupt):
    """Raise it where an epoch ends."""

    def on_epoch_end(self, net, **kwargs):
        self.notify("on_epoch_end", net)


class InterruptBatch(Interrupt):
    """Raise it where a batch begins."""

    def on_batch_begin(self, net, **kwargs):
        self.notify("on_batch_begin", net)


def cosines(filters):
    """Return absolute products of each filter with the others."""
    products = np.abs(filters @ filters.T)
    np.fill_diagonal(products, 0)
    return products


def check_filters(filters, shape):
    """Assert that filters are rows of unit norm and, from 3 values on, no mean."""
    assert filters.shape == shape
    assert filters.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(filters, axis=1), 1, rtol=1e-5)
    if shape[1] > 2:
        np.testing.assert_allclose(filters.mean(axis=1), 0, atol=1e-6)
