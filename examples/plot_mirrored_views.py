"""Mirrored photographs as further training rows.

A photograph and its mirror image show the same thing, features of them differ. So the
classifier gets twice the training rows, and its scores of both views of a test sample
are averaged. Plain numpy does it, around a transformer that knows nothing of it. The
samples are pieces of two photographs, to be told apart. (Do not do this to digits or
letters, whose mirror images mean something else.)
"""

import os

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcae import ConvAutoencoderTransformer

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
N_LABELS = (50, 100) if QUICK else (25, 50, 100, 200, 400)
N_DRAWS = 2 if QUICK else 20
SIDE = 16


def pieces_of(photograph):
    """Cut a photograph into squares."""
    height, width = (size // SIDE for size in photograph.shape[:2])
    squares = photograph[: height * SIDE, : width * SIDE]
    squares = squares.reshape(height, SIDE, width, SIDE, 3).swapaxes(1, 2)
    return squares.reshape(-1, SIDE, SIDE, 3)


pieces = [pieces_of(photograph) for photograph in load_sample_images().images]
images = np.concatenate(pieces)
labels = np.repeat([0, 1], [len(squares) for squares in pieces])

# %%
# Features of both views
# ----------------------
# Columns are mirrored, axis 2: the first is that of samples, the last of colours.
small = {"n_filters": (16, 4), "kernel_size": 5}
if QUICK:
    small |= {"n_filters": (4, 2), "max_epochs": 1}
cae = ConvAutoencoderTransformer(channel_axis=-1, **small, random_state=0).fit(images)
features = cae.transform(images)
mirrored = cae.transform(images[:, :, ::-1])


# %%
# Twice the training rows, two scores of every test sample
# --------------------------------------------------------
def accuracies(n_labels, seed):
    """Return the accuracy without and with mirrored pieces."""
    train, test = train_test_split(
        np.arange(len(labels)), train_size=n_labels, stratify=labels, random_state=seed
    )

    def scores(X, y, views):
        ridge = RidgeClassifierCV(np.logspace(-1, 5, 13))
        classifier = make_pipeline(StandardScaler(), ridge).fit(X, y)
        return np.mean([classifier.decision_function(view) for view in views], axis=0)

    once = scores(features[train], labels[train], [features[test]])
    twice = scores(
        np.concatenate([features[train], mirrored[train]]),
        np.concatenate([labels[train], labels[train]]),
        [features[test], mirrored[test]],
    )
    return [np.mean((s > 0) == labels[test]) for s in (once, twice)]


found = np.array(
    [[accuracies(n, seed) for seed in range(N_DRAWS)] for n in N_LABELS]
).transpose(2, 0, 1)
print(f"{'labelled pieces':<20}" + "".join(f"{n:>9}" for n in N_LABELS))
for name, scores in zip(("pieces", "with mirrored"), found, strict=True):
    print(f"{name:<20}" + "".join(f"{mean:>9.4f}" for mean in scores.mean(axis=1)))

# %%
# A figure
# --------
figure = plt.figure(figsize=(7.6, 3.8), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 2.4))
shown = [420, 700, 1330, 1700]
views = images[shown], images[shown, :, ::-1]
panels = left.subplots(len(shown), 2)
for column, pictures, title in zip(panels.T, views, ("piece", "mirrored"), strict=True):
    column[0].set_title(title, fontsize=10)
    for axis, picture in zip(column, pictures, strict=True):
        axis.imshow(picture)
        axis.set_axis_off()
# Bars are standard errors of the draws.
axis = right.subplots()
for name, scores, colour in zip(
    ("pieces", "with mirrored"), found, ("0.45", "C0"), strict=True
):
    mean, error = 100 * scores.mean(axis=1), 100 * scores.std(axis=1) / N_DRAWS**0.5
    axis.errorbar(N_LABELS, mean, error, fmt="o-", ms=4, color=colour, label=name)
axis.set_xscale("log")
axis.set_xticks(N_LABELS, [str(n) for n in N_LABELS])
axis.minorticks_off()
axis.set(xlabel="number of labelled pieces", ylabel="accuracy on the others (%)")
axis.set_title("China or flower? Pieces of two photographs", fontsize=11)
axis.grid(color="0.92")
axis.spines[["top", "right"]].set_visible(False)
axis.legend(frameon=False, loc="lower right")
figure.savefig("photos_mirrored.png", dpi=160)
print("wrote photos_mirrored.png")
