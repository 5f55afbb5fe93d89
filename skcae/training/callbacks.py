"""skorch callbacks of a fit: progress bar, early stopping, scikit-learn's callbacks."""

import io
import math
import multiprocessing
import sys
from copy import copy, deepcopy

from skorch.callbacks import Callback, EarlyStopping
from tqdm.auto import tqdm


class EpochBar(Callback):
    """One progress bar per fit, a step per epoch, with the losses behind it.

    Bars that move in several processes at a time would overwrite each other: a worker
    of joblib or Dask writes its bar once, when the training has ended.
    """

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        self.n_before_ = len(net.history)
        self.moves_ = multiprocessing.parent_process() is None
        file = sys.stderr if self.moves_ else io.StringIO()
        n_epochs = net.max_epochs
        self.bar_ = tqdm(total=n_epochs, unit="epoch", file=file, disable=not n_epochs)

    def on_epoch_end(self, net, **kwargs):
        """Move the bar."""
        row = net.history[-1]
        losses = {key: row[key] for key in ("train_loss", "valid_loss") if key in row}
        self.bar_.set_postfix(losses, refresh=False)
        # A fit that goes on from a checkpoint has more epochs behind it.
        self.bar_.update(len(net.history) - self.n_before_ - self.bar_.n)

    def on_train_end(self, net, **kwargs):
        """Close the bar."""
        self.bar_.close()
        if not self.moves_ and self.bar_.total:
            sys.stderr.write(f"{self.bar_}\n")


class TaskReports(Callback):
    """Report every epoch to scikit-learn's callbacks.

    Parameters
    ----------
    estimator : ConvAutoencoderTransformer
        Who reports.
    context : CallbackContext
        Of its fit.
    X, y : array-like
        Training data, as the user passed them.
    reconstruction_attributes : callable
        Returns what makes a fitted estimator of a copy, by name.
    """

    is_checkpointed = False  # it holds the training data

    def __init__(self, estimator, context, X, y, reconstruction_attributes):
        self.estimator = estimator
        self.context = context
        # An autoencoder's target is its input: so it can be scored without labels.
        self.X, self.y = X, X if y is None else y
        self.reconstruction_attributes = reconstruction_attributes

    def on_epoch_begin(self, net, **kwargs):
        """Open the epoch's task."""
        self.task_ = self.context.subcontext(task_name="epoch")
        self.task_.call_on_fit_task_begin(estimator=self.estimator, X=self.X, y=self.y)

    def on_epoch_end(self, net, **kwargs):
        """Close the epoch's task, and stop where a callback asks for it."""
        if self.task_.call_on_fit_task_end(
            estimator=self.estimator,
            X=self.X,
            y=self.y,
            reconstruction_attributes=self.reconstruction_attributes,
        ):
            raise StopTraining


class StopTraining(Exception):  # noqa: N818 (like StopIteration, no error)
    """Raised by a callback to end the training after this epoch."""


class MLPStyleEarlyStopping(EarlyStopping):
    """skorch's EarlyStopping with the rules of scikit-learn's MLP.

    Only improvements by more than `tol` keep the training going, but the weights of the
    very best epoch are restored.

    Parameters
    ----------
    early_stopping : bool
        Whether to watch the validation loss, and to restore weights.
    n_iter_no_change : int
        Epochs without improvement before it stops.
    tol : float
        Smallest improvement that counts.
    """

    def __init__(self, early_stopping, n_iter_no_change, tol):
        super().__init__(
            monitor="valid_loss" if early_stopping else "train_loss",
            patience=n_iter_no_change,
            threshold=tol,
            threshold_mode="abs",
        )
        self.early_stopping = early_stopping

    def on_train_begin(self, net, **kwargs):
        """Know of no epoch yet."""
        super().on_train_begin(net, **kwargs)
        self.best_loss_, self.best_weights_ = math.inf, None

    def on_epoch_end(self, net, **kwargs):
        """Keep the weights of the best epoch, and stop where patience runs out."""
        loss = net.history[-1, self.monitor]
        if self.early_stopping and loss < self.best_loss_:
            self.best_loss_ = loss
            self.best_weights_ = deepcopy(net.module_.state_dict())
        super().on_epoch_end(net, **kwargs)

    def on_train_end(self, net, **kwargs):
        """Restore the weights of the best epoch."""
        if self.best_weights_ is not None:
            net.module_.load_state_dict(self.best_weights_)


def stops_training(callback, net, **kwargs):
    """Tell a callback that an epoch has ended; return whether it ends the training.

    skorch's EarlyStopping does so by KeyboardInterrupt, which is told from Ctrl-C here.
    """
    try:
        callback.on_epoch_end(net, **kwargs)
    except StopTraining:
        return True
    except KeyboardInterrupt:
        if (
            isinstance(callback, EarlyStopping)
            and callback.misses_ >= callback.patience
        ):
            return True
        raise
    return False


def make_callbacks(estimator, ranks):
    """Return the callbacks of one training that the parameters of an estimator name.

    Parameters
    ----------
    estimator : BaseEstimator
        Has the parameters of early stopping, and `verbose`.
    ranks : SingleProcess or Communicator
        Who shares the fit; rank 0 alone shows a bar.
    """
    stopping = MLPStyleEarlyStopping(
        estimator.early_stopping, estimator.n_iter_no_change, estimator.tol
    )
    callbacks = [("early_stopping", stopping)]
    if estimator.verbose and ranks.is_first:
        callbacks.append(("epoch_bar", EpochBar()))
    return callbacks


def copy_callbacks(callbacks):
    """Return copies that training may leave its marks on, unlike on parameters.

    They are deep: what two attributes share, their copies share, too. Only what cannot
    be copied, such as an open file, is the user's own also in the copies.

    Parameters
    ----------
    callbacks : sequence
        Callbacks, classes of callbacks, or pairs of a name and one of these.

    Returns
    -------
    copies : list
    """
    memo = {}
    return [_copy_item(item, memo) for item in callbacks]


def _copy_item(item, memo):
    if isinstance(item, (tuple, list)):
        name, callback = item
        return name, _copy_item(callback, memo)
    if isinstance(item, type):
        return item
    copied = memo[id(item)] = copy(item)
    vars(copied).update(
        {name: _copy_value(value, memo) for name, value in vars(item).items()}
    )
    return copied


def _copy_value(value, memo):
    # A failed attempt would leave unfinished copies in the memo.
    known = dict(memo)
    try:
        copied = deepcopy(value, known)
    except Exception:  # whatever the classes of users raise
        return value
    memo.update(known)
    return copied
