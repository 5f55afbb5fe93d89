"""What may go wrong where processes share a fit."""

import io
import pickle
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
from fits import DATA, make, summary
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skcae.training.callbacks import StopTraining


class Fail(Callback):
    """Raises an error at the end of the second epoch."""

    error = None

    def on_epoch_end(self, net, **kwargs):
        if self.error is not None and len(net.history) == 2:
            raise self.error("what a test wants")


def failing(error, **params):
    """Return a transformer in whose fit this rank raises an error, or None."""
    Fail.error = error
    return make(callbacks=[Fail()], **params)


def error_of(work):
    """Return kind and message of the error, also whether the estimator is fitted."""
    try:
        work()
    except BaseException as error:  # Ctrl-C, too
        notes = " ".join(getattr(error, "__notes__", ()))
        return type(error).__name__, f"{error} {notes}".strip()
    return None


def one_after_the_other(rank, folder):
    """Return what each failure looks like to this rank."""
    with_nan = DATA.copy()
    with_nan[100, 3, 3] = np.nan
    cae = make().fit(DATA)
    found = {
        "NaN in X": error_of(lambda: make().fit(with_nan)),
        "NaN in X_val": error_of(lambda: make().fit(DATA, X_val=with_nan)),
        "other data": error_of(lambda: make().fit(DATA[rank * 60 :])),
        "other parameters": error_of(lambda: make(lr=0.01 * (1 + rank)).fit(DATA)),
        "diverged": error_of(lambda: make(optimizer="sgd", lr=1e30).fit(DATA)),
    }
    for error in (RuntimeError, KeyboardInterrupt, MemoryError, StopTraining):
        other = failing(error if rank == 1 else None)
        found[error.__name__] = error_of(lambda cae=other: cae.fit(DATA))
        found[f"epochs after {error.__name__}"] = getattr(other, "n_iter_", None)
    grid = {"optimizer": ["sgd"], "lr": [1e30, 0.01]}
    search = GridSearchCV(make(), grid, cv=2, error_score=-9).fit(DATA)
    found["search"] = list(search.cv_results_["mean_test_score"])
    found["checkpoint"] = resumed(rank, folder)
    found["as before"] = pickle.dumps(summary(cae)) == pickle.dumps(
        summary(make().fit(DATA))
    )
    return found


def resumed(rank, folder):
    """Return a fit that goes on from a file, and one that was never interrupted."""
    params = {"checkpoint": Path(folder, f"checkpoint-{rank}"), "corruption": "mask"}
    interrupted = error_of(lambda: failing(KeyboardInterrupt, **params).fit(DATA))
    refused = error_of(lambda: failing(None, lr=0.1, **params).fit(DATA))
    went_on = summary(failing(None, **params).fit(DATA))
    at_once = summary(failing(None, corruption="mask").fit(DATA))
    return interrupted, refused, pickle.dumps(went_on) == pickle.dumps(at_once)


def spoken():
    """Return whether this rank writes skorch's table, and whether a progress bar."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        make(verbose=2).fit(DATA)
    return "train_loss" in out.getvalue(), "epoch" in err.getvalue()


def in_threads():
    """Search with threads, whose fits are not shared."""
    with parallel_config("threading", n_jobs=2):
        search = GridSearchCV(make(), {"lr": [0.01, 0.02]}, cv=2).fit(DATA)
    return search.cv_results_["mean_test_score"]
