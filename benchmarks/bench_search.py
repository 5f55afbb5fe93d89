"""What a second process gains in a grid search.

    python benchmarks/bench_search.py [--repeats 5] [--epochs 40]

`GridSearchCV` with 4 candidates, 3 folds and no final fit on 1,500 digits of 8x8
pixels, with two processes and with one, in turn.  The processes are started and have
imported everything before the clock starts.  Figures are ratios of seconds, medians
with quartiles; the scores of both must be equal.
"""

import time

import numpy as np
import torch
from _timing import interleave, make_parser, parse, ratio
from _workloads import WORKLOADS
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV

GRID = {"lr": [3e-4, 1e-3, 3e-3, 1e-2]}


def worker_threads(n_jobs):
    """Return torch's number of threads in each worker; start those that are not."""
    with Parallel(n_jobs=n_jobs) as pool:
        return pool(delayed(torch.get_num_threads)() for _ in range(n_jobs))


def search(cae, X, n_jobs):
    """Return the scores of every candidate in every fold."""
    results = GridSearchCV(cae, GRID, cv=3, refit=False, n_jobs=n_jobs).fit(X)
    scores = results.cv_results_
    return np.array([scores[f"split{fold}_test_score"] for fold in range(3)])


def main():
    """Print the ratio."""
    parser = make_parser(__doc__, repeats=5)
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parse(parser)
    workload = WORKLOADS[0]
    X = workload.samples(arguments.quick)
    epochs = 1 if arguments.quick else arguments.epochs
    cae = workload.make_cae().set_params(max_epochs=epochs, lr=1e-3)
    start = time.perf_counter()
    threads = worker_threads(2)
    print(f"torch's threads in the workers: {threads}")
    search(cae.set_params(max_epochs=1), X[:100], 2)
    print(f"starting the workers: {time.perf_counter() - start:.1f} s")
    cae.set_params(max_epochs=epochs)
    contestants = {n_jobs: lambda n=n_jobs: search(cae, X, n) for n_jobs in (1, 2)}
    seconds, scores = interleave(contestants, arguments.repeats, warm_up=False)
    one_fit = np.median(seconds[1]) / 12
    difference = np.abs(np.array(scores[1]) - np.array(scores[2])).max()
    print(f"{one_fit:.2f} s a fit and score in one process")
    print(f"n_jobs=2 / n_jobs=1: {ratio(seconds[2], seconds[1])}")
    print(f"scores differ by {difference:.1g} at most")


if __name__ == "__main__":
    main()
