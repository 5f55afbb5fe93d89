"""How the time of a fit grows, and what a fit costs before it does any work.

    python benchmarks/bench_growth.py [--threads 1] [--repeats 5]

Seconds of fits of one epoch and of transform against the number of samples (of 28x28
pixels) and of pixels (1,000 square images), with the slope in log-log: 1 is linear.
Then milliseconds on 1,000 images of 8x8 pixels: of a fit with max_epochs=0, of one
epoch, and of an epoch in a loop tuned by hand.  Medians with quartiles.
"""

import copy

import numpy as np
from _data import enlarged_digits
from _rivals import standardised, tuned_loop, twin
from _script import make_parser, parse
from _timing import interleave, spread
from _workloads import WORKLOADS

N_SAMPLES = (2000, 4000, 8000, 16_000)
SIDES = (16, 32, 64, 128)
# Of 8x8 pixels; two stages of 16 and 32 filters with pooling, as for 28x28.
WORKLOAD = WORKLOADS["8x8"]


def print_growth(what, sizes, calls, repeats):
    """Print seconds per size and the slope."""
    seconds, _ = interleave(dict(zip(sizes, calls, strict=True)), repeats)
    logarithms = np.log([seconds[size] for size in sizes])
    slopes = np.polyfit(np.log(sizes), logarithms, 1)[0]
    medians = ", ".join(f"{size}: {np.median(seconds[size]):.3f}" for size in sizes)
    print(f"{what:<24} slope {spread(slopes)}   seconds {medians}")


def print_both(what, sizes, data, repeats):
    """Print the growth of fit and of transform."""
    fits = [lambda X=X: WORKLOAD.make_cae(max_epochs=1).fit(X) for X in data]
    print_growth(f"fit, {what}", sizes, fits, repeats)
    fitted = [WORKLOAD.make_cae(max_epochs=0).fit(X[:100]) for X in data]
    calls = [
        lambda X=X, cae=cae: cae.transform(X)
        for X, cae in zip(data, fitted, strict=True)
    ]
    print_growth(f"transform, {what}", sizes, calls, repeats)


def print_fixed_costs(X, repeats):
    """Print milliseconds of what does not depend on the amount of data."""
    module = twin(WORKLOAD, WORKLOAD.make_cae(max_epochs=0).fit(X), tuned=True)

    def ours(epochs):
        return lambda: WORKLOAD.make_cae(max_epochs=epochs).fit(X)

    def loop(epochs):
        return lambda: tuned_loop(copy.deepcopy(module), standardised(X), epochs)

    contestants = {"start": ours(0), "fit": ours(10), "one": loop(1), "loop": loop(11)}
    seconds, _ = interleave(contestants, repeats)
    milliseconds = {name: values * 1e3 for name, values in seconds.items()}
    epoch = (milliseconds["fit"] - milliseconds["start"]) / 10
    bare = (milliseconds["loop"] - milliseconds["one"]) / 10
    print(f"fit with max_epochs=0    {spread(milliseconds['start'], 1)} ms")
    print(f"one epoch                {spread(epoch, 1)} ms")
    print(f"one epoch of tuned loop  {spread(bare, 1)} ms")


def main():
    """Print a table."""
    arguments = parse(make_parser(__doc__, repeats=5, threads=True))
    repeats, scale = arguments.repeats, 20 if arguments.quick else 1
    numbers = [n // scale for n in N_SAMPLES]
    X = enlarged_digits(numbers[-1], 28)
    print_both("samples", numbers, [X[:n] for n in numbers], repeats)
    images = [enlarged_digits(1000 // scale, side) for side in SIDES]
    print_both("pixels", [side**2 for side in SIDES], images, repeats)
    print_fixed_costs(WORKLOAD.samples()[:1000], 4 * repeats)


if __name__ == "__main__":
    main()
