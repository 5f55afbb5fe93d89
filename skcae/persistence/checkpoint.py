"""The file from which a fit goes on after it was killed, and what is kept in it."""

from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from ..distributed.context import current
from ..utils.user_warnings import warn
from .checkpoint_file import explains_damage, read, remove_unfinished, write
from .comparison import check_tensors, checked_optimizer_state
from .fingerprint import digest
from .serialization import SerializationError, deserialize, serialize, serialize_items

_VERSIONS = {"PyTorch": str(torch.__version__), "numpy": np.__version__}


class Checkpoint(Callback):
    """The file of one fit, written where an epoch begins and where the fit ends.

    Parameters
    ----------
    path : str or os.PathLike
        A file, which need not be there yet, or a folder for such files.
    identity : dict of str
        What decides the result of the fit, see `fingerprint`.
    seed : int
        Drawn for the fit; that of the file goes before it.

    Raises
    ------
    ValueError
        If the file is none of this fit.
    """

    is_checkpointed = False  # a file does not hold itself

    def __init__(self, path, identity, seed):
        self.path = Path(path).resolve()
        if self.path.is_dir():
            self.path = self.path / f"{digest(identity)}.checkpoint"
        self.identity = identity
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
        """Refuse a file of other data or of another device.

        Parameters
        ----------
        mean : ndarray
            Of all training samples, few of which the identity tell about.
        device : str
            Which computes.
        """
        self.mean, self.device = np.asarray(mean), torch.device(device).type
        if self.saved is None:
            return
        with explains_damage(self.path):
            mean, device = deserialize(self.saved["mean"]), str(self.saved["device"])
            # Other processors sum in other orders.
            tolerance = 1e-9 * np.abs(mean).max()
            is_close = np.allclose(self.mean, mean, rtol=0, atol=tolerance)
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
        """How many epochs of the training at hand the file holds."""
        return 0 if self.saved is None else len(self.saved["history"])

    def resume(self, net, **generators):
        """Return the number of the training to go on with, and rows of those before.

        Parameters
        ----------
        net : AutoencoderNet
            Gets the history of the trainings before.
        **generators : Generator
            Of random numbers that the fit draws; they are set.

        Returns
        -------
        number : int or None
            None: there is no file, the fit is yet to begin.
        rows : list of dict
            Of `history_`.
        """
        self.generators |= generators
        if self.saved is None:
            return None, []
        with explains_damage(self.path):
            self._set_generators()
            net.history_ = History(map(_from_row, self.saved["earlier"]))
            return int(self.saved["number"]), list(map(_from_row, self.saved["rows"]))

    def begin(self, number, rows, net):
        """Note that a training begins, before its first epoch or a later one.

        Parameters
        ----------
        number : int
            Of the training.
        rows : list of dict
            Of the trainings before.
        net : AutoencoderNet
            With the history of the trainings before.
        """
        self.number, self.rows, self.earlier = number, rows, list(net.history)

    def on_epoch_begin(self, net, **kwargs):
        """Restore what the file holds, or write it.

        An epoch that ends tells less: whether training goes on is not decided then.
        This has to be the first of the callbacks that hear of it.
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
            Of all trainings.
        """
        self.rows, self.earlier = rows, []
        self._write(net, None, net.history)
        if current().is_first:
            remove_unfinished(self.path)

    def recover(self, net):
        """Restore the result of a finished fit, and return its rows."""
        with explains_damage(self.path):
            rows = list(map(_from_row, self.saved["rows"]))
            self._restore(net)
        return rows

    def _write(self, net, number, history):
        if not current().is_first:
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
                for name, callback in _kept(net).items()
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
        """Return what to tell of a file that could not be written at all."""
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
        for name, callback in _kept(net).items():
            for key, state in saved["callbacks"].get(name, {}).items():
                try:
                    value = deserialize(state, vars(callback).get(key))
                except SerializationError:
                    if saved["number"] is not None:
                        raise
                    continue  # nobody has called it in this process
                setattr(callback, key, value)


def _kept(net):
    """Return those callbacks whose attributes decide how training goes on, by name.

    What the user calls as a callback of ours is another class.
    """
    return {
        f"{name} ({type(callback).__qualname__})": callback
        for name, callback in net.callbacks_
        if getattr(callback, "is_checkpointed", True)
    }


def _from_row(row):
    return {name: deserialize(value) for name, value in row.items()}
