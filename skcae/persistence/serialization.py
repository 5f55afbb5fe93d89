"""Objects as tensors and plain values, which load without running code.

Numbers, texts and None stay as they are. Anything else becomes a pair: the name of its
kind, and its content.
"""

import numpy as np
import torch

from .comparison import check_generator_state, check_tensors, checked_optimizer_state

_SCALARS = (bool, int, float, str, type(None))


class SerializationError(TypeError):
    """Raised for values that tensors and plain values cannot express."""


def serialize(value):
    """Return a value as tensors and plain values.

    Parameters
    ----------
    value : object
        A number, text, array, tensor, generator of random numbers, object with a
        `state_dict`, or a list, tuple, set or dictionary of such values.

    Returns
    -------
    plain : object
        What `deserialize` makes the value of again.

    Raises
    ------
    SerializationError
        If the value is, or contains, anything else.
    """
    if type(value) in _SCALARS:
        return value
    match value:
        case torch.Tensor():
            return "tensor", (value.detach().cpu(), str(value.device))
        case np.ndarray():
            return "array", _as_tensor(value)
        case np.generic():  # its dtype decides how exactly it is computed with
            return "number", _as_tensor(value)
        case list():
            return "list", [serialize(item) for item in value]
        case set():
            return "set", [serialize(item) for item in value]
        case dict():
            return "dict", [(serialize(key), serialize(value[key])) for key in value]
        case tuple() if type(value) is tuple:
            return "tuple", [serialize(item) for item in value]
        case np.random.Generator():
            return "generator", serialize(value.bit_generator.state)
        case np.random.RandomState():
            return "random_state", serialize(value.get_state(legacy=False))
        case torch.Generator():
            return "torch_generator", value.get_state()
    if _has_state_dict(value):
        return "state_dict", serialize(value.state_dict())
    raise SerializationError(type(value).__name__)


def deserialize(plain, now=None):
    """Return the value that `serialize` was given.

    Parameters
    ----------
    plain : object
        What `serialize` returned.
    now : object, default=None
        What is in the place of the value. Generators and objects with a `state_dict`
        get their state set in place.

    Returns
    -------
    value : object

    Raises
    ------
    SerializationError
        If there is nothing whose state could be set.
    ValueError
        If a state does not belong to `now`.
    """
    if not isinstance(plain, tuple):
        return plain
    match plain:
        case ("tensor", (tensor, device)):
            return tensor.to(device)
        case ("array", tensor):
            return tensor.numpy()
        case ("number", tensor):
            return tensor.numpy()[()]
        case ("list", items):
            return [deserialize(item) for item in items]
        case ("set", items):
            return {deserialize(item) for item in items}
        case ("dict", items):
            return {deserialize(key): deserialize(item) for key, item in items}
        case ("tuple", items):
            return tuple(deserialize(item) for item in items)
        case (kind, _) if now is None:
            raise SerializationError(
                f"there is nothing yet that the state of a {kind} is for"
            )
        case ("generator", state):
            found = deserialize(state)
            check_generator_state(found, now.bit_generator.state)
            now.bit_generator.state = found
        case ("random_state", state):
            found = deserialize(state)
            check_generator_state(found, now.get_state(legacy=False))
            now.set_state(found)
        case ("torch_generator", state):
            now.set_state(state)
        case ("state_dict", state):
            _load_state(now, deserialize(state))
        case _:
            raise ValueError(f"a value of kind {plain[0]!r}")
    return now


def serialize_items(mapping):
    """Return the items of a dictionary that `serialize` can express, serialized."""
    items = {}
    for name, value in mapping.items():
        try:
            items[name] = serialize(value)
        except SerializationError:
            continue
    return items


def _as_tensor(array):
    try:
        return torch.from_numpy(np.array(array, order="C"))
    except (TypeError, ValueError) as error:  # torch does not have every dtype
        raise SerializationError(str(error)) from None


def _has_state_dict(value):
    return not isinstance(value, type) and all(
        callable(getattr(value, name, None))
        for name in ("state_dict", "load_state_dict")
    )


def _load_state(now, state):
    if isinstance(now, torch.optim.Optimizer):
        state = checked_optimizer_state(state, now)
    elif isinstance(now, torch.nn.Module):
        check_tensors(state, now.state_dict())
    now.load_state_dict(state)
