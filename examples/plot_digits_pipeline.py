"""Learned convolutional features in front of a classifier.

Handwritten digits, 8 x 8 pixels, are classified from raw pixels, from principal
components and from the features of a convolutional autoencoder, by the same
classifier; then a grid search chooses between architectures.
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
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcae import ConvAutoencoderTransformer

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
MAX_EPOCHS = 2 if QUICK else 20

digits = load_digits()
images, labels = digits.images, digits.target
rows = images.reshape(len(images), -1)
cv = StratifiedKFold(5, shuffle=True, random_state=0)


def classifier():
    """Return the classifier that every kind of features gets."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def cae(**params):
    """Return the transformer with its defaults, save for `params`."""
    params = {"max_epochs": MAX_EPOCHS, "random_state": 0} | params
    return ConvAutoencoderTransformer(**params)


# %%
# The same classifier on different features
# -----------------------------------------
contestants = {
    "raw pixels (64)": (classifier(), rows),
    "PCA (16)": (make_pipeline(PCA(16), classifier()), rows),
    "CAE, dense code (16)": (make_pipeline(cae(n_components=16), classifier()), images),
    "CAE, feature maps (1024)": (make_pipeline(cae(), classifier()), images),
}
print(f"{'features':<26}{'accuracy':>10}{'+/-':>8}{'seconds':>10}")
for name, (pipeline, X) in contestants.items():
    start = time.perf_counter()
    scores = cross_val_score(pipeline, X, labels, cv=cv)
    seconds = time.perf_counter() - start
    print(f"{name:<26}{scores.mean():>10.4f}{scores.std():>8.4f}{seconds:>10.1f}")

# %%
# A grid search over architecture and training
# --------------------------------------------
search = GridSearchCV(
    make_pipeline(cae(n_filters=16), classifier()),
    {
        "convautoencodertransformer__activation": ["relu", "abs"],
        "convautoencodertransformer__kernel_size": [3, 5],
    },
    cv=3,
)
try:
    from sklearn.callback import ProgressBar

    search.set_callbacks(ProgressBar(max_propagation_depth=1))
except ImportError:  # before scikit-learn 1.9, or without rich
    pass
search.fit(images, labels)
print("\ngrid search, 16 filters, 3 folds")
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    values = ", ".join(f"{key.split('__')[1]}={params[key]}" for key in sorted(params))
    print(f"  {values:<32}{score:>8.4f}")

# %%
# What it rebuilds and what it has learnt
# ---------------------------------------
train, test = images[:-200], images[-200:]
model = cae().fit(train)
rebuilt = model.inverse_transform(model.transform(test))
print(f"\nexplained variance of unseen digits: {model.score(test):.3f}")


def show(pictures, labels, path, **kwargs):
    """Draw pictures in labelled rows, and save them."""
    n_rows, n_columns = len(labels), len(pictures) // len(labels)
    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(0.7 * n_columns + 1, 0.75 * n_rows),
        squeeze=False,
        layout="constrained",
    )
    for axis, picture in zip(axes.ravel(), pictures, strict=True):
        axis.imshow(picture, **kwargs)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_color("lightgrey")
    for axis, label in zip(axes[:, 0], labels, strict=True):
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=160)
    plt.close(figure)
    print("wrote", path)


show(
    np.concatenate([test[:12], rebuilt[:12]]),
    ["input", "rebuilt"],
    "digits_reconstructions.png",
    cmap="gray_r",
    vmin=0,
    vmax=16,
)
filters = model.filters_[:, 0]
limit = np.abs(filters).max()
show(filters, [""] * 4, "digits_filters.png", cmap="RdBu", vmin=-limit, vmax=limit)
