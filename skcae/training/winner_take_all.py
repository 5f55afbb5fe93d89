"""Training one stage from its strongest responses alone."""

from functools import partial

import torch

from ..nn.filters import normalise_, remove_mean_
from ..nn.winner_take_all import random_crops, winner_take_all_loss
from .objective import Objective

_MAPS_PER_SAMPLE = 8


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

    def loss(self, net, context, x):
        """Return the loss of a batch, and the samples, which predict nothing."""
        module = net.module_
        layer = module.encoder[self.stage]
        crop = self.crop if module.training else None
        with torch.no_grad():
            seen = self._stage_input(module, layer.stage.depthwise, context, x, crop)
            if crop is not None:
                size = (crop,) * (seen.ndim - 2)
                seen = random_crops(seen, size, self.generator, context)
        loss = winner_take_all_loss(
            seen, layer.convolution.weight, None, share=self.share, context=context
        )
        return loss, x

    def parameters(self, module):
        """Return the filters of the stage: nothing else is trained."""
        return [module.encoder[self.stage].convolution.weight]

    def generators(self):
        """Return what draws the parts of the samples."""
        return {"crops": self.generator}

    def _stage_input(self, module, depthwise, context, x, crop):
        """Return as many samples of the input of the stage as there are in `x`."""
        n_samples, some = len(x), context
        if depthwise:
            # Maps of one sample are much alike: those of a few samples will do.
            n_seen = -(-context.size(x) // _MAPS_PER_SAMPLE)
            x, some = context.first(x, n_seen)
        if self.stage == 0 and crop is not None:
            x = self._standardised_crops(module, some, x, crop)
        else:
            x = module.maps(module.standardise(x), self.stage)
        if not depthwise:
            return x
        x = some.gather(x)
        x = x.reshape(-1, 1, *x.shape[2:])
        generator = self.generator
        if not module.training:
            # A validation draws nothing from the training, and the same every time.
            generator = torch.Generator().manual_seed(0)
        draw = partial(torch.randint, len(x))
        rows = context.draw(draw, (n_samples,), generator=generator)
        return x[rows.to(x.device)]

    def _standardised_crops(self, module, context, x, crop):
        """Whiten no more of the samples than their crops."""
        reach = 0
        if module.whitening is not None:
            reach = max(module.whitening.kernel.shape[2:]) // 2
        n_axes = x.ndim - 2
        size = (crop + 2 * reach,) * n_axes
        x = random_crops(x, size, self.generator, context)
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
