"""One line per fit of a long search, through scikit-learn's callbacks."""

import sys
from collections import Counter
from datetime import UTC, datetime

from tqdm import tqdm

from ..utils.sklearn_compat import close_listener, open_listener, send


class ProgressLines:
    """Print a line for every fit of a search, when it has ended.

    It is a callback of scikit-learn, for `set_callbacks` of a search.  A line has the
    number of the fit, the seconds it took, and the values of the parameters that are
    searched.  `sklearn.callback.ProgressBar` redraws the screen and shows no more fits
    than the screen has lines; lines are printed one below the other, to a terminal, a
    notebook or a file.

    Fits in other processes (`n_jobs`, Dask) are printed by the process that searches.
    Fits on other machines are printed there, with Dask to the log of the worker.

    Parameters
    ----------
    max_propagation_depth : int, default=1
        How deep in nested estimators a fit gets a line: with 0 the whole search, with 1
        its candidates as well, with 2 also the steps of their pipelines. None: all.

    See Also
    --------
    sklearn.callback.ProgressBar : Bars that move, for a few fits.

    Notes
    -----
    It needs scikit-learn 1.9 or later. A line has no score, as scikit-learn computes it
    after the fit; `cv_results_` has all scores. A fit that fails has no line.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skcae import ConvAutoencoderTransformer, ProgressLines
    >>> cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=1, random_state=0)
    >>> search = GridSearchCV(cae, {"lr": [0.001, 0.01]}, cv=2)
    >>> search = search.set_callbacks(ProgressLines())
    >>> search = search.fit(load_digits().images)  # doctest: +ELLIPSIS
    GridSearchCV 1 of 4: ... s, lr=0.001
    GridSearchCV 2 of 4: ... s, lr=0.001
    GridSearchCV 3 of 4: ... s, lr=0.01
    GridSearchCV 4 of 4: ... s, lr=0.01
    GridSearchCV refit-with-best-params: ... s, lr=0.01
    GridSearchCV fit: ... s
    """

    def __init__(self, max_propagation_depth=1):
        self.max_propagation_depth = max_propagation_depth
        self._runs = {}

    def setup(self, estimator, context):
        """Listen to the processes of a search.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            Of its fit.
        """
        self._runs[context.root_uuid] = open_listener(_write), _searched(estimator)

    def teardown(self, estimator, context):
        """Listen no more.

        Parameters
        ----------
        estimator : estimator
            What was fitted.
        context : CallbackContext
            Of its fit.
        """
        listener, _ = self._runs.pop(context.root_uuid)
        close_listener(listener)

    def on_fit_task_begin(self, estimator, context):
        """Do nothing: a line is printed at the end.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            Of a task of its fit.
        """

    def on_fit_task_end(self, estimator, context):
        """Print the line of a fit.

        Parameters
        ----------
        estimator : estimator
            What was fitted.
        context : CallbackContext
            Of a task of its fit; parts of a fit, like an epoch, get no line.
        """
        if context.parent is not None and context.source_task_name is None:
            return
        listener, names = self._runs[context.root_uuid]
        line = _name_of(context) + _values_of(estimator, names, context)
        try:
            send(listener, line)
        except (OSError, EOFError):  # it listens on another machine, or no more
            _write(line)


def _write(line):
    tqdm.write(line, file=sys.stdout)  # above the bars of `verbose`
    sys.stdout.flush()


def _searched(estimator):
    """Return the parameters that a search varies, with names as short as can be."""
    params = vars(estimator)
    grids = params.get("param_grid", params.get("param_distributions", ()))
    grids = [grids] if hasattr(grids, "keys") else grids
    names = dict.fromkeys(name for grid in grids for name in grid)
    ends = Counter(_end_of(name) for name in names)
    return {name: _end_of(name) if ends[_end_of(name)] == 1 else name for name in names}


def _end_of(name):
    return name.rpartition("__")[-1]


def _name_of(context):
    """Name a fit, as the estimator around it does, and say how long it took."""
    if context.parent is None:
        name = f"{context.estimator_name} {context.task_name}"
    elif context.parent.sequential_subtasks:
        name = f"{context.source_estimator_name} {context.source_task_name}"
    else:  # tasks of one kind, told apart by their numbers
        name = f"{context.source_estimator_name} {context.task_id + 1}"
        name += f" of {context.parent.max_subtasks}"
    seconds = (datetime.now(UTC) - context.init_time).total_seconds()
    return f"{name}: {seconds:.1f} s"


def _values_of(estimator, names, context):
    """Name the parameters that are searched, where a candidate was fitted."""
    if context.parent is None:
        return ""
    params = estimator.get_params()
    return "".join(
        f", {shown}={' '.join(str(params[name]).split())}"
        for name, shown in names.items()
        if name in params
    )
