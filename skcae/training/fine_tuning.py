"""How a classifier's head starts, and how it is trained, with the encoder or alone."""

import math

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import config_context
from sklearn.linear_model import RidgeCV
from skorch.callbacks import LRScheduler

from ..data.labels import LabelledSamples, Labels
from ..data.layout import Layout
from ..data.samples import Samples
from ..runtime.devices import explains_out_of_memory
from ..runtime.inference import transform
from ..runtime.torch_settings import with_torch_defaults
from .classifier_net import FrozenEncoder, FrozenFeatures, FullNetwork
from .loop import fresh_history, train

# What the scale of features and the start of the head are taken from.
_MAX_SAMPLES = 2000
_MAX_VALUES = 2**24
# Of ridge regression, in units of the largest variances that there may be.
_PENALTIES = np.logspace(-4, 3, 15)
# Natural logarithms of what its predictions may be multiplied by.
_TEMPERATURES = (-3.0, 3.0)


def _features(net, samples):
    """Return standardised features."""
    n_features = net.module_.encoder.architecture.n_features
    return transform(net, samples, n_features, method="features")


def _n_samples(net):
    n_values = _MAX_VALUES // net.module_.encoder.architecture.n_features
    return min(_MAX_SAMPLES, max(n_values, 200))


@torch.no_grad()
def standardise(net, samples):
    """Learn the scale of the features, from samples with and without labels.

    Features of one sample are divided by the root of their number: so that a learning
    rate means the same to many as to few.
    """
    module = net.module_
    features = _features(net, samples.evenly_spaced(_n_samples(net)))
    deviation = features.std(axis=0, dtype=np.float64)
    mean = features.mean(axis=0, dtype=np.float64)
    # What hardly ever varies would outweigh all else where it does.
    least = max(0.1 * deviation.mean(), 1e-6)
    scale = np.maximum(deviation, least) * math.sqrt(len(mean))
    module.mean.copy_(torch.from_numpy(mean))
    module.scale.copy_(torch.from_numpy(scale))


@torch.no_grad()
def start_head(net, samples, labels):
    """Let the head start as a ridge regression on the features of labelled samples.

    Its penalty, and the factor that makes logits of its predictions, are those that
    suit each sample best where the others alone are known.
    """
    n_classes = len(labels.classes)
    if n_classes < 2:
        return
    order = np.argsort(labels.codes, kind="stable")
    n_samples = min(len(labels), _n_samples(net))
    places = order[np.linspace(0, len(order) - 1, n_samples).astype(int)]
    some = labels.subset(np.sort(places))
    features = _features(net, LabelledSamples(samples, some)).astype(np.float64)
    targets = 2.0 * (some.codes[:, None] == np.arange(n_classes)) - 1
    ridge = RidgeCV(
        _PENALTIES * max(1.0, len(features) / features.shape[1]),
        scoring="neg_mean_squared_error",  # else it would keep no predictions
        store_cv_results=True,
    )
    # Nobody has asked for this scorer: its weights are not the user's to route.
    with config_context(enable_metadata_routing=False):
        ridge.fit(features, targets, sample_weight=some.weights.astype(np.float64))
    best = int(np.flatnonzero(ridge.alphas == ridge.alpha_)[0])
    factor = _factor(ridge.cv_results_[..., best], some)
    module = net.module_
    module.weight.copy_(torch.from_numpy(factor * ridge.coef_))
    module.bias.copy_(torch.from_numpy(factor * ridge.intercept_))


def _factor(predictions, labels):
    """Return what makes the best logits of predictions for unseen samples."""
    rows = np.arange(len(predictions))

    def loss(logarithm):
        logs = log_softmax(np.exp(logarithm) * predictions, axis=1)
        return -np.average(logs[rows, labels.codes], weights=labels.weights)

    found = minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


@explains_out_of_memory
@with_torch_defaults
def fine_tune(
    net,
    samples,
    labels,
    held_out,
    *,
    frozen_epochs,
    epochs,
    schedule,
    seed,
    callbacks,
    ranks,
):
    """Train a net: the head alone at first, if so wanted, then all of it.

    Parameters
    ----------
    net : ClassifierNet
        Trained in place.
    samples : Samples
        All samples.
    labels, held_out : Labels
        Of those to train with, and of those to validate with, or None.
    frozen_epochs : int or "all"
        Passes in which the encoder does not learn.
    epochs : int
        Passes over the labelled samples, these included.
    schedule : {"constant", "cosine"}
        Of the learning rates.
    seed : int
        Decides orders, views and dropout.
    callbacks : callable
        Makes the callbacks of one training.
    ranks : SingleProcess or Communicator
        Who shares the fit.

    Returns
    -------
    rows : list of dict
        Losses and seconds of every epoch, and whether the encoder was "frozen".
    """
    n_frozen = epochs if frozen_epochs == "all" else min(frozen_epochs, epochs)
    data = [
        None if part is None else LabelledSamples(samples, part)
        for part in (labels, held_out)
    ]
    rows = []
    for is_frozen, n_epochs in ((True, n_frozen), (False, epochs - n_frozen)):
        if not n_epochs:
            continue
        objective, seen = FullNetwork(), data
        if is_frozen:
            objective, seen = _frozen(net, data)
        with fresh_history(net, earlier=bool(rows)):
            trained = train(
                net,
                *seen,
                epochs=n_epochs,
                seed=[seed, int(is_frozen)],
                callbacks=callbacks() + _schedules(schedule, n_epochs),
                objective=objective,
                ranks=ranks,
            )
        rows += [{**row, "frozen": is_frozen} for row in trained]
    return rows


def _frozen(net, data):
    """Return what to minimise while the encoder is frozen, and on which samples."""
    if net.module_.views.is_active:
        return FrozenEncoder(), data
    return FrozenFeatures(), [part and _encoded(net, part) for part in data]


def _encoded(net, samples):
    """Return the features of labelled samples as samples: they do not change."""
    features, labels = _features(net, samples), samples.labels
    rows = np.arange(len(labels))
    labels = Labels(labels.classes, rows, labels.codes, labels.weights)
    return LabelledSamples(Samples(features, Layout(features.shape[1:])), labels)


def _schedules(schedule, epochs):
    if schedule == "constant":
        return []
    policy = torch.optim.lr_scheduler.CosineAnnealingLR
    scheduler = LRScheduler(policy, T_max=epochs)
    return [("lr_schedule", scheduler.initialize())]
