"""PyTorch's settings where we compute, whatever the user has set around a call."""

from contextlib import suppress
from functools import wraps

import torch
from torch.overrides import has_torch_function

from .devices import ACCELERATORS
from .precision import MULTIPLICATION
from .shared_switch import SharedSwitch

# Where autocast may be on.
_DEVICE_TYPES = ("cpu", *ACCELERATORS)
# Their product is 0 where the processor takes numbers as small as this one for 0. They
# are variables, as Python computes products of constants beforehand.
_SUBNORMAL, _ONE = 5e-324, 1.0
# Guards of inference mode that have to stay: their end would change the mode again.
_KEPT_GUARDS = []


def _set_dtype(dtype):
    if torch.get_default_dtype() is not dtype:
        torch.set_default_dtype(dtype)


_DEFAULT_DTYPE = SharedSwitch(torch.get_default_dtype, _set_dtype, _set_dtype)
_SWITCHES = (_DEFAULT_DTYPE, MULTIPLICATION)


def with_torch_defaults(function):
    """Let a function compute under the settings that PyTorch starts with.

    What users set for a process or a thread would change results, or make them fail:
    another default dtype or device, inference mode, no gradients, autocast, function
    modes, subnormal numbers that count as 0. Afterwards all is as before, and so are
    the number of threads and the precision of products, which functions inside set
    back themselves, unless Ctrl-C stops them. Where only another kernel is chosen, as
    by ``torch.use_deterministic_algorithms``, the user's wish holds.
    """
    return _restoring(function, _Settings.replace)


def with_inference_mode(function):
    """Do the same as `with_torch_defaults`, but compute no gradients."""
    return _restoring(function, _Settings.replace_for_inference)


def with_default_dtype(function):
    """Let a function make tensors of PyTorch's own default dtype, float32.

    Unlike with `with_torch_defaults` it may set a default device itself.
    """
    return _restoring(function, _Settings.replace_dtype)


def _restoring(function, replace):
    @wraps(function)
    def computing(*args, **kwargs):
        found = _Settings()
        # Ctrl-C during the first attempt to restore leaves the second one.
        try:
            try:
                replace(found)
                return function(*args, **kwargs)
            finally:
                found.restore()
        finally:
            found.restore()

    return computing


class _Settings:
    """What is set in this thread and in this process."""

    def __init__(self):
        self.n_threads = torch.get_num_threads()
        self.grad = torch.is_grad_enabled()
        self.inference = torch.is_inference_mode_enabled()
        self.autocast = _autocast_types()
        self.cache = torch.is_autocast_cache_enabled()
        self.nesting = _nesting()
        self.flushes = _flushes()
        self.users = [switch.users_here() for switch in _SWITCHES]
        self.guards, self.is_restored = [], False

    def replace(self, inference=False):
        """Set PyTorch's defaults, but for inference mode where that is wanted."""
        self.replace_dtype()
        if has_torch_function((None,)):  # the mode of a default device is one of them
            self._enter(torch.DisableTorchFunction())
        if self.inference is not inference:
            self._enter(torch.inference_mode(inference))
        if not inference and not self.grad:
            torch.set_grad_enabled(True)
        for kind in self.autocast:
            torch.set_autocast_enabled(kind, False)
        if self.nesting:
            # Weights that it keeps rounded would not follow the training.
            torch.set_autocast_cache_enabled(False)
        if self.flushes:
            torch.set_flush_denormal(False)

    def replace_for_inference(self):
        """Set PyTorch's defaults and inference mode."""
        self.replace(inference=True)

    def _enter(self, guard):
        # Noted first, as Ctrl-C may come right behind the beginning.
        self.guards.append(guard)
        guard.__enter__()

    def replace_dtype(self):
        """Set the default dtype alone."""
        _DEFAULT_DTYPE.take(self, torch.float32)

    def restore(self):
        """Set what was found, unless that is done already."""
        if self.is_restored:
            return
        for guard in reversed(self.guards):
            with suppress(AttributeError):  # it has not begun
                guard.__exit__(None, None, None)
        for switch, before in zip(_SWITCHES, self.users, strict=True):
            if switch.found is not None:
                switch.give_back(*switch.users_here() - before)
        if torch.is_inference_mode_enabled() is not self.inference:
            guard = torch.inference_mode(self.inference)
            _KEPT_GUARDS.append(guard)
            guard.__enter__()
        if torch.is_grad_enabled() is not self.grad:
            torch.set_grad_enabled(self.grad)
        if _autocast_types() != self.autocast:
            for kind in _DEVICE_TYPES:
                torch.set_autocast_enabled(kind, kind in self.autocast)
        if _nesting() != self.nesting:
            torch.autocast_decrement_nesting()
        if torch.is_autocast_cache_enabled() is not self.cache:
            torch.set_autocast_cache_enabled(self.cache)
            torch.clear_autocast_cache()
        if _flushes() is not self.flushes:
            torch.set_flush_denormal(self.flushes)
        if torch.get_num_threads() != self.n_threads:
            torch.set_num_threads(self.n_threads)
        self.is_restored = True


def _autocast_types():
    return [kind for kind in _DEVICE_TYPES if torch.is_autocast_enabled(kind)]


def _nesting():
    """Return how many autocast contexts this thread is in."""
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting()


def _flushes():
    """Whether subnormal numbers count as 0 here."""
    return _SUBNORMAL * _ONE == 0.0
