"""How many features a linear classifier needs.

Handwritten digits, 8 x 8 pixels: the accuracy of one linear classifier behind principal
components, and behind the features of convolutional autoencoders of growing width. The
recipe for grey images is taken as it is, except for filters of 3 x 3, as images are
small, and a coarser grid. What training adds is seen beside filters that stay random,
and beside those of k-means, which the training starts from.
Principal components are better as long as features are very few, but there are no more
of them than pixels.
"""

import os
import time

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcae import ConvAutoencoderTransformer, recipes

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
N_COMPONENTS = (4, 16) if QUICK else (4, 8, 16, 24, 32, 40, 48, 64)
# Of the two stages.
WIDTHS = (
    ((1, 1), (2, 2)) if QUICK else ((1, 1), (2, 2), (3, 3), (4, 4), (8, 4), (16, 4))
)

digits = load_digits()
images, labels = digits.images, digits.target
rows = images.reshape(len(images), -1)
cv = StratifiedKFold(2 if QUICK else 5, shuffle=True, random_state=0)


def cae(n_filters, **params):
    """Return the transformer of the recipe, of some width."""
    small = {"kernel_size": 3, "pool_grid": 2, "n_filters": n_filters}
    return ConvAutoencoderTransformer(
        **recipes["grey"] | small | {"random_state": 0} | params
    )


def n_features_of(transformer, X):
    """Return the number of features; a few samples tell it."""
    return transformer.fit_transform(X[:100]).shape[1]


def scores_of(transformer, X):
    """Return the accuracy of each fold; features are learnt within it, too."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return cross_val_score(make_pipeline(transformer, classifier), X, labels, cv=cv)


# %%
# The same classifier behind features of many widths
# --------------------------------------------------
contestants = {
    "PCA": [(PCA(n), rows) for n in N_COMPONENTS],
    "CAE, random filters": [
        (cae(n, max_epochs=0, init="random"), images) for n in WIDTHS
    ],
    "CAE, k-means filters": [(cae(n, max_epochs=0), images) for n in WIDTHS],
    "CAE, trained": [(cae(n), images) for n in WIDTHS],
}
curves = {}
print(f"{'':<22}{'features':>9}{'accuracy':>10}{'+/-':>8}{'seconds':>9}")
for name, transformers in contestants.items():
    curves[name] = []
    for transformer, X in transformers:
        n_features = n_features_of(transformer, X)
        start = time.perf_counter()
        scores = scores_of(transformer, X)
        seconds = time.perf_counter() - start
        curves[name].append((n_features, scores.mean(), scores.std()))
        print(
            f"{name:<22}{n_features:>9}{scores.mean():>10.4f}{scores.std():>8.4f}"
            f"{seconds:>9.1f}"
        )

# %%
# A figure
# --------
colours = dict(zip(curves, ("0.45", "C1", "C2", "C0"), strict=True))
figure, axis = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, curve in curves.items():
    n_features, means, deviations = np.transpose(curve)
    axis.plot(n_features, 100 * means, "o-", ms=4, color=colours[name], label=name)
    axis.fill_between(
        n_features,
        100 * (means - deviations),
        100 * (means + deviations),
        color=colours[name],
        alpha=0.15,
        lw=0,
    )
ticks = [4, 8, 16, 32, 64, 128, 256, 512]
axis.set_xscale("log", base=2)
axis.set_xticks(ticks, [str(tick) for tick in ticks])
axis.set_ylim(84, 100)
axis.set(xlabel="number of features", ylabel="accuracy, five folds (%)")
axis.set_title("Digits, logistic regression behind unsupervised features", fontsize=11)
axis.grid(color="0.92")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, loc="lower right")
figure.savefig("digits_features.png", dpi=160)
print("wrote digits_features.png")
