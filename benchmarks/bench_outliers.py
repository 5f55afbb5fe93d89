"""Finding samples of other kinds than those learnt from: skcae's detector and peers.

    python benchmarks/bench_outliers.py --data mnist [--threads 2] [--only skcae PCA]
    python benchmarks/bench_outliers.py --data ucr_ecg5000 [--seeds 5]

Each method learns from the training samples of one class alone, and scores the test
samples of all classes.  Printed are the mean of the areas under the ROC curve (in per
cent) over all classes that are learnt in turn, the spread of seeds, the seconds of all
fits and of all scores, and the areas of each class.
--valid leaves the test samples alone, for choices: methods learn from five of six
training samples of the class, and score the sixth and as many of each other class.

pyod's AutoEncoder is left out where pyod is not installed.  Data sets other than digits
are read from the folder that SKCAE_DATA names.
"""

from dataclasses import replace

import numpy as np
from _data import DATA, read
from _peers import as_rows
from _script import NotInstalledError, Table, chosen, make_parser, optional, parse
from _timing import Stopwatch
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import OneClassSVM
from threadpoolctl import threadpool_limits

from skcae import ConvAutoencoderOutlierDetector

N_SLICES = 6


class RebuildingPCA(PCA):
    """Scores samples by how well principal components rebuild them."""

    def score_samples(self, X):
        """Return minus the mean squared error of each sample."""
        rebuilt = self.inverse_transform(self.transform(X))
        return -np.square(X - rebuilt).mean(axis=1)


class Neighbours(NearestNeighbors):
    """Scores samples by how near the nearest training samples are."""

    def score_samples(self, X):
        """Return minus the mean distance from the neighbours of each sample."""
        return -self.kneighbors(X)[0].mean(axis=1)


class PyodAutoEncoder(BaseEstimator):
    """pyod's autoencoder."""

    def __init__(self, seed):
        self.seed = seed
        self._kind = optional("pyod.models.auto_encoder", "AutoEncoder")

    def fit(self, X, y=None):
        """Learn from normal samples."""
        # Standardised pixels, its default, are worse: .84 to .86 on slices of MNIST.
        self.model_ = self._kind(
            preprocessing=False, random_state=self.seed, verbose=0, device="cpu"
        )
        self.model_.fit(X)
        return self

    def score_samples(self, X):
        """Return how normal samples are."""
        return -self.model_.decision_function(X)


def make_methods(data):
    """Return functions of a seed that make detectors, by name."""

    def ours(criterion):
        return lambda seed: ConvAutoencoderOutlierDetector(
            criterion=criterion, random_state=seed
        )

    def of_rows(make):
        return lambda seed: make_pipeline(FunctionTransformer(as_rows), make(seed))

    n_components = data.n_rebuilding
    return {
        "skcae, features": ours("features"),
        "skcae, reconstruction": ours("reconstruction"),
        "pyod AutoEncoder": of_rows(PyodAutoEncoder),
        f"PCA({n_components}) reconstruction": of_rows(
            lambda seed: RebuildingPCA(n_components, random_state=0)
        ),
        "IsolationForest": of_rows(lambda seed: IsolationForest(random_state=seed)),
        "OneClassSVM": of_rows(lambda seed: OneClassSVM(nu=0.1)),
        "5 nearest neighbours": of_rows(lambda seed: Neighbours(n_neighbors=5)),
    }


def held_out(X, y, normal):
    """Return training samples of a class, and others that it may be judged by."""
    (rows,) = np.nonzero(y == normal)
    n_valid = len(rows) // N_SLICES
    others = [
        np.flatnonzero(y == label)[-n_valid:] for label in np.unique(y[y != normal])
    ]
    rows, judged = rows[:-n_valid], np.concatenate([rows[-n_valid:], *others])
    return X[rows], X[judged], y[judged] == normal


def evaluate(method, data, split, arguments):
    """Return the area under the ROC curve of each class and seed, and seconds."""
    X, y, X_test, y_test = split
    watch, areas = Stopwatch(), []
    for seed in range(arguments.seeds):
        for normal in data.normal:
            if arguments.valid:
                train, judged, is_normal = held_out(X, y, normal)
            else:
                train, judged, is_normal = X[y == normal], X_test, y_test == normal
            with watch.on("learn"):
                detector = method(seed).fit(train)
            with watch.on("score"):
                scores = detector.score_samples(judged)
            areas.append(roc_auc_score(is_normal, scores))
    seconds = watch.seconds["learn"], watch.seconds["score"]
    return np.reshape(areas, (arguments.seeds, -1)), seconds


def main():
    """Print a table."""
    data = tuple(name for name, one in DATA.items() if one.normal)
    parser = make_parser(__doc__, threads=True, data=data)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--valid", action="store_true", help="no test samples")
    arguments = parse(parser)
    data = DATA[arguments.data]
    if arguments.quick:
        data = replace(data, normal=data.normal[:2])
    X, y, X_test, y_test = read(
        data, arguments, test_size=0.4, stratified=False, in_order=True
    )
    X, X_test = (a.astype(np.float32) / np.float32(data.top) for a in (X, X_test))
    columns = {"mean": "6.2f", "spread": "6.2f", "learn s": "8.1f", "score s": "8.1f"}
    table = Table(24, columns | dict.fromkeys(map(str, data.normal), "6.2f"))
    for name, method in chosen(make_methods(data), arguments):
        try:
            with threadpool_limits(arguments.threads):
                areas, seconds = evaluate(
                    method, data, (X, y, X_test, y_test), arguments
                )
        except NotInstalledError as error:
            print(f"{name:<24} not installed ({error})")
            continue
        means = 100 * areas.mean(axis=1)
        of_classes = 100 * areas.mean(axis=0)
        table.row(name, means.mean(), np.ptp(means), *seconds, *of_classes)


if __name__ == "__main__":
    main()
