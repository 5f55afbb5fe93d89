"""Digits that are none of these, and where they are odd.

A detector learns from images of one digit alone, and looks for those that are unlike
them. It compares features of samples or, with ``criterion="reconstruction"``, samples
with what a narrow autoencoder makes of them. Error maps show which pixels do not fit.
"""

import os

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.svm import OneClassSVM

from skcae import ConvAutoencoderOutlierDetector

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
DIGITS = (4,) if QUICK else range(10)

X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.4, random_state=0
)
X, X_test = X.reshape(-1, 8, 8), X_test.reshape(-1, 8, 8)


# %%
# Every digit in its turn is the normal one
# -----------------------------------------
class OfRows:
    """A detector of scikit-learn behind images."""

    def __init__(self, detector):
        self.detector = detector

    def fit(self, X):
        """Fit the detector to rows."""
        self.detector.fit(X.reshape(len(X), -1))
        return self

    def score_samples(self, X):
        """Return how normal images are."""
        return self.detector.score_samples(X.reshape(len(X), -1))


detectors = {
    "CAE, features": ConvAutoencoderOutlierDetector(random_state=0),
    "CAE, reconstruction": ConvAutoencoderOutlierDetector(
        criterion="reconstruction", random_state=0
    ),
    "isolation forest": OfRows(IsolationForest(random_state=0)),
    "one-class SVM": OfRows(OneClassSVM(nu=0.1)),
}
print(f"{'area under the ROC curve':<24}   mean" + "".join(f"{d:>7}" for d in DIGITS))
for name, detector in detectors.items():
    areas = [
        roc_auc_score(y_test == d, detector.fit(X[y == d]).score_samples(X_test))
        for d in DIGITS
    ]
    print(f"{name:<24} {np.mean(areas):6.4f}" + "".join(f"{a:7.3f}" for a in areas))

# %%
# Where a zero is odd
# -------------------
# Zeros of the test set, some of them with a few pixels changed, and other digits.
detector = detectors["CAE, features"].fit(X[y == 0])
zeros = X_test[y_test == 0][:2]
scratched, cut = zeros.copy()
scratched[3:5, 2:6] = 16
cut[:, 5:] = 0
others = [X_test[y_test == d][0] for d in (6, 9, 8, 5)]
shown = np.array([*zeros, scratched, cut, *others])
titles = [
    "zero",
    "zero",
    "bar added",
    "part missing",
    *("six", "nine", "eight", "five"),
]
maps = detector.error_map(shown)
labels = detector.predict(shown)

# %%
# A figure
# --------
figure, rows = plt.subplots(2, len(shown), figsize=(9.6, 2.9), layout="constrained")
for column, image, error, title, label in zip(
    rows.T, shown, maps, titles, labels, strict=True
):
    column[0].imshow(image, cmap="gray_r", vmin=0, vmax=16)
    column[0].set_title(title, fontsize=10)
    drawn = column[1].imshow(error**0.5, cmap="magma", vmin=0, vmax=16)
    column[1].set_xlabel("normal" if label == 1 else "outlier", fontsize=10)
    for axis in column:
        axis.set(xticks=[], yticks=[])
rows[0, 0].set_ylabel("sample")
rows[1, 0].set_ylabel("error")
figure.colorbar(drawn, ax=rows[1], label="grey levels", shrink=0.9)
figure.savefig("digits_outliers.png", dpi=160)
print("wrote digits_outliers.png")
