"""How many features a linear classifier needs.

Handwritten digits, 8 x 8 pixels: the accuracy of one linear classifier behind principal
components of the pixels, and behind features of convolutional autoencoders. A few
filters make a few features, on a coarse grid: random filters, those of k-means, and
filters that backpropagation has trained from there. Principal components of the pixels
are better as long as features are very few. Best of all are many features, reduced to
their principal components (`n_components`): eight of them pass those of the pixels.
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

from skcae import ConvAutoencoderTransformer

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
N_COMPONENTS = (4, 16) if QUICK else (4, 8, 16, 24, 32, 40, 48, 64)
# Filters, of which each makes four features.
WIDTHS = (2, 4) if QUICK else (1, 2, 4, 8, 16, 32, 64, 128)
MAX_EPOCHS = 1 if QUICK else 10

digits = load_digits()
images, labels = digits.images, digits.target
rows = images.reshape(len(images), -1)
cv = StratifiedKFold(2 if QUICK else 5, shuffle=True, random_state=0)


def cae(**params):
    """Return the transformer with its defaults, save for `params`."""
    return ConvAutoencoderTransformer(**params, random_state=0)


def of_width(n_filters, init, **params):
    """Return the transformer of some width, and with a coarser grid than its own."""
    return cae(n_filters=n_filters, init=init, pool_grid=2, **params)


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
    "CAE, random filters": [(of_width(n, "random"), images) for n in WIDTHS],
    "CAE, k-means filters": [(of_width(n, "kmeans"), images) for n in WIDTHS],
    "CAE, trained filters": [
        (of_width(n, "kmeans", max_epochs=MAX_EPOCHS), images) for n in WIDTHS
    ],
    "CAE, n_components": [(cae(n_components=n), images) for n in N_COMPONENTS],
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
colours = dict(zip(curves, ("0.45", "0.7", "C1", "C2", "C0"), strict=True))
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
