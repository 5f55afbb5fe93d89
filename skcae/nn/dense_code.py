"""A linear code of feature maps."""

import math

import torch
from torch import Tensor, nn

from .linear import linear


class DenseCode(nn.Module):
    """Linear code of the flattened feature maps, and the way back.

    Parameters
    ----------
    map_shape : tuple of int
        Shape (C, *spatial) of the feature maps.
    n_components : int
        Width of the code.
    """

    def __init__(self, map_shape, n_components):
        super().__init__()
        self.map_shape = tuple(map_shape)
        n_features = math.prod(map_shape)
        self.components = nn.Parameter(torch.empty(n_components, n_features))
        self.offset = nn.Parameter(torch.empty(n_components))
        self.atoms = nn.Parameter(torch.empty(n_features, n_components))
        self.mean = nn.Parameter(torch.empty(n_features))

    def forward(self, maps: Tensor) -> Tensor:
        """Return codes of shape (N, n_components)."""
        return self._linear(self.flatten(maps), self.components, self.offset)

    def inverse(self, code: Tensor) -> Tensor:
        """Return the feature maps, (N, C, *spatial), that a code stands for."""
        n_maps, *spatial = self.map_shape
        maps = self._linear(code, self.atoms, self.mean)
        return maps.unflatten(1, (*spatial, n_maps)).movedim(-1, 1)

    def remove_inverse(self) -> None:
        """Remove the weights of the way back."""
        self.atoms = self.mean = None

    def _linear(self, x, weight, bias):
        return linear(x, weight, bias, exact=not self.training)

    @staticmethod
    def flatten(maps: Tensor) -> Tensor:
        """Return maps as rows, position by position: channels_last needs no copy."""
        return maps.movedim(1, -1).flatten(1)
