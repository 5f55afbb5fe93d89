"""The transformer: a convolutional autoencoder with scikit-learn's contract."""

import math

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._base import BaseAutoencoder
from ._parameters import PARAMETER_CONSTRAINTS
from ._samples import Layout
from ._sklearn import CallbackSupportMixin, _fit_context, with_callbacks
from ._validation import read_features, read_samples

# torch takes seconds to import: whoever only builds pipelines should not wait for it.
# Hence the imports of the rooms behind it inside the methods that compute.


def _is_invertible(estimator):
    if estimator.pooling is not None:
        raise AttributeError(
            f"Got pooling={estimator.pooling!r}; expected None for inverse_transform, "
            "as pooled features do not say where in the sample they came from. Set "
            "pooling=None and fit again."
        )
    return True


class ConvAutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseAutoencoder,
):
    _parameter_constraints = PARAMETER_CONSTRAINTS

    def __init__(
        self,
        *,
        input_shape=None,
        channel_axis=None,
        n_filters=32,
        kernel_size=3,
        stride=1,
        pool_size=2,
        padding="same",
        whiten=None,
        activation="relu",
        output_activation="identity",
        tied_weights=False,
        n_components=None,
        loss="squared_error",
        corruption=None,
        corruption_level=0.3,
        sparsity=None,
        sparsity_level=0.1,
        init="random",
        layerwise=False,
        pooling=None,
        pool_grid=2,
        optimizer="adam",
        lr=3e-3,
        weight_decay=0.0,
        batch_size=64,
        max_epochs=20,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        verbose=0,
        device="auto",
        precision="auto",
        compile=False,
        callbacks=None,
        net_params=None,
    ):
        self.input_shape = input_shape
        self.channel_axis = channel_axis
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.pool_size = pool_size
        self.padding = padding
        self.whiten = whiten
        self.activation = activation
        self.output_activation = output_activation
        self.tied_weights = tied_weights
        self.n_components = n_components
        self.loss = loss
        self.corruption = corruption
        self.corruption_level = corruption_level
        self.sparsity = sparsity
        self.sparsity_level = sparsity_level
        self.init = init
        self.layerwise = layerwise
        self.pooling = pooling
        self.pool_grid = pool_grid
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.precision = precision
        self.compile = compile
        self.callbacks = callbacks
        self.net_params = net_params

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, X_val=None):
        samples, params = self._read(X)
        continues = self.warm_start and self.__sklearn_is_fitted__()
        if continues:
            self._check_same_module(params)
        seed = self._draw_seed()
        samples, valid = self._hold_out(samples, X_val, seed)
        context = self._init_callback_context(max_subtasks=self.max_epochs)
        if context is not None:
            context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        if not continues:
            self._start(samples, params, seed)
        callbacks = self._training_callbacks(valid is not None, context, X)
        self._train(samples, valid, self.max_epochs, callbacks)
        self._sum_up(samples)
        if context is not None:
            context.call_on_fit_task_end(
                estimator=self, X=X, y=y, reconstruction_attributes=dict
            )
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        if self.__sklearn_is_fitted__():
            samples = read_samples(self, X)
            self._update_mean(samples)
        else:
            samples, params = self._read(X)
            self._start(samples, params, self._draw_seed())
        self._train(samples, None, 1, [])
        self._sum_up(samples)
        return self

    def transform(self, X):
        check_is_fitted(self)
        from ._inference import transform

        samples = read_samples(self, X, any_size=self.pooling is not None)
        return transform(self.net_, samples, self._n_features_out)

    @available_if(_is_invertible)
    def inverse_transform(self, X):
        check_is_fitted(self)
        from ._inference import inverse_transform

        features = read_features(self, X, self._n_features_out)
        layout = Layout(self.input_shape_, self.channel_axis)
        samples = inverse_transform(self.net_, features, layout, self._code_shape)
        return samples.reshape(len(samples), -1) if self._saw_rows else samples

    def score(self, X, y=None):
        check_is_fitted(self)
        samples = read_samples(self, X)
        errors = self._squared_errors(samples).sum()
        total = samples.squared_deviations(self.mean_)
        if total == 0:
            return float(errors == 0)
        return float(1 - errors / total)

    def score_samples(self, X):
        check_is_fitted(self)
        samples = read_samples(self, X)
        return -self._squared_errors(samples) / self.n_features_in_

    @property
    def filters_(self):
        """First-layer filters, ndarray of shape (n_filters, n_channels, *kernel)."""
        return self.module_.filters.detach().cpu().numpy().copy()

    @property
    def _n_features_out(self):
        if self.pooling is None or self.n_components is not None:
            return math.prod(self._code_shape)
        return self._code_shape[0] * self.pool_grid ** (len(self._code_shape) - 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
