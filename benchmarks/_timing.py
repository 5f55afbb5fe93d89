"""Seconds: several contestants in turn, and ratios of theirs, round by round."""

import time
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode


class Stopwatch:
    """Seconds of several kinds of work; `settle` waits for a device, as below."""

    def __init__(self, settle=lambda: None):
        self.seconds = {}
        self.settle = settle

    @contextmanager
    def on(self, what):
        """Add the seconds that the body takes to those of `what`."""
        start = time.perf_counter()
        yield
        self.settle()
        elapsed = time.perf_counter() - start
        self.seconds[what] = self.seconds.get(what, 0.0) + elapsed


def waiting_for(device):
    """Return a function that waits until a device has done its work."""
    if torch.device(device).type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return lambda: None


def interleave(contestants, repeats, settle=lambda: None, warm_up=True):
    """Run each contestant once per round, every other round in reverse order.

    Returns an array of seconds and a list of results for each, by name.  `settle` is
    called before the clock starts and before it stops; the round of `warm_up` does not
    count.
    """
    seconds = {name: [] for name in contestants}
    results = {name: [] for name in contestants}
    for round_ in range(0 if warm_up else 1, repeats + 1):
        names = list(contestants)
        for name in names if round_ % 2 else reversed(names):
            settle()
            start = time.perf_counter()
            result = contestants[name]()
            settle()
            elapsed = time.perf_counter() - start
            if round_:
                seconds[name].append(elapsed)
                results[name].append(result)
    return {name: np.array(times) for name, times in seconds.items()}, results


def spread(values, digits=2):
    """Return "median [lower quartile, upper quartile]"."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.{digits}f} [{low:.{digits}f} {high:.{digits}f}]"


def ratio(ours, theirs):
    """Return "median [lower quartile, upper quartile]" of ratios round by round."""
    return spread(np.divide(ours, theirs))


def print_ratios(seconds, compare):
    """Print a line for each rival of "skcae": the ratio, and what `compare` says."""
    for name in seconds:
        if name != "skcae":
            against = ratio(seconds["skcae"], seconds[name])
            print(f"  skcae / {name:<18}{against}   {compare(name)}", flush=True)


def largest_difference(ours, theirs):
    """Return the largest difference, relative to the largest of `theirs`."""
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def matmul_peak(repeats, device="cpu"):
    """Return float32 operations per second of a large matrix product: the best."""
    side = 2048 if torch.device(device).type == "cpu" else 8192
    a, b = torch.rand(2, side, side, device=device)
    settle = waiting_for(device)
    seconds, _ = interleave({"matmul": lambda: a @ b}, repeats, settle)
    return 2 * side**3 / seconds["matmul"].min()


def operations(work):
    """Return the floating point operations of matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()
