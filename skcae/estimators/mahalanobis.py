"""Distances of features from those of training samples, by principal components."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import gen_batches

_N_COMPONENTS = 64
# With fewer training samples per component, they come out nearer than other samples.
_SAMPLES_PER_COMPONENT = 10
# Directions in which training samples do not vary must not make distances infinite.
# Their variance counts as this share of that in all directions together, ...
_LEAST_SHARE = 1e-6
# ... and, where nothing varies, as the square of what float32 rounds features by.
_ROUNDING = np.finfo(np.float32).eps
_LEAST_VARIANCE = 1e-200
_BATCH_SIZE = 1024


def fit_pca(features, seed):
    """Return principal components of features, at most half as many as features.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Of training samples.
    seed : int
        Decides the start of iterative solvers.

    Returns
    -------
    pca : PCA
    """
    n_samples, n_features = features.shape
    most = min(n_samples // _SAMPLES_PER_COMPONENT, n_features // 2)
    pca = PCA(
        min(max(most, 1), _N_COMPONENTS),
        power_iteration_normalizer="QR",
        random_state=seed,
    )
    # If no feature varies, shares of the variance are 0 / 0.
    with np.errstate(invalid="ignore"):
        pca.fit(features.astype(np.float64))
    np.nan_to_num(pca.explained_variance_ratio_, copy=False)
    return pca


def precisions(pca):
    """Return the inverse variances that distances are measured with.

    Parameters
    ----------
    pca : PCA
        A fitted one.

    Returns
    -------
    of_components : ndarray of shape (n_components,), float64
        Along each component.
    of_others : float
        Along all other directions.
    """
    n_others = min(pca.n_samples_, pca.n_features_in_) - pca.n_components_
    total = pca.explained_variance_.sum() + n_others * pca.noise_variance_
    rounding = _ROUNDING * np.abs(pca.mean_).max()
    least = max(_LEAST_SHARE * total, rounding**2, _LEAST_VARIANCE)
    of_components = 1 / np.maximum(pca.explained_variance_, least)
    return of_components, 1 / max(pca.noise_variance_, least)


def squared_distances(pca, features):
    """Return squared Mahalanobis distances, those of a probabilistic PCA.

    Parameters
    ----------
    pca : PCA
        A fitted one. The variance beyond its components is the same in all directions.
    features : ndarray of shape (n_samples, n_features)
        Of any samples.

    Returns
    -------
    distances : ndarray of shape (n_samples,), float64
    """
    of_components, of_others = precisions(pca)

    def distances_of(rows):
        deviations = rows - pca.mean_
        squares = np.square(deviations @ pca.components_.T)
        others = np.square(deviations).sum(axis=1) - squares.sum(axis=1)
        return squares @ of_components + np.maximum(others, 0) * of_others

    parts = gen_batches(len(features), _BATCH_SIZE)
    return np.concatenate([distances_of(features[part]) for part in parts])
