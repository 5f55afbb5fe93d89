"""The outlier detector: how far a sample is from those an autoencoder has learnt."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from ..data.read_input import describe_input, read_samples
from ..params.recipes import DETECTOR_FEATURES, DETECTOR_RECONSTRUCTION
from ..persistence.fitted_state import fitted_state
from ..utils.sklearn_compat import Interval, StrOptions, _fit_context
from .mahalanobis import fit_pca, squared_distances
from .nested_autoencoder import (
    AUTOENCODER,
    fitted_autoencoder,
    read_for,
)
from .transformer import ConvAutoencoderTransformer

# Tukey's: so many interquartile ranges beyond the upper quartile.
_FENCE = 1.5


def _fence(scores):
    """Return the score below which training samples lie apart from the others."""
    errors = np.log(np.maximum(-scores, np.finfo(float).tiny))
    low, high = np.percentile(errors, [25, 75])
    fence = -np.exp(high + _FENCE * (high - low))
    if low == high:  # exactly: rounded, it might exclude them all
        fence = np.percentile(scores, 25)
    # The sample that is farthest out is outside.
    return max(fence, np.sort(scores)[:2].mean())


def _check_number(samples):
    if len(samples) < 2:
        raise ValueError(
            f"Got X with {len(samples)} sample; expected at least 2, as outliers are "
            "those that lie apart from others. Pass more."
        )


def _features(transformer, samples):
    """Return features by a fitted transformer."""
    from ..runtime.inference import transform

    # Not `transformer.transform`, which may know columns by name.
    return transform(transformer.net_, samples, transformer._n_features_out)


def _scores(autoencoder, transformer, pca, samples):
    """Return how normal samples are, by the components of features or by errors."""
    if pca is not None:
        return -squared_distances(pca, _features(transformer, samples))
    from ..runtime.inference import squared_errors

    errors = squared_errors(autoencoder.net_, samples)
    return -errors / samples.layout.n_features


class ConvAutoencoderOutlierDetector(OutlierMixin, BaseEstimator):
    """Find samples unlike those that a convolutional autoencoder was trained on.

    A sample is odd where its features are far from those of the training samples, or
    where the autoencoder cannot rebuild it. `error_map` shows where that is.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer or FrozenEstimator, default=None
        What learns features and rebuilds samples. An unfitted transformer is cloned
        and the clone fitted, a fitted one is copied, so neither changes; in searches
        it stays fitted inside a :class:`~sklearn.frozen.FrozenEstimator`. None: samples
        are rebuilt by one with ``n_filters=(16, 32), n_components=16,
        max_samples=1280``, and "features" are those of a second one: a recipe with
        ``n_filters=(16, 4), feature_stages="last", init="random", sparsity_level=0.1,
        max_epochs=3``, and with ``kernel_size=15, whiten=None, pool_grid=8``
        ("signal"), ``whiten=10.0, threshold=1.0, pool_grid=3`` ("grey") or
        ``whiten=10.0, threshold=1.0, pool_grid=2`` ("volume"). Samples with channels,
        or flattened ones, need a transformer that says so.
    criterion : {"features", "reconstruction"}, default="features"
        What makes a sample odd. "features": the squared Mahalanobis distance of its
        features from the mean of those of the training samples [1]_, whose covariance
        has so many principal components, and the same variance in all other
        directions [2]_. "reconstruction": the mean squared reconstruction error. It
        needs an autoencoder that cannot rebuild everything, such as one with few
        `n_components`.
    contamination : "auto" or float, default="auto"
        Share of outliers among the training samples, in (0, 0.5]: so many of them are
        predicted to be some. "auto": for training samples that are all, or nearly all,
        normal; `offset_` is then Tukey's upper fence of the logarithms of their
        distances or errors, 1.5 interquartile ranges above the upper quartile [3]_, or
        so low that one of them lies beyond.
    random_state : int, RandomState instance or None, default=None
        For an `autoencoder` that is not fitted and has no `random_state` itself.

    Attributes
    ----------
    autoencoder_ : ConvAutoencoderTransformer
        The fitted transformer that rebuilds samples.
    transformer_ : ConvAutoencoderTransformer
        The fitted transformer whose features are compared: the same, unless
        ``autoencoder=None``. None for "reconstruction".
    pca_ : PCA
        Principal components of the features of the training samples; None for
        "reconstruction".
    offset_ : float
        What `decision_function` subtracts from scores: outliers score below it.
    n_features_in_ : int
        Number of values of one sample.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of `X`; only defined where `X` is a frame with string
        column names.

    See Also
    --------
    ConvAutoencoderTransformer : What is composed here.
    sklearn.covariance.EllipticEnvelope : Distances from robust estimates, of rows.
    sklearn.ensemble.IsolationForest : Outliers among rows of unlike quantities.

    References
    ----------
    .. [1] O. Rippel, P. Mertens, D. Merhof, "Modeling the distribution of normal data
       in pre-trained deep features for anomaly detection", ICPR 2020,
       :doi:`10.1109/ICPR48806.2021.9412109`.
    .. [2] M. E. Tipping, C. M. Bishop, "Probabilistic principal component analysis",
       Journal of the Royal Statistical Society B 61, 1999,
       :doi:`10.1111/1467-9868.00196`.
    .. [3] D. C. Hoaglin, B. Iglewicz, J. W. Tukey, "Performance of some resistant rules
       for outlier labeling", Journal of the American Statistical Association 81, 1986,
       :doi:`10.1080/01621459.1986.10478363`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderOutlierDetector
    >>> X, y = load_digits().images, load_digits().target
    >>> detector = ConvAutoencoderOutlierDetector(random_state=0).fit(X[y == 0])
    >>> detector.predict(X[:3])
    array([ 1, -1, -1])
    >>> detector.error_map(X[:3]).shape
    (3, 8, 8)
    """

    _parameter_constraints = {
        "autoencoder": AUTOENCODER,
        "criterion": [StrOptions({"features", "reconstruction"})],
        "contamination": [
            StrOptions({"auto"}),
            Interval(Real, 0, 0.5, closed="right"),
        ],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        autoencoder=None,
        *,
        criterion="features",
        contamination="auto",
        random_state=None,
    ):
        self.autoencoder = autoencoder
        self.criterion = criterion
        self.contamination = contamination
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn what samples usually look like.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Training samples, real and finite; normal ones or, with `contamination`,
            mostly.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
            Fitted detector.

        Raises
        ------
        ValueError
            If a parameter or the data are out of range, before any training.
        """
        with read_for(self.autoencoder, X) as samples:
            _check_number(samples)
            autoencoder, transformer = self._fit_autoencoders(X, samples.layout)
            pca = None
            if transformer is not None:
                features = _features(transformer, samples)
                pca = fit_pca(features, transformer._fitted.seed)
            scores = _scores(autoencoder, transformer, pca, samples)
            attributes = describe_input(self, X, samples)
        attributes |= {
            "autoencoder_": autoencoder,
            "transformer_": transformer,
            "pca_": pca,
            "offset_": self._offset_of(scores),
        }
        self.__dict__ = fitted_state(self, None, attributes)
        return self

    def _offset_of(self, scores):
        """Return the score below which samples are outliers."""
        if self.contamination == "auto":
            return float(_fence(scores))
        return float(np.percentile(scores, 100 * self.contamination))

    def _fit_autoencoders(self, X, layout):
        """Return what rebuilds samples and, if need be, what has their features."""

        def fitted(autoencoder):
            return fitted_autoencoder(autoencoder, X, self.random_state)

        has_features = self.criterion == "features"
        if self.autoencoder is not None:
            autoencoder = fitted(self.autoencoder)
            return autoencoder, autoencoder if has_features else None
        params = DETECTOR_FEATURES[len(layout.spatial)]
        return (
            fitted(ConvAutoencoderTransformer(**DETECTOR_RECONSTRUCTION)),
            fitted(ConvAutoencoderTransformer(**params)) if has_features else None,
        )

    def predict(self, X):
        """Tell outliers from normal samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape that `fit` saw.

        Returns
        -------
        y : ndarray of shape (n_samples,), int64
            1 for normal samples, -1 for outliers.
        """
        # What cannot be compared is no normal sample.
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def decision_function(self, X):
        """Return how far samples are from being outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape that `fit` saw.

        Returns
        -------
        decision : ndarray of shape (n_samples,), float64
            `score_samples` minus `offset_`: negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def score_samples(self, X):
        """Return how normal samples are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape that `fit` saw.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            At most 0, and the lower the odder: minus the squared distance for
            "features", which has no unit; minus the mean squared error for
            "reconstruction", in squared units of the data.
        """
        check_is_fitted(self)
        with read_samples(self, X) as samples:
            return self._score(samples)

    def error_map(self, X):
        """Return where samples are not rebuilt.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the shape that `fit` saw.

        Returns
        -------
        errors : ndarray of the shape of `X`, float64
            Squared difference between each value and that of the reconstruction, in
            squared units of the data, whatever `criterion` says.
        """
        check_is_fitted(self)
        from ..runtime.inference import reconstruct

        with read_samples(self, X) as samples:
            rebuilt = reconstruct(self.autoencoder_.net_, samples)
            rebuilt = samples.layout.from_channels_first(rebuilt)
            errors = np.empty(samples.X.shape)
            rebuilt = rebuilt.reshape(errors.shape)
            for part in samples.slices(samples.chunk_size):
                seen = samples.stored(part, np.float64, copy=None)
                np.square(rebuilt[part] - seen, out=errors[part])
        return errors

    def _score(self, samples):
        return _scores(self.autoencoder_, self.transformer_, self.pca_, samples)

    @property
    def _fitted(self):
        """The record of the autoencoder, which has seen the same samples."""
        return self.autoencoder_._fitted

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
