"""The content of a file is compared with what it is for, before any of it is set.

A checksum finds damage, not forgery.  PyTorch's fused optimizers write as many values
as a parameter has into the tensors of their state, however small these are.  Some of
numpy's generators read beyond the end of memory if their position does.
"""

from numbers import Real

import numpy as np
import torch

# Positions in the state of numpy's generators, and the array that each points into.
_POSITIONS = {"pos": "key", "buffer_pos": "buffer"}


def check_tensors(found, expected):
    """Raise ValueError unless tensors have expected names, shapes, dtypes and layouts.

    Parameters
    ----------
    found, expected : dict of Tensor
        By name.
    """
    _check_names(found, expected)
    for name, tensor in expected.items():
        _check_tensor(name, found[name], tensor)


def _check_names(found, expected):
    if not isinstance(found, dict) or found.keys() != expected.keys():
        names = sorted(map(str, found)) if isinstance(found, dict) else found
        raise ValueError(f"{names} in place of {sorted(map(str, expected))}")


def _check_tensor(name, found, expected):
    if not isinstance(found, torch.Tensor):
        raise ValueError(f"{name} is no tensor")
    here, there = (
        (tuple(tensor.shape), tensor.dtype, tensor.layout)
        for tensor in (expected, found)
    )
    if here != there:
        raise ValueError(f"{name} has shape, dtype and layout {there}, not {here}")


def checked_optimizer_state(found, optimizer):
    """Return the state of an optimizer, once it is safe to be loaded.

    Parameters
    ----------
    found : dict
        State from a file, in the form of `Optimizer.state_dict`.
    optimizer : Optimizer
        One of PyTorch.

    Returns
    -------
    state : dict
        Equal to `found`, with each tensor in memory of its own, laid out like that of
        its parameter.

    Raises
    ------
    ValueError
        If the state does not belong to this optimizer.
    """
    here = optimizer.state_dict()
    _check_names(found, here)
    groups = found["param_groups"]
    if len(groups) != len(here["param_groups"]):
        raise ValueError(f"{len(groups)} groups of parameters")
    for group, expected in zip(groups, here["param_groups"], strict=True):
        # A schedule adds numbers of its own, such as "initial_lr".
        options = {name: expected.get(name, 0.0) for name in group} | expected
        _check_names(group, options)
        for name, value in options.items():
            _check_option(name, group[name], value)
    after_a_step, state = _state_after_a_step(optimizer), {}
    for number, values in found["state"].items():
        if number not in after_a_step:
            raise ValueError(f"the state of a parameter {number}")
        expected = after_a_step[number]
        _check_names(values, expected)
        for name, value in expected.items():
            _check_option(name, values[name], value)
        state[number] = {
            name: _own_copy(values[name], value) for name, value in expected.items()
        }
    return {"state": state, "param_groups": groups}


def _own_copy(found, expected):
    if not isinstance(expected, torch.Tensor):
        return found
    return torch.empty_like(expected).copy_(found)


def _check_option(name, found, expected):
    """Raise ValueError for another type, or another value that is not a number.

    Numbers may differ: schedules change them.
    """
    if isinstance(expected, torch.Tensor):
        _check_tensor(name, found, expected)
    elif isinstance(expected, (tuple, list)) and isinstance(found, type(expected)):
        if len(found) != len(expected):
            raise ValueError(f"{name}={found!r} of an optimizer, not {expected!r}")
        for here, there in zip(found, expected, strict=True):
            _check_option(name, here, there)
    elif not _is_alike(found, expected):
        raise ValueError(f"{name}={found!r} of an optimizer, not {expected!r}")


def _is_alike(found, expected):
    if _is_number(expected):
        return _is_number(found)
    return type(found) is type(expected) and found == expected


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _state_after_a_step(optimizer):
    """Return the state of a like optimizer after one step, to compare with."""
    groups = []
    for group in optimizer.param_groups:
        params = [torch.zeros_like(p, requires_grad=True) for p in group["params"]]
        for param in params:
            param.grad = torch.zeros_like(param)
        groups.append({**group, "params": params})
    other = type(optimizer)(groups)
    other.step()
    return other.state_dict()["state"]


def check_generator_state(found, expected):
    """Raise ValueError unless a state has the form of a generator's own.

    Parameters
    ----------
    found, expected : dict
        States of numpy's generators of one kind.
    """
    _check_names(found, expected)
    for name, value in expected.items():
        here = found[name]
        if isinstance(value, dict):
            check_generator_state(here, value)
        elif isinstance(value, np.ndarray):
            is_array = isinstance(here, np.ndarray)
            if not is_array or (here.shape, here.dtype) != (value.shape, value.dtype):
                raise ValueError(f"{name!r} in the state of a generator")
        elif not _is_alike(here, value):
            raise ValueError(f"{name}={here!r} in the state of a generator")
        if name in _POSITIONS:
            most = len(expected[_POSITIONS[name]])
            if not 0 <= here <= most:
                raise ValueError(f"{name}={here!r} of {most} in a generator")
