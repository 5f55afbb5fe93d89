"""Weights of a module as numpy arrays, and back."""

import numpy as np
import torch


def weights_as_numpy(module):
    """Return the module's state as numpy arrays."""
    return {
        name: np.array(tensor.detach().cpu().numpy(), order="C")
        for name, tensor in module.state_dict().items()
    }


def load_weights(module, weights):
    """Set the module's state from numpy arrays."""
    module.load_state_dict(
        {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    )
