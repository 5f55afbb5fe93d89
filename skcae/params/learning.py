"""What decides how a net is trained, as plain values."""

from .cross_checks import is_stagewise
from .filter_starts import FILTER_STARTS
from .net_params import without_loading
from .sparsities import SPARSITIES


def training_params(estimator):
    """Return those parameters that every net is made with.

    An estimator keeps them from `fit` on, so that a net that is built again, after
    loading, is the same even if `set_params` has changed them since.
    """
    return {
        "optimizer": estimator.optimizer,
        "lr": estimator.lr,
        "weight_decay": estimator.weight_decay,
        "batch_size": estimator.batch_size,
        "precision": estimator.precision,
        "compile": bool(estimator.compile),
        "verbose": int(estimator.verbose),
        "net_params": without_loading(estimator.net_params),
    }


def learning_params(estimator):
    """Return what decides how filters are learnt, besides module, net and optimizer.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Holds the parameters.

    Returns
    -------
    params : dict
        Plain values.
    """
    names = ("init", "whiten", "threshold", "sparsity", "sparsity_level", "crop_size")
    return {
        **{name: getattr(estimator, name) for name in names},
        "stagewise": is_stagewise(estimator),
    }


def has_computed_code(architecture, learning):
    """Whether there is a dense code that is computed after a training.

    A warm start may train the stages of a trained code one by one.

    Parameters
    ----------
    architecture : Architecture
        Of the module.
    learning : dict
        As `learning_params` gives it.
    """
    return architecture.computes_dense_code or (
        architecture.trains_dense_code and learning["stagewise"]
    )


def is_decoder_fitted(architecture, learning, epochs):
    """Whether the decoder of maps is fitted by least squares after the training.

    It is where it has not been trained together with the code, and rebuilds samples.

    Parameters
    ----------
    architecture : Architecture
        Of the module.
    learning : dict
        As `learning_params` gives it.
    epochs : int
        Passes over the training data.
    """
    if architecture.tied_weights or architecture.decodes_features:
        return False
    sparsity = SPARSITIES.get(learning["sparsity"])
    return (
        has_computed_code(architecture, learning)
        or (epochs == 0 and FILTER_STARTS[learning["init"]].sees_samples)
        or (sparsity is not None and sparsity.fits_decoder)
    )
