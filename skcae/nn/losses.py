"""Reconstruction losses, under scikit-learn's names."""

from torch import Tensor, nn
from torch.nn import functional as F

from .layers import ACTIVATIONS


def half_squared_error(output: Tensor, target: Tensor, reduction="mean") -> Tensor:
    """Return half the mean square of differences."""
    return 0.5 * F.mse_loss(output, target, reduction=reduction)


_LOSSES = {
    "squared_error": half_squared_error,
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
        return self._compute(output, target, "mean")

    def of_samples(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss of each sample."""
        return self._compute(output, target, "none").flatten(1).mean(dim=1)

    def _compute(self, output, target, reduction):
        if self.loss == "log_loss":
            # Samples outside the range of the training data are no probabilities.
            target = target.clamp(0, 1)
            return F.binary_cross_entropy_with_logits(
                output, target, reduction=reduction
            )
        output = ACTIVATIONS[self.output_activation](output)
        return _LOSSES[self.loss](output, target, reduction=reduction)
