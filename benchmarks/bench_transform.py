"""How long transform takes, and how much memory, against what people write today.

    python benchmarks/bench_transform.py [--threads 1] [--repeats 9] [--only 28x28]

The rivals encode with the same weights: skorch's `predict` with the encoder as its
module, a plain loop that collects batches in a list and joins them, and a loop tuned by
hand.  They get samples that are standardised already, while skcae's time includes
checking and standardising.  Figures are ratios skcae / rival, medians with quartiles,
with the largest difference of features relative to the largest of them.
Peak memory is that of one call in a fresh process, above the level just before, over
the size of the features; the 8x8 samples are repeated for it, up to 50 MB of features.
"""

import numpy as np
import torch
from _memory import MB, in_fresh_process, peak_memory
from _rivals import plain_encode, skorch_predict, standardised, tuned_encode, twin
from _script import make_parser, parse
from _timing import interleave, largest_difference, print_ratios
from _workloads import chosen_workloads

RIVALS = {
    "skorch predict": (skorch_predict, False),
    "list and cat": (plain_encode, False),
    "tuned loop": (tuned_encode, True),
}
NAMES = ("28x28", "32x32x3", "8x8")


def make_contestants(workload, X, device="cpu", **params):
    """Return what is timed, by name: functions that return features."""
    cae = workload.make_cae(max_epochs=0, device=device, **params).fit(X)
    x = standardised(X, workload.channel_axis)

    def rival(make, tuned):
        encode = make(twin(workload, cae, tuned)[0], device)
        return lambda: encode(x)

    rivals = {name: rival(*how) for name, how in RIVALS.items()}
    return {"skcae": lambda: cae.transform(X), **rivals}


def print_times(seconds, features):
    """Print a line per rival."""

    def compare(name):
        difference = largest_difference(features["skcae"][0], features[name][0])
        return f"largest difference {difference:.0e}"

    print_ratios(seconds, compare)


def peak_over_result(workload, quick, name, n_threads):
    """Return the peak memory of one call over its result, and the latter in bytes."""
    torch.set_num_threads(n_threads)
    X = workload.samples(quick)
    first = make_contestants(workload, X[:500])[name]
    size = first().nbytes / len(X[:500])  # and everything is loaded
    n_samples = max(len(X), int((1 if quick else 50) * MB / size))
    X = np.resize(X, (n_samples, *X.shape[1:]))
    call = make_contestants(workload, X)[name]
    return peak_memory(call)[0] / (size * n_samples), size * n_samples


def main():
    """Print a table."""
    parser = make_parser(__doc__, repeats=9, threads=True, workloads=NAMES)
    arguments = parse(parser)
    for workload, X in chosen_workloads(arguments, NAMES):
        contestants = make_contestants(workload, X)
        times, features = interleave(contestants, arguments.repeats)
        milliseconds = np.median(times["skcae"]) * 1e3
        print(f"\n{workload.name}: skcae {milliseconds:.0f} ms a call")
        print_times(times, features)
        if arguments.quick:
            contestants = ["skcae"] if workload.name == "8x8" else []
        for name in contestants:
            peak, size = in_fresh_process(
                peak_over_result, workload, arguments.quick, name, arguments.threads
            )
            what = f"peak memory of {name}"
            print(f"  {what:<34}{peak:.2f} of its result of {size / MB:.0f} MB")


if __name__ == "__main__":
    main()
