"""The state of fitted estimators: a live net in memory, numpy weights in files."""

import threading

from sklearn.exceptions import NotFittedError

from ..utils.user_warnings import warn
from .fitted import Fitted

# Format of the state in files: one more whenever earlier releases cannot read it.
FORMAT = 1
_FORMAT = "_format"
# Several threads may use a loaded model at once, and only one rebuilds its net.
_REBUILDING = threading.RLock()


def is_fitted_name(name):
    """Whether `fit` sets the attribute of this name."""
    return name == "_fitted" or (name.endswith("_") and not name.startswith("_"))


def fitted_state(estimator, fitted, attributes):
    """Return all attributes that an estimator has after a fit.

    They are assigned to ``__dict__`` in one step. At no moment, then, are some
    attributes those of this fit and others those of an earlier one.

    Parameters
    ----------
    estimator : BaseEstimator
        It keeps its parameters, and whatever else `fit` does not set.
    fitted : Fitted or None
        Record of the fit, if the estimator has one.
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
    """Mixin for estimators with one record of their fit and a net in it.

    Pickles hold the weights as numpy arrays; the net is rebuilt when it is needed.  No
    object of PyTorch, optimizer or data reaches a file, so that a model fitted on a GPU
    loads on a CPU, and `skops.io` has no foreign type to trust.  The estimator provides
    `_make_net(fitted, device)` and `_make_module(fitted)`.
    """

    # Only fitted estimators have an attribute of their own.
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
        """The trained skorch net, rebuilt from the weights if need be."""
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
        """The net's module; `encode` and `decode` map tensors in the data's units."""
        return self.net_.module_

    @property
    def _value_range(self):
        """Least and largest value of each channel that can be computed with.

        None while a fit has no net yet.
        """
        fitted = self._fitted
        if fitted.net is None and fitted.weights is None:
            return None
        return self.module_.value_range()

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
