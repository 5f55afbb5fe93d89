"""How good the defaults are, against every recipe by name, PCA and raw samples.

    python benchmarks/bench_defaults.py [--data mnist digits ...] [--seeds 3]
        [--n-samples 5000] [--n-test 5000] [--threads 1] [--quick]

Data sets are those of the folder SKCAE_DATA, without it digits alone. All features get
the same ridge regression, whose penalty leave-one-out errors choose. Prints accuracies
on test samples with all labels and with 20 of each class, the variance of the test
samples that the reconstruction explains, the seconds of fit and of transform of the
training samples, and the same for codes of 64 components. PCA has as many components as
the default has features, or as there are. Figures are means over the seeds, which also
draw the labels.
"""

import os

import numpy as np
from _data import DATA, draw_stratified, read
from _ridge import FEW_GRID
from _script import Table, make_parser, parse
from _timing import Stopwatch
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.preprocessing import FunctionTransformer

from skcae import ConvAutoencoderTransformer as CAE  # noqa: N814

_LABELS = 20
_WIDTH = 64
# Samples that the penalty is chosen by; all are fitted.
_N_CHOOSING = 1500
# Recipes for samples with so many spatial axes.
_NAMES = {
    1: ["tutorial", "signal", "textbook"],
    2: ["tutorial", "small", "medium", "grey", "colour", "textbook"],
    3: ["tutorial", "volume", "textbook"],
}


def contestants(data, seed, n_wide):
    """Return transformers by name: of all features, and of a narrow code."""

    def cae(**params):
        return CAE(channel_axis=data.channel_axis, random_state=seed, **params)

    names = _NAMES[len(data.shape) - data.has_channels]
    makers = {
        "raw": (FunctionTransformer(), None),
        "PCA": (PCA(n_wide, random_state=seed), PCA(_WIDTH, random_state=seed)),
        "default": (cae(), cae(n_components=_WIDTH)),
    }
    for name in names:
        params = {"recipe": name}
        makers[f"recipe={name!r}"] = cae(**params), cae(**params, n_components=_WIDTH)
    return makers


def explained_variance(features, X):
    """Return the share of variance that the features' reconstruction explains."""
    if isinstance(features, CAE):
        return features.score(X)
    if isinstance(features, PCA):
        rest = X - features.inverse_transform(features.transform(X))
        return 1 - np.square(rest).sum() / np.square(X - features.mean_).sum()
    return np.nan


def fit_ridge(rows, y, class_weight=None):
    """Fit a ridge classifier, whose penalty errors of some left-out rows choose."""
    penalties = np.multiply(FEW_GRID, max(rows.shape))
    some = slice(0, _N_CHOOSING)
    chooser = RidgeClassifierCV(penalties, class_weight=class_weight)
    penalty = chooser.fit(rows[some], y[some]).alpha_
    ridge = RidgeClassifier(penalty, solver="cholesky", class_weight=class_weight)
    return ridge.fit(rows, y)


def figures(data, features, X, y, X_test, y_test, seed):
    """Return accuracies in percent, explained variance and seconds of a transformer."""
    watch = Stopwatch()
    if not isinstance(features, CAE):
        X, X_test = (part.reshape(len(part), -1) for part in (X, X_test))
    with watch.on("learn"):
        features.fit(X)
    with watch.on("encode"):
        code = features.transform(X)
    test = features.transform(X_test)
    few = draw_stratified(y, _LABELS * (y.max() + 1), seed)
    mean, scale = code.mean(axis=0), code.std(axis=0)
    scale[scale < 1e-6] = 1.0
    code, test = ((part - mean) / scale for part in (code, test))
    accuracies = []
    for rows in (slice(None), few):
        class_weight = None if data.is_balanced else "balanced"
        model = fit_ridge(code[rows], y[rows], class_weight)
        predicted = model.predict(test)
        accuracies.append(100 * data.accuracy(y_test, predicted))
    explained = explained_variance(features, X_test)
    return *accuracies, explained, watch.seconds["learn"], watch.seconds["encode"]


def table_of(data, arguments):
    """Print the table of one data set."""
    X, y, X_test, y_test = read(data, arguments)
    X_test, y_test = X_test[: arguments.n_test], y_test[: arguments.n_test]
    split = X, y, X_test, y_test
    CAE(channel_axis=data.channel_axis, max_epochs=0).fit(X[:50])  # imports
    few = f"{_LABELS} each"
    columns = {"all": "6.2f", few: "7.2f", "expl.": "6.3f", "learn s": "7.2f"}
    columns |= {"encode s": "8.2f"} | {
        f"{_WIDTH}: all": "7.2f",
        f"{_WIDTH}: {few}": "11.2f",
        f"{_WIDTH}: expl.": "10.3f",
    }
    print(f"\n{data.name}: {len(X)} training samples, {len(X_test)} test samples")
    table = Table(28, columns)
    n_wide = min(X[0].size, len(X), 2048)
    for name in contestants(data, 0, n_wide):
        rows = []
        for seed in range(1 if arguments.quick else arguments.seeds):
            wide, narrow = contestants(data, seed, n_wide)[name]
            row = figures(data, wide, *split, seed)
            of_narrow = (np.nan,) * 3
            if narrow is not None and not arguments.quick:
                of_narrow = figures(data, narrow, *split, seed)[:3]
            rows.append((*row, *of_narrow))
        table.row(name, *np.mean(rows, axis=0))


def main():
    """Print a table for every data set."""
    parser = make_parser(__doc__, threads=True)
    names = list(DATA) if os.environ.get("SKCAE_DATA") else ["digits"]
    parser.add_argument("--data", choices=list(DATA), nargs="+", default=names)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--n-samples", type=int, default=5000)
    parser.add_argument("--n-test", type=int, default=5000)
    arguments = parse(parser)
    for name in arguments.data[: 1 if arguments.quick else None]:
        table_of(DATA[name], arguments)


if __name__ == "__main__":
    main()
