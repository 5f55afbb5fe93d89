"""How good the defaults are: digits, five folds, the same classifier for everyone.

    python benchmarks/bench_defaults.py [--seeds 3] [--quick]

Prints the mean accuracy of every seed (which shuffles the folds and seeds the
autoencoder), their mean and spread, the explained variance of held-out samples, and
the seconds of one run of five folds.
"""

import numpy as np
from _script import Table, make_parser, parse
from _timing import Stopwatch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skcae import ConvAutoencoderTransformer as CAE  # noqa: N814


def contestants(seed):
    """Return pipelines, by name."""

    def with_classifier(features):
        return make_pipeline(
            features, StandardScaler(), LogisticRegression(max_iter=1000)
        )

    rows = FunctionTransformer()
    return {
        "raw pixels": with_classifier(rows),
        "RBF-SVM on raw pixels (C=10)": make_pipeline(rows, SVC(C=10)),
        "PCA(16)": with_classifier(PCA(16)),
        "PCA(40)": with_classifier(PCA(40)),
        "CAE, n_components=16": with_classifier(
            CAE(n_components=16, random_state=seed)
        ),
        "CAE, untrained (max_epochs=0)": with_classifier(
            CAE(max_epochs=0, random_state=seed)
        ),
        "CAE, defaults": with_classifier(CAE(random_state=seed)),
    }


def explained_variance(pipeline, X, y=None):
    """Return the share of variance that the features' reconstruction explains."""
    features = pipeline[0]
    if isinstance(features, CAE):
        return features.score(X)
    if isinstance(features, PCA):
        rebuilt = features.inverse_transform(features.transform(X))
        return 1 - ((X - rebuilt) ** 2).sum() / ((X - features.mean_) ** 2).sum()
    return np.nan


def main():
    """Print the table."""
    parser = make_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parse(parser)
    n_seeds, n_folds = (1, 2) if arguments.quick else (arguments.seeds, 5)
    X, y = load_digits(return_X_y=True)
    if arguments.quick:
        X, y = X[:100], y[:100]
    scoring = {"accuracy": "accuracy", "explained": explained_variance}
    results = {}
    for seed in range(n_seeds):
        cv = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        for name, pipeline in contestants(seed).items():
            samples = X.reshape(-1, 8, 8) if isinstance(pipeline[0], CAE) else X
            watch = Stopwatch()
            with watch.on("run"):
                scores = cross_validate(
                    pipeline, samples, y, cv=cv, scoring=scoring, error_score="raise"
                )
            means = (scores[f"test_{score}"].mean() for score in scoring)
            results.setdefault(name, []).append((*means, watch.seconds["run"]))
    columns = {f"seed {seed}": "7.4f" for seed in range(n_seeds)}
    columns |= {"mean": "7.4f", "spread": "7.4f", "expl.var.": "10.3f", "s/run": "6.1f"}
    table = Table(30, columns)
    for name, rows in results.items():
        accuracy, explained, seconds = np.transpose(rows)
        figures = accuracy.mean(), np.ptp(accuracy), explained.mean()
        table.row(name, *accuracy, *figures, np.median(seconds))


if __name__ == "__main__":
    main()
