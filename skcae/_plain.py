"""State of objects as tensors and plain values, which load without running code.

Whatever is no number, no text and not None becomes a pair: its kind, and its content.
"""

import numpy as np
import torch

_SCALARS = (bool, int, float, str, type(None))


class NotPlain(TypeError):  # noqa: N818 (a reason, of which others make errors)
    """Raised for what tensors and plain values alone cannot express."""


def to_plain(value):
    """Return a value as tensors and plain values.

    Parameters
    ----------
    value : object
        Numbers, text, arrays, tensors, generators of random numbers, anything with a
        `state_dict`, and lists, tuples, sets and dictionaries of such.

    Returns
    -------
    plain : object
        For `from_plain`.

    Raises
    ------
    NotPlain
        If the value is anything else, or holds it.
    """
    if type(value) in _SCALARS:
        return value
    match value:
        case torch.Tensor():
            return "tensor", (value.detach().cpu(), str(value.device))
        case np.ndarray():
            return "array", _as_tensor(value)
        case np.generic():  # its type decides how exactly it is computed with
            return "number", _as_tensor(value)
        case list():
            return "list", [to_plain(item) for item in value]
        case set():
            return "set", [to_plain(item) for item in value]
        case dict():
            return "dict", [(to_plain(key), to_plain(value[key])) for key in value]
        case tuple() if type(value) is tuple:
            return "tuple", [to_plain(item) for item in value]
        case np.random.Generator():
            return "generator", to_plain(value.bit_generator.state)
        case np.random.RandomState():
            return "random_state", to_plain(value.get_state(legacy=False))
        case torch.Generator():
            return "torch_generator", value.get_state()
    if _has_state_dict(value):
        return "state_dict", to_plain(value.state_dict())
    raise NotPlain(type(value).__name__)


def from_plain(plain, now=None):
    """Return the value that `to_plain` has expressed.

    Parameters
    ----------
    plain : object
        What `to_plain` returned.
    now : object, default=None
        What is in the value's place. Generators and things with a `state_dict` are set
        in place, and so are lists, sets and dictionaries that are there already.

    Returns
    -------
    value : object

    Raises
    ------
    NotPlain
        If nothing is there that should be set in place.
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
            return _refill(now, [from_plain(item) for item in items])
        case ("set", items):
            return _refill(now, {from_plain(item) for item in items})
        case ("dict", items):
            pairs = {from_plain(key): from_plain(item) for key, item in items}
            return _refill(now, pairs)
        case ("tuple", items):
            return tuple(from_plain(item) for item in items)
        case (kind, _) if now is None:
            raise NotPlain(f"there is nothing yet that the state of a {kind} is for")
        case ("generator", state):
            now.bit_generator.state = from_plain(state)
        case ("random_state", state):
            now.set_state(from_plain(state))
        case ("torch_generator", state):
            now.set_state(state)
        case ("state_dict", state):
            now.load_state_dict(from_plain(state))
        case _:
            raise ValueError(f"a value of kind {plain[0]!r}")
    return now


def plain_items(mapping):
    """Return those items of a dictionary that `to_plain` can express."""
    items = {}
    for name, value in mapping.items():
        try:
            items[name] = to_plain(value)
        except NotPlain:
            continue
    return items


def _as_tensor(array):
    try:
        return torch.from_numpy(np.array(array, order="C"))
    except (TypeError, ValueError) as error:  # a dtype that torch does not have
        raise NotPlain(str(error)) from None


def _has_state_dict(value):
    return not isinstance(value, type) and all(
        callable(getattr(value, name, None))
        for name in ("state_dict", "load_state_dict")
    )


def _refill(now, values):
    """Return values, in the container that is there already where it is of their kind.

    Callbacks are shallow copies: their containers are those of the user.
    """
    if not isinstance(now, type(values)):
        return values
    now.clear()
    add = now.extend if isinstance(now, list) else now.update
    add(values)
    return now
