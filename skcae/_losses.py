"""Reconstruction losses, under scikit-learn's names."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._layers import ACTIVATIONS


def _half_squared_error(output: Tensor, target: Tensor) -> Tensor:
    return 0.5 * F.mse_loss(output, target)


_LOSSES = {
    "squared_error": _half_squared_error,
    "absolute_error": F.l1_loss,
    "huber": F.huber_loss,
}


class ReconstructionLoss(nn.Module):
    """Mean loss of a reconstruction, from the output before its activation.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "log_loss"}
        What is averaged over elements; the squared error is halved.
    output_activation : str
        Activation of the output; the log loss is computed from logits instead.
    """

    def __init__(self, loss, output_activation):
        super().__init__()
        self.loss, self.output_activation = loss, output_activation

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss."""
        if self.loss == "log_loss":
            # Samples outside the range of the training data are no probabilities.
            return F.binary_cross_entropy_with_logits(output, torch.clamp(target, 0, 1))
        return _LOSSES[self.loss](ACTIVATIONS[self.output_activation](output), target)
