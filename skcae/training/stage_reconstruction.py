"""Training one stage on the code of those before it."""

import torch

from ..nn.activations import activate
from ..nn.losses import half_squared_error
from .objective import Objective


class StageReconstruction(Objective):
    """Rebuild what one stage sees, of the code of those before it.

    Parameters
    ----------
    stage : int
        Number of the stage, from 0.
    penalty : callable, default=None
        Function of the stage's code that is added to the loss.
    """

    def __init__(self, stage, penalty=None):
        self.stage, self.penalty = stage, penalty

    def loss(self, net, context, x):
        """Return the loss of a batch, and the output before its activation."""
        module = net.module_
        noisy, target = _stage_input(module, self.stage, x)
        code = module.encoder[self.stage](noisy)
        decoder = module.decoder[-1 - self.stage]
        output = decoder(code, target.shape[2:])
        if self.stage:
            rebuilt = activate(output, decoder.activation)
            loss = half_squared_error(rebuilt, target)
        else:
            loss = net.criterion_(output, target)
        if self.penalty is not None:
            loss = loss + self.penalty(code)
        return loss, output

    def parameters(self, module):
        """Return the parameters of the stage, and of what undoes it."""
        layers = module.encoder[self.stage], module.decoder[-1 - self.stage]
        return [parameter for layer in layers for parameter in layer.parameters()]


@torch.no_grad()
def _stage_input(module, number, x):
    """Return the input of a stage, with the noise of the training and without."""
    noisy, target = module.training_input(x)
    if number:
        target = module.maps(target, number)
        noisy = target if module.corruption is None else module.maps(noisy, number)
    return noisy, target
