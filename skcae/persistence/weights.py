"""Weights of a module as numpy arrays."""

import numpy as np
import torch

from ..runtime.devices import reason_of
from ..runtime.torch_settings import with_default_dtype, with_torch_defaults


def weights_as_numpy(module):
    """Return the module's state as numpy arrays."""
    return {
        name: np.array(tensor.detach().cpu().numpy(), order="C")
        for name, tensor in module.state_dict().items()
    }


@with_torch_defaults
def load_weights(module, weights):
    """Set the module's state from numpy arrays."""
    module.load_state_dict(
        {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    )


@with_default_dtype
def check_weights(weights, build):
    """Raise ValueError unless weights have the shapes of a module, without building it.

    A forged file may claim filters by the million. Their weights are looked for before
    any memory is taken for them.

    Parameters
    ----------
    weights : dict of ndarray
        Weights from a file, by name.
    build : callable
        Returns the module.
    """
    try:
        with torch.device("meta"):
            expected = {
                name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
                for name, tensor in build().state_dict().items()
            }
        found = {
            name: (array.shape, array.dtype.name) for name, array in weights.items()
        }
    except (ArithmeticError, AttributeError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"Got a fitted model of which no net can be built ({reason_of(error)}); "
            "expected one that fit has made. Fit again."
        ) from error
    for name in expected | found:
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"Got a fitted model with {name} of shape and dtype {found.get(name)} "
                f"for a net with {expected.get(name)}; expected them to be equal. Fit "
                "again, or load the file that fit has made."
            )
