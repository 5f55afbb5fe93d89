"""An encoder with a linear classifier behind it, as a torch module."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .augmentation import RandomDropout, RandomViews
from .autoencoder import ConvAutoencoder
from .linear import linear


class ConvClassifier(nn.Module):
    """Classify samples by the standardised features of an autoencoder's encoder.

    Parameters
    ----------
    architecture : Architecture
        What the autoencoder is built of, whose decoder is left out.
    n_classes : int
        Number of classes.
    dropout : float, default=0.0
        Share of the features that training leaves out at random.
    shift : int, default=0
        By at most how many positions samples are moved in training.
    flip : bool, default=False
        Whether training mirrors half the samples.
    """

    def __init__(self, architecture, n_classes, *, dropout=0.0, shift=0, flip=False):
        super().__init__()
        self.views = RandomViews(shift, flip)
        self.encoder = ConvAutoencoder(architecture)
        self.encoder.remove_decoder()
        n_features = architecture.n_features
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.dropout = RandomDropout(dropout)
        self.weight = nn.Parameter(torch.zeros(n_classes, n_features))
        self.bias = nn.Parameter(torch.zeros(n_classes))

    ends_in_product = True

    def value_range(self):
        """Return the least and the largest value of each channel that may come in."""
        return self.encoder.value_range()

    def cost(self, spatial=None) -> tuple[int, int]:
        """Return what it takes to encode one sample."""
        return self.encoder.cost(spatial)

    def draw_from(self, generator: torch.Generator, context=None) -> None:
        """Set what draws views and dropout of a training, and the batch it is for."""
        self.views.draw_from(generator, context)
        self.dropout.draw_from(generator, context)

    def features(self, x: Tensor) -> Tensor:
        """Return standardised features, one row per sample."""
        return (self.encoder.features(x) - self.mean) / self.scale

    def scores(self, features: Tensor) -> Tensor:
        """Return one logit per class, of standardised features."""
        x = self.dropout(features)
        return linear(x, self.weight, self.bias, exact=not self.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return one logit per class, of samples in the data's own units."""
        return self.scores(self.features(x))


class WeightedCrossEntropy(nn.Module):
    """Mean cross-entropy of samples that have weights.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of every target that is spread over all classes.
    """

    def __init__(self, label_smoothing=0.0):
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, target) -> Tensor:
        """Return the loss; the target is a pair of codes and weights."""
        codes, weights = target
        losses = F.cross_entropy(
            logits, codes, reduction="none", label_smoothing=self.label_smoothing
        )
        return (losses * weights).mean()
