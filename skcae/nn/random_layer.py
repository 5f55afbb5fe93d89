"""What layers have in common that draw random numbers in training."""

import torch
from torch import Tensor, nn

from .batch_context import BatchContext


class RandomLayer(nn.Module):
    """A layer that draws random numbers, from a generator that can be set.

    Attributes
    ----------
    generator : torch.Generator or None
        What draws; None: torch's own for the device.
    context : BatchContext
        The batch that numbers are drawn for.
    """

    def __init__(self):
        super().__init__()
        self.draw_from(None)

    def draw_from(self, generator, context=None) -> None:
        """Set what draws, and the batch that it draws for."""
        self.generator = generator
        self.context = BatchContext() if context is None else context

    def draw(self, function, x: Tensor, shape=None) -> Tensor:
        """Return random numbers of a shape, that of `x` unless another is given."""
        return self.context.draw(
            function,
            x.shape if shape is None else shape,
            generator=self.generator,
            device=x.device,
            dtype=torch.float32,
        )
