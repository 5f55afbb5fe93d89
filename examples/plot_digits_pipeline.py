"""Learned convolutional features in front of a classifier.

Handwritten digits, 8 x 8 pixels, are classified from raw pixels, from principal
components and from the features of a convolutional autoencoder, by the same
classifier; then a grid search chooses between architectures.
"""

import os
import time

import matplotlib

matplotlib.use("Agg")

from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcae import ConvAutoencoderTransformer, FilterDisplay, ReconstructionDisplay

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
print(f"\nexplained variance of unseen digits: {model.score(test):.3f}")
displays = {
    "digits_reconstructions.png": ReconstructionDisplay.from_estimator(
        model, test, n_samples=12, im_kw={"cmap": "gray_r"}
    ),
    "digits_filters.png": FilterDisplay.from_estimator(model),
}
for path, display in displays.items():
    display.figure_.savefig(path, dpi=160)
    print("wrote", path)
