"""Checks of arguments that all displays make before they compute anything."""

from sklearn.utils.validation import check_is_fitted

from ..estimators.base import BaseAutoencoder
from ..params.constraints import DISPLAY_CONSTRAINTS
from ..utils.sklearn_compat import validate_parameter_constraints


def _check_matplotlib(caller):
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"Got no matplotlib ({error}); {caller} requires matplotlib 3.9 or later. "
            "Install it with: pip install skcae[plot]."
        ) from error


class BaseDisplay:
    """Checks of arguments that all displays make."""

    @classmethod
    def _check_call(cls, method, **params):
        """Refuse a call without matplotlib, or parameters out of range."""
        caller = f"{cls.__name__}.{method}"
        _check_matplotlib(caller)
        constraints = {name: DISPLAY_CONSTRAINTS[name] for name in params}
        validate_parameter_constraints(constraints, params, caller_name=caller)

    @staticmethod
    def _check_autoencoder(estimator):
        """Refuse anything but a fitted autoencoder."""
        if not isinstance(estimator, BaseAutoencoder):
            is_class = isinstance(estimator, type)
            kind = estimator if is_class else type(estimator)
            raise TypeError(
                f"Got {'the class' if is_class else 'an estimator of type'} "
                f"{kind.__name__}; expected a fitted ConvAutoencoderTransformer. Pass "
                "it alone: of a pipeline the step that is one, such as pipeline[0], of "
                "a classifier or detector its autoencoder_."
            )
        check_is_fitted(estimator)
