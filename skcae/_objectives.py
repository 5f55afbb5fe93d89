"""What a training minimises: functions of the net and one batch."""

import torch

from ._layers import ACTIVATIONS
from ._losses import half_squared_error
from ._winners import normalise_, random_crops, winner_take_all_loss


class Reconstruction:
    """Rebuild samples through all stages together.

    Parameters
    ----------
    penalty : float, default=0.0
        Weight of the mean absolute value of the code in the loss.
    """

    stage = None

    def __init__(self, penalty=0.0):
        self.penalty = penalty

    def loss(self, net, x):
        """Return the loss of a batch, and what is predicted for it."""
        module = net.module_
        noisy, target = module.training_input(x)
        if not self.penalty:
            output = net.rebuild(noisy)
            return net.criterion_(output, target), output
        code = module.encode_standardised(noisy)
        output = module.decode_standardised(code, x.shape[2:])
        loss = net.criterion_(output, target) + self.penalty * code.abs().mean()
        return loss, output

    def after_step(self, net):
        """Mend what the optimizer has done to the weights."""


class StageReconstruction:
    """Rebuild what one stage sees, of the code of those before it.

    Parameters
    ----------
    stage : int
        Number of the stage, from 0.
    penalty : float, default=0.0
        Weight of the mean absolute value of the code in the loss.
    """

    def __init__(self, stage, penalty=0.0):
        self.stage, self.penalty = stage, penalty

    def loss(self, net, x):
        """Return the loss of a batch, and what is predicted for it."""
        module = net.module_
        noisy, target = _seen_by(module, self.stage, x)
        code = module.encoder[self.stage](noisy)
        decoder = module.decoder[-1 - self.stage]
        output = decoder(code, target.shape[2:])
        if self.stage:
            loss = half_squared_error(ACTIVATIONS[decoder.activation](output), target)
        else:
            loss = net.criterion_(output, target)
        return loss + self.penalty * code.abs().mean(), output

    def after_step(self, net):
        """Mend what the optimizer has done to the weights."""


class WinnerTakeAll:
    """Rebuild what one stage sees from the strongest responses alone.

    Parameters
    ----------
    stage : int
        Number of the stage, from 0.
    share : float
        Share of the samples in which a filter may win.
    crop : int or None
        Side of the random parts of samples that are looked at; None: all of them.
    generator : torch.Generator
        Draws these parts.
    """

    def __init__(self, stage, share, crop, generator):
        self.stage, self.share = stage, share
        self.crop, self.generator = crop, generator

    def loss(self, net, x):
        """Return the loss of a batch, and what is predicted for it."""
        module = net.module_
        noisy, _ = _seen_by(module, self.stage, x)
        layer = module.encoder[self.stage]
        if layer.stage.depthwise:
            # Maps of one sample are much alike: a few of every sample will do.
            noisy = noisy.reshape(-1, 1, *noisy.shape[2:])
            noisy = noisy[
                torch.randint(len(noisy), (len(x),), generator=self.generator)
            ]
        if module.training and self.crop is not None:
            size = (self.crop,) * (noisy.ndim - 2)
            noisy = random_crops(noisy, size, self.generator)
        weight = layer.convolution.weight
        return winner_take_all_loss(noisy, weight, None, share=self.share), x

    def after_step(self, net):
        """Give the filters unit norm again, and no mean where samples have one."""
        module = net.module_
        weight = module.encoder[self.stage].convolution.weight
        if (self.stage or module.whitening is None) and weight[0].numel() > 2:
            with torch.no_grad():
                weight -= weight.mean(tuple(range(1, weight.ndim)), keepdim=True)
        normalise_(weight)


@torch.no_grad()
def _seen_by(module, number, x):
    """Return what a stage sees of samples, with the training's noise, and without."""
    noisy, target = module.training_input(x)
    if number:
        target = module.maps(target, number)
        noisy = target if module.corruption is None else module.maps(noisy, number)
    return noisy, target
