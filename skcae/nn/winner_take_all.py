"""Winner-take-all training of one convolutional stage, computed from its winners."""

import functools

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .batch_context import BatchContext
from .convolutions import CONVOLVE

# Feature maps of so many bytes are still in the cache when winners are looked for.
_MAX_BYTES = 2**22
# Convolutions compute so many maps at once.
_BLOCK = 16
_WHOLE = BatchContext()


def winner_take_all_loss(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    decoder_weight: Tensor | None = None,
    *,
    share: float,
    context: BatchContext = _WHOLE,
) -> Tensor:
    """Return the loss of a winner-take-all autoencoder of one stage.

    Of each feature map of each sample only the largest activation survives (spatial
    sparsity), and of these only the largest of the batch (lifetime sparsity): exactly
    ``max(1, round(share * B))`` for each filter, also where activations are equal.
    Rectified, each writes its filter of the decoder where it was found; the sum of
    what they write is the reconstruction.

    After the one convolution of the encoder everything is computed from the patches
    around the winners, the gradients too: they are those of automatic
    differentiation, at a fraction of its cost.

    Parameters
    ----------
    x : Tensor of shape (B, C, *spatial)
        Samples, in any memory format. The loss is not differentiated by them.
    weight : Tensor of shape (K, C, *kernel)
        Filters. They see zeros around the samples, so that maps have their size.
    bias : Tensor of shape (K,) or None
        What is added to the feature maps.
    decoder_weight : Tensor of shape (K, C, *kernel) or None, default=None
        What a winner writes; None: the filter that found it.
    share : float
        Share of the samples in which a filter has a winner, above 0 and up to 1.
    context : BatchContext, default=all samples are here
        The batch among whose samples winners are found.

    Returns
    -------
    loss : Tensor of shape ()
        Half the mean squared error of the reconstruction. It can be differentiated
        once. On a CPU every run gives the same bits; on other devices the order of
        sums may vary unless ``torch.use_deterministic_algorithms`` is on.

    References
    ----------
    .. [1] A. Makhzani, B. Frey, "Winner-Take-All Autoencoders", NIPS 2015,
       https://arxiv.org/abs/1409.2752.
    """
    keep_freed_memory()
    x, parameters = x.detach(), (weight, bias, decoder_weight)
    if torch.is_grad_enabled() and any(
        parameter is not None and parameter.requires_grad for parameter in parameters
    ):
        return _WinnerTakeAll.apply(x, *parameters, share, context)
    return _Step(x, *parameters, share, context).loss


def random_crops(
    x: Tensor, size, generator: torch.Generator, context: BatchContext = _WHOLE
) -> Tensor:
    """Return one part of each sample, from a place drawn at random.

    Parameters
    ----------
    x : Tensor of shape (B, C, *spatial)
        Samples.
    size : tuple of int
        Spatial shape of the parts; all of the axes along which samples are smaller.
    generator : torch.Generator
        What draws the places, every place with the same probability.
    context : BatchContext, default=all samples are here
        The batch that places are drawn for.

    Returns
    -------
    crops : Tensor of shape (B, C, *size)
        A contiguous copy; `x` itself, made contiguous, where nothing is to be cut.
    """
    x = x.contiguous()
    size = tuple(map(min, size, x.shape[2:]))
    if size == x.shape[2:]:
        return x
    steps = x.stride()
    starts = torch.arange(len(x), device=x.device) * steps[0]
    for length, side, step in zip(x.shape[2:], size, steps[2:], strict=True):
        drawn = context.draw(
            functools.partial(torch.randint, length - side + 1),
            (len(x),),
            generator=generator,
            device=generator.device,
        )
        starts += drawn.to(x.device) * step
    shape = (x.shape[1], *size)
    places = starts[:, None] + _places(shape, steps[1:], x.device)
    return x.flatten().index_select(0, places.flatten()).view(len(x), *shape)


@functools.cache
def keep_freed_memory() -> None:
    """Let the process keep some tens of megabytes that tensors no longer need.

    The GNU C library hands blocks back to the system and has to fetch them again, page
    by page, in every step: that can take longer than what is computed in them. It
    adapts to the largest block of up to 32 MB that it has seen freed; this is one, of
    memory that is never touched.

    References
    ----------
    .. [1] The Linux man-pages project, mallopt(3), M_MMAP_THRESHOLD,
       https://man7.org/linux/man-pages/man3/mallopt.3.html.
    """
    torch.empty(2**25 - 2**12, dtype=torch.uint8)


class _WinnerTakeAll(torch.autograd.Function):
    """The loss and, computed along with it from the same patches, its gradients."""

    @staticmethod
    def forward(ctx, x, weight, bias, decoder_weight, share, context):
        """Return the loss."""
        step = _Step(x, weight, bias, decoder_weight, share, context)
        ctx.save_for_backward(*step.gradients())
        return step.loss

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output):
        """Return the gradients by the arguments of forward."""
        gradients = (
            None if gradient is None else grad_output * gradient
            for gradient in ctx.saved_tensors
        )
        return None, *gradients, None, None


class _Step:
    """The winners of a batch, the loss of what they write, and its gradients.

    Parameters
    ----------
    x, weight, bias, decoder_weight, share, context
        As in `winner_take_all_loss`.
    """

    def __init__(self, x, weight, bias, decoder_weight, share, context):
        # Flat rows and views of them are in the order of NCHW. `contiguous` takes one
        # channel for that in any order, and convolutions then choose the slower maps.
        x = self.x = x.flatten(1).view(x.shape)
        self.encoder = weight.flatten(1)
        self.is_tied = decoder_weight is None
        self.decoder = self.encoder if self.is_tied else decoder_weight.flatten(1)
        self.shape, self.has_bias = weight.shape, bias is not None
        self.zeros = [((side - 1) // 2, side // 2) for side in weight.shape[2:]]
        self.pads = [n for pair in reversed(self.zeros) for n in pair]
        self.padded = F.pad(x, self.pads)
        n_winners = max(1, round(share * context.size(x)))
        peaks, samples, positions = self._find_winners(x, n_winners, context)
        self.activity = (peaks + bias if self.has_bias else peaks).relu_()
        self.places = self._places_of_patches(x, samples, positions)
        self.rebuilt = self._reconstruct()
        self.loss = 0.5 * F.mse_loss(self.rebuilt, x)

    def _find_winners(self, x, n_winners, context):
        """Return values, samples and positions in flat maps, of shape (winners, K)."""
        same = self.zeros[0][0]
        # Zeros that the convolution adds by itself cost less than those in memory.
        if any(pair != (same, same) for pair in self.zeros):
            x, same = self.padded, 0
        found = []
        for filters in self.encoder.view(self.shape).split(_n_filters_at_once(x)):
            maps = CONVOLVE[x.ndim - 2](x, filters, None, 1, same).flatten(2)
            peaks, samples = context.gather(maps.amax(2)).topk(n_winners, dim=0)
            if context.is_shared:
                peaks, samples = _local_winners(peaks, samples, context)
            # Where a maximum lies costs far more than what it is.
            rows = samples * len(filters) + torch.arange(len(filters), device=x.device)
            winners = maps.flatten(0, 1).index_select(0, rows.flatten())
            found.append((peaks, samples, winners.argmax(1).view_as(rows)))
        if len(found) == 1:
            return found[0]
        columns = zip(*found, strict=True)
        return [
            _side_by_side(parts, missing)
            for parts, missing in zip(columns, (-torch.inf, 0, 0), strict=True)
        ]

    def _places_of_patches(self, x, samples, positions):
        """Return where the numbers of the patches lie in all padded samples as a row.

        Single numbers are gathered and added faster than patches.
        """
        steps = self.padded.stride()
        starts = _places(x.shape[2:], steps[2:], x.device)
        starts = starts.index_select(0, positions.flatten())
        starts += samples.flatten() * steps[0]
        patch = _places(self.shape[1:], steps[1:], x.device)
        return (starts[:, None] + patch).flatten()

    def _reconstruct(self):
        written = self.activity[..., None] * self.decoder
        sums = torch.zeros_like(self.padded)
        sums.view(-1).scatter_add_(0, self.places, written.flatten())
        return F.pad(sums, [-n for n in self.pads])

    def _patches_of(self, padded):
        patches = padded.view(-1).index_select(0, self.places)
        return patches.view(len(self.activity), *self.encoder.shape)

    def gradients(self):
        """Return the gradients by the filters, the biases and the decoder's filters."""
        errors = (self.rebuilt - self.x).div_(self.x.numel())
        errors = self._patches_of(F.pad(errors, self.pads))
        slopes = (errors * self.decoder).sum(-1).mul_(self.activity > 0)
        by_bias = slopes.sum(0) if self.has_bias else None
        by_encoder = self._patches_of(self.padded).mul_(slopes[..., None])
        by_decoder = errors.mul_(self.activity[..., None])
        if self.is_tied:
            by_encoder += by_decoder
            return by_encoder.sum(0).view(self.shape), by_bias, None
        by_encoder, by_decoder = by_encoder.sum(0), by_decoder.sum(0)
        return by_encoder.view(self.shape), by_bias, by_decoder.view(self.shape)


def _local_winners(peaks, samples, context):
    """Return those winners of the whole batch whose samples are here.

    Parameters
    ----------
    peaks, samples : Tensor of shape (winners, K)
        Values, and rows of the whole batch.
    context : BatchContext
        The whole batch.

    Returns
    -------
    peaks, samples : Tensor
        With rows of the samples that are here, as many as some filter needs; where
        a filter has fewer, their value is minus infinity.
    """
    samples = context.local_rows(samples)
    order = (samples < 0).to(torch.uint8).argsort(dim=0, stable=True)
    order = order[: max(1, int((samples >= 0).sum(0).max()))]
    peaks, samples = peaks.gather(0, order), samples.gather(0, order)
    return peaks.masked_fill_(samples < 0, -torch.inf), samples.clamp_min_(0)


def _side_by_side(parts, missing):
    """Return tensors of several lengths as columns of one, filled up at their ends."""
    length = max(map(len, parts))
    return torch.cat(
        [F.pad(part, (0, 0, 0, length - len(part)), value=missing) for part in parts],
        dim=1,
    )


def _n_filters_at_once(x):
    """Return for how many filters to compute feature maps of all samples."""
    if x.device.type != "cpu":
        return 2**31
    n_bytes = x.element_size() * x[:, 0].numel()
    return max(1, _MAX_BYTES // (_BLOCK * n_bytes)) * _BLOCK


def _places(shape, steps, device):
    """Return where the numbers of an array lie, given the steps along its axes."""
    last = sum((side - 1) * step for side, step in zip(shape, steps, strict=True))
    return torch.arange(last + 1, device=device).as_strided(shape, steps).flatten()
