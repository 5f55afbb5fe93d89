"""The classifier: a convolutional network that starts from an autoencoder's encoder."""

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._autoencoder import fitted_autoencoder, own_autoencoder, read_for
from ._consistency import (
    check_booleans,
    check_callbacks,
    check_monitors,
    check_net_params,
)
from ._constraints import CLASSIFIER_CONSTRAINTS
from ._labels import hold_out, read_labels
from ._sklearn import _fit_context
from ._state import NumpyState
from ._transformer import ConvAutoencoderTransformer
from ._validation import read_samples, remember_input


class ConvAutoencoderClassifier(ClassifierMixin, NumpyState, BaseEstimator):
    """TODO."""

    _parameter_constraints = {
        "autoencoder": [ConvAutoencoderTransformer, None],
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        autoencoder=None,
        *,
        frozen_epochs=0,
        head_init="ridge",
        dropout=0.0,
        shift=0,
        flip=False,
        label_smoothing=0.0,
        class_weight=None,
        optimizer="adam",
        lr=1e-4,
        encoder_lr=None,
        lr_schedule="cosine",
        weight_decay=0.0,
        batch_size=32,
        max_epochs=30,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        random_state=None,
        verbose=0,
        device="auto",
        precision="auto",
        compile=False,
        callbacks=None,
        net_params=None,
    ):
        self.autoencoder = autoencoder
        self.frozen_epochs = frozen_epochs
        self.head_init = head_init
        self.dropout = dropout
        self.shift = shift
        self.flip = flip
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.optimizer = optimizer
        self.lr = lr
        self.encoder_lr = encoder_lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.precision = precision
        self.compile = compile
        self.callbacks = callbacks
        self.net_params = net_params

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """TODO."""
        check_booleans(self)
        check_callbacks(self.callbacks)
        check_net_params(self)
        check_monitors(self.callbacks, self.early_stopping)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        samples = read_for(own_autoencoder(self.autoencoder), X)
        labels = read_labels(
            y,
            len(samples),
            class_weight=self.class_weight,
            sample_weight=sample_weight,
        )
        held_out = None
        if self.early_stopping:
            labels, held_out = hold_out(labels, self.validation_fraction, seed)
        self._forget_fit()
        try:
            self._fit(X, samples, labels, held_out, seed)
        except BaseException:
            self._forget_fit()
            raise
        return self

    def _fit(self, X, samples, labels, held_out, seed):
        from ._devices import resolve_device
        from ._fine_tuning import fine_tune, standardise, start_head

        device = resolve_device(self.device)
        remember_input(self, X, samples)
        self.autoencoder_ = fitted_autoencoder(self.autoencoder, X, seed)
        self.classes_ = labels.classes
        self._remember_parameters()
        net = self._net = self._make_net(device)
        self._load_encoder(net.module_.encoder)
        standardise(net, samples)
        if self.head_init == "ridge":
            start_head(net, samples, labels)
        self.history_ = fine_tune(
            net,
            samples,
            labels,
            held_out,
            frozen_epochs=self.frozen_epochs,
            epochs=self.max_epochs,
            schedule=self.lr_schedule,
            seed=seed,
            callbacks=self._training_callbacks,
        )
        for number, row in enumerate(self.history_, start=1):
            row["epoch"] = number
        self.n_iter_ = len(self.history_)

    def _load_encoder(self, encoder):
        from ._quiet_net import load_weights, weights_as_numpy

        weights = weights_as_numpy(self.autoencoder_.module_)
        kept = encoder.state_dict()
        load_weights(encoder, {name: weights[name] for name in kept})

    def _training_callbacks(self):
        from ._callbacks import make_callbacks

        return make_callbacks(self)

    def _remember_parameters(self):
        """Keep the parameters that a loaded model is rebuilt with."""
        self._module_params = {
            "encoder": tuple(sorted(self.autoencoder_._module_params.items())),
            "n_classes": len(self.classes_),
            "dropout": float(self.dropout),
            "shift": int(self.shift),
            "flip": bool(self.flip),
        }
        self._training_params = {
            "optimizer": self.optimizer,
            "lr": self.lr,
            "encoder_lr": self.lr if self.encoder_lr is None else self.encoder_lr,
            "label_smoothing": float(self.label_smoothing),
            "weight_decay": self.weight_decay,
            "batch_size": self.batch_size,
            "precision": self.precision,
            "compile": bool(self.compile),
            "verbose": int(self.verbose),
            "net_params": dict(self.net_params or {}),
        }

    def _make_net(self, device):
        from ._classifier_net import make_classifier_net

        return make_classifier_net(
            self._module_params,
            **self._training_params,
            device=device,
            callbacks=self.callbacks or (),
        )

    def predict_proba(self, X):
        """TODO."""
        return softmax(self._logits(X).astype(np.float64), axis=1)

    def predict(self, X):
        """TODO."""
        codes = self._logits(X).argmax(axis=1)
        return self.classes_[codes]

    def _logits(self, X):
        check_is_fitted(self)
        from ._inference import transform

        samples = read_samples(self, X)
        return transform(self.net_, samples, len(self.classes_), method="forward")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
