"""What parameters must not be together, nor with the data at hand."""

import multiprocessing
import os
import sys
from numbers import Integral
from pathlib import Path

from ..utils.sklearn_compat import Interval
from .activations import ACTIVATIONS
from .losses import LOSSES

# Arguments of skorch's net that no parameter stands for; more begin with a prefix.
_NET_ARGUMENTS = (
    "iterator_valid__batch_size",
    "predict_nonlinearity",
    "use_caching",
    "torch_load_kwargs",
)
# Those of them that say how samples of a Dataset are loaded.
_LOADING_ARGUMENTS = tuple(
    f"iterator_{part}__{name}"
    for part in ("train", "valid")
    for name in ("num_workers", "multiprocessing_context")
)


def resolve_output_activation(estimator):
    """Return the name of the activation behind the last decoder stage."""
    name = estimator.output_activation
    implied = LOSSES[estimator.loss].implies_output
    if implied is None:
        return name
    if name not in ("identity", implied):
        raise ValueError(
            f"Got loss={estimator.loss!r} with output_activation={name!r}; expected "
            f"{implied!r}, which this loss implies. Leave output_activation at its "
            "default, or choose another loss."
        )
    return implied


def is_stagewise(estimator):
    """Whether the stages are trained one after the other."""
    return bool(estimator.layerwise) or estimator.sparsity == "winner_take_all"


def check_booleans(estimator):
    """Raise TypeError for booleans, which Python takes for numbers."""
    for name, options in estimator._parameter_constraints.items():
        is_number = any(isinstance(option, Interval) for option in options)
        value = getattr(estimator, name)
        if is_number and isinstance(value, bool):
            raise TypeError(
                f"Got {name}={value}; expected a number. Write {int(value)} if that "
                "is what you mean."
            )


def check_callbacks(callbacks):
    """Raise TypeError for what is no callback of skorch."""
    # Who has a skorch callback has imported skorch.
    skorch_callbacks = sys.modules.get("skorch.callbacks")
    known = () if skorch_callbacks is None else skorch_callbacks.Callback
    for item in callbacks or ():
        is_named = isinstance(item, (tuple, list)) and len(item) == 2
        callback = item[1] if is_named and isinstance(item[0], str) else item
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, known):
            raise TypeError(
                f"Got {item!r} in callbacks; expected skorch callbacks, or pairs of a "
                "name and one. Take them from skorch.callbacks, and pass "
                "scikit-learn's to set_callbacks."
            )


def check_monitors(callbacks, has_validation):
    """Refuse callbacks that watch a validation loss where there is none."""
    for item in callbacks or ():
        callback = item[1] if isinstance(item, (tuple, list)) else item
        monitor = getattr(callback, "monitor", None)
        if str(monitor).startswith("valid_") and not has_validation:
            raise ValueError(
                f"Got a callback {type(callback).__name__} with monitor={monitor!r} "
                "but no validation samples; expected some. Pass X_val, set "
                "early_stopping=True, or monitor 'train_loss'."
            )


def check_net_params(estimator):
    """Raise ValueError for what is no argument of skorch's net, or another's."""
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
        Whether they are for training, or for all else.

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
    """Return those of `net_params` that are the net's own and decide its results."""
    return {
        key: value
        for key, value in (net_params or {}).items()
        if key not in _LOADING_ARGUMENTS
    }


def _check_features(estimator):
    """Refuse ways from maps to features that exclude each other."""
    if estimator.feature_stages == "all":
        if estimator.pooling is None:
            raise ValueError(
                "Got feature_stages='all' with pooling=None; expected pooled maps, as "
                "those of several stages are many. Set pooling='avg'."
            )
        if estimator.n_components is not None:
            raise ValueError(
                f"Got feature_stages='all' with n_components={estimator.n_components}; "
                "expected one of the two, as a dense code is one of the last maps. Set "
                "feature_stages='last' or n_components=None."
            )
    if estimator.power != 1 and (
        estimator.pooling is None or estimator.n_components is not None
    ):
        raise ValueError(
            f"Got power={estimator.power} with pooling={estimator.pooling!r} and "
            f"n_components={estimator.n_components}; expected power=1 for features "
            "that can be inverted. Set pooling='avg' and n_components=None."
        )


def _check_whitening(estimator):
    if estimator.whiten is None:
        return
    name = resolve_output_activation(estimator)
    if ACTIVATIONS[name].bounds != (None, None):
        raise ValueError(
            f"Got whiten={estimator.whiten} with an output activation {name!r}; "
            "expected 'identity', as whitened values have no bounds. Leave "
            "output_activation at its default and choose another loss than 'log_loss'."
        )


def _check_checkpoint(checkpoint):
    if checkpoint is None:
        return
    name = os.fspath(checkpoint)
    try:
        reason = _what_prevents_files(Path(name)) if name else "no name"
    except OSError as error:
        reason = f"a name that cannot be looked up ({error.strerror})"
    if reason is not None:
        raise ValueError(
            f"Got checkpoint={name!r}, which is {reason}; expected the name of a file, "
            "new or of the same fit, or a folder. Correct the name, or create the "
            "folder."
        )


def _what_prevents_files(path):
    """Return why no file can be written, None if it can."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return f"in no folder that exists: {str(folder)!r}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"in a folder that cannot be written to: {str(folder)!r}"
    if path.exists() and path != folder and not path.is_file():
        return "no ordinary file"
    if path.is_file() and not os.access(path, os.R_OK):
        return "a file that cannot be read"
    return None


def check_objective(estimator, stages):
    """Raise ValueError for stages that the objective cannot train."""
    if estimator.n_components is not None and is_stagewise(estimator):
        raise ValueError(
            f"Got n_components={estimator.n_components} with "
            f"layerwise={estimator.layerwise} and sparsity={estimator.sparsity!r}; "
            "expected n_components=None where stages are trained one by one. Put PCA "
            "behind the transformer instead."
        )
    if estimator.sparsity != "winner_take_all":
        return
    if len(stages) > 1 and not estimator.layerwise:
        raise ValueError(
            f"Got sparsity='winner_take_all' with {len(stages)} stages; expected one "
            "stage at a time. Set layerwise=True."
        )
    if estimator.corruption is not None:
        raise ValueError(
            f"Got corruption={estimator.corruption!r} with "
            "sparsity='winner_take_all'; expected one of the two. Set one to None."
        )
    if estimator.tied_weights:
        raise ValueError(
            "Got tied_weights=True with sparsity='winner_take_all'; expected False: "
            "while they learn, filters are tied anyway, and then the decoder is fitted "
            "to the dense code. Set tied_weights=False."
        )
    for stage in stages:
        if stage.stride != 1:
            raise ValueError(
                f"Got stride={stage.stride} with sparsity='winner_take_all'; expected "
                "1, as winners may lie anywhere. Set stride=1 and use pool_size."
            )


def check_together(estimator):
    """Raise ValueError or TypeError for what single constraints cannot express."""
    check_booleans(estimator)
    check_callbacks(estimator.callbacks)
    check_net_params(estimator)
    _check_features(estimator)
    _check_whitening(estimator)
    _check_checkpoint(estimator.checkpoint)
    level, kind = estimator.corruption_level, estimator.corruption
    if kind in ("mask", "salt_and_pepper") and level > 1:
        raise ValueError(
            f"Got corruption_level={level} with corruption={kind!r}; expected a share "
            "between 0 and 1. Lower it, or use corruption='gaussian', whose level is "
            "a standard deviation."
        )
