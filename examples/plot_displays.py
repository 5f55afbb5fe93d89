"""Displays: what an autoencoder has learnt, in four figures.

Pieces of two photographs, 32 x 32 pixels in colour, are rebuilt by two stages that
were trained in turn. Each display draws on a figure of its own, or on axes that it is
given.
"""

import os

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.model_selection import train_test_split

from skcae import (
    ConvAutoencoderTransformer,
    FeatureMapDisplay,
    FilterDisplay,
    ReconstructionDisplay,
    TrainingCurveDisplay,
)

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
SIDE = 32


def pieces_of(photograph):
    """Cut a photograph into squares."""
    height, width = (size // SIDE for size in photograph.shape[:2])
    squares = photograph[: height * SIDE, : width * SIDE]
    squares = squares.reshape(height, SIDE, width, SIDE, 3).swapaxes(1, 2)
    return squares.reshape(-1, SIDE, SIDE, 3)


def save(display, path):
    """Save the figure of a display."""
    display.figure_.savefig(path, dpi=160)
    print("wrote", path)


images = np.concatenate([pieces_of(image) for image in load_sample_images().images])
train, test = train_test_split(images, test_size=100, random_state=0)
# Of sky and wall there is little to see.
test = test[np.argsort(-test.std(axis=(1, 2, 3)))]
cae = ConvAutoencoderTransformer(
    recipe="tutorial",
    channel_axis=-1,
    n_filters=(4, 4) if QUICK else (32, 32),
    kernel_size=(7, 3),
    init="kmeans",
    whiten=1.0,
    pool_mode="avg",
    layerwise=True,
    early_stopping=True,
    max_epochs=2 if QUICK else 30,
    random_state=0,
).fit(train)

# %%
# Samples, their reconstructions, and where these are wrong
# ---------------------------------------------------------
# The error is in the units of the data, grey values from 0 to 255.
save(ReconstructionDisplay.from_estimator(cae, test), "photos_reconstructions.png")

# %%
# Filters of the first stage
# --------------------------
save(FilterDisplay.from_estimator(cae), "photos_filters.png")

# %%
# What the stages make of one sample
# ----------------------------------
save(FeatureMapDisplay.from_estimator(cae, test), "photos_maps.png")

# %%
# Losses, on axes of your own
# ---------------------------
# Displays store what they draw: `plot` draws it again, elsewhere or otherwise.
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
losses = TrainingCurveDisplay.from_estimator(cae, ax=left)
losses.plot(ax=right, yscale="log")
right.set_title("The same, on a logarithmic scale", fontsize="medium", pad=14)
save(losses, "photos_losses.png")
