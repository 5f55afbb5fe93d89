"""Weights of samples and classes, checked and multiplied."""

import sys
from numbers import Number

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_sample_weight

from ..utils.masked_arrays import refuse_masked
from ..utils.tensor_conversion import from_torch
from .array_conversion import bounded_sequence


def read_sample_weight(sample_weight, n_samples):
    """Check weights and return one for each sample.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        Weights as the user passes them; None: all are 1.
    n_samples : int
        How many there are to be.

    Returns
    -------
    weights : ndarray of shape (n_samples,), float64
        Finite and not negative.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    weights = from_torch(sample_weight, "sample_weight")
    refuse_masked(weights, "sample_weight")
    weights = bounded_sequence(weights, "sample_weight")
    if isinstance(weights, Number):
        weights = np.full(n_samples, weights)
    weights = _as_floats(weights)
    if weights.shape != (n_samples,):
        raise ValueError(
            f"Got sample_weight of shape {weights.shape}; expected ({n_samples},), a "
            "weight for each sample. Check how sample_weight was selected."
        )
    if weights.min() < 0:
        raise ValueError(
            f"Got negative weights in sample_weight, down to {weights.min():g}; "
            "expected weights of at least 0. Give samples that should not count a "
            "weight of 0."
        )
    return weights


def _as_floats(weights):
    try:
        return check_array(
            weights, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
    except (TypeError, OverflowError) as error:
        # An OverflowError comes of an integer that no float can hold.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"Got sample_weight that is no array of numbers ({error}); expected a "
            "finite weight for each sample. Pass an array of floats."
        ) from error


def combine_weights(weights, class_weight, labels):
    """Multiply weights of samples by those of their classes.

    Parameters
    ----------
    weights : ndarray of shape (n_labels,), float64
        Of samples, above 0.
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    labels : ndarray of shape (n_labels,)
        Their classes.

    Returns
    -------
    weights : ndarray of shape (n_labels,), float32
        With a mean of 1.
    """
    _check_class_weight(class_weight)
    of_classes = compute_sample_weight(class_weight, labels)
    weights = _scaled_to_1(weights) * _scaled_to_1(of_classes)
    if not weights.sum() > 0:
        raise ValueError(
            f"Got class_weight={class_weight!r}, by which every sample has a weight of "
            "0; expected a positive weight. Correct class_weight."
        )
    return (weights / weights.mean()).astype(np.float32)


def _check_class_weight(class_weight):
    if not isinstance(class_weight, dict):
        return
    for label, weight in class_weight.items():
        is_number = isinstance(weight, Number) and not isinstance(weight, complex)
        if not (is_number and 0 <= weight <= sys.float_info.max):
            raise ValueError(
                f"Got class_weight with {weight!r} for the class {label!r}; expected "
                "finite numbers of at least 0. Correct class_weight."
            )


def _scaled_to_1(weights):
    """Return weights divided by a power of 2, so that the largest is about 1.

    No digit changes, and neither sums nor products overflow.
    """
    _, exponent = np.frexp(weights.max())
    return np.ldexp(weights, -exponent)
