"""The outlier detector: samples unlike those that an autoencoder was trained on."""

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

# Tukey's rule: so many interquartile ranges above the upper quartile.
_FENCE = 1.5


def _fence(scores):
    """Return the score below which a training sample is an outlier, by Tukey's rule."""
    errors = np.log(np.maximum(-scores, np.finfo(float).tiny))
    low, high = np.percentile(errors, [25, 75])
    fence = -np.exp(high + _FENCE * (high - low))
    if low == high:  # the rounding of exp and log might exclude all equal scores
        fence = np.percentile(scores, 25)
    # At least the sample with the lowest score is an outlier.
    return max(fence, np.sort(scores)[:2].mean())


def _check_number(samples):
    if len(samples) < 2:
        raise ValueError(
            f"Got X with {len(samples)} sample; expected at least 2, as outliers are "
            "those that lie apart from others. Pass more."
        )


def _features(transformer, samples):
    """Return the features of samples by a fitted transformer."""
    from ..runtime.inference import transform

    # `transformer.transform` would compare the names of columns with those that it saw.
    return transform(transformer.net_, samples, transformer._n_features_out)


def _scores_by_errors(autoencoder, samples):
    """Return how normal samples are by how well they are rebuilt."""
    from ..runtime.inference import squared_errors

    errors = squared_errors(autoencoder.net_, samples)
    return -errors / samples.layout.n_features


class ConvAutoencoderOutlierDetector(OutlierMixin, BaseEstimator):
    """Find samples unlike those that a convolutional autoencoder was trained on.

    A sample is an outlier if its features are far from those of the training samples,
    or if the autoencoder cannot rebuild it. `error_map` shows which of its values are
    not rebuilt.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer or FrozenEstimator, default=None
        The transformer that learns features and rebuilds samples. Of an unfitted one, a
        clone is fitted; a fitted one is copied. So neither changes. In searches it
        stays fitted inside a :class:`~sklearn.frozen.FrozenEstimator`. None: samples
        are rebuilt by one with ``recipe="tutorial", n_filters=(16, 32),
        n_components=16, max_samples=1280``, and features are those of a second one,
        whose recipe gets ``n_filters=(16, 4), feature_stages="last", init="random",
        sparsity_level=0.1, max_epochs=3``, and ``kernel_size=15, whiten=None,
        pool_grid=8`` ("signal"), ``whiten=10.0, threshold=1.0,
        pool_grid=3`` ("grey") or ``whiten=10.0, threshold=1.0, pool_grid=2``
        ("volume"). Samples with channels and flattened samples need a transformer with
        `channel_axis` or `input_shape`.
    criterion : {"features", "reconstruction"}, default="features"
        What makes a sample an outlier. "features" is the squared Mahalanobis distance
        of its features from the mean features of the training samples [1]_. The
        covariance is that of up to 64 principal components, with one variance in all
        other directions [2]_. "reconstruction" is the mean squared reconstruction
        error. It needs an autoencoder that cannot rebuild everything, such as one with
        few `n_components`.
    contamination : "auto" or float, default="auto"
        Share of outliers among the training samples, in (0, 0.5]: this share of them is
        predicted to be outliers. "auto" is for training samples that are all, or nearly
        all, normal. `offset_` is then Tukey's upper fence of the logarithms of their
        distances or errors, 1.5 interquartile ranges above the upper quartile [3]_. If
        no training sample lies beyond the fence, the farthest one is an outlier.
    random_state : int, RandomState instance or None, default=None
        Given to an unfitted `autoencoder` whose own `random_state` is None.

    Attributes
    ----------
    autoencoder_ : ConvAutoencoderTransformer
        The fitted transformer that rebuilds samples.
    transformer_ : ConvAutoencoderTransformer
        The fitted transformer whose features are compared. It is `autoencoder_`, unless
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
    ConvAutoencoderTransformer : Learns the features and rebuilds the samples.
    sklearn.covariance.EllipticEnvelope : Robust distances, for rows of few features.
    sklearn.ensemble.IsolationForest : For rows of unlike quantities.

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
            Training samples: real numbers, finite. They should be normal samples, or
            mostly so if `contamination` is a number.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
            Fitted detector.

        Raises
        ------
        ValueError
            If a parameter or the data are out of range, before any training, or if the
            loss becomes infinite or NaN. The detector then stays what it was.
        """
        with read_for(self.autoencoder, X) as samples:
            _check_number(samples)
            autoencoder, transformer = self._fit_autoencoders(samples)
            pca = None
            if transformer is None:
                scores = _scores_by_errors(autoencoder, samples)
            else:
                features = _features(transformer, samples)
                pca = fit_pca(features, transformer._fitted.seed)
                scores = -squared_distances(pca, features)
            attributes = describe_input(self, samples)
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

    def _fit_autoencoders(self, samples):
        """Return the transformers that rebuild samples and make features, or None."""

        def fitted(autoencoder):
            return fitted_autoencoder(autoencoder, samples, self.random_state)

        needs_features = self.criterion == "features"
        if self.autoencoder is not None:
            autoencoder = fitted(self.autoencoder)
            return autoencoder, autoencoder if needs_features else None
        params = DETECTOR_FEATURES[len(samples.layout.spatial)]
        return (
            fitted(ConvAutoencoderTransformer(**DETECTOR_RECONSTRUCTION)),
            fitted(ConvAutoencoderTransformer(**params)) if needs_features else None,
        )

    def predict(self, X):
        """Tell outliers from normal samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,), int64
            1 for normal samples, -1 for outliers.
        """
        # A score that is not a number is never that of a normal sample.
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def decision_function(self, X):
        """Return how far samples are from being outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.

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
            Samples of the same shape as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            At most 0, and lower for samples that are less normal: minus the squared
            distance ("features"), which has no unit, or minus the mean squared error
            ("reconstruction"), in squared units of the data.
        """
        check_is_fitted(self)
        with read_samples(self, X) as samples:
            if self.pca_ is None:
                return _scores_by_errors(self.autoencoder_, samples)
            features = _features(self.transformer_, samples)
            return -squared_distances(self.pca_, features)

    def error_map(self, X):
        """Return where samples are not rebuilt.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.

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

    @property
    def _fitted(self):
        """The record of the autoencoder, which has seen the same samples."""
        return self.autoencoder_._fitted

    @property
    def _value_range(self):
        return self.autoencoder_._value_range

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
