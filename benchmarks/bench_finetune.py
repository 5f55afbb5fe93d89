"""What fine-tuning makes of few and many labels, against the same network and others.

    python benchmarks/bench_finetune.py --data mnist --labels 100 1000 [--draws 5]
    python benchmarks/bench_finetune.py --data mnist --labels 10000 all --draws 1
    python benchmarks/bench_finetune.py --data cifar10_jpeg --labels 1000 10000 all

Every draw gives labels to so many training samples, classes in proportion; the others
are known without labels.  Printed are mean and standard deviation over draws of the
error on the test samples, in per cent, the seconds of one fit, and those of learning
the autoencoder from all training samples, which is done once for all draws.

"fine-tuned" is ConvAutoencoderClassifier, "head alone" the same with an encoder that is
frozen for good, and "random weights" the same network whose encoder starts at random.
Logistic regression sees pixels.  So do SelfTrainingClassifier and LabelSpreading, which
get as many samples without labels as --unlabelled says, not all: the first is fitted
ten times to them, and the second keeps a graph of them.

--no-test leaves the test samples alone, for choices: errors are then those on the last
training samples, which no labels are drawn from.
--recipe large is a larger network, trained for longer: for a GPU.

Data sets other than digits are read from the folder that SKCAE_DATA names.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from _data import DATA, draw_stratified, read
from _script import Table, add_changes, add_learning_options, chosen, make_parser, parse
from _timing import Stopwatch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skcae import ConvAutoencoderClassifier, ConvAutoencoderTransformer, recipes

# A plain network of three stages.
_STACK = {
    "kernel_size": (5, 3, 3),
    "layerwise": True,
    "sparsity": "winner_take_all",
    "lr": 0.01,
    "max_epochs": 5,
    "max_samples": 6400,
}


# As autoencoders, which learn from random filters what rebuilds the samples.
_TRAINED = {"init": "random", "sparsity_level": 0.1}
_GREY = recipes["grey"] | _TRAINED
_COLOUR = recipes["colour"] | _TRAINED
_RATES = {"lr": 1e-2, "encoder_lr": 1e-3}
_LONG = {"batch_size": 128, "dropout": 0.5}
# Data, size and for up to how many labels; autoencoder and classifier, which have been
# chosen on the slice.
NETWORKS = (
    ("digits", "small", np.inf, recipes["small"], {"shift": 1}),
    ("mnist", "small", 2000, _GREY, _RATES | {"max_epochs": 10, "shift": 2}),
    (
        "mnist",
        "small",
        np.inf,
        _GREY,
        _RATES | {"max_epochs": 12, "frozen_epochs": 10, "batch_size": 64},
    ),
    (
        "cifar10_jpeg",
        "small",
        np.inf,
        _COLOUR,
        _RATES | {"max_epochs": 5, "flip": True},
    ),
    (
        "mnist",
        "large",
        np.inf,
        _STACK | {"n_filters": (64, 128, 256), "max_epochs": 20},
        _LONG | {"max_epochs": 60, "shift": 2},
    ),
    (
        "cifar10_jpeg",
        "large",
        np.inf,
        _STACK | {"n_filters": (128, 256, 512), "channel_axis": -1, "whiten": 0.1},
        _LONG | {"max_epochs": 100, "shift": 3, "flip": True, "label_smoothing": 0.1},
    ),
)


def network_for(arguments, n_labels):
    """Return parameters of autoencoder and classifier for some number of labels."""
    asked = (arguments.data, arguments.recipe)
    found = [row for row in NETWORKS if row[:2] == asked and n_labels <= row[2]]
    if not found:
        raise SystemExit(f"Found no network for {arguments.data}: write one down")
    autoencoder, classifier = (dict(params) for params in found[0][3:])
    if arguments.quick:
        small = {"n_filters": 4, "max_epochs": 1}
        if "depthwise" in autoencoder:
            small["n_filters"] = (4, 2)
        elif autoencoder.get("layerwise"):
            small["n_filters"] = (4, 4, 4)
        autoencoder |= small
        classifier |= {"max_epochs": 1}
    device = {"device": arguments.device}
    return (
        autoencoder | dict(arguments.autoencoder) | device,
        classifier | dict(arguments.params) | device,
    )


class Autoencoders:
    """Autoencoders of all training samples, each of them fitted once."""

    def __init__(self, X):
        self.X, self.fitted = X, {}

    def get(self, params):
        """Return a fitted autoencoder, and the seconds that it took."""
        key = repr(sorted(params.items()))
        if key not in self.fitted:
            watch = Stopwatch()
            with watch.on("fit"):
                cae = ConvAutoencoderTransformer(**params, random_state=0).fit(self.X)
            self.fitted[key] = cae, watch.seconds["fit"]
        return self.fitted[key]


def ours(kind):
    """Return a function that makes a classifier of ours, not yet fitted."""

    def make(arguments, n_labels, autoencoders, seed):
        autoencoder, classifier = network_for(arguments, n_labels)
        if kind == "random weights":
            autoencoder = autoencoder | {"max_epochs": 0, "init": "random"}
        if kind == "head alone":
            frozen = {"frozen_epochs": "all", "shift": 0, "flip": False}
            classifier = classifier | frozen
        cae, seconds = autoencoders.get(autoencoder)
        return ConvAutoencoderClassifier(cae, random_state=seed, **classifier), seconds

    return make


def of_pixels(classifier):
    """Return a function that gives a classifier rows of values up to 1."""

    def make(arguments, n_labels, autoencoders, seed):
        return make_pipeline(FunctionTransformer(to_rows), classifier), 0.0

    return make


def to_rows(X):
    """Return samples as rows of values up to 1."""
    return X.reshape(len(X), -1).astype(np.float32) / max(X.max(), 1)


_REGRESSION = LogisticRegression(C=0.1, max_iter=200)
SEMI_SUPERVISED = {
    "self-training": of_pixels(SelfTrainingClassifier(_REGRESSION, threshold=0.9)),
    "label spreading": of_pixels(
        LabelSpreading(kernel="knn", n_neighbors=7, alpha=0.2)
    ),
}
METHODS = {
    "skcae, fine-tuned": ours("fine-tuned"),
    "skcae, head alone": ours("head alone"),
    "random weights": ours("random weights"),
    "logistic regression": of_pixels(_REGRESSION),
    **SEMI_SUPERVISED,
}


@dataclass
class Split:
    """Samples to learn from and samples to judge by."""

    X: np.ndarray
    y: np.ndarray
    n_drawn_from: int
    X_judged: np.ndarray
    y_judged: np.ndarray


def split_of(arguments):
    """Return the samples of a data set."""
    data = DATA[arguments.data]
    X, y, X_test, y_test = read(data, arguments)
    if not arguments.no_test:
        return Split(X, y, len(X), X_test, y_test)
    n_valid = data.n_held_out(len(X))
    # One after the other: those of MNIST are easy and hard in turns.
    judged = slice(len(X) - n_valid, len(X) - n_valid + arguments.judged)
    return Split(X, y, len(X) - n_valid, X[judged], y[judged])


def training_samples(name, split, n_labels, seed, n_unlabelled):
    """Return samples and labels of one draw, as a method gets them."""
    rows = draw_stratified(split.y[: split.n_drawn_from], n_labels, seed)
    if name.startswith(("skcae", "random")):
        y = np.full(len(split.y), -1)
        y[rows] = split.y[rows]
        return split.X, y
    if name not in SEMI_SUPERVISED:
        return split.X[rows], split.y[rows]
    others = np.setdiff1d(np.arange(len(split.y)), rows)
    rng = np.random.default_rng(seed)
    others = rng.permutation(others)[:n_unlabelled]
    y = np.concatenate([split.y[rows], np.full(len(others), -1)])
    return split.X[np.concatenate([rows, others])], y


def figures_of(name, split, n_labels, autoencoders, arguments):
    """Return errors of several draws, seconds of a fit and of what came before."""
    errors, watch, before = [], Stopwatch(), 0.0
    n_draws = 1 if n_labels == split.n_drawn_from else arguments.draws
    for seed in range(n_draws):
        model, before = METHODS[name](arguments, n_labels, autoencoders, seed)
        X, y = training_samples(name, split, n_labels, seed, arguments.unlabelled)
        with (
            warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
            watch.on("fit"),
        ):
            # Label spreading divides by zero where a part of its graph has no label.
            warnings.simplefilter("ignore", RuntimeWarning)
            model.fit(X, y)
        errors.append(100 - 100 * model.score(split.X_judged, split.y_judged))
    return errors, watch.seconds["fit"] / n_draws, before


def number_of_labels(text):
    """Return a number, None for "all"."""
    return None if text == "all" else int(text)


def make_arguments():
    """Return the parsed command line."""
    data = ("digits", "mnist", "cifar10_jpeg")
    parser = make_parser(__doc__, threads=True, data=data)
    add_learning_options(parser)
    parser.add_argument(
        "--labels", type=number_of_labels, nargs="+", default=[100, 1000, 10000, None]
    )
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--recipe", choices=["small", "large"], default="small")
    parser.add_argument("--unlabelled", type=int, default=10_000)
    parser.add_argument("--judged", type=int, default=10_000, help="of the slice")
    add_changes(parser, "--params", "classifier")
    add_changes(parser, "--autoencoder", "autoencoder")
    return parse(parser)


def main():
    """Print a table."""
    arguments = make_arguments()
    split = split_of(arguments)
    if arguments.quick:
        arguments.draws, arguments.unlabelled = 2, 100
    print(
        f"{arguments.data}: {len(split.X)} training samples, errors of "
        f"{len(split.X_judged)} others"
    )
    table = Table(
        30,
        {"error %": "7.2f", "(s.d.)": "7s", "fit s": "8.1f", "autoencoder s": "13.1f"},
    )
    autoencoders = Autoencoders(split.X)
    for n_labels in arguments.labels:
        n_labels = min(n_labels or split.n_drawn_from, split.n_drawn_from)
        for name, _ in chosen(METHODS, arguments):
            if name in SEMI_SUPERVISED and n_labels == len(split.X):
                continue  # nothing is without a label
            errors, *seconds = figures_of(
                name, split, n_labels, autoencoders, arguments
            )
            deviation = f"({np.std(errors):.2f})" if len(errors) > 1 else ""
            table.row(f"{n_labels:6d}  {name}", np.mean(errors), deviation, *seconds)


if __name__ == "__main__":
    main()
