"""From what users pass as an autoencoder to a fitted one that nobody else holds."""

from copy import deepcopy

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ..data.read_input import read_samples, read_training_samples
from ..params.resolve import resolve_architecture
from .transformer import ConvAutoencoderTransformer

# What the parameter `autoencoder` may be.
AUTOENCODER = [ConvAutoencoderTransformer, FrozenEstimator, None]


def unwrap(autoencoder):
    """Return the transformer that users mean; what they passed stays as it is.

    None is a new one, and a FrozenEstimator, which keeps it fitted in searches, stands
    for the one inside.
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


def _own(autoencoder, random_state):
    """Return a transformer of one's own: a new one, a clone, or a copy of a fitted one.

    `random_state` is for one that has none and is still to be fitted.
    """
    autoencoder = unwrap(autoencoder)
    if is_fitted(autoencoder):
        return deepcopy(autoencoder)
    own = clone(autoencoder)
    if own.random_state is None:
        own.set_params(random_state=random_state)
    return own


def read_for(autoencoder, X, *, loading=None):
    """Check `X` against a transformer and return its samples.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer, FrozenEstimator or None
        Where it is fitted, `X` has to hold samples of the shape that it saw.
    X : array-like
        What the user passed.
    loading : estimator or None, default=None
        Whose `net_params` say how a Dataset is loaded; None: those of the transformer.

    Returns
    -------
    samples : Samples
        To be closed.
    """
    autoencoder = unwrap(autoencoder)
    if is_fitted(autoencoder):
        return read_samples(autoencoder, X, training=True, loading=loading)
    return read_training_samples(autoencoder, X, loading=loading)


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
    return resolve_architecture(autoencoder, layout)


def fitted_autoencoder(autoencoder, X, random_state=None):
    """Return a fitted transformer of one's own, whose samples have the shape of `X`'s.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer, FrozenEstimator or None
        None: a new one is fitted to `X`. An unfitted one is cloned, and the clone
        fitted. A fitted one, frozen or not, is copied.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Samples.
    random_state : int, RandomState instance or None, default=None
        For a transformer that has no `random_state` and is still to be fitted.

    Returns
    -------
    own : ConvAutoencoderTransformer

    Raises
    ------
    ValueError
        If `X` does not hold samples of the shape that a fitted one saw.
    """
    own = _own(autoencoder, random_state)
    if is_fitted(own):
        read_for(own, X).close()
        return own
    return own.fit(X)
