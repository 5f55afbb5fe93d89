"""What a training minimises: functions of the net and one batch."""

from functools import partial

import torch

from ..distributed.context import current
from ..nn.activations import activate
from ..nn.filters import remove_mean_
from ..nn.losses import half_squared_error
from ..nn.winner_take_all import normalise_, random_crops, winner_take_all_loss

_MAPS_PER_SAMPLE = 8


class Objective:
    """What the net asks of an objective besides its loss."""

    stage, ignores_thresholds = None, False

    def after_step(self, net):
        """Mend what the optimizer has done to the weights."""


class Reconstruction(Objective):
    """Rebuild samples through all stages together.

    Parameters
    ----------
    penalty : float, default=0.0
        Weight of the mean absolute value of the code in the loss.
    """

    def __init__(self, penalty=0.0):
        self.penalty = penalty

    def loss(self, net, x):
        """Return the loss of a batch, and what is predicted for it."""
        module = net.module_
        noisy, target = module.training_input(x)
        if not self.penalty:
            output = net.output(noisy)
            return net.criterion_(output, target), output
        code = module.encode_standardised(noisy)
        output = module.decode_standardised(code, x.shape[2:])
        loss = net.criterion_(output, target) + self.penalty * code.abs().mean()
        return loss, output


class StageReconstruction(Objective):
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
            rebuilt = activate(output, decoder.activation)
            loss = half_squared_error(rebuilt, target)
        else:
            loss = net.criterion_(output, target)
        return loss + self.penalty * code.abs().mean(), output


class WinnerTakeAll(Objective):
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

    ignores_thresholds = True

    def __init__(self, stage, share, crop, generator):
        self.stage, self.share = stage, share
        self.crop, self.generator = crop, generator

    def loss(self, net, x):
        """Return the loss of a batch, and what is predicted for it."""
        module = net.module_
        layer = module.encoder[self.stage]
        crop = self.crop if module.training else None
        with torch.no_grad():
            seen = self._seen_by(module, layer.stage.depthwise, x, crop)
            if crop is not None:
                size = (crop,) * (seen.ndim - 2)
                seen = random_crops(seen, size, self.generator)
        weight = layer.convolution.weight
        return winner_take_all_loss(seen, weight, None, share=self.share), x

    def _seen_by(self, module, depthwise, x, crop):
        """Return as many samples of what the stage sees as there are in `x`."""
        ranks = current()
        n_samples = n_looked_at = ranks.n_in_batch(x)
        n_own = len(x)
        if depthwise:
            # Maps of one sample are much alike: some of each will do.
            n_looked_at = -(-n_samples // _MAPS_PER_SAMPLE)
            x = x[: ranks.n_own(n_looked_at)]
        with ranks.beginning(n_looked_at):
            if self.stage == 0 and crop is not None:
                x = self._standardised_crops(module, x, crop)
            else:
                x = module.maps(module.standardise(x), self.stage)
            if not depthwise:
                return x
            x = ranks.gathered(x)
        x = x.reshape(-1, 1, *x.shape[2:])
        generator = self.generator
        if not module.training:
            # Who looks at a loss does not change the training, and sees the same parts.
            generator = torch.Generator().manual_seed(0)
        draw = partial(torch.randint, len(x))
        rows = ranks.drawn(draw, (n_own,), generator=generator)
        return x[rows.to(x.device)]

    def _standardised_crops(self, module, x, crop):
        """Whiten no more of the samples than their crops."""
        reach = 0
        if module.whitening is not None:
            reach = max(module.whitening.kernel.shape[2:]) // 2
        n_axes = x.ndim - 2
        x = random_crops(x, (crop + 2 * reach,) * n_axes, self.generator)
        x = module.standardise(x)
        for axis, length in enumerate(x.shape[2:], start=2):
            if length > crop:
                x = x.narrow(axis, (length - crop) // 2, crop)
        return x

    def after_step(self, net):
        """Give the filters unit norm again, and no mean where samples have one."""
        module = net.module_
        weight = module.encoder[self.stage].convolution.weight
        if self.stage or module.whitening is None:
            remove_mean_(weight)
        normalise_(weight)


@torch.no_grad()
def _seen_by(module, number, x):
    """Return what a stage sees of samples, with the training's noise, and without."""
    noisy, target = module.training_input(x)
    if number:
        target = module.maps(target, number)
        noisy = target if module.corruption is None else module.maps(noisy, number)
    return noisy, target
