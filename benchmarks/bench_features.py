"""What a linear classifier makes of unsupervised features: skcae's and its peers'.

    python benchmarks/bench_features.py --data mnist [--threads 2] [--seeds 3]
    python benchmarks/bench_features.py --data cifar10_jpeg --flip --only skcae
    python benchmarks/bench_features.py --data mnist --labels 100 1000

Every method runs in a process of its own: it learns from all training samples, without
labels, encodes them, and a ridge regression is fitted to standardised features.  Its
penalty is chosen on a slice of the training samples (the last ones; of small data sets
by leave-one-out errors), then it is fitted to all.  Printed are the accuracy on that
slice, which is what to choose by, and on the test samples, both in per cent (balanced
accuracy for adrenalmnist3d_32); the number of features; the seconds of learning,
encoding (training and test samples) and classifying; and by how much memory rose.

--labels fits the classifier to so many labelled samples, the rest being known without
labels: mean and standard deviation of test accuracies over five stratified draws.
--no-test leaves the test samples alone, for choices: few labels are then judged by the
slice, which they are not drawn from.
--flip is for photographs: the classifier gets mirrored copies of the training samples
too, and averages its scores of a test sample and its mirror image.

For --data digits, rows are means over five folds of StandardScaler and
LogisticRegression: of cv=5 (writers apart) and of shuffled folds, seconds per fold.

Data sets other than digits are read from the folder that SKCAE_DATA names.
"""

import ast
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from _memory import MB, in_fresh_process, peak_memory
from _peers import NotInstalledError, make_peers
from _ridge import (
    Stopwatch,
    fit_few,
    fit_on_blocks,
    fit_small,
    predict,
)
from _timing import make_parser, parse, waiting_for
from _workloads import enlarged_digits, load_split
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skcae import ConvAutoencoderTransformer, recipes

N_DRAWS = 5
KINDS = ("learn", "encode", "classify")


@dataclass(frozen=True)
class DataSet:
    """A data set, and what suits it."""

    name: str
    recipe: str
    shape: tuple
    # The last training samples, which the penalty is chosen on.
    n_valid: int
    n_components: int
    patch_side: int
    patch_grid: int
    patch_step: int = 1
    n_words: int = 400
    channel_axis: int | None = None
    # Of which neither a slice nor blocks are worth it.
    is_small: bool = False
    is_balanced: bool = True
    top: int = 255

    @property
    def accuracy(self):
        """Function of labels and predictions."""
        return accuracy_score if self.is_balanced else balanced_accuracy_score


DATA = {
    data.name: data
    for data in (
        DataSet("mnist", "grey", (28, 28), 10_000, 150, 7, 4),
        DataSet(
            "cifar10_jpeg", "colour", (32, 32, 3), 10_000, 200, 6, 2, channel_axis=-1
        ),
        DataSet("ucr_ecg5000", "signal", (140,), 100, 40, 11, 8, is_small=True),
        DataSet("ucr_electricdevices", "signal", (96,), 1400, 40, 11, 8),
        DataSet(
            "adrenalmnist3d_32",
            "volume",
            (32, 32, 32),
            257,
            100,
            5,
            2,
            patch_step=2,
            n_words=100,
            is_small=True,
            is_balanced=False,
        ),
        DataSet("digits", "grey", (8, 8), 260, 40, 4, 2, n_words=128, top=16),
    )
}


def stand_in(data):
    """Return a few digits in the shape of a data set, with labels."""
    digits = load_digits()
    y = digits.target[:500]
    if data.name == "digits":
        X = digits.images
    elif data.shape == (28, 28) or data.channel_axis is not None:
        X = enlarged_digits(500, data.shape[0])
    elif len(data.shape) == 1:
        X = digits.data[:, np.arange(data.shape[0]) * 64 // data.shape[0]]
    else:
        X, y = enlarged_digits(120, 32)[:, None].repeat(32, axis=1), y[:120] > 6
    if data.channel_axis is not None:
        X = X[..., None].repeat(data.shape[-1], axis=-1)
    return X[: len(y)].astype(np.float32), y


def read(data, n_samples=None, quick=False):
    """Return X_train, y_train, X_test and y_test; labels count from 0.

    Parameters
    ----------
    data : DataSet
        Which.
    n_samples : int or None, default=None
        Training samples to take: the first ones.
    quick : bool, default=False
        Whether a stand-in will do.
    """
    folder = os.environ.get("SKCAE_DATA")
    if quick or data.name == "digits":
        X, y = stand_in(data) if quick else load_digits(return_X_y=True)
        X = X.reshape(-1, *data.shape)
        split = train_test_split(X, y, test_size=0.28, stratify=y, random_state=0)
        X_train, X_test, y_train, y_test = split
    elif folder:
        X_train, y_train, X_test, y_test = load_split(data.name, folder)
        X_train, X_test = (X.reshape(-1, *data.shape) for X in (X_train, X_test))
    else:
        raise SystemExit(f"Found no {data.name}: set SKCAE_DATA to the folder it is in")
    X_train, y_train = X_train[:n_samples], y_train[:n_samples]
    if data.is_small:
        # The last samples may be of one kind.
        order = np.random.default_rng(0).permutation(len(X_train))
        X_train, y_train = X_train[order], y_train[order]
    classes, y = np.unique(np.concatenate([y_train, y_test]), return_inverse=True)
    return X_train, y[: len(y_train)], X_test, y[len(y_train) :]


def mirrored(X):
    """Return photographs as a mirror shows them."""
    return X[:, :, ::-1]


def unchanged(X):
    """Return samples as they are."""
    return X


def make_methods(data, arguments):
    """Return functions of a seed that make transformers, by name."""
    recipe = dict(recipes[arguments.recipe or data.recipe])
    recipe |= dict(arguments.params)
    if data.channel_axis is not None:
        recipe["channel_axis"] = data.channel_axis
    if arguments.quick:
        recipe |= {"n_filters": (8, 2), "max_epochs": 1}
    # How else filters may be found; where it is the recipe's own way, once is enough.
    n_epochs = recipe.get("max_epochs") or 10
    starts = {
        "recipe": {},
        "k-means alone": {"init": "kmeans", "max_epochs": 0},
        "trained from k-means": {"init": "kmeans", "max_epochs": n_epochs},
        "trained from random": {"init": "random", "max_epochs": n_epochs},
        "random alone": {"init": "random", "max_epochs": 0},
    }

    def make(start, seed):
        return ConvAutoencoderTransformer(
            **recipe | start | {"random_state": seed, "device": arguments.device}
        )

    ours = {
        f"skcae, {name}": lambda seed, start=start: make(start, seed)
        for name, start in starts.items()
        if not start or not start.items() <= recipe.items()
    }
    return make_peers(data, arguments.quick, arguments.device) | ours


@dataclass
class Row:
    """What is printed of a method."""

    n_features: int
    accuracies: tuple
    seconds: tuple
    # Mean and standard deviation for each number of labels.
    few: tuple = ()
    peak: float = np.nan


def stratified(y, n_samples, seed):
    """Draw samples of every class in proportion, also where a class has one or two."""
    rng = np.random.default_rng(seed)
    place = np.empty(len(y))
    for label in np.unique(y):
        (rows,) = np.nonzero(y == label)
        place[rows] = (rng.permutation(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place)[:n_samples]


class Evaluation:
    """One method on one data set.

    Parameters
    ----------
    data : DataSet
        What is known of it.
    method : transformer
        Not yet fitted.
    split : tuple of ndarray
        As `read` returns it.
    arguments : argparse.Namespace
        Of the script.
    """

    def __init__(self, data, method, split, arguments):
        self.data, self.method, self.arguments = data, method, arguments
        self.X, self.y, self.X_test, self.y_test = split
        self.n_classes = int(max(self.y.max(), self.y_test.max())) + 1
        self.n_valid = min(data.n_valid, len(self.X) // 4)
        self.views = (unchanged, mirrored) if arguments.flip else (unchanged,)
        self.class_weight = None if data.is_balanced else "balanced"
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.watch = Stopwatch(waiting_for(device))

    def encode(self, X):
        """Return features, in float32."""
        return np.asarray(self.method.transform(X), dtype=np.float32)

    def run(self):
        """Return the row."""
        with self.watch.on("learn"):
            self.method.fit(self.X)
        model, valid_accuracy, standardiser = self._fit()
        models = [model]
        for n_labels in self.arguments.labels:
            models += self._fit_draws(n_labels, standardiser)
        accuracies = self._test(models)
        draws = accuracies[1:].reshape(-1, N_DRAWS)
        few = tuple((draw.mean(), draw.std()) for draw in draws)
        seconds = tuple(self.watch.seconds[what] for what in KINDS)
        return Row(len(model.coef), (valid_accuracy, accuracies[0]), seconds, few)

    def _test(self, models):
        """Return the accuracy of each model on samples it has not seen."""
        X, y, watch = self.X_test, self.y_test, self.watch
        if self.arguments.no_test:
            # The first model has seen all training samples, the others have not.
            X, y, watch = self.X[-self.n_valid :], self.y[-self.n_valid :], Stopwatch()
        predicted = predict(models, self.encode, X, self.views, watch)
        accuracies = np.array([self.data.accuracy(y, p) for p in predicted])
        if self.arguments.no_test:
            accuracies[0] = np.nan
        return accuracies

    def _fit(self):
        common = (self.encode, self.X, self.y, self.n_valid, self.n_classes)
        if self.data.is_small:
            weights = (self.class_weight, self.data.accuracy)
            return fit_small(*common, *weights, self.watch)
        return fit_on_blocks(*common, self.views, self.watch)

    def _fit_draws(self, n_labels, standardiser):
        """Return classifiers of several draws of a few labelled samples."""
        models = []
        for seed in range(N_DRAWS):
            rows = stratified(self.y[: -self.n_valid], n_labels, seed)
            features = self.encode(self.X[rows])
            models.append(
                fit_few(
                    features,
                    self.y[rows],
                    self.n_classes,
                    standardiser,
                    self.class_weight,
                )
            )
        return models


def cross_validated(method, arguments):
    """Return the row of a method on digits, as users would get it."""
    n_samples, n_folds = (200, 2) if arguments.quick else (None, 5)
    X, y = load_digits().images[:n_samples], load_digits().target[:n_samples]
    watch, accuracies = Stopwatch(), []
    for cv in (
        StratifiedKFold(n_folds),
        StratifiedKFold(n_folds, shuffle=True, random_state=arguments.seed),
    ):
        of_folds = []
        for train, test in cv.split(X, y):
            with watch.on("learn"):
                method.fit(X[train])
            with watch.on("encode"):
                features, unseen = method.transform(X[train]), method.transform(X[test])
            with watch.on("classify"):
                classifier = make_pipeline(
                    StandardScaler(), LogisticRegression(C=arguments.C, max_iter=1000)
                ).fit(features, y[train])
                of_folds.append(classifier.score(unseen, y[test]))
        accuracies.append(np.mean(of_folds))
    seconds = tuple(watch.seconds[what] / (2 * n_folds) for what in KINDS)
    return Row(features.shape[1], tuple(accuracies), seconds)


def measure(name, files, arguments):
    """Return the row of one method and seed, or why there is none.

    Runs in a process of its own, so that no method finds memory that another left.
    """
    torch.set_num_threads(arguments.threads)
    # Imports that wait for a first fit are nobody's costs.
    ConvAutoencoderTransformer(max_epochs=1, device=arguments.device).fit(
        np.eye(16, dtype=np.float32)
    )
    data = DATA[arguments.data]
    split = [np.load(file) for file in files]
    found = []

    def work():
        if is_cross_validated(arguments):
            found.append(cross_validated(method, arguments))
        else:
            found.append(Evaluation(data, method, split, arguments).run())

    with threadpool_limits(arguments.threads):
        try:
            method = make_methods(data, arguments)[name](arguments.seed)
        except NotInstalledError as error:
            return str(error)
        if not Path("/proc/self/clear_refs").exists():
            work()
            return found[0]
        total, _ = peak_memory(work)
    return replace(found[0], peak=total)


def is_cross_validated(arguments):
    """Whether rows are of folds: digits are too few to be cut once."""
    return arguments.data == "digits" and not arguments.labels


def assignment(text):
    """Return name and value of "name=literal"."""
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def print_header(data, split, arguments):
    """Print what follows is about."""
    X_train, _, X_test, _ = split
    columns = "valid.   test"
    if is_cross_validated(arguments):
        columns = " cv=5  shuff."
    else:
        print(
            f"{data.name}: {len(X_train)} training and {len(X_test)} test samples of "
            f"shape {data.shape}"
        )
    few = "".join(f"  {f'{n} labels':>13}" for n in arguments.labels)
    print(
        f"{'':<34}{columns}  features    learn   encode classify   total s   peak MB"
        + few
    )


def print_row(name, row):
    """Print figures."""
    accuracies = " ".join(f"{100 * value:6.2f}" for value in row.accuracies)
    accuracies = accuracies.replace("nan", "  -")
    seconds = " ".join(f"{value:8.1f}" for value in row.seconds)
    few = "".join(f"   {100 * mean:6.2f} ({100 * sd:3.1f})" for mean, sd in row.few)
    print(
        f"{name:<33}{accuracies} {row.n_features:9d} {seconds} {sum(row.seconds):9.1f} "
        f"{row.peak / MB:9.0f}{few}",
        flush=True,
    )


def mean_of(rows):
    """Return the row of means over seeds."""
    names = ("accuracies", "seconds", "few")
    means = {
        name: tuple(np.mean([getattr(row, name) for row in rows], axis=0))
        for name in names
    }
    return replace(rows[0], **means, peak=max(row.peak for row in rows))


def make_arguments():
    """Return the parsed command line."""
    parser = make_parser(__doc__, threads=True)
    parser.add_argument("--data", choices=list(DATA), default="digits")
    parser.add_argument("--seeds", type=int, default=1, help="of what has any")
    parser.add_argument("--only", nargs="+", default=[""], help="parts of names")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--labels", type=int, nargs="+", default=[])
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--no-test", action="store_true", help="to choose by the slice")
    parser.add_argument("--n-samples", type=int, help="training samples to take")
    parser.add_argument("--recipe", choices=list(recipes), help="another than usual")
    parser.add_argument(
        "--params",
        type=assignment,
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="that the recipe is changed by",
    )
    parser.add_argument("--C", type=float, default=1.0, help="of digits' classifier")
    arguments = parse(parser)
    if arguments.flip and (DATA[arguments.data].channel_axis is None):
        parser.error("--flip is for photographs")
    if arguments.flip and arguments.labels:
        parser.error("a mirror image of the sample left out tells its label: no --flip")
    return arguments


def main():
    """Print a table."""
    arguments = make_arguments()
    data = DATA[arguments.data]
    split = read(data, arguments.n_samples, arguments.quick)
    n_drawn_from = len(split[0]) - min(data.n_valid, len(split[0]) // 4)
    arguments.labels = [n for n in arguments.labels if n <= n_drawn_from]
    print_header(data, split, arguments)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.npy" for i in range(len(split))]
        for file, array in zip(files, split, strict=True):
            np.save(file, array)
        for name in make_methods(data, arguments):
            if not any(part in name for part in arguments.only):
                continue
            rows = []
            for seed in range(arguments.seeds if name != "raw" else 1):
                arguments.seed = seed
                row = in_fresh_process(measure, name, files, arguments)
                if isinstance(row, str):
                    print(f"{name:<33} not installed ({row})")
                    break
                rows.append(row)
                print_row(f"{name}, seed {seed}" if arguments.seeds > 1 else name, row)
            if len(rows) > 1:
                print_row(f"{name}, mean", mean_of(rows))


if __name__ == "__main__":
    main()
