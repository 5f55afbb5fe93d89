"""The net of a classifier, and what its trainings minimise."""

import torch

from ..nn.classifier import ConvClassifier, WeightedCrossEntropy
from ..runtime.devices import explains_out_of_memory
from ..runtime.torch_settings import with_torch_defaults
from .base_net import BaseNet, build_net
from .batches import LabelledBatches
from .objective import Objective


class FullNetwork(Objective):
    """Tell classes by views of samples."""

    def loss(self, net, context, x, target):
        """Return the loss of a batch, and the logits."""
        logits = net.output(net.module_.views(x))
        return net.criterion_(logits, target), logits

    def parameters(self, module):
        """Return the parameters of head and encoder, but what only decodes."""
        dense = module.encoder.dense
        decoding = () if dense is None else (dense.atoms, dense.mean)
        return [p for p in module.parameters() if not any(p is d for d in decoding)]


class _HeadOnly(Objective):
    """Train the head alone."""

    def parameters(self, module):
        """Return the parameters of the head."""
        return [module.weight, module.bias]


class FrozenEncoder(_HeadOnly):
    """Tell classes by views of samples, by means of what the encoder finds already."""

    def loss(self, net, context, x, target):
        """Return the loss of a batch, and the logits."""
        module = net.module_
        with torch.no_grad():
            features = module.features(module.views(x))
        logits = module.scores(features)
        return net.criterion_(logits, target), logits


class FrozenFeatures(_HeadOnly):
    """Tell classes by standardised features."""

    def loss(self, net, context, x, target):
        """Return the loss of a batch, and the logits."""
        logits = net.module_.scores(x.flatten(1))
        return net.criterion_(logits, target), logits


class ClassifierNet(BaseNet):
    """skorch net that trains a `ConvClassifier`."""

    _objective = FullNetwork()
    _training_output = staticmethod(ConvClassifier.forward)

    def get_dataset(self, X, y=None):
        """Return the labelled samples themselves."""
        return X


@explains_out_of_memory
@with_torch_defaults
def make_classifier_net(
    architecture, head_params, *, lr, encoder_lr, label_smoothing, **params
):
    """Return an initialised net.

    Parameters
    ----------
    architecture : Architecture
        Of the autoencoder whose encoder is used.
    head_params : dict
        The other arguments of `ConvClassifier`.
    lr, encoder_lr : float
        Learning rates of the head and of the encoder.
    label_smoothing : float
        Of the loss.
    **params : dict
        What any net needs, see `build_net`.

    Returns
    -------
    net : ClassifierNet
    """
    return build_net(
        ClassifierNet,
        ConvClassifier,
        WeightedCrossEntropy,
        batches=LabelledBatches,
        criterion__label_smoothing=label_smoothing,
        iterator_train__max_samples=None,
        lr=lr,
        optimizer__param_groups=[("encoder.*", {"lr": encoder_lr})],
        **params,
        module__architecture=architecture,
        **{f"module__{name}": value for name, value in head_params.items()},
    )
