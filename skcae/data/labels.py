"""From `y` and weights as the user passes them to codes of labelled samples."""

import math
from dataclasses import dataclass
from numbers import Number

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..utils.masked_arrays import refuse_masked
from ..utils.tensor_conversion import from_torch
from ..utils.user_warnings import warn
from .array_conversion import bounded_sequence
from .sample_weights import combine_weights, read_sample_weight
from .samples import Samples

UNLABELLED = -1


@dataclass(frozen=True)
class Labels:
    """What is known of those samples that have a label.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.
    rows : ndarray of int
        Which samples these are.
    codes : ndarray of int
        Places of their labels among the classes.
    weights : ndarray of float32
        What their losses are multiplied by.
    """

    classes: np.ndarray
    rows: np.ndarray
    codes: np.ndarray
    weights: np.ndarray

    def __len__(self):
        return len(self.rows)

    def subset(self, places):
        """Return some of them."""
        return Labels(
            self.classes, self.rows[places], self.codes[places], self.weights[places]
        )


class LabelledSamples(Samples):
    """Those samples that have a label, with what is known of them.

    Parameters
    ----------
    samples : Samples
        All samples.
    labels : Labels
        Of some of them.
    """

    def __init__(self, samples, labels):
        rows = labels.rows if samples.rows is None else samples.rows[labels.rows]
        super().__init__(samples.X, samples.layout, rows)
        self.labels = labels


def read_labels(y, n_samples, *, class_weight=None, sample_weight=None):
    """Check `y` and the weights and return the labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels; those that equal -1 mark samples without one, if two classes remain.
    n_samples : int
        How many there are to be.
    class_weight : dict, "balanced" or None, default=None
        As in scikit-learn.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of samples, not negative.

    Returns
    -------
    labels : Labels
        Of samples that have a label and a weight above 0.
    """
    y = _as_column(y)
    check_consistent_length(range(n_samples), y)
    weights = read_sample_weight(sample_weight, n_samples)
    rows = np.flatnonzero(_is_labelled(y) & (weights > 0))
    if not len(rows):
        raise ValueError(
            f"Got y without a label that counts: {len(y)} samples are unlabelled (-1) "
            "or have a weight of zero; expected a labelled sample of each class. Check "
            "y and sample_weight."
        )
    labels = _as_one_kind(y[rows])
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    weights = combine_weights(weights[rows], class_weight, labels)
    return Labels(classes, rows, codes, weights)


def _as_column(y):
    if y is None:
        raise ValueError(
            "This classifier requires y to be passed, but the target y is None; "
            "expected one label for each sample, -1 for those without. Pass y."
        )
    y = bounded_sequence(from_torch(y, "y"), "y")
    refuse_masked(y, "y")
    column = column_or_1d(y)
    if len(getattr(y, "shape", ())) > 1:
        warn(
            "A column-vector y was passed when a 1d array was expected. Pass y.ravel() "
            "instead.",
            DataConversionWarning,
        )
    _refuse_missing(column)
    return column


def _refuse_missing(y):
    if y.dtype.kind not in "OmM":
        assert_all_finite(y, input_name="y")
        return
    from pandas import isna

    missing = np.flatnonzero(isna(y))
    if len(missing):
        raise ValueError(
            f"Got y with {len(missing)} missing label(s) (None, NaN, NaT or NA), the "
            f"first of sample {missing[0]}; expected a label for each sample, -1 for "
            "those without. Write -1 instead, or drop those samples."
        )


def _is_labelled(y):
    """Return which samples have a label."""
    if y.dtype.kind in "iuf":
        labelled = y != UNLABELLED
    elif y.dtype.kind == "O":
        labelled = np.array([not _is_mark(label) for label in y], dtype=bool)
    else:
        return np.ones(len(y), dtype=bool)
    others = y[labelled]
    # With one other class it is a class: to tell one class from nothing is no task.
    if len(others) and all(label == others[0] for label in others[1:]):
        labelled[:] = True
    return labelled


def _is_mark(label):
    return isinstance(label, Number) and label == UNLABELLED


def _as_one_kind(labels):
    """Return labels of one type, where objects hold numbers as an array of these."""
    if labels.dtype.kind != "O":
        return labels
    kinds = sorted({type(label).__name__ for label in labels})
    if all(isinstance(label, str) for label in labels):
        return labels
    if not all(isinstance(label, Number) for label in labels):
        raise TypeError(
            f"Got y with labels of types {kinds}; expected all numbers or all strings, "
            "besides -1 for samples without a label. Convert them to one type."
        )
    return np.array(labels.tolist())


def hold_out(labels, fraction, seed):
    """Return labels to train with and labels held out, every class in proportion.

    Parameters
    ----------
    labels : Labels
        What to split.
    fraction : float
        Share of them to hold out.
    seed : int
        Decides which.

    Returns
    -------
    train, held_out : Labels

    Raises
    ------
    ValueError
        If there are too few of a class.
    """
    try:
        train, held_out = train_test_split(
            np.arange(len(labels)),
            test_size=math.ceil(fraction * len(labels)),
            stratify=labels.codes,
            random_state=seed,
        )
    except ValueError as error:
        raise ValueError(
            f"Got early_stopping=True with validation_fraction={fraction} and "
            f"{len(labels)} labelled samples of {len(labels.classes)} classes, of "
            f"which no stratified slice can be held out ({str(error).rstrip('.')}); "
            "expected two or more samples of each class, and one of each in the slice. "
            "Change validation_fraction, or set early_stopping=False."
        ) from None
    return labels.subset(np.sort(train)), labels.subset(np.sort(held_out))
