"""Compact codes: `n_components` of a recipe against PCA of the same features.

    python benchmarks/bench_components.py [--data mnist] [--components 16 64 256]
        [--n-samples 5000] [--n-test 5000] [--threads 1] [--quick]

Data sets are those of the folder SKCAE_DATA, or digits. Prints accuracies on test
samples of a ridge regression on all labels and on 20 of each class (its penalty is
chosen by leave-one-out errors), the variance of test samples that each code explains,
and the seconds of fit and transform. "PCA by hand" is scikit-learn's of the features of
the recipe, which has no way back to samples.
"""

import numpy as np
from _data import DATA, draw_stratified, read
from _ridge import fit_few
from _script import Table, make_parser, parse
from _timing import Stopwatch
from sklearn.decomposition import PCA

import skcae

_LABELS = 20


def codes_of(data, X, X_test, n_components, watch):
    """Yield name, codes of training and test samples, and explained variance."""
    params = skcae.recipes[data.recipe] | {"random_state": 0}
    rows, rows_test = (part.reshape(len(part), -1) for part in (X, X_test))
    with watch.on("PCA of samples"):
        pca = PCA(n_components, random_state=0)
        code, test = pca.fit_transform(rows), pca.transform(rows_test)
    rest = rows_test - pca.inverse_transform(test)
    explained = 1 - np.square(rest).sum() / np.square(rows_test - pca.mean_).sum()
    yield "PCA of samples", code, test, explained
    with watch.on("PCA by hand"):
        wide = skcae.ConvAutoencoderTransformer(**params)
        features = wide.fit_transform(X)
        pca = PCA(n_components, random_state=0)
        code = pca.fit_transform(features)
        test = pca.transform(wide.transform(X_test))
    yield "PCA by hand", code, test, np.nan
    with watch.on("n_components"):
        cae = skcae.ConvAutoencoderTransformer(**params, n_components=n_components)
        code, test = cae.fit_transform(X), cae.transform(X_test)
    yield "n_components", code, test, cae.score(X_test)


def accuracy(data, code, y, test, y_test):
    """Return the accuracy of a ridge regression on codes, in percent."""
    deviation = code.std(axis=0, dtype=np.float64)
    standardiser = code.mean(axis=0), np.where(deviation > 1e-6, deviation, 1.0)
    model = fit_few(code, y, y.max() + 1, standardiser)
    return 100 * data.accuracy(y_test, model.scores(test).argmax(axis=1))


def main():
    """Print a table for every number of components."""
    parser = make_parser(__doc__, threads=True)
    parser.add_argument("--data", choices=list(DATA), default="digits")
    parser.add_argument("--components", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--n-samples", type=int, default=5000)
    parser.add_argument("--n-test", type=int, default=5000)
    arguments = parse(parser)
    data = DATA[arguments.data]
    X, y, X_test, y_test = read(data, arguments)
    X_test, y_test = X_test[: arguments.n_test], y_test[: arguments.n_test]
    few = draw_stratified(y, _LABELS * (y.max() + 1), 0)
    columns = {
        "all": "7.2f",
        f"{_LABELS} each": "8.2f",
        "expl.var.": "9.3f",
        "s": "6.1f",
    }
    for n_components in arguments.components[: 1 if arguments.quick else None]:
        table, watch = Table(28, columns), Stopwatch()
        for name, code, test, explained in codes_of(
            data, X, X_test, n_components, watch
        ):
            table.row(
                f"{name} ({n_components})",
                accuracy(data, code, y, test, y_test),
                accuracy(data, code[few], y[few], test, y_test),
                explained,
                watch.seconds[name],
            )


if __name__ == "__main__":
    main()
