"""The parameter `autoencoder`: what it may be, and a fitted copy of it."""

from copy import deepcopy

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ..data.read_input import read_samples, read_training_samples
from ..distributed.context import current
from ..params.auto import resolve_parameters
from ..params.resolve import resolve_architecture
from .transformer import ConvAutoencoderTransformer

# What the parameter `autoencoder` may be.
AUTOENCODER = [ConvAutoencoderTransformer, FrozenEstimator, None]


def unwrap(autoencoder):
    """Return the transformer that a parameter `autoencoder` stands for.

    None stands for a new one with default parameters, and a FrozenEstimator for the
    transformer inside, which it keeps fitted in searches.
    """
    if autoencoder is None:
        return ConvAutoencoderTransformer()
    if not isinstance(autoencoder, FrozenEstimator):
        return autoencoder
    inside = autoencoder.estimator
    if not isinstance(inside, ConvAutoencoderTransformer):
        raise TypeError(
            f"Got autoencoder={autoencoder!r}; expected a ConvAutoencoderTransformer "
            "inside. Freeze one, or pass an estimator without FrozenEstimator."
        )
    check_is_fitted(inside)
    return inside


def is_fitted(autoencoder):
    """Whether a transformer has been fitted."""
    try:
        check_is_fitted(autoencoder)
    except NotFittedError:
        return False
    return True


def _private_copy(autoencoder, random_state):
    """Return a clone of an unfitted transformer, or a copy of a fitted one.

    A clone without `random_state` gets this one.
    """
    autoencoder = unwrap(autoencoder)
    if is_fitted(autoencoder):
        return deepcopy(autoencoder)
    copied = clone(autoencoder)
    if copied.random_state is None:
        copied.set_params(random_state=random_state)
    return copied


def read_for(autoencoder, X, *, loading=None):
    """Check `X` against a transformer and return its samples.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer, FrozenEstimator or None
        If it is fitted, `X` must hold samples of the shape that it was fitted on.
    X : array-like
        What the user passed.
    loading : estimator or None, default=None
        Its `net_params` say how a Dataset is loaded; None: those of the transformer do.

    Returns
    -------
    samples : Samples
        The caller closes them.
    """
    autoencoder = unwrap(autoencoder)
    if is_fitted(autoencoder):
        return read_samples(
            autoencoder, X, training=True, loading=loading, ranks=current()
        )
    return read_training_samples(autoencoder, X, loading=loading, ranks=current())


def architecture_of(autoencoder, layout):
    """Return what a transformer's module is built of, all parameters checked.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer, FrozenEstimator or None
        Fitted or not.
    layout : Layout
        Of the samples.

    Returns
    -------
    architecture : Architecture
    """
    autoencoder = unwrap(autoencoder)
    if is_fitted(autoencoder):
        return autoencoder._fitted.architecture
    return resolve_architecture(resolve_parameters(autoencoder, layout), layout)


def fitted_autoencoder(autoencoder, samples, random_state=None):
    """Return a fitted transformer of one's own.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer, FrozenEstimator or None
        None: a new one is fitted. Of an unfitted one, a clone is fitted. A fitted one,
        frozen or not, is copied.
    samples : Samples
        What `read_for` has read for this transformer.
    random_state : int, RandomState instance or None, default=None
        For a clone whose own `random_state` is None.

    Returns
    -------
    transformer : ConvAutoencoderTransformer
    """
    transformer = _private_copy(autoencoder, random_state)
    return transformer if is_fitted(transformer) else transformer.fit(samples)
