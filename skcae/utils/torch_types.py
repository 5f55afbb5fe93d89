"""Types of torch that parameters may have, without importing torch."""

import sys


class _IsDevice(type):
    def __instancecheck__(cls, value):
        torch = sys.modules.get("torch")
        return torch is not None and isinstance(value, torch.device)


class Device(metaclass=_IsDevice):
    """Stand-in for `torch.device`: who has one has imported torch."""


# What scikit-learn calls it in messages.
Device.__module__, Device.__qualname__ = "torch", "device"
