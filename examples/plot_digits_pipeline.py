"""Learned convolutional features in front of a classifier.

Handwritten digits, 8 x 8 pixels, are classified from raw pixels, from principal
components and from the features of convolutional autoencoders, by the same classifier:
the one that suits the samples, a compact code of it, and the one that tutorials train.
Then a grid search chooses between recipes, and images are rebuilt from features.
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
TUTORIAL = {"recipe": "tutorial", "max_epochs": 2 if QUICK else 20}

digits = load_digits()
images, labels = digits.images, digits.target
rows = images.reshape(len(images), -1)
cv = StratifiedKFold(5, shuffle=True, random_state=0)


def classifier():
    """Return the classifier that every kind of features gets."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def cae(**params):
    """Return the transformer with its defaults, save for `params`."""
    return ConvAutoencoderTransformer(**params, random_state=0)


# %%
# The same classifier on different features
# -----------------------------------------
contestants = {
    "raw pixels (64)": (classifier(), rows),
    "PCA (16)": (make_pipeline(PCA(16), classifier()), rows),
    "CAE, compact code (16)": (
        make_pipeline(cae(n_components=16), classifier()),
        images,
    ),
    "CAE, defaults (2048)": (make_pipeline(cae(), classifier()), images),
    "CAE, tutorial (1024)": (make_pipeline(cae(**TUTORIAL), classifier()), images),
}
print(f"{'features':<26}{'accuracy':>10}{'+/-':>8}{'seconds':>10}")
for name, (pipeline, X) in contestants.items():
    start = time.perf_counter()
    scores = cross_val_score(pipeline, X, labels, cv=cv)
    seconds = time.perf_counter() - start
    print(f"{name:<26}{scores.mean():>10.4f}{scores.std():>8.4f}{seconds:>10.1f}")

# %%
# A grid search over recipe and width
# -----------------------------------
# Whatever is not in the grid follows from the recipe.
search = GridSearchCV(
    make_pipeline(cae(), classifier()),
    {
        "convautoencodertransformer__recipe": ["auto", "tutorial"],
        "convautoencodertransformer__n_filters": [8, 32],
    }
    | ({"convautoencodertransformer__max_epochs": [1]} if QUICK else {}),
    cv=3,
)
try:
    from sklearn.callback import ProgressBar

    search.set_callbacks(ProgressBar(max_propagation_depth=1))
except ImportError:  # before scikit-learn 1.9, or without rich
    pass
search.fit(images, labels)
print("\ngrid search, 3 folds")
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    values = ", ".join(f"{key.split('__')[1]}={params[key]}" for key in sorted(params))
    print(f"  {values:<32}{score:>8.4f}")

# %%
# What it rebuilds and what it has learnt
# ---------------------------------------
train, test = images[:-200], images[-200:]
print("\nexplained variance of unseen digits")
for name, params in {"defaults": {}, "tutorial": TUTORIAL}.items():
    print(f"  {name:<32}{cae(**params).fit(train).score(test):>8.3f}")
model = cae().fit(train)
print(f"\nthe recipe of the defaults: {model.recipe_!r}")
displays = {
    "digits_reconstructions.png": ReconstructionDisplay.from_estimator(
        model, test, n_samples=12, im_kw={"cmap": "gray_r"}
    ),
    "digits_filters.png": FilterDisplay.from_estimator(model),
}
for path, display in displays.items():
    display.figure_.savefig(path, dpi=160)
    print("wrote", path)
