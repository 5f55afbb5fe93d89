"""The loss of every epoch."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .base import BaseDisplay
from .drawing import one_axes

_FIGSIZE = (5.0, 3.4)
_COLOURS = {"training": "C0", "validation": "C1"}


class TrainingCurveDisplay(BaseDisplay):
    """Loss of training and validation samples, epoch by epoch.

    Use :meth:`~skcae.TrainingCurveDisplay.from_estimator` to create one. Where stages
    were trained one by one, each has its own curve: their losses cannot be compared, as
    each stage rebuilds the maps of the stage before it.

    Parameters
    ----------
    epochs : ndarray of shape (n_epochs,)
        Numbers of the epochs.
    train_loss : ndarray of shape (n_epochs,)
        Loss of the training samples.
    valid_loss : ndarray of shape (n_epochs,), default=None
        Loss of the validation samples, NaN for epochs without it. None: no epoch had
        validation samples.
    stages : ndarray of shape (n_epochs,), default=None
        Number of the stage that each epoch trained. None: all were trained together.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.
    lines_ : list of matplotlib Line2D
        Curves of the training loss, stage by stage, then those of the validation loss.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of samples.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skcae import ConvAutoencoderTransformer, TrainingCurveDisplay
    >>> X = load_digits().images
    >>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=3, random_state=0)
    >>> display = TrainingCurveDisplay.from_estimator(cae.fit(X))
    >>> display.epochs
    array([1, 2, 3])
    """

    def __init__(self, *, epochs, train_loss, valid_loss=None, stages=None):
        self.epochs = epochs
        self.train_loss = train_loss
        self.valid_loss = valid_loss
        self.stages = stages

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, yscale="linear", line_kw=None):
        """Draw the losses of a fitted estimator.

        Parameters
        ----------
        estimator : object
            A fitted estimator with `history_`, a list of dict with the keys "epoch",
            "train_loss" and, where there are any, "valid_loss" and "stage": a
            `ConvAutoencoderTransformer`, or a net of skorch.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: those of a new figure.
        yscale : {"linear", "log"}, default="linear"
            Scale of the losses.
        line_kw : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            Holds the losses and the axes.

        Raises
        ------
        TypeError
            If `estimator` has no `history_`, or `ax` is not axes of matplotlib.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a parameter is out of range, or there was no epoch.
        """
        cls._check_call("from_estimator", yscale=yscale, line_kw=line_kw)
        history = _history_of(estimator)
        columns = {
            name: np.array([row.get(name, np.nan) for row in history])
            for name in ("valid_loss", "stage")
            if any(name in row for row in history)
        }
        display = cls(
            epochs=np.array([row["epoch"] for row in history]),
            train_loss=np.array([row["train_loss"] for row in history]),
            valid_loss=columns.get("valid_loss"),
            stages=columns.get("stage"),
        )
        return display.plot(ax, yscale=yscale, line_kw=line_kw)

    def plot(self, ax=None, *, yscale="linear", line_kw=None):
        """Draw the losses.

        Parameters
        ----------
        ax, yscale, line_kw : optional
            As in :meth:`~skcae.TrainingCurveDisplay.from_estimator`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself.
        """
        self._check_call("plot", yscale=yscale, line_kw=line_kw)
        self.ax_ = one_axes(ax, _FIGSIZE)
        self.figure_ = self.ax_.figure
        self.lines_ = self._draw_losses("training", self.train_loss, line_kw or {})
        if self.valid_loss is not None:
            self.lines_ += self._draw_losses(
                "validation", self.valid_loss, line_kw or {}
            )
        self.ax_.set(xlabel="Epoch", ylabel="Loss", yscale=yscale)
        if yscale == "log":
            _write_out_numbers(self.ax_.yaxis)
        self._mark_stages()
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.legend(frameon=False)
        return self

    def _parts(self):
        """Return slices of the epochs, one for each stage in turn."""
        if self.stages is None:
            return [slice(0, len(self.epochs))]
        ends = np.flatnonzero(np.diff(self.stages)) + 1
        limits = [0, *ends.tolist(), len(self.epochs)]
        return [slice(*pair) for pair in zip(limits[:-1], limits[1:], strict=True)]

    def _draw_losses(self, name, losses, line_kw):
        lines = []
        for part in self._parts():
            style = {"color": _COLOURS[name], "label": None if lines else name}
            if part.stop - part.start == 1:
                style |= {"marker": "o", "markersize": 4}
            lines += self.ax_.plot(self.epochs[part], losses[part], **style | line_kw)
        return lines

    def _mark_stages(self):
        for part in self._parts() if self.stages is not None else []:
            first = self.epochs[part.start] - 0.5
            if part.start:
                self.ax_.axvline(first, color="0.8", linewidth=0.8, zorder=0)
            self.ax_.annotate(
                f"stage {self.stages[part.start]:g}",
                (first, 1.0),
                xytext=(3, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                fontsize="small",
                color="0.4",
            )


def _write_out_numbers(axis):
    """Label a logarithmic axis with 0.2 rather than 2 × 10⁻¹."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _history_of(estimator):
    """Return the rows of `history_`, of which there is at least one."""
    if not hasattr(estimator, "history_"):
        check_is_fitted(estimator)
        raise TypeError(
            f"Got an estimator of type {type(estimator).__name__} without history_; "
            "expected one that remembers its losses, such as a "
            "ConvAutoencoderTransformer. Pass it alone: of a pipeline the step that "
            "is one, such as pipeline[0]."
        )
    history = list(estimator.history_)
    if not history:
        raise ValueError(
            "Got history_ without any epoch; expected at least one. Fit with "
            "max_epochs of at least 1."
        )
    return history
