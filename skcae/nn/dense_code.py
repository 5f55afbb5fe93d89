"""A linear code of features."""

import math

import torch
from torch import Tensor, nn

from .linear import linear


class DenseCode(nn.Module):
    """Linear code of flattened features, and the way back.

    Parameters
    ----------
    feature_shape : tuple of int
        Shape of the features: (C, *spatial) of maps, or (n_features,).
    n_components : int
        Width of the code.
    """

    def __init__(self, feature_shape, n_components):
        super().__init__()
        self.feature_shape = tuple(feature_shape)
        n_features = math.prod(feature_shape)
        self.components = nn.Parameter(torch.empty(n_components, n_features))
        self.offset = nn.Parameter(torch.empty(n_components))
        self.atoms = nn.Parameter(torch.empty(n_features, n_components))
        self.mean = nn.Parameter(torch.empty(n_features))

    def forward(self, features: Tensor) -> Tensor:
        """Return codes of shape (N, n_components)."""
        return self._linear(self.flatten(features), self.components, self.offset)

    def inverse(self, code: Tensor) -> Tensor:
        """Return the features, (N, *feature_shape), that a code stands for."""
        n_maps, *spatial = self.feature_shape
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
