"""How good the defaults are: digits, five folds, the same classifier for everyone.

    python benchmarks/bench_defaults.py [--seeds 3] [--quick]

Prints the mean accuracy of every seed (which shuffles the folds and seeds the
autoencoder), their mean and spread, the explained variance of held-out samples, and
the seconds of one run of five folds.
"""

import time

import numpy as np
from _timing import make_parser, parse
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
    n_seeds = 1 if arguments.quick else arguments.seeds
    n_folds = 2 if arguments.quick else 5
    digits = load_digits()
    if arguments.quick:
        digits.images, digits.data = digits.images[:100], digits.data[:100]
        digits.target = digits.target[:100]
    results = {}
    for seed in range(n_seeds):
        cv = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        for name, pipeline in contestants(seed).items():
            is_cae = isinstance(pipeline[0], CAE)
            start = time.perf_counter()
            scores = cross_validate(
                pipeline,
                digits.images if is_cae else digits.data,
                digits.target,
                cv=cv,
                scoring={
                    "accuracy": "accuracy",
                    "explained": explained_variance,
                },
                error_score="raise",
            )
            results.setdefault(name, []).append(
                (
                    scores["test_accuracy"].mean(),
                    scores["test_explained"].mean(),
                    time.perf_counter() - start,
                )
            )
    header = " ".join(f"{f'seed {seed}':>7}" for seed in range(n_seeds))
    print(f"{'':<30} {header}    mean  spread  expl.var.  s/run")
    for name, rows in results.items():
        accuracy, explained, seconds = np.transpose(rows)
        print(
            f"{name:<30} {' '.join(f'{value:7.4f}' for value in accuracy)} "
            f"{accuracy.mean():7.4f} {np.ptp(accuracy):7.4f} "
            f"{explained.mean():10.3f} {np.median(seconds):6.1f}"
        )


if __name__ == "__main__":
    main()
