"""Reconstruction losses, under scikit-learn's names."""

from torch import Tensor, nn
from torch.nn import functional as F

from ..params.activations import ACTIVATIONS
from ..params.losses import LOSSES
from .activations import activate


def half_squared_error(output: Tensor, target: Tensor, reduction="mean") -> Tensor:
    """Return half the mean square of differences."""
    return _loss("squared_error", output, target, reduction)


def _loss(name, output, target, reduction):
    row = LOSSES[name]
    value = getattr(F, row.torch)(output, target, reduction=reduction)
    return value if row.factor == 1.0 else row.factor * value


class ReconstructionLoss(nn.Module):
    """Mean loss of a reconstruction, from the output before its activation.

    Parameters
    ----------
    loss : str
        Name of a row of `LOSSES`: what is averaged over elements.
    output_activation : str
        Activation of the output. It is not applied if the loss contains its own.
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
        implied = LOSSES[self.loss].implies_output
        if implied is None:
            output = activate(output, self.output_activation)
        else:
            # Samples outside the range of the training data have no such loss.
            target = target.clamp(*ACTIVATIONS[implied].bounds)
        return _loss(self.loss, output, target, reduction)
