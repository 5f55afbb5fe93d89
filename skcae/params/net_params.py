"""Arguments of skorch's net that users may pass, and how Datasets are loaded."""

import multiprocessing
from numbers import Integral

# Arguments of skorch's net that no parameter stands for. Those of optimizers and
# callbacks, which begin with a prefix, come on top.
_NET_ARGUMENTS = (
    "iterator_valid__batch_size",
    "predict_nonlinearity",
    "use_caching",
    "torch_load_kwargs",
)
# Arguments that say how samples of a Dataset are loaded.
_LOADING_ARGUMENTS = tuple(
    f"iterator_{part}__{name}"
    for part in ("train", "valid")
    for name in ("num_workers", "multiprocessing_context")
)


def check_net_params(estimator):
    """Raise ValueError for arguments that users may not pass to skorch's net."""
    own = estimator.get_params(deep=False)
    for key, value in (estimator.net_params or {}).items():
        prefix, _, name = str(key).rpartition("__")
        if key in _LOADING_ARGUMENTS:
            _check_loading(key, name, value)
            continue
        if key in _NET_ARGUMENTS or prefix.startswith("callbacks__"):
            continue
        if name in own:
            raise ValueError(
                f"Got {key!r} in net_params; expected arguments of skorch's net that "
                f"{type(estimator).__name__} has no parameter for. Pass "
                f"{name}={value!r} to {type(estimator).__name__} itself."
            )
        if prefix != "optimizer" or not name:
            raise ValueError(
                f"Got {key!r} in net_params; expected one of "
                f"{_NET_ARGUMENTS + _LOADING_ARGUMENTS} or a name that begins with "
                "'optimizer__' or 'callbacks__<name>__'. Remove "
                f"{key!r}, or correct it."
            )


def _check_loading(key, name, value):
    if name == "num_workers":
        expected = "a number of processes, 0 for none"
        is_number = isinstance(value, Integral) and not isinstance(value, bool)
        is_valid = is_number and value >= 0
    else:
        methods = multiprocessing.get_all_start_methods()
        expected = f"None or one of {methods}"
        is_valid = value is None or value in methods
    if not is_valid:
        raise ValueError(
            f"Got {key!r} in net_params with the value {value!r}; expected {expected}. "
            "Correct it."
        )


def loading_params(estimator, part):
    """Return how samples of a Dataset are loaded, as `net_params` say it.

    Parameters
    ----------
    estimator : estimator
        Has `net_params`, or has them by its autoencoder.
    part : {"train", "valid"}
        Whether samples are loaded to train on them, or for anything else.

    Returns
    -------
    params : dict
        Arguments of `DatasetRows`.
    """
    holder = estimator
    if not hasattr(estimator, "net_params"):
        holder = getattr(estimator, "autoencoder", None)
    params = {}
    for key, value in (getattr(holder, "net_params", None) or {}).items():
        prefix, _, name = str(key).rpartition("__")
        if key in _LOADING_ARGUMENTS and prefix == f"iterator_{part}":
            _check_loading(key, name, value)
            params[name] = value
    return params


def without_loading(net_params):
    """Return `net_params` without those that only say how samples are loaded."""
    return {
        key: value
        for key, value in (net_params or {}).items()
        if key not in _LOADING_ARGUMENTS
    }
