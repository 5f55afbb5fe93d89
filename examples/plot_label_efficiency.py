"""Many images, few labels.

Features are learnt without labels, so they can be learnt from every image there is,
however few have labels. Here all digits are seen without labels, and a linear
classifier gets ten to five hundred of them with labels; the others are predicted. Raw
pixels, principal components and convolutional autoencoders are in front of the same
classifier: the autoencoder that suits the samples, the same one with random filters,
and the one that tutorials train.
"""

import os

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split

from skcae import ConvAutoencoderTransformer

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
N_LABELS = (20, 50) if QUICK else (10, 20, 50, 100, 200, 500)
N_DRAWS = 2 if QUICK else 20

digits = load_digits()
images, labels = digits.images, digits.target
rows = images.reshape(len(images), -1)


def features_of(**params):
    """Return the features of all images that a transformer learns from them."""
    return ConvAutoencoderTransformer(**params, random_state=0).fit_transform(images)


# %%
# Features of all images, without labels
# --------------------------------------
# They are not standardised: with few labels that costs principal components a lot.
features = {
    "raw pixels": rows,
    "PCA": PCA(30).fit_transform(rows),
    "CAE, tutorial": features_of(recipe="tutorial", max_epochs=1 if QUICK else 20),
    "CAE, random filters": features_of(init="random"),
    "CAE, defaults": features_of(),
}


# %%
# A classifier from a few labels
# ------------------------------
def accuracy(X, n_labels, seed):
    """Return the share of the other images that is recognised."""
    train, test = train_test_split(
        np.arange(len(X)), train_size=n_labels, stratify=labels, random_state=seed
    )
    # It chooses its penalty by leave-one-out errors: no label is spent on that.
    classifier = RidgeClassifierCV(np.logspace(-1, 5, 13)).fit(X[train], labels[train])
    return classifier.score(X[test], labels[test])


print(f"{'labels':<28}" + "".join(f"{n:>14}" for n in N_LABELS))
curves = {}
for name, X in features.items():
    curves[name] = np.array(
        [[accuracy(X, n, seed) for seed in range(N_DRAWS)] for n in N_LABELS]
    )
    cells = (f"{row.mean():>8.4f} {row.std():.3f}" for row in curves[name])
    print(f"{f'{name} ({X.shape[1]})':<28}" + "".join(f"{cell:>14}" for cell in cells))

# %%
# A figure
# --------
colours = dict(zip(curves, ("0.7", "0.35", "C1", "C2", "C0"), strict=True))
figure, axis = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, scores in curves.items():
    mean, deviation = 100 * scores.mean(axis=1), 100 * scores.std(axis=1)
    axis.plot(N_LABELS, mean, "o-", ms=4, color=colours[name], label=name)
    axis.fill_between(
        N_LABELS,
        mean - deviation,
        mean + deviation,
        color=colours[name],
        alpha=0.15,
        lw=0,
    )
axis.set_xscale("log")
axis.set_xticks(N_LABELS, [str(n) for n in N_LABELS])
axis.minorticks_off()
axis.set(xlabel="number of labelled digits", ylabel="accuracy on the others (%)")
axis.set_title("Digits, ridge classifier behind features of all images", fontsize=11)
axis.grid(color="0.92")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, loc="lower right")
figure.savefig("digits_labels.png", dpi=160)
print("wrote digits_labels.png")
