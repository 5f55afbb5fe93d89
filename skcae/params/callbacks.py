"""Which callbacks a net may get."""

import sys


def check_callbacks(callbacks):
    """Raise TypeError for what is no callback of skorch."""
    # Where there is a callback of skorch, skorch has been imported.
    skorch_callbacks = sys.modules.get("skorch.callbacks")
    known = () if skorch_callbacks is None else skorch_callbacks.Callback
    for item in callbacks or ():
        is_named = isinstance(item, (tuple, list)) and len(item) == 2
        callback = item[1] if is_named and isinstance(item[0], str) else item
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, known):
            raise TypeError(
                f"Got {item!r} in callbacks; expected skorch callbacks, or pairs of a "
                "name and one. Take them from skorch.callbacks, and pass "
                "scikit-learn's to set_callbacks."
            )


def check_monitors(callbacks, has_validation):
    """Refuse callbacks that watch a validation loss where there is none."""
    for item in callbacks or ():
        callback = item[1] if isinstance(item, (tuple, list)) else item
        monitor = getattr(callback, "monitor", None)
        if str(monitor).startswith("valid_") and not has_validation:
            raise ValueError(
                f"Got a callback {type(callback).__name__} with monitor={monitor!r} "
                "but no validation samples; expected some. Pass X_val, set "
                "early_stopping=True, or monitor 'train_loss'."
            )
