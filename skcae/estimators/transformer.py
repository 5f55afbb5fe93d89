"""The transformer: a convolutional autoencoder with scikit-learn's contract."""

from contextlib import nullcontext

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ..data.read_input import (
    check_out,
    describe_input,
    read_features,
    read_samples,
    read_training_samples,
)
from ..distributed.context import current, shared_fit
from ..params.auto import resolve_parameters
from ..params.callbacks import check_monitors
from ..params.constraints import PARAMETER_CONSTRAINTS
from ..params.cross_checks import is_stagewise
from ..params.resolve import resolve_architecture
from ..params.unused import warn_of_unused
from ..persistence.fitted_state import fitted_state
from ..utils.sklearn_compat import CallbacksMixin, _fit_context, with_callbacks
from .base import BaseAutoencoder
from .seeds import draw_shared_seed
from .shared_parameters import fill_in_shared_parameters

# PyTorch takes seconds to import. Modules that need it are imported inside the methods
# that compute, so that building a pipeline does not take as long.


def _parameters_used(params, seed):
    """Return the attributes that tell what "auto" has stood for."""
    used = vars(params) | {"random_state": seed}
    if not isinstance(params.device, str):  # files hold no object of PyTorch
        used["device"] = str(params.device)
    return {"recipe_": params.recipe, "params_": used}


@fill_in_shared_parameters
class ConvAutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin,
    CallbacksMixin,
    TransformerMixin,
    BaseAutoencoder,
):
    """Features of signals, images or volumes from a convolutional autoencoder.

    An autoencoder is a pair of networks that are trained together. The encoder turns a
    sample into a code, and the decoder rebuilds the sample from the code. Here both are
    convolutional [1]_. `transform` returns the code: the feature maps of filters that
    `fit` has learnt from the samples, without labels.

    `fit` standardises each channel first, so that data in any unit train equally well.
    `inverse_transform` returns samples in the unit of the data. All is computed in
    float32 (on a GPU, see `precision`), and one `random_state` decides every result.

    The parameters stand in groups: what the data are (from `input_shape`), the
    architecture (from `n_filters`), what is learnt (from `loss`), how maps become
    features (from `pooling`), how it is trained (from `optimizer`), and where and how
    it is computed (from `device`). Those whose default is "auto" are decided by the
    `recipe`.

    Parameters
    ----------
    recipe : str, default="auto"
        Which parameters suit the samples: a name in :data:`skcae.recipes`, whose values
        all parameters get that are "auto". "auto" chooses by the samples: "signal" and
        "volume" for one and three spatial axes; for images "small" if a side is less
        than 12, else "colour" for several channels, and for one "medium" or, from 20
        on, "grey". A recipe says what holds for the first stage and what for those
        behind it: ``n_filters=16`` gives one stage, a tuple as many as it has values.
        Values that are given win, and where one of the recipe does not go together with
        them, it gives way: whitening to an output with bounds; winner-take-all training
        to `corruption`, `tied_weights`, another `loss` or a `stride`; what is there for
        pooled features to ``pooling=None``; and ``max_epochs=0`` to `corruption`,
        `sparsity`, `loss`, `optimizer`, `lr`, `weight_decay`, `early_stopping` or
        `callbacks`, without which they would do nothing: then it is 10. `params_` tells
        all values.
    input_shape : tuple of int, default=None
        Shape of one sample. It is needed if the rows of a 2-D `X` are flattened
        samples. None: a 2-D `X` holds signals, and an N-D `X` tells the shape of its
        samples.
    channel_axis : int, default=None
        Axis of a sample (not of `X`) that holds channels: -1 for channels last, 0 for
        channels first. None: samples have one channel and no axis for it. The other
        axes, one to three, are spatial.
    whiten : float, default="auto"
        Whether, and how much, standardised samples are whitened before all else. The
        local ZCA whitening of patches [2]_, which `fit` learns, is a fixed convolution
        that makes neighbouring values uncorrelated. The number, such as 0.1, is added
        to the variance of each principal direction of the patches, in units of their
        mean variance: the smaller it is, the more are fine details enhanced, and noise.
        Patches have the side of the first stage's filters, or the next smaller odd
        side. The loss is measured on whitened samples. None: no whitening.
    n_filters : int or tuple of int, default="auto"
        Number of filters of each convolution stage.
    kernel_size : int or tuple of int, default="auto"
        Side of the filters along every spatial axis; one value, or one per stage.
    stride : int or tuple of int, default="auto"
        Step of the filters; one value, or one per stage.
    padding : {"same", "valid", "full"}, default="auto"
        Zeros around the input of a convolution: as many as keep its size, none, or
        ``kernel_size - 1`` on each side. With "full", stride 1 and no pooling, the
        decoder is a convolution without padding: the textbook autoencoder.
    pool_size : int or tuple of int, default="auto"
        Side of the windows that are pooled behind each convolution; 1 means no pooling.
        Positions that do not fill a window are pooled too.
    pool_mode : %(values of pool_mode)s, default="auto"
        What pooling keeps of a window: the maximum or the mean.
    depthwise : bool or tuple of bool, default="auto"
        Whether a stage applies its filters to each map of its input separately, so that
        every map is turned into `n_filters` maps; one value, or one per stage.
    activation : %(values of activation)s or tuple, default="auto"
        Function of the feature maps z; one name, or one per stage. "two_sided",
        "soft_threshold" and "triangle" make strong features [3]_, [4]_.
        "soft_threshold" is ``max(0, z - t)`` with a `threshold` t. "two_sided" gives
        ``max(0, z - t)`` of all filters, then ``max(0, -z - t)``: twice as many maps.
        "triangle" is ``max(0, z - m)``, where m is the mean over all maps of the stage.
    threshold : float, default="auto"
        Threshold of "soft_threshold" and "two_sided", in standard deviations of each
        filter's responses to training samples. They are measured when the filter starts
        or, after winner-take-all training, when it has been learnt.
    output_activation : %(values of output_activation)s, default="identity"
        Function of the reconstruction. The data are scaled into its range: to zero mean
        and unit variance ("identity"), from 0 on ("relu", "abs"), between -1 and 1
        ("tanh"), or between 0 and 1 ("sigmoid").
    tied_weights : bool, default=False
        Whether the decoder uses the encoder's filters, flipped in every spatial axis.
    n_components : int, default=None
        Width of a dense code: the principal components [5]_ of what the features would
        be without it, up to 5,000 samples deciding. They are where the code starts if
        it is made from maps of the last stage and `power` is 1, and all layers are then
        trained together. If stages are trained one by one, if ``max_epochs=0``, with
        ``feature_stages="all"`` or another `power`, they are the code. There are no
        more components than samples or features; further ones are 0, with a warning.
        None: the code is the features.
    loss : %(values of loss)s, default="squared_error"
        What is minimised, as a mean over all values in standardised units: half the
        squared error, the absolute error, Huber's loss, or the cross-entropy of values
        scaled to [0, 1], whose reconstruction is a sigmoid. If stages are trained one
        by one, all but the first rebuild feature maps, by half the squared error.
        Winner-take-all training also minimises half the squared error.
    corruption : %(values of corruption)s, default="auto"
        Noise on the input during training, as in a denoising autoencoder [6]_. With
        "mask" some values become 0 in standardised units, with "gaussian" normal noise
        is added to all values, with "salt_and_pepper" some become the least or the
        largest value of their channel. The clean sample is to be rebuilt, and
        `transform` never adds noise. With `whiten`, the noise is on whitened samples.
    corruption_level : float, default="auto"
        Share of the values that are replaced. For "gaussian" it is the standard
        deviation of the noise, in standardised units.
    sparsity : %(values of sparsity)s, default="auto"
        How codes are kept sparse in training; `transform` returns the dense code.
        "winner_take_all" [7]_ rebuilds samples from few responses: of each filter the
        largest in each sample, and of these the largest of the batch. Filters then have
        unit norm and, without `whiten` or behind the first stage, no mean. After the
        training, the decoder is fitted to the code by least squares. Several stages
        need `layerwise`. "l1" adds `sparsity_level` times the mean absolute
        value of the code to the loss.
    sparsity_level : float, default="auto"
        Share of the batch in which a filter has a winner, or weight of the l1 penalty.
    crop_size : int, default="auto"
        Side of the random parts of samples (of their maps, in later stages) in which
        winner-take-all training looks for winners. Small parts take less time, and more
        places have a chance to win. None: whole samples.
    init : %(values of init)s, default="auto"
        How filters start: as random numbers, as patches of the samples (of the maps,
        in later stages) [3]_, as the directions around which patches gather, by
        spherical k-means [8]_, or by a k-means that looks for each filter anywhere in
        a window of nearly twice its side [9]_, so that no two filters are the same
        pattern, moved. All have unit norm. With ``max_epochs=0`` they stay as they
        start, and the decoder is fitted to the code by least squares, unless filters
        are random or its weights are tied.
    layerwise : bool, default="auto"
        Whether stages are trained one after the other, each for `max_epochs`: a stage
        learns to rebuild the pooled maps of those before it, which no longer change
        [1]_. Features are the maps of the last stage, unless `feature_stages` says
        otherwise.
    pooling : %(values of pooling)s, default="auto"
        How feature maps become features. None flattens them. "max" and "avg" pool them
        over a grid, so that the number of features does not depend on the size of the
        samples, and `transform` takes N-D samples of other sizes. Samples are then
        rebuilt from the pooled features, by ridge regression [10]_ on them, with their
        `power` undone, which up to 5,000 training samples decide; reconstructions stay
        within the range of the training samples, and have their size.
    pool_grid : int or tuple of int, default="auto"
        Number of cells of that grid along each spatial axis. With
        ``feature_stages="all"`` it is one value, or one per stage.
    feature_stages : {"last", "all"}, default="auto"
        Whose maps become features. "all" puts the pooled maps of all stages next to
        each other, those of the first stage first. It needs `pooling`.
    power : float, default="auto"
        What the absolute values of pooled features are raised to; signs are kept. 0.5,
        the signed square root [11]_, keeps few large values from outweighing the rest.
    %(optimizer)s
        "adam" is [12]_.
    %(lr)s
        If a dense code is trained, it is that of the decoder. The encoder starts from a
        good code and is tuned at a hundredth of this rate.
    %(weight_decay)s
    %(batch_size)s
    max_epochs : int, default="auto"
        Passes over the training data. If stages are trained one by one, each of them
        has so many.
    max_samples : int, default="auto"
        Samples per epoch, drawn anew for each. None: all.
    %(early_stopping)s
    %(validation_fraction)s
        It is not used if `fit` gets `X_val`.
    %(n_iter_no_change)s
    %(tol)s
    warm_start : bool, default=False
        Whether `fit` starts from the weights, the scale and the whitening of the
        previous fit.
    checkpoint : str or os.PathLike, default=None
        File in which `fit` stores its progress, after every epoch. If the process is
        killed, the same call of `fit` in another process goes on from the last epoch
        and ends with the same weights. The file stays when the fit has ended: the same
        call then returns its result at once. A fit with other parameters or other data
        is refused, so that it never overwrites the file. If `checkpoint` is a folder
        that exists, each fit has a file of its own in it. None: `fit` writes no files.
    %(callbacks)s
    %(net_params)s
    random_state : int, RandomState instance or None, default=None
        Decides initial filters, order of samples, noise, crops and held-out samples.
        An int gives the same result for every call, whatever the global seeds.
    %(verbose)s
    %(device)s
    %(precision)s
        Training with `layerwise` or `sparsity` uses TF32 in place of bfloat16.
    %(compile)s

    Attributes
    ----------
    recipe_ : str
        Name of the recipe that has decided parameters that are "auto".
    params_ : dict
        All parameters, with the values that were used. The seed of the fit is the value
        of "random_state": a transformer with these parameters, fitted to the same
        samples, is the same.
    net_ : skorch.NeuralNet
        The trained net.
    module_ : torch.nn.Module
        The net's module. `encode` and `decode` map tensors of shape
        ``(N, channels, *spatial)``, in the units of the data.
    filters_ : ndarray of shape (n_filters, n_channels, ...)
        Filters of the first stage.
    history_ : list of dict
        "epoch", "train_loss", "seconds" and, with validation samples, "valid_loss" of
        every epoch. If stages are trained one by one, also the "stage", from 1.
    n_iter_ : int
        Number of epochs, of all stages together.
    reconstruction_err_ : float
        Training loss of the epoch whose weights were kept. If no epoch has measured the
        loss of the whole autoencoder, it is measured on training samples at the end.
    mean_ : ndarray of shape `input_shape_`
        Mean of the training samples.
    n_samples_seen_ : int
        Number of training samples.
    n_dead_units_ : int
        Units of the code (maps, or components) that are constant over some of the
        training samples.
    input_shape_ : tuple of int
        Shape of one sample.
    n_features_in_ : int
        Number of values of one sample.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of `X`; only defined where `X` is a frame with string
        column names.

    See Also
    --------
    sklearn.decomposition.PCA : The best linear autoencoder, in closed form.
    sklearn.neural_network.BernoulliRBM : Nonlinear features of binary data.

    References
    ----------
    .. [1] J. Masci, U. Meier, D. Ciresan, J. Schmidhuber, "Stacked convolutional
       auto-encoders for hierarchical feature extraction", ICANN 2011,
       :doi:`10.1007/978-3-642-21735-7_7`.
    .. [2] A. J. Bell, T. J. Sejnowski, "The 'independent components' of natural scenes
       are edge filters", Vision Research 37, 1997,
       :doi:`10.1016/S0042-6989(97)00121-1`.
    .. [3] A. Coates, A. Y. Ng, "The importance of encoding versus training with sparse
       coding and vector quantization", ICML 2011,
       https://icml.cc/2011/papers/485_icmlpaper.pdf.
    .. [4] A. Coates, A. Ng, H. Lee, "An analysis of single-layer networks in
       unsupervised feature learning", AISTATS 2011,
       https://proceedings.mlr.press/v15/coates11a.html.
    .. [5] G. E. Hinton, R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006, :doi:`10.1126/science.1127647`.
    .. [6] P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and
       composing robust features with denoising autoencoders", ICML 2008,
       :doi:`10.1145/1390156.1390294`.
    .. [7] A. Makhzani, B. Frey, "Winner-take-all autoencoders", NIPS 2015,
       :doi:`10.48550/arXiv.1409.2752`.
    .. [8] I. S. Dhillon, D. S. Modha, "Concept decompositions for large sparse text
       data using clustering", Machine Learning 42, 2001,
       :doi:`10.1023/A:1007612920971`.
    .. [9] A. Dundar, J. Jin, E. Culurciello, "Convolutional clustering for
       unsupervised learning", 2015, :doi:`10.48550/arXiv.1511.06241`.
    .. [10] A. E. Hoerl, R. W. Kennard, "Ridge regression: biased estimation for
       nonorthogonal problems", Technometrics 12, 1970,
       :doi:`10.1080/00401706.1970.10488634`.
    .. [11] F. Perronnin, J. Sanchez, T. Mensink, "Improving the Fisher kernel for
       large-scale image classification", ECCV 2010,
       :doi:`10.1007/978-3-642-15561-1_11`.
    .. [12] D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization",
       ICLR 2015, :doi:`10.48550/arXiv.1412.6980`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderTransformer
    >>> X = load_digits().images
    >>> X.shape
    (1797, 8, 8)
    >>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=5, random_state=0)
    >>> cae.fit_transform(X).shape
    (1797, 128)
    >>> cae.filters_.shape
    (8, 1, 3, 3)
    >>> bool(cae.score(X) > 0.5)
    True
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS
    # `out` says where to write: it is not metadata that could be routed.
    __metadata_request__transform = {"out": UNUSED}

    def __init__(
        self,
        *,
        recipe="auto",
        input_shape=None,
        channel_axis=None,
        whiten="auto",
        n_filters="auto",
        kernel_size="auto",
        stride="auto",
        padding="auto",
        pool_size="auto",
        pool_mode="auto",
        depthwise="auto",
        activation="auto",
        threshold="auto",
        output_activation="identity",
        tied_weights=False,
        n_components=None,
        loss="squared_error",
        corruption="auto",
        corruption_level="auto",
        sparsity="auto",
        sparsity_level="auto",
        crop_size="auto",
        init="auto",
        layerwise="auto",
        pooling="auto",
        pool_grid="auto",
        feature_stages="auto",
        power="auto",
        optimizer="adam",
        lr="auto",
        weight_decay=0.0,
        batch_size=64,
        max_epochs="auto",
        max_samples="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        checkpoint=None,
        callbacks=None,
        net_params=None,
        random_state=None,
        verbose=0,
        device="auto",
        precision="auto",
        compile=False,
    ):
        self.recipe = recipe
        self.input_shape = input_shape
        self.channel_axis = channel_axis
        self.whiten = whiten
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.pool_size = pool_size
        self.pool_mode = pool_mode
        self.depthwise = depthwise
        self.activation = activation
        self.threshold = threshold
        self.output_activation = output_activation
        self.tied_weights = tied_weights
        self.n_components = n_components
        self.loss = loss
        self.corruption = corruption
        self.corruption_level = corruption_level
        self.sparsity = sparsity
        self.sparsity_level = sparsity_level
        self.crop_size = crop_size
        self.init = init
        self.layerwise = layerwise
        self.pooling = pooling
        self.pool_grid = pool_grid
        self.feature_stages = feature_stages
        self.power = power
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.max_samples = max_samples
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.net_params = net_params
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.precision = precision
        self.compile = compile

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, X_val=None):
        """Learn the filters of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Training samples: finite real numbers, and at least two samples that differ.
            They may be an array of N axes, a frame, a list or a torch tensor. If they
            do not fit into memory, they may be a memory map, an array of zarr or h5py,
            or a map-style torch Dataset: only parts are read at a time. `X` is neither
            copied as a whole nor changed.
        y : Ignored
            Present for API consistency.
        X_val : array-like, default=None
            Validation samples of the same shape as those of `X`. Their loss is
            recorded, and `early_stopping` watches it.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or the data are out of range, before any training, or if
            the loss becomes infinite or NaN. The transformer then stays what it was.
        MemoryError
            If memory runs out.
        """
        warm = self.warm_start and self.__sklearn_is_fitted__()
        with (
            shared_fit() as ranks,
            read_training_samples(self, X, ranks=ranks) as samples,
        ):
            params = resolve_parameters(self, samples.layout)
            architecture = resolve_architecture(params, samples.layout)
            warn_of_unused(self, params)
            if warm:
                architecture = self._warm_architecture(architecture, params)
            attributes = describe_input(self, samples)
            fitted = self._new_record(samples, params, architecture)
            # X_val must be like X, whatever an earlier fit has seen.
            so_far = self._copy_with(fitted, attributes)
            with so_far._read_validation(X_val) as valid:
                attributes |= self._fit(
                    params, fitted, attributes, samples, valid, y, warm
                )
        self.__dict__ = fitted_state(self, fitted, attributes)
        return self

    def _read_validation(self, X_val):
        if X_val is None:
            return nullcontext()
        return read_samples(self, X_val, name="X_val", ranks=current())

    def _fit(self, params, fitted, attributes, samples, valid, y, warm):
        """Complete the record of a fit, and return the public attributes by name."""
        seed = draw_shared_seed(self, X=samples, X_val=valid)
        checkpoint = self._open_checkpoint(params, samples, valid, seed, warm)
        fitted.seed = seed if checkpoint is None else checkpoint.seed
        attributes = attributes | _parameters_used(params, fitted.seed)
        trained_on, valid = self._hold_out(samples, valid, fitted.seed)
        check_monitors(self.callbacks, valid is not None)
        n_turns = len(fitted.architecture.stages) if is_stagewise(params) else 1
        context = self._callback_context(max_subtasks=n_turns * params.max_epochs)
        data = {"X": samples.original, "y": y}
        if context is not None:
            context.call_on_fit_task_begin(estimator=self, **data)
        if warm:
            start = self._restart(fitted, trained_on)
        else:
            start = self._start(fitted, trained_on, len(samples) - len(trained_on))
        attributes = attributes | start
        if checkpoint is not None:
            checkpoint.compare_start(attributes["mean_"], fitted.net.device)

        def reconstruction_attributes():
            return {"__dict__": vars(self._copy_with(fitted, attributes))}

        reported = data | {"reconstruction_attributes": reconstruction_attributes}
        attributes |= self._train(
            fitted,
            attributes,
            trained_on,
            valid,
            epochs=params.max_epochs,
            callbacks=self._training_callbacks(context, reported),
            initialize_weights=not warm,
            checkpoint=checkpoint,
        )
        if context is not None:
            context.call_on_fit_task_end(estimator=self, **reported)
        return attributes

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train on for one pass over `X`.

        The first call starts the filters and learns the scale of the channels. Later
        calls keep this scale.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Training samples; in the first call at least two that differ.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        check_monitors(self.callbacks, has_validation=False)
        if self.__sklearn_is_fitted__():
            with (
                shared_fit() as ranks,
                read_samples(self, X, training=True, ranks=ranks) as samples,
            ):
                self._continue(samples)
            return self
        with (
            shared_fit() as ranks,
            read_training_samples(self, X, ranks=ranks) as samples,
        ):
            params = resolve_parameters(self, samples.layout)
            architecture = resolve_architecture(params, samples.layout)
            warn_of_unused(self, params)
            fitted = self._new_record(samples, params, architecture)
            fitted.seed = draw_shared_seed(self, X=samples)
            attributes = describe_input(self, samples)
            attributes |= _parameters_used(params, fitted.seed)
            attributes |= self._start(fitted, samples)
            attributes |= self._train(fitted, attributes, samples)
        self.__dict__ = fitted_state(self, fitted, attributes)
        return self

    def transform(self, X, *, out=None):
        """Return the features of `X`.

        The features of a sample do not depend on the other samples of `X`, nor on their
        order.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`; with `pooling`, N-D samples of any
            spatial shape.
        out : ndarray of shape (n_samples, n_features_out), float32, default=None
            Where to write the features: for example a memory map, if they do not fit
            into memory. None: a new array.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out), float32
            The code: flattened or pooled maps, one after the other, or components.
        """
        check_is_fitted(self)
        from ..runtime.inference import transform

        fitted, n_features = self._fitted, self._n_features_out
        with read_samples(self, X, any_size=fitted.takes_any_size) as samples:
            check_out(out, (len(samples), n_features))
            return transform(self.net_, samples, n_features, out)

    def inverse_transform(self, X):
        """Return the samples that the decoder makes of features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_out)
            Features, as `transform` gives them.

        Returns
        -------
        samples : ndarray of shape (n_samples, ...), float32
            Reconstructions in the layout, the size and the units of the samples in
            `fit`.
        """
        check_is_fitted(self)
        from ..runtime.inference import inverse_transform

        fitted = self._fitted
        features = read_features(self, X, self._n_features_out)
        code_shape = fitted.architecture.code_shape
        samples = inverse_transform(self.net_, features, fitted.layout, code_shape)
        return samples.reshape(len(samples), -1) if fitted.has_rows else samples

    def score(self, X, y=None):
        """Return the share of the variance of `X` that the reconstruction explains.

        It can be compared with the sum of PCA's `explained_variance_ratio_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        score : float
            1 for perfect reconstructions, 0 for predicting the mean of the training
            samples, negative for worse. Higher is better.
        """
        check_is_fitted(self)
        from ..runtime.inference import squared_errors_and_deviations

        with read_samples(self, X) as samples:
            mean = samples.layout.to_channels_first(self.mean_[None])[0]
            sums = squared_errors_and_deviations(self.net_, samples, mean)
        errors, deviations = (part.sum() for part in sums)
        return float(1 - errors / deviations) if deviations else float(errors == 0)

    def score_samples(self, X):
        """Return minus the mean squared reconstruction error of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Samples of the same shape as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            In squared units of the data; higher is better, 0 is perfect.
        """
        check_is_fitted(self)
        from ..runtime.inference import squared_errors

        with read_samples(self, X) as samples:
            return -squared_errors(self.net_, samples) / self.n_features_in_

    @property
    def filters_(self):
        """First-layer filters, ndarray of shape (n_filters, n_channels, ...)."""
        return self.module_.filters.detach().cpu().numpy().copy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
