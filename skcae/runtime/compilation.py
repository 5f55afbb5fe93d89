"""Methods of a module, compiled by torch.compile when they are first called.

Compiled code belongs to a process. It is no part of a net, so that nets can be pickled.
"""

from functools import cache, lru_cache
from types import FunctionType

import torch

from ..utils.user_warnings import warn

# Number of architectures whose compiled code a process keeps.
_N_KEPT = 64


def check_compiler(device):
    """Raise ValueError where torch.compile cannot work at all."""
    try:
        _try_compiler(torch.device(device).type)
    except Exception as error:  # whatever breaks in a compiler
        message = _explain(error)
    else:
        return
    raise ValueError(message)


@cache
def _try_compiler(kind):
    torch.compile(_own_copy(_sum))(torch.ones(2, device=kind))


def _sum(x):
    return x.sin() + x


def _explain(error):
    error = getattr(error, "inner_exception", error)
    lines = [line.strip() for line in str(error).splitlines()]
    reason = next((line for line in lines if line), type(error).__name__)
    return (
        f"Got compile=True, but torch.compile fails here ({reason.rstrip('.')}); "
        "expected what it needs: a C++ compiler for the CPU, Triton for a GPU, and "
        "layers that it knows. Install these, or set compile=False."
    )


def compiled(function, net, size=None):
    """Return a method of a net's module as a compiled function of module and tensor.

    Modules of one architecture share compiled code, so that only the first of many fits
    waits for the compiler.

    Parameters
    ----------
    function : function
        Takes a module and a tensor.
    net : AutoencoderNet
        Tells architecture and device.
    size : int or None, default=None
        Number of samples per batch, if all batches are of one size. None: once a second
        size comes, code for all sizes is compiled.
    """
    architecture = tuple(sorted(net.get_params_for("module").items()))
    kind = torch.device(net.device).type
    try:
        code = _compiled(function, architecture, kind, size)
    except RuntimeError as error:  # too new a Python
        raise ValueError(_explain(error)) from None

    def calling(module, x):
        try:
            return code(module, x)
        except RuntimeError as error:
            if not _is_of_compiler(error):
                raise
            message = _explain(error)
        raise ValueError(message)

    return calling


def _is_of_compiler(error):
    # The classes of these errors are private: only the names of their modules are used.
    return any(
        kind.__module__.startswith(("torch._dynamo.", "torch._inductor."))
        for kind in type(error).__mro__
    )


def compiled_or_plain(method, net):
    """Return a method of a net's module that compiles itself when it is called.

    Where that fails, it warns and computes without: a model that was trained elsewhere
    can be used on a machine without a compiler.
    """
    code, fails = None, False

    def calling(x):
        nonlocal code, fails
        if fails:
            return method(x)
        try:
            code = code or compiled(method.__func__, net)
            # The last batch, which is filled up, has other strides. A copy has those of
            # all batches, and needs no code of its own.
            x = x.clone(memory_format=torch.contiguous_format)
            return code(method.__self__, x)
        except ValueError as error:
            fails = True
            warn(f"{error} It is computed without.")
        return method(x)

    return calling


@lru_cache(maxsize=_N_KEPT)
def _compiled(function, architecture, kind, size):
    dynamic = None if size is None else False
    return torch.compile(_own_copy(function), dynamic=dynamic)


def _own_copy(function):
    # torch compiles a Python function for a few kinds of arguments only, then gives up.
    # So each architecture gets a copy of the function.
    code = function.__code__.replace()
    return FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__
    )


def for_full_batches(function, plain, size):
    """Return a function that calls `function` for batches of `size` samples.

    A smaller last batch goes to `plain`: it is not worth the time to compile for it.
    """

    def choosing(module, x):
        return (function if len(x) == size else plain)(module, x)

    return choosing
