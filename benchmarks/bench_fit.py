"""How long a fit takes against what people write today, at equal losses.

    python benchmarks/bench_fit.py [--threads 1] [--repeats 5] [--only 28x28]

The rivals train the same architecture from the same weights on the same data:
a plain PyTorch loop with a DataLoader, skorch as a user would write it, a loop tuned by
hand, and, for scale, scikit-learn's MLPRegressor with as many hidden units as code
positions have filters.  Figures are ratios skcae / rival of whole fits, medians with
quartiles; MNIST, CIFAR-10 and ElectricDevices are read from SKCAE_DATA where it is set.
"""

import argparse
import copy
import warnings

import numpy as np
import torch
from _rivals import (
    BATCH_SIZE,
    LR,
    copy_weights,
    dataloader_loop,
    make_module,
    skorch_fit,
    standardised,
    tuned_loop,
)
from _timing import interleave, ratio
from _workloads import WORKLOADS
from sklearn.neural_network import MLPRegressor

from skcae import ConvAutoencoderTransformer

RIVALS = {
    "DataLoader loop": (dataloader_loop, False),
    "skorch": (skorch_fit, False),
    "tuned loop": (tuned_loop, True),
}


def make_cae(workload, **params):
    """Return the transformer of a workload."""
    return ConvAutoencoderTransformer(
        **workload.params | params,
        kernel_size=3,
        lr=LR,
        batch_size=BATCH_SIZE,
        random_state=0,
        tol=0,
    )


def make_contestants(workload, X, epochs):
    """Return what is timed, by name; every call is a whole fit."""
    start = make_cae(workload, max_epochs=0).fit(X[:1000]).module_
    weights = [parameter.detach().clone() for parameter in start.parameters()]
    n_axes = len(start.spatial)
    sizes = {key: workload.params.get(key, 1) for key in ("stride", "pool_size")}

    def ours():
        cae = make_cae(workload, max_epochs=epochs).fit(X)
        return cae.history_[-1]["train_loss"]

    def rival(train, tuned):
        module = make_module(
            n_axes, start.scaler.mean.numel(), workload.stages, **sizes, tuned=tuned
        )
        copy_weights(module, weights)

        def run():
            x = standardised(X, workload.params.get("channel_axis"))
            return train(copy.deepcopy(module), x, epochs)

        return run

    rivals = {name: rival(*how) for name, how in RIVALS.items()}
    return {"skcae": ours, **rivals}


def mlp_autoencoder(workload, X, epochs):
    """Return a fit of scikit-learn's own network as autoencoder."""
    rows = X.reshape(len(X), -1)

    def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mlp = MLPRegressor(
                hidden_layer_sizes=workload.stages[-1],
                batch_size=BATCH_SIZE,
                max_iter=epochs,
                tol=0,
            )
            return mlp.fit(rows, rows).loss_

    return run


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=[w.name for w in WORKLOADS])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"threads: {arguments.threads}, torch {torch.__version__}")
    for workload in WORKLOADS:
        if arguments.only not in (None, workload.name):
            continue
        X = workload.data()
        contestants = make_contestants(workload, X, workload.epochs)
        contestants["MLPRegressor"] = mlp_autoencoder(workload, X, workload.epochs)
        seconds, losses = interleave(contestants, arguments.repeats)
        ours = seconds["skcae"]
        print(f"\n{workload.name}: skcae {np.median(ours):.2f} s a fit")
        for name in RIVALS:
            difference = np.median(losses["skcae"]) / np.median(losses[name]) - 1
            print(
                f"  skcae / {name:<18}{ratio(ours, seconds[name])}   "
                f"loss {difference:+.1%}"
            )
        print(f"  skcae / {'MLPRegressor':<18}{ratio(ours, seconds['MLPRegressor'])}")


if __name__ == "__main__":
    main()
