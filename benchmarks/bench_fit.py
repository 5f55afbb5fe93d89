"""How long a fit takes against what people write today, at equal losses.

    python benchmarks/bench_fit.py [--threads 1] [--repeats 5] [--only 28x28]

The rivals train the same architecture from the same weights on the same data:
a plain PyTorch loop with a DataLoader, skorch as a user would write it, a loop tuned by
hand, and, for scale, scikit-learn's MLPRegressor with as many hidden units as code
positions have filters.  Figures are ratios skcae / rival of whole fits, medians with
quartiles, and the operations per second as a share of what a large matrix product
reaches in the same run; MNIST, CIFAR-10 and ElectricDevices are read from SKCAE_DATA
where it is set.
"""

import copy
import warnings

import numpy as np
import torch
from _rivals import (
    BATCH_SIZE,
    HalfSquaredError,
    dataloader_loop,
    skorch_fit,
    standardised,
    tuned_loop,
    twin,
)
from _script import make_parser, parse
from _timing import interleave, matmul_peak, operations, print_ratios
from _workloads import WORKLOADS, chosen_workloads
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

RIVALS = {
    "DataLoader loop": (dataloader_loop, False),
    "skorch": (skorch_fit, False),
    "tuned loop": (tuned_loop, True),
}


def make_contestants(workload, X, epochs, device="cpu", **params):
    """Return what is timed, by name; every call is a whole fit."""
    start = workload.make_cae(max_epochs=0, device="cpu").fit(X[:1000])

    def ours():
        cae = workload.make_cae(max_epochs=epochs, device=device, **params).fit(X)
        return cae.history_[-1]["train_loss"]

    def rival(train, tuned):
        module = twin(workload, start, tuned)

        def run():
            x = standardised(X, workload.channel_axis)
            return train(copy.deepcopy(module), x, epochs, device)

        return run

    rivals = {name: rival(*how) for name, how in RIVALS.items()}
    return {"skcae": ours, **rivals}


def training_operations(workload, X):
    """Return the floating point operations that train on one sample once."""
    cae = workload.make_cae(max_epochs=0, device="cpu").fit(X[:1000])
    module = twin(workload, cae)
    x = torch.from_numpy(standardised(X[:8], workload.channel_axis))
    return operations(lambda: HalfSquaredError()(module(x), x).backward()) / len(x)


def print_fits(seconds, losses):
    """Print a line per rival."""

    def compare(name):
        if name == "MLPRegressor":
            return ""
        difference = np.median(losses["skcae"]) / np.median(losses[name]) - 1
        return f"loss {difference:+.1%}"

    print_ratios(seconds, compare)


def mlp_autoencoder(workload, X, epochs):
    """Return a fit of scikit-learn's own network as autoencoder."""
    rows = X.reshape(len(X), -1)
    sizes = {"hidden_layer_sizes": workload.stages[-1], "batch_size": BATCH_SIZE}

    def run():
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            return MLPRegressor(**sizes, max_iter=epochs, tol=0).fit(rows, rows).loss_

    return run


def main():
    """Print a table."""
    parser = make_parser(__doc__, repeats=5, threads=True, workloads=WORKLOADS)
    arguments = parse(parser)
    for workload, X in chosen_workloads(arguments):
        epochs = 1 if arguments.quick else workload.epochs
        contestants = make_contestants(workload, X, epochs)
        contestants["MLPRegressor"] = mlp_autoencoder(workload, X, epochs)
        seconds, losses = interleave(contestants, arguments.repeats)
        ours = np.median(seconds["skcae"])
        peak = matmul_peak(arguments.repeats)
        speed = training_operations(workload, X) * len(X) * epochs / ours
        print(
            f"\n{workload.name}: skcae {ours:.2f} s a fit, {speed / 1e9:.1f} GFLOP/s, "
            f"{speed / peak:.2f} of a matrix product's"
        )
        print_fits(seconds, losses)


if __name__ == "__main__":
    main()
