"""Fine-tuning with few labels.

An autoencoder learns features from every image there is. `ConvAutoencoderClassifier`
puts a linear classifier behind its encoder and trains both on those images that have a
label. Here 20 to 500 digits have one, the others are known without, and half of all
digits are only seen in the end. The same network with random filters shows what the
images without labels are worth, and the frozen encoder what tuning it is worth.
"""

import os

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skcae import ConvAutoencoderClassifier, ConvAutoencoderTransformer

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
N_LABELS = (20, 50) if QUICK else (20, 50, 100, 200, 500)
N_DRAWS = 1 if QUICK else 3
MAX_EPOCHS = 2 if QUICK else 15

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.images, digits.target, test_size=0.5, stratify=digits.target, random_state=0
)


# %%
# Autoencoders of all training images, without labels
# ---------------------------------------------------
def autoencoder(**params):
    """Return a fitted autoencoder."""
    return ConvAutoencoderTransformer(**params, random_state=0).fit(X)


start = autoencoder()
classifiers = {
    "random filters": ConvAutoencoderClassifier(
        autoencoder(init="random"), shift=1, max_epochs=MAX_EPOCHS, random_state=0
    ),
    "frozen encoder": ConvAutoencoderClassifier(
        start, frozen_epochs="all", max_epochs=MAX_EPOCHS, random_state=0
    ),
    "fine-tuned": ConvAutoencoderClassifier(
        start, shift=1, max_epochs=MAX_EPOCHS, random_state=0
    ),
}


# %%
# A few labels
# ------------
# An autoencoder that is fitted already is copied. -1 marks images without a label.
def labelled(n_labels, seed):
    """Return which images have a label."""
    rows = np.arange(len(X))
    return train_test_split(rows, train_size=n_labels, stratify=y, random_state=seed)[0]


def accuracies(n_labels, seed):
    """Return the accuracy of every classifier on the images of the test."""
    rows = labelled(n_labels, seed)
    some = np.full(len(X), -1)
    some[rows] = y[rows]
    pixels = LogisticRegression(C=0.01, max_iter=1000)
    pixels.fit(X[rows].reshape(n_labels, -1), y[rows])
    scores = {"pixels": pixels.score(X_test.reshape(len(X_test), -1), y_test)}
    for name, classifier in classifiers.items():
        scores[name] = classifier.fit(X, some).score(X_test, y_test)
    return scores


print(f"{'labels':<10}{'pixels':>20}" + "".join(f"{name:>20}" for name in classifiers))
curves = {name: [] for name in ("pixels", *classifiers)}
for n_labels in N_LABELS:
    draws = [accuracies(n_labels, seed) for seed in range(N_DRAWS)]
    for name, curve in curves.items():
        curve.append(np.mean([scores[name] for scores in draws]))
    row = "".join(f"{curve[-1]:>20.4f}" for curve in curves.values())
    print(f"{n_labels:<10}{row}")

# %%
# A figure
# --------
colours = {"pixels": "0.7", "random filters": "0.35"}
colours |= {"frozen encoder": "C1", "fine-tuned": "C0"}
figure, axis = plt.subplots(figsize=(6.4, 4), layout="constrained")
for name, curve in curves.items():
    axis.plot(N_LABELS, 100 * np.array(curve), "o-", ms=4, color=colours[name])
    axis.lines[-1].set_label(name)
axis.set_xscale("log")
axis.set_xticks(N_LABELS, [str(n) for n in N_LABELS])
axis.minorticks_off()
axis.set(xlabel="number of labelled digits", ylabel="accuracy on the others (%)")
axis.set_title("Digits, of which few have a label", fontsize=11)
axis.grid(color="0.92")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, loc="lower right")
figure.savefig("digits_finetuned.png", dpi=160)
print("wrote digits_finetuned.png")
