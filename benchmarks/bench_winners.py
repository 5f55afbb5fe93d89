"""Winner-take-all training from the winners alone against dense autograd.

    python benchmarks/bench_winners.py [--threads 1] [--repeats 15]

Milliseconds of a step, Adam's included, on batches of 64 with a share of 10 % and tied
filters: full grey images of 28x28 and crops of them with filters of 7x7, and full
photographs of 32x32 and crops of them with filters of 5x5. The dense step computes
sparse maps of the full size. Then how many times longer the dense step takes, and the
largest difference between the gradients, relative to the largest gradient. Medians,
ratios round by round with quartiles.
"""

import numpy as np
import torch
from _script import Table, make_parser, parse
from _timing import interleave, largest_difference, ratio
from torch.nn import functional as F

from skcae.nn.filters import normalise_
from skcae.nn.winner_take_all import winner_take_all_loss

BATCH, SHARE = 64, 0.1
# Channels, side of the samples, side of the filters.
ROWS = {
    "grey 28x28, 7x7": (1, 28, 7),
    "grey 14x14, 7x7": (1, 14, 7),
    "colour 32x32, 5x5": (3, 32, 5),
    "colour 12x12, 5x5": (3, 12, 5),
}
N_FILTERS = (16, 64, 128)


def dense_loss(x, weight, bias):
    """Return the loss of `winner_take_all_loss` from maps of the full size."""
    zeros = weight.shape[-1] // 2
    maps = F.conv2d(x, weight, bias, padding=zeros)
    peaks = maps.amax((2, 3), keepdim=True)
    thresholds = peaks.topk(round(SHARE * len(x)), dim=0).values[-1:]
    survives = (maps == peaks) & (peaks >= thresholds)
    activity = torch.relu(maps) * survives
    rebuilt = F.conv_transpose2d(activity, weight, padding=zeros)
    return 0.5 * F.mse_loss(rebuilt, x)


class Training:
    """Filters that learn from one batch, in the memory format that suits the loss."""

    def __init__(self, loss, start, x):
        self.loss, self.x = loss, x
        self.weight = torch.nn.Parameter(
            start.clone(memory_format=torch.preserve_format)
        )
        self.bias = torch.nn.Parameter(torch.zeros(len(start)))
        parameters = [self.weight, self.bias]
        self.optimizer = torch.optim.Adam(parameters, lr=3e-3, fused=True)

    def gradients(self):
        """Compute and return the gradients."""
        self.optimizer.zero_grad()
        self.loss(self.x, self.weight, self.bias).backward()
        return self.weight.grad, self.bias.grad

    def step(self):
        """Change the filters."""
        self.gradients()
        self.optimizer.step()
        normalise_(self.weight)


def make_contestants(n_channels, side, kernel, n_filters):
    """Return trainings from the winners and two dense ones, all from one start."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, n_channels, side, side, generator=generator)
    start = torch.randn(n_filters, n_channels, kernel, kernel, generator=generator)
    normalise_(start)

    def ours(x, weight, bias):
        return winner_take_all_loss(x, weight, bias, share=SHARE)

    last = {"memory_format": torch.channels_last}
    start_last = torch.empty_like(start, **last).copy_(start)
    x_last = torch.empty_like(x, **last).copy_(x)
    return {
        "winners": Training(ours, start, x),
        "dense": Training(dense_loss, start, x),
        "dense, channels_last": Training(dense_loss, start_last, x_last),
    }


def difference(trainings):
    """Return the largest difference between gradients, relative to the largest."""
    ours, theirs = (trainings[name].gradients() for name in ("winners", "dense"))
    return max(
        float(largest_difference(a.numpy(), b.numpy()))
        for a, b in zip(ours, theirs, strict=True)
    )


def main():
    """Print a table."""
    arguments = parse(make_parser(__doc__, repeats=15, threads=True))
    columns = {"winners ms": "10.2f", "dense ms": "8.2f", "channels last ms": "16.2f"}
    columns |= {"dense / winners": "20s", "channels last / winners": "22s"}
    table = Table(24, columns | {"gradients differ by": "19.0e"})
    for name, sizes in ROWS.items():
        for n_filters in N_FILTERS[:1] if arguments.quick else N_FILTERS:
            trainings = make_contestants(*sizes, n_filters)
            error = difference(trainings)
            steps = {name: training.step for name, training in trainings.items()}
            seconds, _ = interleave(steps, arguments.repeats)
            ours, *dense = seconds.values()
            table.row(
                f"{name:<18} K={n_filters}",
                *(1e3 * np.median(times) for times in seconds.values()),
                *(ratio(times, ours) for times in dense),
                error,
            )


if __name__ == "__main__":
    main()
