"""A net as it was, for when a training that goes on from it fails."""

import torch
from skorch.history import History

from ..runtime.torch_settings import with_torch_defaults


class NetSnapshot:
    """Copy of all that a training changes in a net, apart from its callbacks.

    Parameters
    ----------
    net : BaseNet
        An initialised net.
    """

    @with_torch_defaults
    def __init__(self, net):
        self._net, self._attributes = net, dict(vars(net))
        self._weights = _cloned(net.module_.state_dict())
        self._optimizer = _cloned(net.optimizer_.state_dict())
        self._history = list(net.history)

    @with_torch_defaults
    def restore(self):
        """Make the net what it was."""
        net = self._net
        # What one training adds may still be there after Ctrl-C.
        vars(net).clear()
        vars(net).update(self._attributes)
        net.module_.load_state_dict(self._weights)
        net.optimizer_.load_state_dict(self._optimizer)
        net.history_ = History(self._history)


def _cloned(value):
    """Return plain values and tensors, the latter as copies."""
    match value:
        case torch.Tensor():
            return value.clone()
        case dict():
            return {name: _cloned(item) for name, item in value.items()}
        case list() | tuple():
            return type(value)(map(_cloned, value))
    return value
