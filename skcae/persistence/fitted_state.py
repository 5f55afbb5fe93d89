"""What a fitted estimator keeps: numpy weights in files, a live net in memory."""

import threading

from sklearn.exceptions import NotFittedError

from ..utils.user_warnings import warn
from .fitted import Fitted

# Format of the state in files: one more whenever other releases cannot read it.
FORMAT = 1
_FORMAT = "_format"
# Several threads may be the first to use a model that has been loaded.
_REBUILDING = threading.RLock()


def is_fitted_name(name):
    """Whether an attribute of this name is one that `fit` sets."""
    return name == "_fitted" or (name.endswith("_") and not name.startswith("_"))


def fitted_state(estimator, fitted, attributes):
    """Return all attributes that an estimator has once a fit has ended.

    Assigned to ``__dict__`` in one step, they leave no moment at which some attributes
    are those of this fit and others those of an earlier one.

    Parameters
    ----------
    estimator : BaseEstimator
        Its parameters, and what else is not fitted, are kept.
    fitted : Fitted or None
        The record of the fit, if there is one.
    attributes : dict
        Public fitted attributes, by name.

    Returns
    -------
    state : dict
    """
    kept = {
        name: value
        for name, value in vars(estimator).items()
        if not is_fitted_name(name)
    }
    record = {} if fitted is None else {"_fitted": fitted}
    return kept | record | attributes


class FittedState:
    """Mixin that keeps one record of a fit, stores it as numpy arrays, and rebuilds it.

    No torch object, optimizer or data reaches a file, so that a model fitted on a GPU
    loads on a CPU and `skops.io` has no foreign type to trust.  The estimator provides
    `_make_net(fitted, device)` and `_make_module(fitted)`.
    """

    # Unfitted estimators have no such attribute of their own.
    _fitted = None

    def __sklearn_is_fitted__(self):
        return self._fitted is not None

    def __getstate__(self):
        with _REBUILDING:
            state = dict(super().__getstate__())
            if self._fitted is not None:
                state["_fitted"] = self._fitted.as_dict()
        if not isinstance(state.get("device", ""), str):
            state["device"] = str(state["device"])
        return state | {_FORMAT: FORMAT}

    def __setstate__(self, state):
        state = dict(state)
        found = state.pop(_FORMAT, None)
        if found != FORMAT:
            raise ValueError(
                f"Got a {type(self).__name__} in format {found}; expected format "
                f"{FORMAT}. Update skcae where the file is newer, or fit again."
            )
        if "_fitted" in state:
            state["_fitted"] = Fitted.from_dict(state["_fitted"])
        super().__setstate__(state)

    @property
    def net_(self):
        """The trained skorch net.

        Rebuilt from the stored weights where it is not alive.
        """
        fitted = self._fitted
        if fitted is None:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' "
                "with appropriate arguments before using this estimator."
            )
        if fitted.net is None:
            with _REBUILDING:
                if fitted.net is None:
                    fitted.net, fitted.weights = self._rebuilt_net(fitted), None
        return fitted.net

    @property
    def module_(self):
        """The net's module; its encode and decode map tensors in the data's units."""
        return self.net_.module_

    def _rebuilt_net(self, fitted):
        from ..runtime.devices import resolve_device
        from .weights import check_weights, load_weights

        try:
            device = resolve_device(self.device)
        except ValueError as error:
            device = "cpu"
            warn(f"{error} The fitted model runs on the CPU.")
        check_weights(fitted.weights, lambda: self._make_module(fitted))
        net = self._make_net(fitted, device)
        load_weights(net.module_, fitted.weights)
        return net
