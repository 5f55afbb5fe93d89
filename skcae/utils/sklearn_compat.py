"""The parts of scikit-learn without a stability promise, imported in one place."""

from sklearn.base import _fit_context
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import (
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Stand-in without `set_callbacks`: this scikit-learn has no callbacks."""

        def _init_callback_context(self, **kwargs):
            return None

    def with_callbacks(method):
        """Return the method itself."""
        return method


try:
    from sklearn.callback._transport import close_listener, open_listener, send
except ImportError:  # private, and only since scikit-learn 1.9

    def open_listener(consumer):
        """Return no listener: what is sent cannot arrive."""

    def close_listener(listener):
        """Do nothing."""

    def send(listener, message):
        """Raise OSError."""
        raise OSError("no connection to the process that searches")


__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "Options",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "check_matplotlib_support",
    "close_listener",
    "open_listener",
    "send",
    "validate_parameter_constraints",
    "with_callbacks",
]
