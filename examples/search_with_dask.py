"""A grid search on a Dask cluster, with a line of progress per fit.

The cluster is two processes on this machine; with the address of a scheduler in place
of `LocalCluster`, the search runs on any number of machines.  It is set up so that it
survives the death of a worker: everything is sent to all workers, and copies are kept.
"""

import os
from itertools import chain

import joblib
from dask.distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcae import ConvAutoencoderTransformer, ProgressLines

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))


def main():
    """Search on the cluster and print what was found."""
    X, y = load_digits().images, load_digits().target
    pipeline = make_pipeline(
        ConvAutoencoderTransformer(max_epochs=1 if QUICK else "auto", random_state=0),
        StandardScaler(),
        RidgeClassifier(),
    )
    grid = {
        "convautoencodertransformer__recipe": ["auto", "tutorial"],
        "convautoencodertransformer__n_filters": [8, 16],
    }
    folds = list(StratifiedKFold(2 if QUICK else 3).split(X, y))
    search = GridSearchCV(pipeline, grid, cv=folds).set_callbacks(ProgressLines())
    shared = [X, y, *chain.from_iterable(folds)]
    with LocalCluster(n_workers=2, threads_per_worker=1) as cluster:
        with Client(cluster) as client:
            client.amm.stop()  # or it would drop copies that no waiting fit needs
            with joblib.parallel_config(backend="dask", scatter=shared):
                search.fit(X, y)
    print(f"{search.best_score_:.3f} with {search.best_params_}")


if __name__ == "__main__":
    main()
