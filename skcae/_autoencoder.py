"""From what users pass as an autoencoder to a fitted one that nobody else holds."""

from copy import deepcopy

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ._transformer import ConvAutoencoderTransformer
from ._validation import read_samples, read_training_samples


def is_fitted(autoencoder):
    """Whether a transformer, if it is one, has been fitted."""
    if autoencoder is None:
        return False
    try:
        check_is_fitted(autoencoder)
    except NotFittedError:
        return False
    return True


def own_autoencoder(autoencoder, random_state=None):
    """Return a transformer of one's own: a new one, a clone, or a copy of a fitted one.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer or None
        What the user passed; it stays as it is.
    random_state : int, RandomState instance or None, default=None
        For a transformer that has no `random_state` and is still to be fitted.

    Returns
    -------
    own : ConvAutoencoderTransformer
    """
    if is_fitted(autoencoder):
        return deepcopy(autoencoder)
    if autoencoder is None:
        return ConvAutoencoderTransformer(random_state=random_state)
    own = clone(autoencoder)
    if own.random_state is None:
        own.set_params(random_state=random_state)
    return own


def read_for(autoencoder, X):
    """Check `X` against a transformer and return its samples.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer
        Where it is fitted, `X` has to hold samples of the shape that it saw.
    X : array-like
        What the user passed.

    Returns
    -------
    samples : Samples
    """
    read = read_samples if is_fitted(autoencoder) else read_training_samples
    return read(autoencoder, X)


def fitted_autoencoder(autoencoder, X, random_state=None):
    """Return a fitted transformer of one's own, whose samples have the shape of `X`'s.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer or None
        None: a new one is fitted to `X`. An unfitted one is cloned, and the clone
        fitted. A fitted one is copied.
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
    own = own_autoencoder(autoencoder, random_state)
    if is_fitted(own):
        read_for(own, X)
        return own
    return own.fit(X)
