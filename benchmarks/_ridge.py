"""The linear classifier that every kind of features gets.

Ridge regression on one-hot labels, in closed form, of features that are standardised
with the statistics of the training samples.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, lapack
from sklearn.linear_model import RidgeClassifierCV

# Penalties of standardised features, relative to the number of samples.
GRID = tuple(10.0 ** (half / 2) for half in range(-8, 1))
# Of few samples: relative to the number of samples or of features, whichever is larger.
FEW_GRID = tuple(10.0 ** (half / 2) for half in range(-8, 3))
# Rows whose features are held at a time.
BLOCK = 2048


@dataclass(frozen=True)
class Linear:
    """Scores that are linear in the features."""

    coef: np.ndarray
    intercept: np.ndarray

    def scores(self, features):
        """Return a score per row and class."""
        return features @ self.coef + self.intercept


class Moments:
    """Sums over rows of features, which the weights of a ridge regression follow from.

    The rows themselves are not kept.  Sums are of features that `shift` and `scale`
    bring near zero mean and unit variance, as float32 needs it; what is off is
    corrected exactly when the weights are computed.  The first rows decide shift and
    scale, and are not added.
    """

    def __init__(self, features, n_classes):
        deviation = features.std(axis=0, dtype=np.float64)
        self.shift = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.scale = (1 / np.where(deviation > 1e-6, deviation, 1)).astype(np.float32)
        n_features = features.shape[1]
        # Only the upper triangle; LAPACK wants columns.
        self.gram = np.zeros((n_features, n_features), np.float32, order="F")
        self.products = np.zeros((n_features, n_classes))
        self.sums = np.zeros(n_features)
        self.counts = np.zeros(n_classes)

    def add(self, features, targets):
        """Add rows, with one-hot targets."""
        rows = (features - self.shift) * self.scale
        self.gram = blas.ssyrk(1.0, rows.T, beta=1.0, c=self.gram, overwrite_c=True)
        self.products += rows.T @ targets
        self.sums += rows.sum(axis=0, dtype=np.float64)
        self.counts += targets.sum(axis=0, dtype=np.float64)

    @property
    def variance(self):
        """Of every feature, after shift and scale."""
        n = self.counts.sum()
        return np.maximum(np.diag(self.gram) / n - (self.sums / n) ** 2, 0.0)

    def standardiser(self):
        """Return mean and standard deviation of the features."""
        mean = self.shift + self.sums / self.counts.sum() / self.scale
        deviation = np.sqrt(self.variance) / self.scale
        return mean, np.where(deviation > 0, deviation, 1.0)

    def solve(self, penalty):
        """Return the classifier of one penalty; None where it is too small."""
        n = self.counts.sum()
        products = self.products - np.outer(self.sums, self.counts) / n
        penalties = penalty * n * self.variance
        penalties[penalties == 0] = n
        factor = self._factor(n, penalties)
        if factor is None:
            return None
        weights, _ = lapack.spotrs(factor, products.astype(np.float32))
        coef = self.scale[:, None] * weights
        intercept = (self.counts - self.sums @ weights) / n - self.shift @ coef
        return Linear(coef, intercept.astype(np.float32))

    def _factor(self, n, penalties):
        """Return the Cholesky factor of the penalised covariance times n."""
        matrix = self.gram.copy(order="F")
        sums = self.sums.astype(np.float32)
        matrix = blas.ssyr(-1 / n, sums, a=matrix, overwrite_a=True)
        matrix[np.diag_indices_from(matrix)] += penalties.astype(np.float32)
        factor, failed = lapack.spotrf(matrix, overwrite_a=True, clean=False)
        return None if failed else factor


def blocks_of(n_samples):
    """Return slices that cover so many rows."""
    return [
        slice(start, min(start + BLOCK, n_samples))
        for start in range(0, n_samples, BLOCK)
    ]


def one_hot(y, n_classes):
    """Return a column per class."""
    return np.eye(n_classes, dtype=np.float32)[y]


def climb(score, grid):
    """Return the value of a grid with the highest score, going up from a small one.

    Every value costs a factorisation, and scores have one peak but for noise.
    """
    found = {}

    def at(i):
        if i not in found:
            found[i] = score(grid[i])
        return found[i]

    best = len(grid) // 4
    while True:
        around = [i for i in (best - 1, best + 1) if 0 <= i < len(grid)]
        candidate = max(around, key=at)
        if at(candidate) <= at(best):
            return grid[best]
        best = candidate


def fit_on_blocks(encode, X, y, n_valid, n_classes, views, watch):
    """Fit without holding the features of all rows.

    The last `n_valid` rows choose the penalty.  Each of the `views` gives every sample
    another look: all are trained on, and scores are averaged over them.  Returned are
    the model of all rows, the accuracy of the last rows of one that has not seen them,
    and mean and standard deviation of the features.  The `watch` gets "encode" and
    "classify".
    """
    n_fit = len(X) - n_valid
    targets = one_hot(y, n_classes)
    moments, held_out = None, []
    for rows in blocks_of(n_fit):
        for view in views:
            with watch.on("encode"):
                features = encode(view(X[rows]))
            with watch.on("classify"):
                moments = moments or Moments(features, n_classes)
                moments.add(features, targets[rows])
    for view in views:
        with watch.on("encode"):
            held_out.append(encode(view(X[n_fit:])))

    def score(penalty):
        model = moments.solve(penalty)
        if model is None:
            return -1.0
        scores = sum(model.scores(features) for features in held_out)
        return float(np.mean(scores.argmax(axis=1) == y[n_fit:]))

    with watch.on("classify"):
        scores = {}
        penalty = climb(lambda p: scores.setdefault(p, score(p)), GRID)
        for features in held_out:
            for rows in blocks_of(n_valid):
                moments.add(features[rows], targets[n_fit:][rows])
        model = moments.solve(penalty)
    return model, scores[penalty], moments.standardiser()


def fit_few(features, y, n_classes, standardiser, class_weight=None):
    """Fit to few rows, with the penalty that leave-one-out errors choose.

    Some of the classes may be missing; the `standardiser`, mean and standard deviation
    of the features, is known without labels.
    """
    mean, deviation = (a.astype(np.float32) for a in standardiser)
    rows = (features - mean) / deviation
    ridge = RidgeClassifierCV(
        np.multiply(FEW_GRID, max(rows.shape)), class_weight=class_weight
    ).fit(rows, y)
    coef, intercept = ridge.coef_, np.atleast_1d(ridge.intercept_)
    if len(ridge.classes_) == 2:
        coef, intercept = np.vstack([-coef, coef]), np.hstack([-intercept, intercept])
    # A class without labels is never predicted.
    weights = np.zeros((rows.shape[1], n_classes), np.float32)
    constants = np.full(n_classes, -np.inf, np.float32)
    weights[:, ridge.classes_] = coef.T / deviation[:, None]
    constants[ridge.classes_] = intercept - mean @ weights[:, ridge.classes_]
    return Linear(weights, constants)


def fit_small(encode, X, y, n_valid, n_classes, class_weight, accuracy, watch):
    """Fit to a small data set, whose penalty leave-one-out errors choose.

    Returns what `fit_on_blocks` returns.
    """
    with watch.on("encode"):
        features = encode(X)
    with watch.on("classify"):
        deviation = features.std(axis=0, dtype=np.float64)
        standardiser = (
            features.mean(axis=0, dtype=np.float64),
            np.where(deviation > 1e-6, deviation, 1),
        )
        models = [
            fit_few(features[:n], y[:n], n_classes, standardiser, class_weight)
            for n in (len(X) - n_valid, len(X))
        ]
    scores = models[0].scores(features[-n_valid:])
    return models[1], accuracy(y[-n_valid:], scores.argmax(axis=1)), standardiser


def predict(models, encode, X, views, watch):
    """Return the classes that each of several models predicts.

    Scores are averaged over views of the samples.
    """
    predicted = []
    for rows in blocks_of(len(X)):
        scores = 0.0
        for view in views:
            with watch.on("encode"):
                features = encode(view(X[rows]))
            with watch.on("classify"):
                scores = scores + np.stack([model.scores(features) for model in models])
        predicted.append(scores.argmax(axis=2))
    return np.concatenate(predicted, axis=1)
