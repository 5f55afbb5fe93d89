"""PyTorch's settings where we compute, whatever the user has set around a call."""

from functools import wraps

import torch
from torch.overrides import has_torch_function

from .precision import MULTIPLICATION
from .shared_switch import SharedSwitch

# Where autocast may be on.
_DEVICE_TYPES = ("cpu", "cuda", "xpu", "mps")
# Their product is 0 where the processor takes numbers as small as this one for 0. They
# are variables, as Python computes products of constants beforehand.
_SUBNORMAL, _ONE = 5e-324, 1.0
# Guards of inference mode that have to stay: their end would change the mode again.
_KEPT_GUARDS = []


def _set_dtype(dtype):
    if torch.get_default_dtype() is not dtype:
        torch.set_default_dtype(dtype)


DEFAULT_DTYPE = SharedSwitch(torch.get_default_dtype, _set_dtype, _set_dtype)
_SWITCHES = (DEFAULT_DTYPE, MULTIPLICATION)


def with_torch_defaults(function):
    """Let a function compute under the settings that PyTorch starts with.

    What users set for a process or a thread would change results, or make them fail:
    another default dtype or device, inference mode, no gradients, autocast, function
    modes, subnormal numbers that count as 0. Afterwards all is as before, and so are
    the number of threads and the precision of products, which functions inside set
    back themselves, unless Ctrl-C stops them. Where only another kernel is chosen, as
    by ``torch.use_deterministic_algorithms``, the user's wish holds.
    """

    @wraps(function)
    def computing(*args, **kwargs):
        found = _Settings()
        # Ctrl-C during the first attempt to restore leaves the second one.
        try:
            try:
                found.replace()
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

    def replace(self):
        """Set PyTorch's defaults."""
        DEFAULT_DTYPE.take(self, torch.float32)
        if has_torch_function((None,)):  # the mode of a default device is one of them
            self._enter(torch.DisableTorchFunction())
        if self.inference:
            self._enter(torch.inference_mode(False))
        if not self.grad:
            torch.set_grad_enabled(True)
        for kind in self.autocast:
            torch.set_autocast_enabled(kind, False)
        if self.nesting:
            # Weights that it keeps rounded would not follow the training.
            torch.set_autocast_cache_enabled(False)
        if self.flushes:
            torch.set_flush_denormal(False)

    def _enter(self, guard):
        self.guards.append(guard)
        guard.__enter__()

    def restore(self):
        """Set what was found, unless that is done already."""
        if self.is_restored:
            return
        for guard in reversed(self.guards):
            guard.__exit__(None, None, None)
        for switch, before in zip(_SWITCHES, self.users, strict=True):
            if later := switch.users_here() - before:
                switch.give_back(*later)
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
