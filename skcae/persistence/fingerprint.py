"""What decides the result of a fit, as text that can be compared and shown."""

import hashlib
import inspect

import numpy as np

from ..params.net_params import without_loading

# At most so many bytes of the samples are read.
_N_BYTES = 2**24
# Parameters that have no effect on what is learnt, or have an entry of their own.
_LEFT_OUT = frozenset(("checkpoint", "device", "random_state", "verbose", "warm_start"))


def fingerprint(params, samples, valid, seed, fitted=None):
    """Return what decides the result of a fit, so that two fits can be told apart.

    Parameters
    ----------
    params : dict
        Parameters of the transformer, all of them valid values.
    samples : Samples
        Training data, including those that are going to be held out.
    valid : Samples or None
        Validation data that the user has passed.
    seed : int
        Drawn for this fit.
    fitted : Fitted, default=None
        Record of the fit from whose weights this one starts; None: it starts afresh.

    Returns
    -------
    identity : dict of str
        Texts by name.
    """
    identity = parameters_in_words(params)
    identity["random_state"] = _random_state(params["random_state"], seed)
    identity["X"] = _samples_in_words(samples)
    identity["X_val"] = "None" if valid is None else _samples_in_words(valid)
    identity["start"] = "from new weights"
    if fitted is not None:
        identity["start"] = _weights_in_words(fitted)
    return identity


def parameters_in_words(params):
    """Return the parameters that decide what is learnt, as texts by name."""
    if params["net_params"] is not None:
        net_params = without_loading(params["net_params"]) or None
        params = params | {"net_params": net_params}
    return {name: _in_words(params[name]) for name in sorted(params.keys() - _LEFT_OUT)}


def digest(identity):
    """Return a short name of an identity."""
    return _sha256(repr(sorted(identity.items())).encode())


def _sha256(*parts):
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()[:16]


def _in_words(value):
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | bool() | int() | float() | str():
            return repr(value)
        case list() | tuple():
            return f"({', '.join(map(_in_words, value))})"
        case dict():
            items = (f"{key!r}: {_in_words(value[key])}" for key in value)
            return f"{{{', '.join(sorted(items))}}}"
        case np.ndarray():
            return f"array {value.shape} {value.dtype} {_sha256(value.tobytes())}"
    if hasattr(value, "__qualname__"):  # classes and functions
        return f"{value.__module__}.{value.__qualname__}"
    return _object_in_words(value)


def _object_in_words(value):
    """Return the call that makes an object, as far as its attributes tell."""
    attributes = getattr(value, "__dict__", {})
    try:
        parameters = inspect.signature(type(value)).parameters
    except ValueError:  # some builtins have no signature
        parameters = {}
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        # skorch's LRScheduler, for one, stores further arguments as attributes.
        parameters = [name for name in attributes if not name.endswith("_")]
    given = (
        f"{name}={_in_words(attributes[name])}"
        for name in sorted(parameters)
        if name in attributes
    )
    return f"{type(value).__qualname__}({', '.join(given)})"


def _random_state(random_state, seed):
    if random_state is None or isinstance(random_state, (int, np.integer)):
        return _in_words(random_state)
    return f"a generator that draws {seed}"


def _samples_in_words(samples):
    """Describe samples by some of them, as reading all of a large file takes long."""
    shape, dtype = samples.X.shape, samples.X.dtype
    n_samples = _N_BYTES // (dtype.itemsize * max(1, samples.layout.n_features))
    some = samples.evenly_spaced(max(2, n_samples))
    values = some.stored(slice(None), dtype)
    return f"an array {shape} of {dtype} with hash {_sha256(values.tobytes())}"


def _weights_in_words(fitted):
    weights = fitted.without_net().weights
    parts = (array.tobytes() for array in weights.values())
    return f"from weights with hash {_sha256(*parts)}"
