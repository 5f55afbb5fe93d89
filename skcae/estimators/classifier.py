"""The classifier: a convolutional network that starts from an autoencoder's encoder."""

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ..data.labels import hold_out, read_labels
from ..data.read_input import describe_input, read_samples
from ..distributed.context import current, shared_fit
from ..params.callbacks import check_monitors
from ..params.constraints import CLASSIFIER_CONSTRAINTS
from ..params.cross_checks import check_given
from ..params.learning import training_params
from ..params.unused import warn_of_unused
from ..persistence.fitted import Fitted
from ..persistence.fitted_state import FittedState, fitted_state
from ..utils.sklearn_compat import _fit_context
from .nested_autoencoder import (
    AUTOENCODER,
    architecture_of,
    fitted_autoencoder,
    read_for,
)
from .seeds import draw_shared_seed
from .shared_parameters import fill_in_shared_parameters


@fill_in_shared_parameters
class ConvAutoencoderClassifier(ClassifierMixin, FittedState, BaseEstimator):
    """A convolutional network that starts from the encoder of an autoencoder.

    The encoder is learnt from all samples, with a label or without. Behind it comes a
    linear classifier of its standardised features. Both are then trained together on
    the samples that have a label: the fine-tuning of [1]_.

    Parameters
    ----------
    autoencoder : ConvAutoencoderTransformer or FrozenEstimator, default=None
        Where the encoder comes from. An unfitted one is cloned, and `fit` fits the
        clone to all samples. A fitted one is copied. What is passed never changes.
        None: a `ConvAutoencoderTransformer` with default parameters. Searches and
        cross-validation make unfitted clones of it, unless it is fitted and inside a
        :class:`~sklearn.frozen.FrozenEstimator`.
    frozen_epochs : int or "all", default=0
        Epochs at the beginning, of `max_epochs`, in which only what is behind the
        encoder is trained. Without `shift` and `flip`, features are computed once for
        all of them.
    head_init : {"ridge", "zeros"}, default="ridge"
        How the linear classifier starts. "ridge" fits a ridge regression to the
        features of up to 2000 labelled samples; its penalty, and the factor that turns
        its predictions into logits, are those that suit left-out samples best. "zeros"
        starts from zero.
    dropout : float, default=0.0
        Share of the features that training leaves out at random [2]_.
    shift : int, default=0
        Training moves every sample at random, by at most so many positions along
        every spatial axis. What comes in from outside repeats the border.
    flip : bool, default=False
        Whether training mirrors half of the samples, left to right: along the last
        spatial axis.
    label_smoothing : float, default=0.0
        Share of every target that is spread evenly over all classes [3]_.
    class_weight : dict or "balanced", default=None
        Weights of classes, by their labels, as factors of the loss. "balanced" makes
        them inversely proportional to the number of labelled samples.
    %(optimizer)s
    %(lr)s
    encoder_lr : float, default=None
        Learning rate of the encoder. None: `lr`.
    lr_schedule : {"constant", "cosine"}, default="cosine"
        Whether learning rates fall to 0 along half a cosine [4]_, over the frozen
        epochs and again over those behind them. For other schedules, pass "constant"
        and skorch's `LRScheduler` in `callbacks`.
    %(weight_decay)s
    %(batch_size)s
    max_epochs : int, default=10
        Passes over the labelled samples. With 0, the classifier stays as it starts.
    %(early_stopping)s
        Only labelled samples are held out, of every class in proportion.
    %(validation_fraction)s
    %(n_iter_no_change)s
    %(tol)s
    %(callbacks)s
        The autoencoder has its own.
    %(net_params)s
    random_state : int, RandomState instance or None, default=None
        Decides held-out samples, order of samples, moves, mirrors and dropout, and the
        training of an autoencoder whose own `random_state` is None. An int gives the
        same result for every call, if the `random_state` of the autoencoder is None or
        an int, too.
    %(verbose)s
    %(device)s
        The autoencoder has its own.
    %(precision)s
    %(compile)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted, without -1 where that marks unlabelled samples.
    autoencoder_ : ConvAutoencoderTransformer
        The fitted autoencoder as it was before the fine-tuning.
    net_ : skorch.NeuralNet
        The trained net.
    module_ : torch.nn.Module
        The net's module. It maps tensors of shape ``(N, channels, *spatial)``, in the
        units of the data, to one logit per class. Its `encoder` is fine-tuned.
    history_ : list of dict
        "epoch", "train_loss", "seconds", whether the encoder was "frozen" and, with
        `early_stopping`, "valid_loss" of every epoch.
    n_iter_ : int
        Number of epochs.
    input_shape_ : tuple of int
        Shape of one sample.
    n_features_in_ : int
        Number of values of one sample.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of `X`; only defined where `X` is a frame with string
        column names.

    See Also
    --------
    ConvAutoencoderTransformer : The autoencoder. With a classifier of scikit-learn
        behind it, it is the alternative without fine-tuning.
    sklearn.semi_supervised.SelfTrainingClassifier : Makes labels from predictions.
    sklearn.neural_network.MLPClassifier : A network without convolutions.

    References
    ----------
    .. [1] J. Masci, U. Meier, D. Ciresan, J. Schmidhuber, "Stacked convolutional
       auto-encoders for hierarchical feature extraction", ICANN 2011,
       :doi:`10.1007/978-3-642-21735-7_7`.
    .. [2] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov,
       "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15,
       2014, https://jmlr.org/papers/v15/srivastava14a.html.
    .. [3] C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the
       Inception architecture for computer vision", CVPR 2016,
       :doi:`10.1109/CVPR.2016.308`.
    .. [4] I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
       restarts", ICLR 2017, :doi:`10.48550/arXiv.1608.03983`.

    Examples
    --------
    Of 1,797 digits, 100 have a label:

    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderClassifier, ConvAutoencoderTransformer
    >>> digits = load_digits()
    >>> y = digits.target.copy()
    >>> y[100:] = -1
    >>> cae = ConvAutoencoderTransformer(n_filters=16, max_epochs=5, random_state=0)
    >>> classifier = ConvAutoencoderClassifier(cae, shift=1, random_state=0)
    >>> classifier.fit(digits.images, y).classes_
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> bool(classifier.score(digits.images[100:], digits.target[100:]) > 0.8)
    True
    """

    _parameter_constraints = {
        "autoencoder": AUTOENCODER,
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
        lr=0.001,
        encoder_lr=None,
        lr_schedule="cosine",
        weight_decay=0.0,
        batch_size=32,
        max_epochs=10,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        callbacks=None,
        net_params=None,
        random_state=None,
        verbose=0,
        device="auto",
        precision="auto",
        compile=False,
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
        self.callbacks = callbacks
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.precision = precision
        self.compile = compile

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn the encoder from all samples, and the classes from those with a label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Training samples: finite real numbers, and at least two samples that differ.
            They may be whatever `ConvAutoencoderTransformer` takes: arrays of N axes,
            frames, lists, torch tensors, arrays on disk and torch Datasets.
        y : array-like of shape (n_samples,)
            Labels: numbers, booleans or strings. The number -1, of an integer, float or
            object type, marks samples without a label; among strings it can only stand
            in an array of objects. Where -1 and a single other label are all there is,
            both are classes. A third class must not be called -1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the labelled samples, not negative: factors of the loss. They
            mean nothing to the autoencoder: it also learns from samples whose weight
            is 0.

        Returns
        -------
        self : object
            Fitted classifier.

        Raises
        ------
        ValueError
            If a parameter or the data are out of range, before any training, or if
            the loss becomes infinite or NaN. The classifier then stays what it was.
        MemoryError
            If memory runs out.
        """
        check_given(self)
        check_monitors(self.callbacks, self.early_stopping)
        warn_of_unused(self)
        with shared_fit(), read_for(self.autoencoder, X, loading=self) as samples:
            labels = read_labels(
                y,
                len(samples),
                class_weight=self.class_weight,
                sample_weight=sample_weight,
            )
            seed = draw_shared_seed(self, X=samples, y=labels)
            held_out = None
            if self.early_stopping:
                labels, held_out = hold_out(labels, self.validation_fraction, seed)
            fitted = self._new_record(samples.layout, labels.classes, seed)
            attributes = describe_input(self, samples)
            attributes |= self._fit(fitted, samples, labels, held_out)
        self.__dict__ = fitted_state(self, fitted, attributes)
        return self

    def _new_record(self, layout, classes, seed):
        """Return the record of a fit that has no net yet."""
        return Fitted(
            architecture_of(self.autoencoder, layout),
            layout,
            has_rows=False,
            net_arguments={
                "head_params": {
                    "n_classes": len(classes),
                    "dropout": float(self.dropout),
                    "shift": int(self.shift),
                    "flip": bool(self.flip),
                },
                "encoder_lr": self.lr if self.encoder_lr is None else self.encoder_lr,
                "label_smoothing": float(self.label_smoothing),
                **training_params(self),
            },
            seed=seed,
        )

    def _fit(self, fitted, samples, labels, held_out):
        """Give the record a trained net, and return the public attributes by name."""
        from ..runtime.devices import resolve_device
        from ..runtime.precision import trains_in_bfloat16
        from ..training.base_net import update_and_broadcast
        from ..training.fine_tuning import fine_tune, standardise, start_head

        # Whatever cannot be built is found before the autoencoder is trained.
        ranks = current()
        device = resolve_device(self.device, ranks.gpu)
        trains_in_bfloat16(self.precision, device)
        net = fitted.net = self._make_net(fitted, device)
        autoencoder = fitted_autoencoder(self.autoencoder, samples, fitted.seed)
        _load_encoder(net.module_.encoder, autoencoder.module_)
        update_and_broadcast(net, ranks, standardise, net, samples)
        if self.head_init == "ridge":
            update_and_broadcast(net, ranks, start_head, net, samples, labels)
        rows = fine_tune(
            net,
            samples,
            labels,
            held_out,
            frozen_epochs=self.frozen_epochs,
            epochs=self.max_epochs,
            schedule=self.lr_schedule,
            seed=fitted.seed,
            callbacks=self._training_callbacks,
            ranks=ranks,
        )
        update_and_broadcast(net, ranks)
        rows = ranks.broadcast_result(lambda: rows)
        history = [{**row, "epoch": number} for number, row in enumerate(rows, start=1)]
        return {
            "classes_": labels.classes,
            "autoencoder_": autoencoder,
            "history_": history,
            "n_iter_": len(history),
        }

    def _training_callbacks(self):
        from ..training.callbacks import make_callbacks

        return make_callbacks(self, current())

    def _make_module(self, fitted):
        from ..nn.classifier import ConvClassifier

        head_params = fitted.net_arguments["head_params"]
        return ConvClassifier(fitted.architecture, **head_params)

    def _make_net(self, fitted, device):
        from ..training.classifier_net import make_classifier_net

        return make_classifier_net(
            fitted.architecture,
            **fitted.net_arguments,
            device=device,
            callbacks=self.callbacks or (),
        )

    def predict_proba(self, X):
        """Return the probability of every class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            In the order of `classes_`; they sum to 1.
        """
        return softmax(self._logits(X).astype(np.float64), axis=1)

    def predict(self, X):
        """Return the most probable label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Out of `classes_`.
        """
        codes = self._logits(X).argmax(axis=1)
        return self.classes_[codes]

    def _logits(self, X):
        check_is_fitted(self)
        from ..runtime.inference import transform

        with read_samples(self, X) as samples:
            return transform(self.net_, samples, len(self.classes_), method="forward")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _load_encoder(encoder, autoencoder):
    """Set the weights of an encoder to those of the encoder of an autoencoder."""
    from ..persistence.weights import load_weights, weights_as_numpy

    weights = weights_as_numpy(autoencoder)
    load_weights(encoder, {name: weights[name] for name in encoder.state_dict()})
