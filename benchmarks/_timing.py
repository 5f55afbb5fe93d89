"""Interleaved timing in one process, reported as ratios."""

import time

import numpy as np


def interleave(contestants, repeats):
    """Run every contestant once per round, in alternating order.

    Parameters
    ----------
    contestants : dict of str to callable
        What to time; what they return is kept.
    repeats : int
        Rounds that count; one more warms up.

    Returns
    -------
    seconds : dict of str to ndarray of shape (repeats,)
    results : dict of str to list
    """
    seconds = {name: [] for name in contestants}
    results = {name: [] for name in contestants}
    for round_ in range(repeats + 1):
        names = list(contestants)
        for name in names if round_ % 2 else reversed(names):
            start = time.perf_counter()
            result = contestants[name]()
            elapsed = time.perf_counter() - start
            if round_:
                seconds[name].append(elapsed)
                results[name].append(result)
    return {name: np.array(times) for name, times in seconds.items()}, results


def ratio(ours, theirs):
    """Return "median [lower quartile, upper quartile]" of ratios round by round."""
    low, middle, high = np.percentile(ours / theirs, [25, 50, 75])
    return f"{middle:.2f} [{low:.2f} {high:.2f}]"
