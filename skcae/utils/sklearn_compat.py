"""Parts of scikit-learn without a promise of stability, imported in this file alone.

`tests/utils/test_private_parts.py` lists them and says when one of them is gone.
"""

from sklearn.base import _fit_context
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Stand-in without `set_callbacks`: this scikit-learn has no callbacks."""

    def with_callbacks(method):
        """Return the method itself."""
        return method


try:
    from sklearn.callback._transport import close_listener, open_listener, send
except ImportError:  # before scikit-learn 1.9

    def open_listener(consumer):
        """Return no listener: what is sent cannot arrive."""

    def close_listener(listener):
        """Do nothing."""

    def send(listener, message):
        """Raise OSError."""
        raise OSError("no connection to the process that searches")


class CallbacksMixin(CallbackSupportMixin):
    """Mixin for estimators whose `fit` reports to callbacks of scikit-learn."""

    def _callback_context(self, max_subtasks):
        """Return the callback context of a fit, None where there are no callbacks.

        Parameters
        ----------
        max_subtasks : int
            How many tasks the fit consists of.
        """
        if not hasattr(self, "_init_callback_context"):
            return None
        return self._init_callback_context(max_subtasks=max_subtasks)


__all__ = [
    "CallbacksMixin",
    "Interval",
    "StrOptions",
    "_fit_context",
    "close_listener",
    "open_listener",
    "send",
    "validate_parameter_constraints",
    "with_callbacks",
]
