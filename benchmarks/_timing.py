"""Interleaved timing in one process, reported as ratios."""

import argparse
import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode


def make_parser(doc, repeats=None, threads=False):
    """Return a parser with the options that benchmarks share.

    Parameters
    ----------
    doc : str
        Docstring of the script.
    repeats : int or None, default=None
        Default of ``--repeats``; None: there is no such option.
    threads : bool, default=False
        Whether there is ``--threads``.

    Returns
    -------
    parser : argparse.ArgumentParser
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if threads:
        parser.add_argument("--threads", type=int, default=1, help="of torch")
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument(
        "--quick", action="store_true", help="see that the script runs: no figures"
    )
    return parser


def parse(parser):
    """Return the arguments; announce threads and what --quick means."""
    arguments = parser.parse_args()
    if arguments.quick and "repeats" in arguments:
        arguments.repeats = 1
    if "threads" in arguments:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    return arguments


def interleave(contestants, repeats, settle=lambda: None, warm_up=True):
    """Run every contestant once per round, in alternating order.

    Parameters
    ----------
    contestants : dict of str to callable
        What to time; what they return is kept.
    repeats : int
        Rounds that count.
    settle : callable, default=nothing
        Called before the clock starts and before it stops, as to wait for a device.
    warm_up : bool, default=True
        Whether to run one round before those that count.

    Returns
    -------
    seconds : dict of str to ndarray of shape (repeats,)
    results : dict of str to list
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
    return spread(ours / theirs)


def matmul_peak(repeats, device="cpu"):
    """Return float32 operations per second of a large matrix product: the best."""
    side = 2048 if torch.device(device).type == "cpu" else 8192
    a, b = torch.rand(2, side, side, device=device)
    settle = waiting_for(device)
    seconds, _ = interleave({"matmul": lambda: a @ b}, repeats, settle)
    return 2 * side**3 / seconds["matmul"].min()


def waiting_for(device):
    """Return a function that waits until a device has done its work."""
    if torch.device(device).type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return lambda: None


def operations(work):
    """Return the floating point operations of matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()
