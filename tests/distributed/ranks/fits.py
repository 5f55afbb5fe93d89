"""Fits that several processes share, and what one process needs to repeat them."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

import skcae
from skcae import ConvAutoencoderTransformer
from skcae.data.samples import Samples
from skcae.persistence.weights import weights_as_numpy

_WINNERS = {
    "n_filters": (6, 3),
    "kernel_size": 5,
    "batch_size": 50,
    "max_samples": 130,
    "crop_size": 6,
    "max_epochs": 2,
}


class Listener(Callback):
    """Hears of single batches, which makes skorch keep books of them."""

    def on_batch_end(self, net, **kwargs):
        pass


CONFIGURATIONS = {
    "default": {},
    "recipe": {"recipe": "auto"},
    "one left over": {"batch_size": 7, "max_samples": 78},
    "held out": {"early_stopping": True, "validation_fraction": 0.3, "lr": 0.2},
    "stopped": {"tol": 1e3, "n_iter_no_change": 2},
    "mask": {"corruption": "mask", "batch_size": 17},
    "gaussian": {"corruption": "gaussian", "batch_size": 17},
    "extremes": {"corruption": "salt_and_pepper", "batch_size": 17},
    "l1": {"sparsity": "l1", "optimizer": "sgd", "lr": 0.1},
    "dense": {"n_components": 3, "init": "patches", "whiten": 0.1},
    "components": {"n_components": 3, "pooling": "avg", "power": 0.5},
    "winners, components": skcae.recipes["grey"] | _WINNERS | {"n_components": 5},
    "stages": {"n_filters": (4, 5), "layerwise": True, "corruption": "mask"},
    "filters alone": {"init": "kmeans", "max_epochs": 0},
    "batch by batch": {"batch_size": 7, "callbacks": [Listener()]},
    "winners, recipe": skcae.recipes["grey"] | _WINNERS,
    "winners, depthwise": skcae.recipes["grey"]
    | _WINNERS
    | {"n_filters": 3, "depthwise": True, "activation": "abs", "pool_size": 2},
}
DATA = load_digits().images[:120]
X_VAL = load_digits().images[120:171]


def make(**params):
    """Return a transformer that trains in a moment."""
    defaults = {"n_filters": 4, "kernel_size": 3, "max_epochs": 3, "random_state": 0}
    defaults["recipe"] = "tutorial"
    return ConvAutoencoderTransformer(**defaults | params)


def without_seconds(rows):
    """Return rows of `history_` but for what no two fits have in common."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def summary(cae):
    """Return what a fit has found."""
    return {
        "history": without_seconds(cae.history_),
        "weights": weights_as_numpy(cae.module_),
        "mean": cae.mean_,
        "err": cae.reconstruction_err_,
        "n_dead_units": cae.n_dead_units_,
        "n_samples_seen": cae.n_samples_seen_,
        "features": cae.transform(DATA[:5]),
    }


class RowsRead:
    """How many rows of the data are read, wherever."""

    def __init__(self):
        self.n = 0
        self.stored = Samples.stored

    def __enter__(self):
        def counting(samples, index, *args, **kwargs):
            rows = self.stored(samples, index, *args, **kwargs)
            self.n += len(rows)
            return rows

        Samples.stored = counting
        return self

    def __exit__(self, *error):
        Samples.stored = self.stored


def rows_read():
    """Return how many rows two epochs read, a pass over X and one over X_val, too."""
    with RowsRead() as read:
        make(max_epochs=2, batch_size=16).fit(DATA, X_val=X_VAL)
    return read.n


def continued():
    """Fit in parts, then go on."""
    cae = make(max_epochs=1, warm_start=True)
    for part in np.array_split(DATA, 3):
        cae.partial_fit(part)
    return summary(cae.fit(DATA))


def searched():
    """Search in the block: every candidate is trained by all."""
    grid = {"lr": [0.001, 0.01], "kernel_size": [3, 5]}
    search = GridSearchCV(make(max_epochs=1), grid, cv=2).fit(DATA)
    return search.cv_results_["mean_test_score"]


def detected():
    """Fit a detector, whose autoencoder all train."""
    detector = skcae.ConvAutoencoderOutlierDetector(make(max_epochs=1)).fit(DATA)
    return detector.offset_


def all_fits():
    """Return what every configuration finds."""
    found = {name: summary(make(**ps).fit(DATA)) for name, ps in CONFIGURATIONS.items()}
    found["X_val"] = summary(make(early_stopping=True, lr=0.1).fit(DATA, X_val=X_VAL))
    winners = make(**CONFIGURATIONS["winners, depthwise"])
    found["winners, X_val"] = summary(winners.fit(DATA, X_val=X_VAL))
    found["continued"] = continued()
    found["classifier"] = classified()
    return found


def classified():
    """Fine-tune a classifier, on views of few samples."""
    y = load_digits().target[:120].copy()
    y[90:] = -1
    classifier = skcae.ConvAutoencoderClassifier(
        make(max_epochs=1),
        shift=1,
        flip=True,
        dropout=0.2,
        max_epochs=2,
        frozen_epochs=1,
        batch_size=16,
        early_stopping=True,
        validation_fraction=0.2,
        random_state=0,
    ).fit(DATA, y)
    return {
        "history": without_seconds(classifier.history_),
        "weights": weights_as_numpy(classifier.module_),
    }
