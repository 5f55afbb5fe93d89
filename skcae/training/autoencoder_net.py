"""The net of an autoencoder: its target is its input."""

import numpy as np
import torch

from ..data.layout import Layout
from ..data.samples import Samples
from ..nn.autoencoder import ConvAutoencoder
from ..nn.losses import ReconstructionLoss
from ..runtime.devices import explains_out_of_memory
from ..runtime.torch_settings import with_torch_defaults
from .base_net import BaseNet, build_net
from .batches import Batches
from .reconstruction import Reconstruction

# A dense code starts as the principal components of the feature maps.  Trained at full
# rate, the encoder soon forgets them for what rebuilds best, which classifies worse.
_FINE_TUNED = ("encoder.*", "dense.components", "dense.offset")
_FINE_TUNING = 0.01


class AutoencoderNet(BaseNet):
    """skorch net that trains a `ConvAutoencoder` to rebuild its input.

    `predict` returns reconstructions in the data's own units.
    """

    _objective = Reconstruction()
    _training_output = staticmethod(ConvAutoencoder.training_output)

    def get_dataset(self, X, y=None):
        """Return `X` as samples; a plain array has the shape (N, C, *spatial)."""
        if isinstance(X, Samples):
            return X
        X = np.asarray(X)
        return Samples(X, Layout(X.shape[1:], channel_axis=0))

    def compute_loss(self, context, x, _):
        """Return the loss of samples, and what is predicted; there are no targets."""
        return super().compute_loss(context, x)


@explains_out_of_memory
@with_torch_defaults
def make_net(
    architecture, *, loss, max_samples, lr, seed, tunes_encoder=False, **params
):
    """Return an initialised net with randomly drawn filters.

    Parameters
    ----------
    architecture : Architecture
        Of the module.
    loss : str
        Name.
    max_samples : int or None
        Samples per epoch.
    lr : float
        Learning rate.
    seed : int
        Decides the initial filters.
    tunes_encoder : bool, default=False
        Whether the encoder starts with a good code and is only tuned.
    **params : dict
        What any net needs, see `build_net`.

    Returns
    -------
    net : AutoencoderNet
    """
    if tunes_encoder:
        params["optimizer__param_groups"] = [
            (pattern, {"lr": lr * _FINE_TUNING}) for pattern in _FINE_TUNED
        ]
    net = build_net(
        AutoencoderNet,
        ConvAutoencoder,
        ReconstructionLoss,
        batches=Batches,
        criterion__loss=loss,
        criterion__output_activation=architecture.output_activation,
        iterator_train__max_samples=max_samples,
        lr=lr,
        module__architecture=architecture,
        **params,
    )
    net.module_.reset_parameters(torch.Generator().manual_seed(seed))
    return net
