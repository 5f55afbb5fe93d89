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

import os
from dataclasses import dataclass, replace

import numpy as np
from _peers import NotInstalledError, as_rows
from _ridge import Stopwatch
from _timing import make_parser, parse
from _workloads import load_split
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import OneClassSVM
from threadpoolctl import threadpool_limits

from skcae import ConvAutoencoderOutlierDetector

N_SLICES = 6


@dataclass(frozen=True)
class DataSet:
    """A data set, and what suits it."""

    name: str
    # Classes that are normal, each in its turn.
    normal: tuple
    # What PCA rebuilds best with, on training samples.
    n_components: int
    top: float = 1.0


DATA = {
    data.name: data
    for data in (
        DataSet("mnist", tuple(range(10)), 25, top=255.0),
        DataSet("ucr_ecg5000", (0,), 5),
        DataSet("digits", tuple(range(10)), 10, top=16.0),
    )
}


def read(data, quick):
    """Return X_train, y_train, X_test and y_test; a few digits if in a hurry."""
    folder = os.environ.get("SKCAE_DATA")
    if quick or data.name == "digits":
        digits = load_digits()
        split = train_test_split(
            digits.images, digits.target, test_size=0.4, random_state=0
        )
        X_train, X_test, y_train, y_test = split
    elif folder:
        X_train, y_train, X_test, y_test = load_split(data.name, folder)
    else:
        raise SystemExit(f"Found no {data.name}: set SKCAE_DATA to the folder it is in")
    return [
        array.astype(np.float32) / np.float32(data.top) if array.ndim > 1 else array
        for array in (X_train, y_train, X_test, y_test)
    ]


class OfRows:
    """A detector behind samples as rows; the higher its score the odder.

    Parameters
    ----------
    fit : callable
        Gets rows, and returns a function of rows that returns scores.
    """

    def __init__(self, fit):
        self._fit = fit

    def fit(self, X):
        """Learn from normal samples."""
        self._score = self._fit(as_rows(X))
        return self

    def score_samples(self, X):
        """Return how normal samples are."""
        return -self._score(as_rows(X))


def pca(n_components):
    """Return a function that fits the reconstruction error of a PCA."""

    def fit(rows):
        model = PCA(n_components, random_state=0).fit(rows)

        def score(rows):
            rebuilt = model.inverse_transform(model.transform(rows))
            return np.square(rows - rebuilt).mean(axis=1)

        return score

    return fit


def isolation_forest(seed):
    """Return a function that fits scikit-learn's isolation forest."""

    def fit(rows):
        model = IsolationForest(random_state=seed).fit(rows)
        return lambda rows: -model.score_samples(rows)

    return fit


def one_class_svm(rows):
    """Fit scikit-learn's one-class support vector machine."""
    model = OneClassSVM(nu=0.1).fit(rows)
    return lambda rows: -model.score_samples(rows)


def neighbours(rows):
    """Fit the mean distance from the five nearest training samples."""
    model = NearestNeighbors(n_neighbors=5).fit(rows)
    return lambda rows: model.kneighbors(rows)[0].mean(axis=1)


def pyod_autoencoder(seed):
    """Return a function that fits pyod's autoencoder."""
    try:
        from pyod.models.auto_encoder import AutoEncoder
    except ImportError as error:
        raise NotInstalledError("pyod", error) from None

    def fit(rows):
        # Standardised pixels, its default, are worse: .84 to .86 on slices of MNIST.
        model = AutoEncoder(
            preprocessing=False, random_state=seed, verbose=0, device="cpu"
        )
        model.fit(rows)
        return model.decision_function

    return fit


def make_methods(data):
    """Return functions of a seed that make detectors, by name."""

    def ours(criterion):
        return lambda seed: ConvAutoencoderOutlierDetector(
            criterion=criterion, random_state=seed
        )

    return {
        "skcae, features": ours("features"),
        "skcae, reconstruction": ours("reconstruction"),
        "pyod AutoEncoder": lambda seed: OfRows(pyod_autoencoder(seed)),
        f"PCA({data.n_components}) reconstruction": lambda seed: OfRows(
            pca(data.n_components)
        ),
        "IsolationForest": lambda seed: OfRows(isolation_forest(seed)),
        "OneClassSVM": lambda seed: OfRows(one_class_svm),
        "5 nearest neighbours": lambda seed: OfRows(neighbours),
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


def make_arguments():
    """Return the parsed command line."""
    parser = make_parser(__doc__, threads=True)
    parser.add_argument("--data", choices=list(DATA), default="digits")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of names")
    parser.add_argument("--valid", action="store_true", help="no test samples")
    return parse(parser)


def main():
    """Print a table."""
    arguments = make_arguments()
    data = DATA[arguments.data]
    if arguments.quick:
        data = replace(data, normal=data.normal[:2])
    split = read(data, arguments.quick)
    classes = "".join(f"{normal:>7}" for normal in data.normal)
    print(f"{'':<24}   mean spread  learn s  score s{classes}")
    for name, method in make_methods(data).items():
        if not any(part in name for part in arguments.only):
            continue
        try:
            with threadpool_limits(arguments.threads):
                areas, seconds = evaluate(method, data, split, arguments)
        except NotInstalledError as error:
            print(f"{name:<24} not installed ({error})")
            continue
        means = 100 * areas.mean(axis=1)
        of_classes = "".join(f"{100 * area:7.2f}" for area in areas.mean(axis=0))
        print(
            f"{name:<24} {means.mean():6.2f} {np.ptp(means):6.2f} {seconds[0]:8.1f} "
            f"{seconds[1]:8.1f}{of_classes}",
            flush=True,
        )


if __name__ == "__main__":
    main()
