"""What a fitted estimator keeps: numpy weights in files, a live net in memory."""

import inspect
import threading

from sklearn.exceptions import NotFittedError

from ..params.architecture import Architecture
from ..utils.user_warnings import warn

_LIVE, _STORED = "_net", "_weights"
_PRIVATE = frozenset(
    (
        _LIVE,
        _STORED,
        "_code_shape",
        "_layout",
        "_learning_params",
        "_architecture",
        "_head_params",
        "_n_features_out",
        "_fitted_on_rows",
        "_seed",
        "_training_params",
    )
)
# Format of the state in files: one more whenever older releases cannot read it.  0 had
# no number.
FORMAT = 1
_FORMAT = "_format"
# Several threads may be the first to use a model that has been loaded.
_REBUILDING = threading.RLock()


class NumpyState:
    """Mixin that pickles a skorch net as numpy arrays and rebuilds it on use.

    No torch object, optimizer or data reaches a file, so that a model fitted on a GPU
    loads on a CPU and `skops.io` has no foreign type to trust.  The estimator provides
    `_make_net(device)`.
    """

    def __sklearn_is_fitted__(self):
        return _LIVE in vars(self) or _STORED in vars(self)

    def __getstate__(self):
        with _REBUILDING:
            state = dict(super().__getstate__())
        net = state.pop(_LIVE, None)
        if net is not None:
            from .weights import weights_as_numpy

            state[_STORED] = weights_as_numpy(net.module_)
        if "_architecture" in state:
            state["_architecture"] = state["_architecture"].as_dict()
        return state | {_FORMAT: FORMAT}

    def __setstate__(self, state):
        state = dict(state)
        found = state.pop(_FORMAT, 0)
        if found > FORMAT:
            raise ValueError(
                f"Got a {type(self).__name__} in format {found}, which a newer skcae "
                f"wrote; expected format {FORMAT} or older. Update skcae, or fit again."
            )
        parameters = inspect.signature(type(self)).parameters.values()
        # Earlier releases had fewer parameters, and did what their defaults do.
        defaults = {parameter.name: parameter.default for parameter in parameters}
        if "_architecture" in state:
            state["_architecture"] = Architecture.from_dict(state["_architecture"])
        super().__setstate__(defaults | state)

    def _forget_fit(self):
        """Become unfitted."""
        for name in list(vars(self)):
            if name in _PRIVATE or (name.endswith("_") and not name.startswith("_")):
                delattr(self, name)

    @property
    def net_(self):
        """The trained skorch net.

        Rebuilt from the stored weights where it is not alive.
        """
        net = vars(self).get(_LIVE)
        if net is None:
            with _REBUILDING:
                net = vars(self).get(_LIVE) or self._rebuild_net()
        return net

    @property
    def module_(self):
        """The net's module; its encode and decode map tensors in the data's units."""
        return self.net_.module_

    def _rebuild_net(self):
        if _STORED not in vars(self):
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' "
                "with appropriate arguments before using this estimator."
            )
        from ..runtime.devices import resolve_device
        from .weights import load_weights

        try:
            device = resolve_device(self.device)
        except ValueError as error:
            device = "cpu"
            warn(f"{error} The fitted model runs on the CPU.")
        net = self._make_net(device)
        load_weights(net.module_, self._weights)
        self._net = net
        del self._weights
        return net
