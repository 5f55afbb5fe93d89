"""Passes over all samples, of which every process makes its part."""

import numpy as np

from ..distributed.single_process import SINGLE_PROCESS
from ..utils.user_warnings import warn
from .samples import SMALLEST

# Of 24 bits, fewer than 6 are left for the differences.
_LOST_DIGITS = 64 * np.finfo(np.float32).eps


def own_part(n_samples, ranks):
    """Return which of consecutive samples a rank reads in a pass over all, as a slice.

    Parameters
    ----------
    n_samples : int
        Number of all samples.
    ranks : SingleProcess or Communicator
        Who shares the pass.
    """
    first, last = (n_samples * (ranks.rank + k) // ranks.size for k in (0, 1))
    return slice(first, last)


def check_values(samples, name="X", value_range=None, ranks=SINGLE_PROCESS):
    """Raise ValueError where a value is no number that float32 can compute with."""
    samples.check_values(name, value_range, own_part(len(samples), ranks))


def moments(samples, ranks=SINGLE_PROCESS):
    """Return statistics of samples, as `Samples.moments` does."""
    if ranks.size == 1:
        return samples.moments()
    part = own_part(len(samples), ranks)
    n_samples = part.stop - part.start
    own = (n_samples, samples.moments(part)) if n_samples else None
    found = ranks.gather_objects(own)
    return merge_moments([moments for moments in found if moments is not None])


def check_variation(moments, n_held_out=0):
    """Raise ValueError where samples are all one value; warn where they nearly are.

    Parameters
    ----------
    moments : dict of ndarray
        Of all samples that are trained on.
    n_held_out : int
        How many others there are.
    """
    low, high = moments["channel_min"], moments["channel_max"]
    if low.min() == high.max():
        if n_held_out:
            raise ValueError(
                f"Got X of which {n_held_out} sample(s) are held out and every value "
                f"of the others is {low.min():g} in float32; expected samples to train "
                "on that differ. Lower validation_fraction, or pass more samples."
            )
        raise ValueError(
            f"Got X in which every value is {low.min():g} in float32; expected samples "
            "that differ. Check how X was loaded and scaled."
        )
    std, largest = moments["channel_std"], np.maximum(np.abs(low), np.abs(high))
    if ((std > 0) & (std < SMALLEST)).any():
        raise ValueError(
            f"Got X with a channel whose standard deviation is {std[std > 0].min():g}; "
            f"expected at least {SMALLEST:g}, which leaves room to compute in float32. "
            "Rescale X."
        )
    if ((std > 0) & (std < _LOST_DIGITS * largest)).any():
        warn(
            "X varies so little around so large values that float32, in which all is "
            "computed, loses most digits of the differences. Subtract a constant from "
            "X first."
        )


def merge_moments(parts):
    """Return the moments of all samples, given numbers and moments of parts.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample
       variance", The American Statistician 37(3), 1983,
       :doi:`10.1080/00031305.1983.10483115`.
    """
    numbers, found = zip(*parts, strict=True)

    def values(name):
        return np.array([part[name] for part in found])

    def mean(rows):
        return np.average(rows, axis=0, weights=numbers)

    channel_mean = mean(values("channel_mean"))
    shifts = values("channel_mean") - channel_mean
    variance = mean(values("channel_std") ** 2 + shifts**2)
    return {
        "mean": mean(values("mean")),
        "channel_mean": channel_mean,
        "channel_std": np.sqrt(variance),
        "channel_min": values("channel_min").min(axis=0),
        "channel_max": values("channel_max").max(axis=0),
    }
