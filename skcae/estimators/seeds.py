"""The seed of a fit, the same on all processes that share it."""

from numbers import Integral

from sklearn.utils import check_random_state

from ..distributed.context import current
from ..persistence.fingerprint import parameters_in_words


def draw_shared_seed(estimator, **data):
    """Return the seed of a fit, that of rank 0 for all ranks that share it.

    An int `random_state` is the seed itself, so that the seed, passed as
    `random_state`, repeats the fit.

    Parameters
    ----------
    estimator : BaseEstimator
        Has `random_state`.
    **data : sized or None
        Samples and labels that it is fitted to, by name.

    Returns
    -------
    seed : int

    Raises
    ------
    ValueError
        If the ranks do not have the same data and the same parameters.
    """
    ranks, seed = current(), estimator.random_state
    if not isinstance(seed, Integral):
        seed = check_random_state(seed).randint(2**31 - 1)
    seed = int(seed)
    if ranks.size == 1:
        return seed
    identity = parameters_in_words(estimator.get_params(deep=False))
    del identity["callbacks"]  # a rank may have some for itself, such as a logger
    ranks.check_same(identity | {name: _in_words(part) for name, part in data.items()})
    return ranks.broadcast_result(lambda: seed)


def _in_words(data):
    if data is None:
        return "None"
    layout = getattr(data, "layout", None)
    return f"{len(data)} samples" + (f" of shape {layout.shape}" if layout else "")
