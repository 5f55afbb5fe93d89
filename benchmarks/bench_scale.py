"""What a second worker or process gains in a search, and a second process in one fit.

    python benchmarks/bench_scale.py [--repeats 5] [--only search|fit] [--data 28x28]

Search: `GridSearchCV` with 4 candidates, 3 folds and no final fit on 1,500 digits of
8x8 pixels, with two workers and with one, in turn: with joblib's own processes, and
with those of Dask.  Workers have started and imported everything before the clock
starts. The scores must be equal.

Fit: a training that two processes share, launched by torchrun, and the same by one, in
turn; `batch_size` is that of both together.  Each launch fits once before the clock
starts.  The losses must agree.

Every worker and process has one thread of torch.  Figures are ratios of seconds,
medians with quartiles; with less than two idle cores they say nothing.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import torch
from _script import make_parser, parse
from _timing import Stopwatch, interleave, ratio
from _workloads import WORKLOADS
from dask.distributed import Client
from sklearn.model_selection import GridSearchCV

import skcae

LEARNING_RATES = [3e-4, 1e-3, 3e-3, 1e-2]
BATCH_SIZE = 256
CLUSTER = {"threads_per_worker": 1, "dashboard_address": ":0"}


def search(cae, X, n_jobs=None, **backend):
    """Return the scores of every candidate in every fold."""
    grid = {"lr": LEARNING_RATES}
    with joblib.parallel_config(**backend):
        search = GridSearchCV(cae, grid, cv=3, refit=False, n_jobs=n_jobs).fit(X)
    names = (f"split{fold}_test_score" for fold in range(3))
    return np.array([search.cv_results_[name] for name in names])


def search_on(client, cae, X):
    """Return the scores that the workers of a cluster find."""
    return search(cae, X, backend="dask", client=client, scatter=[X])


def compare(what, calls, arguments):
    """Print what a second worker gains in a search: functions of what is fitted."""
    workload = WORKLOADS["8x8"]
    X = workload.samples(arguments.quick)
    cae = workload.make_cae(max_epochs=1 if arguments.quick else 40)
    for call in calls.values():
        call(workload.make_cae(max_epochs=1), X[:100])
    contestants = {n: partial(call, cae, X) for n, call in calls.items()}
    seconds, scores = interleave(contestants, arguments.repeats, warm_up=False)
    difference = np.abs(np.array(scores[1]) - np.array(scores[2])).max()
    print(f"\n{what}: {np.median(seconds[1]):.1f} s with one worker")
    print(f"two workers / one: {ratio(seconds[2], seconds[1])}")
    print(f"scores differ by {difference:.1g} at most", flush=True)


def compare_searches(arguments):
    """Print what a second worker gains with joblib and with Dask."""
    torch.set_num_threads(1)  # joblib leaves what one worker would do to this process
    calls = {n: partial(search, n_jobs=n, backend="loky") for n in (1, 2)}
    compare("search, joblib", calls, arguments)
    clients = {n: Client(n_workers=n, **CLUSTER) for n in (1, 2)}
    for client in clients.values():
        client.run(torch.set_num_threads, 1)
    calls = {n: partial(search_on, client) for n, client in clients.items()}
    compare("search, Dask", calls, arguments)
    logging.disable()  # clusters that end say so at length
    for client in clients.values():
        client.close()


def fit_as_rank(arguments):
    """Fit twice with all ranks; the first one writes seconds and losses."""
    torch.set_num_threads(1)
    workload = WORKLOADS[arguments.data]
    X = workload.samples(arguments.quick)
    cae = workload.make_cae().set_params(batch_size=BATCH_SIZE)
    with skcae.data_parallel() as ranks:
        cae.set_params(max_epochs=1).fit(X)
        cae.set_params(max_epochs=1 if arguments.quick else workload.epochs)
        watch = Stopwatch()
        with watch.on("fit"):
            cae.fit(X)
    if ranks.rank == 0:
        losses = [row["train_loss"] for row in cae.history_]
        found = {"seconds": watch.seconds["fit"], "losses": losses}
        Path(arguments.as_rank).write_text(json.dumps(found))


def launch(n_ranks, arguments):
    """Return seconds and losses of a fit by so many processes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "found.json")
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(n_ranks), __file__]
        command += ["--as-rank", str(file), "--data", arguments.data]
        subprocess.run(
            command + ["--quick"] * arguments.quick,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return json.loads(file.read_text())


def compare_fits(arguments):
    """Print what a second process gains."""
    contestants = {n: lambda n=n: launch(n, arguments) for n in (1, 2)}
    _, found = interleave(contestants, arguments.repeats, warm_up=False)
    seconds = {n: np.array([one["seconds"] for one in found[n]]) for n in found}
    losses = {n: np.array([one["losses"] for one in found[n]]) for n in found}
    difference = np.abs(losses[1] - losses[2]).max()
    print(f"\nfit, {arguments.data}: {np.median(seconds[1]):.2f} s by one process")
    print(f"two processes / one: {ratio(seconds[2], seconds[1])}")
    print(f"losses differ by {difference:.1g} at most")


def main():
    """Print ratios."""
    parser = make_parser(__doc__, repeats=5)
    parser.add_argument("--only", choices=["search", "fit"])
    parser.add_argument("--data", choices=WORKLOADS, default="28x28")
    parser.add_argument("--as-rank", help="internal: write here what a rank has found")
    arguments = parse(parser)
    if arguments.as_rank:
        fit_as_rank(arguments)
        return
    if arguments.only != "fit":
        compare_searches(arguments)
    if arguments.only != "search":
        compare_fits(arguments)


if __name__ == "__main__":
    main()
