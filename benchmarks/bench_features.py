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

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from _data import DATA, draw_stratified, read
from _memory import CAN_MEASURE, MB, in_fresh_process, peak_memory
from _peers import make_peers
from _ridge import fit_few, fit_on_blocks, fit_small, predict
from _script import (
    NotInstalledError,
    Table,
    add_changes,
    add_learning_options,
    chosen,
    make_parser,
    parse,
)
from _timing import Stopwatch, waiting_for
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skcae import ConvAutoencoderTransformer, recipes

N_DRAWS = 5
KINDS = ("learn", "encode", "classify")


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
    if data.has_channels:
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

    def cells(self):
        """Return figures in the order of the columns."""
        few = (f"{100 * mean:.2f} ({100 * sd:3.1f})" for mean, sd in self.few)
        accuracies = (100 * value for value in self.accuracies)
        seconds = *self.seconds, sum(self.seconds)
        return *accuracies, self.n_features, *seconds, self.peak / MB, *few


def mean_of(rows):
    """Return the row of means over seeds."""
    means = {
        name: tuple(np.mean([getattr(row, name) for row in rows], axis=0))
        for name in ("accuracies", "seconds", "few")
    }
    return replace(rows[0], **means, peak=max(row.peak for row in rows))


class Evaluation:
    """One method, not yet fitted, on one data set."""

    def __init__(self, data, method, split, arguments):
        self.data, self.method, self.arguments = data, method, arguments
        self.X, self.y, self.X_test, self.y_test = split
        self.n_classes = int(max(self.y.max(), self.y_test.max())) + 1
        self.n_valid = data.n_held_out(len(self.X))
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
            rows = draw_stratified(self.y[: -self.n_valid], n_labels, seed)
            features = self.encode(self.X[rows])
            known = self.n_classes, standardiser, self.class_weight
            models.append(fit_few(features, self.y[rows], *known))
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


def is_cross_validated(arguments):
    """Whether rows are of folds: digits are too few to be cut once."""
    return arguments.data == "digits" and not arguments.labels


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
    rows = []

    def work():
        if is_cross_validated(arguments):
            rows.append(cross_validated(method, arguments))
        else:
            rows.append(Evaluation(data, method, split, arguments).run())

    with threadpool_limits(arguments.threads):
        try:
            method = make_methods(data, arguments)[name](arguments.seed)
        except NotInstalledError as error:
            return str(error)
        peak = peak_memory(work)[0] if CAN_MEASURE else work() or np.nan
    return replace(rows[0], peak=peak)


def make_table(data, split, arguments):
    """Print what the rows are about, and return their table."""
    if is_cross_validated(arguments):
        accuracies = ("cv=5", "shuff.")
    else:
        accuracies = ("valid.", "test")
        print(
            f"{data.name}: {len(split[0])} training and {len(split[2])} test samples "
            f"of shape {data.shape}"
        )
    columns = dict.fromkeys(accuracies, "6.2f") | {"features": "9d"}
    columns |= dict.fromkeys((*KINDS, "total s"), "8.1f") | {"peak MB": "8.0f"}
    return Table(33, columns | {f"{n} labels": "14s" for n in arguments.labels})


def make_arguments():
    """Return the parsed command line."""
    parser = make_parser(__doc__, threads=True, data=tuple(DATA))
    add_learning_options(parser)
    parser.add_argument("--seeds", type=int, default=1, help="of what has any")
    parser.add_argument("--labels", type=int, nargs="+", default=[])
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--recipe", choices=list(recipes), help="another than usual")
    add_changes(parser, "--params", "recipe")
    parser.add_argument("--C", type=float, default=1.0, help="of digits' classifier")
    arguments = parse(parser)
    if arguments.flip and not DATA[arguments.data].has_channels:
        parser.error("--flip is for photographs")
    if arguments.flip and arguments.labels:
        parser.error("a mirror image of the sample left out tells its label: no --flip")
    return arguments


def main():
    """Print a table."""
    arguments = make_arguments()
    data = DATA[arguments.data]
    split = read(data, arguments)
    n_drawn_from = len(split[0]) - data.n_held_out(len(split[0]))
    arguments.labels = [n for n in arguments.labels if n <= n_drawn_from]
    table = make_table(data, split, arguments)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.npy" for i in range(len(split))]
        for file, array in zip(files, split, strict=True):
            np.save(file, array)
        for name, _ in chosen(make_methods(data, arguments), arguments):
            rows = []
            for seed in range(arguments.seeds if name != "raw" else 1):
                arguments.seed = seed
                row = in_fresh_process(measure, name, files, arguments)
                if isinstance(row, str):
                    print(f"{name:<33} not installed ({row})")
                    break
                rows.append(row)
                title = f"{name}, seed {seed}" if arguments.seeds > 1 else name
                table.row(title, *row.cells())
            if len(rows) > 1:
                table.row(f"{name}, mean", *mean_of(rows).cells())


if __name__ == "__main__":
    main()
