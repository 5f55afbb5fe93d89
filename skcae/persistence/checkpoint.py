"""The file from which a fit goes on after it was killed."""

from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from ..utils.user_warnings import warn
from .checkpoint_file import explains_damage, read, remove_unfinished, write
from .comparison import check_tensors, checked_optimizer_state
from .fingerprint import digest
from .serialization import SerializationError, deserialize, serialize, serialize_items

_VERSIONS = {"PyTorch": str(torch.__version__), "numpy": np.__version__}


class Checkpoint(Callback):
    """The file of one fit, written when an epoch begins and when the fit ends.

    A fit is a sequence of trainings: one, or one for each stage.

    Parameters
    ----------
    path : str or os.PathLike
        A file, which need not exist, or a folder that does.
    identity : dict of str
        What decides the result of the fit, see `fingerprint`.
    seed : int
        Seed that was drawn for the fit. If there is a file, its seed is used instead.

    Raises
    ------
    ValueError
        If the file is not that of this fit.

    Attributes
    ----------
    is_writer : bool
        Whether this process writes the file, which others that share the fit do not.
    """

    is_checkpointed = False  # a file does not hold itself

    def __init__(self, path, identity, seed):
        self.path = Path(path).resolve()
        if self.path.is_dir():
            self.path = self.path / f"{digest(identity)}.checkpoint"
        self.identity, self.is_writer = identity, True
        self.has_written = self.path.exists()
        self.saved = self._read() if self.has_written else None
        self.seed = self.saved["seed"] if self.has_written else int(seed)
        self.mean, self.device = None, None
        self.number, self.rows, self.earlier, self.generators = 0, [], [], {}

    def _read(self):
        saved = read(self.path)
        with explains_damage(self.path):
            found, versions = dict(saved["identity"]), dict(saved["versions"])
            saved["seed"] = int(saved["seed"])
        for name in self.identity | found:
            here, there = self.identity.get(name), found.get(name)
            if here != there:
                raise self._refusal(f"{name}={there}", f"{name}={here}")
        if versions != _VERSIONS:
            warn(
                f"The checkpoint {str(self.path)!r} was written with {versions}; the "
                f"fit goes on with {_VERSIONS}, which may give other last digits."
            )
        return saved

    def _refusal(self, found, expected):
        return ValueError(
            f"Got checkpoint={str(self.path)!r} of another fit, with {found}; expected "
            f"one with {expected}. Pass the parameters and the data of that fit, or "
            "name another file to begin anew."
        )

    def compare_start(self, mean, device):
        """Raise ValueError if the file is of other data or of another device.

        Parameters
        ----------
        mean : ndarray
            Mean of all training samples; `identity` tells about few of them.
        device : str
            Device of the net.
        """
        self.mean, self.device = np.asarray(mean), torch.device(device).type
        if self.saved is None:
            return
        with explains_damage(self.path):
            mean, device = deserialize(self.saved["mean"]), str(self.saved["device"])
            # Processors differ in the order in which they sum.
            tolerance = 1e-9 * np.abs(mean).max()
            is_close = self.mean.shape == mean.shape and np.allclose(
                self.mean, mean, rtol=0, atol=tolerance
            )
        if not is_close:
            raise self._refusal("samples in X of another mean", "the mean of this X")
        if device != self.device:
            raise self._refusal(f"device={device!r}", f"device={self.device!r}")

    @property
    def is_finished(self):
        """Whether the file holds the result of the fit."""
        return self.saved is not None and self.saved["number"] is None

    @property
    def n_epochs(self):
        """How many epochs of the interrupted training the file holds."""
        return 0 if self.saved is None else len(self.saved["history"])

    def resume(self, net, **generators):
        """Restore what the finished trainings have left behind.

        Parameters
        ----------
        net : AutoencoderNet
            It gets the history of the finished trainings.
        **generators : Generator
            Generators of random numbers that the fit uses. They get the states that
            they had.

        Returns
        -------
        number : int or None
            Number of the interrupted training; None if there is no file.
        rows : list of dict
            Rows of `history_` of the finished trainings.
        """
        self.generators |= generators
        if self.saved is None:
            return None, []
        with explains_damage(self.path):
            self._set_generators()
            net.history_ = History(map(_from_row, self.saved["earlier"]))
            return int(self.saved["number"]), list(map(_from_row, self.saved["rows"]))

    def begin(self, number, rows, net):
        """Note which training begins or goes on.

        Parameters
        ----------
        number : int
            Number of the training.
        rows : list of dict
            Rows of `history_` of the finished trainings.
        net : AutoencoderNet
            It has the history of the finished trainings.
        """
        self.number, self.rows, self.earlier = number, rows, list(net.history)

    def on_epoch_begin(self, net, **kwargs):
        """Restore what the file holds, or write the file.

        The end of an epoch would be too early: other callbacks may still end the
        training. This callback must be the first one.
        """
        if self.saved is None:
            self._write(net, self.number, net.history[:-1])
            return
        with explains_damage(self.path):
            self._set_generators()
            self._restore(net)
        net.history.new_epoch()
        net.history.record("epoch", len(net.history))

    def finish(self, net, rows):
        """Write the result of the fit.

        Parameters
        ----------
        net : AutoencoderNet
            The trained net.
        rows : list of dict
            Rows of `history_` of all trainings.
        """
        self.rows, self.earlier = rows, []
        self._write(net, None, net.history)
        if self.is_writer:
            remove_unfinished(self.path)

    def recover(self, net):
        """Restore the result of a finished fit, and return its rows of `history_`."""
        with explains_damage(self.path):
            rows = list(map(_from_row, self.saved["rows"]))
            self._restore(net)
        return rows

    def _write(self, net, number, history):
        if not self.is_writer:
            return
        content = {
            "identity": self.identity,
            "versions": _VERSIONS,
            "seed": self.seed,
            "mean": serialize(self.mean),
            "device": self.device,
            "number": number,
            "rows": list(map(serialize_items, self.rows)),
            "earlier": list(map(serialize_items, self.earlier)),
            "history": list(map(serialize_items, history)),
            "module": serialize(net.module_.state_dict()),
            "optimizer": serialize(net.optimizer_.state_dict()),
            "callbacks": {
                name: serialize_items(vars(callback))
                for name, callback in _checkpointed_callbacks(net).items()
            },
            "generators": serialize_items(self.generators),
        }
        owner = digest(self.identity | {"seed": str(self.seed)})
        try:
            write(self.path, content, owner)
        except OSError as error:
            if not self.has_written:
                raise self._explanation(error) from error
            warn(
                f"The checkpoint {str(self.path)!r} could not be written ({error}). "
                "The fit goes on; if it is killed, it will go on from an earlier "
                "epoch."
            )
        self.has_written = True

    def _explanation(self, error):
        """Return the error about a file that could not be written at first."""
        if isinstance(error, FileExistsError):
            return ValueError(
                f"Got checkpoint={str(self.path)!r}, in which another fit has begun to "
                "write since this one has begun; expected a file for each of them. "
                "Name another file, or a folder."
            )
        return ValueError(
            f"Got checkpoint={str(self.path)!r}, which cannot be written ({error}); "
            "expected room for it. Name another file."
        )

    def _set_generators(self):
        for name, state in self.saved["generators"].items():
            if name in self.generators:
                deserialize(state, self.generators[name])

    def _restore(self, net):
        saved, self.saved = self.saved, None
        weights = deserialize(saved["module"])
        check_tensors(weights, net.module_.state_dict())
        optimizer = checked_optimizer_state(
            deserialize(saved["optimizer"]), net.optimizer_
        )
        net.module_.load_state_dict(weights)
        net.optimizer_.load_state_dict(optimizer)
        net.history_ = History(map(_from_row, saved["history"]))
        for name, callback in _checkpointed_callbacks(net).items():
            for key, state in saved["callbacks"].get(name, {}).items():
                try:
                    value = deserialize(state, vars(callback).get(key))
                except SerializationError:
                    if saved["number"] is not None:
                        raise
                    continue  # a finished fit has called no callback here
                setattr(callback, key, value)


def _checkpointed_callbacks(net):
    """Return the callbacks whose attributes decide how training goes on, by name.

    A user's callback may have the name of one of ours: the class is part of the name.
    """
    return {
        f"{name} ({type(callback).__qualname__})": callback
        for name, callback in net.callbacks_
        if getattr(callback, "is_checkpointed", True)
    }


def _from_row(row):
    return {name: deserialize(value) for name, value in row.items()}
