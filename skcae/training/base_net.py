"""A skorch net with a short inner loop, and how such nets are made."""

import math

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PassthroughScoring, PrintLog
from skorch.utils import to_device

from ..distributed.context import current
from ..nn.convolutions import use_channels_last
from ..params.optimizers import OPTIMIZERS
from ..persistence.weights import load_weights, weights_as_numpy
from ..runtime.devices import is_out_of_memory
from .callbacks import StopTraining, copy_callback, stops_training

_BATCH_EVENTS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class BaseNet(NeuralNet):
    """skorch net whose epochs keep no books of single batches.

    Callbacks get all of skorch's events; those of single batches are only paid for by
    who listens to them.  Subclasses say what is computed from a batch, and where.

    Parameters
    ----------
    *args : sequence
        Of `NeuralNet`.
    precision : {"auto", "float32", "tf32", "bfloat16"}, default="float32"
        How exactly a device multiplies.
    **kwargs : dict
        Of `NeuralNet`.
    """

    # What training minimises, and the function of module and samples that it is
    # computed from; single trainings set others.
    _objective = None
    _training_output = None

    def __init__(self, *args, precision="float32", **kwargs):
        self.precision = precision
        super().__init__(*args, **kwargs)

    @property
    def _default_callbacks(self):
        callbacks = [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring(name="train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring(name="valid_loss")),
        ]
        return [*callbacks, ("print_log", PrintLog())] if self.verbose else callbacks

    def initialize_module(self):
        """Build the module, in the memory format that convolutions are fastest in."""
        super().initialize_module()
        use_channels_last(self.module_)
        return self

    def __getstate__(self):
        state = super().__getstate__()
        for name in ("_training_output", "_objective"):  # they belong to this process
            state.pop(name, None)
        return state

    def torch_compile(self, module, name):
        """Return the module itself: what is compiled are functions of it."""
        return module

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Train on; unlike skorch's, let Ctrl-C reach the caller."""
        if not self.initialized_:
            self.initialize()
        self.notify("on_train_begin", X=X, y=y)
        try:
            self.fit_loop(X, y, **fit_params)
        except StopTraining:
            pass
        finally:
            self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name, **kwargs):
        """Call the callbacks; all of them hear of the last epoch, whoever ends it."""
        if method_name != "on_epoch_end":
            super().notify(method_name, **kwargs)
            return
        self.on_epoch_end(self, **kwargs)
        stopped = [
            callback
            for _, callback in self.callbacks_
            if stops_training(callback, self, **kwargs)
        ]
        if current().any(bool(stopped)):
            raise StopTraining

    def train_step_single(self, batch, **fit_params):
        """Compute loss and gradients of one batch."""
        self._set_training(True)
        step = self._step(*batch)
        step["loss"].backward()
        ranks = current()
        ranks.average_gradients(self._trained_parameters(), batch[0])
        return step | {"loss": ranks.mean(step["loss"], batch[0])}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of one batch."""
        self._set_training(False)
        with torch.no_grad():
            step = self._step(*batch)
        return step | {"loss": current().mean(step["loss"], batch[0])}

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Train on, or validate with, one pass over the data."""
        if iterator is None:
            return
        iterator.ranks = current()
        if self._has_batch_listeners():
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            rows = self.history[-1]["batches"]  # as many as training batches
            for row, part in zip(rows, iterator.parts, strict=False):
                row[f"{prefix}_batch_size"] = part.stop - part.start
            losses = self.history[-1, "batches", :, f"{prefix}_loss"]
            self._check_loss(sum(losses), prefix)
            return
        loss = self._run_quiet_epoch(iterator, training)
        self._check_loss(loss, prefix)
        self._record(f"{prefix}_loss", loss)

    def train_step(self, batch, **fit_params):
        """Train on one batch."""
        step = super().train_step(batch, **fit_params)
        self._objective.after_step(self)
        return step

    def output(self, x):
        """Return what the loss is computed from, as precision and compile ask."""
        function = type(self)._training_output
        if self.module_.training:
            function = self._training_output
        return function(self.module_, x)

    def _step(self, *batch):
        loss, output = self._objective.loss(self, *to_device(batch, self.device))
        return {"loss": loss, "y_pred": output}

    def _run_quiet_epoch(self, iterator, training):
        self._set_training(training)
        optimizer, total, count = self.optimizer_, 0.0, 0
        parameters, ranks = self._trained_parameters(), current()
        with torch.set_grad_enabled(training):
            for batch in iterator:
                loss = self._step(*batch)["loss"]
                if training:
                    # What the optimizer's own method costs shows in small steps.
                    for parameter in parameters:
                        parameter.grad = None
                    loss.backward()
                    ranks.average_gradients(parameters, batch[0])
                    optimizer.step()
                    self._objective.after_step(self)
                n_samples = ranks.n_that_count(batch[0])
                total = total + loss.detach() * n_samples
                count += n_samples
        total, count = ranks.sums(total, count)
        return total / count

    def _trained_parameters(self):
        groups = self.optimizer_.param_groups
        return [parameter for group in groups for parameter in group["params"]]

    def _has_batch_listeners(self):
        return any(
            getattr(type(callback), event) is not getattr(Callback, event)
            for _, callback in self.callbacks_
            # A schedule by the epoch only looks whether it is one by the batch.
            if getattr(callback, "step_every", "batch") != "epoch"
            for event in _BATCH_EVENTS
        )

    def _record(self, name, value):
        earlier = [row[name] for row in self.history[:-1] if name in row]
        self.history.record(name, value)
        self.history.record(f"{name}_best", value < min(earlier, default=math.inf))

    def _check_loss(self, loss, prefix):
        if not math.isfinite(loss):
            rate = self.optimizer_.param_groups[-1]["lr"]
            raise ValueError(
                f"Got a {prefix} loss of {loss} in epoch {len(self.history)} with "
                f"lr={rate:g}; expected a finite loss. Lower lr, or look for outliers "
                "in X."
            )


def build_net(
    kind,
    module,
    criterion,
    *,
    batches,
    optimizer,
    lr,
    weight_decay,
    batch_size,
    device,
    precision,
    compile,
    verbose,
    callbacks,
    net_params,
    **options,
):
    """Return an initialised net.

    Parameters
    ----------
    kind : type
        Of the net.
    module, criterion, batches : type
        Its parts.
    optimizer : str
        Name.
    lr, weight_decay : float
        Of the optimizer.
    batch_size : int
        Of the training.
    device : str
        A resolved device.
    precision : str
        As the user asks for it.
    compile : bool
        Whether training and predictions go through torch.compile.
    verbose : int
        Above 1, skorch prints a table of losses.
    callbacks : list
        skorch callbacks; copies are used.
    net_params : dict
        More of skorch's arguments, from the user.
    **options : dict
        More of them.

    Returns
    -------
    net : BaseNet
    """
    row = OPTIMIZERS[optimizer]
    if row.is_fused:
        options["optimizer__fused"] = True
    net = kind(
        module,
        criterion,
        optimizer=getattr(torch.optim, row.torch),
        optimizer__weight_decay=weight_decay,
        lr=lr,
        batch_size=batch_size,
        iterator_train=batches,
        iterator_train__shuffle=True,
        iterator_train__device=device,
        iterator_valid=batches,
        iterator_valid__device=device,
        train_split=None,
        callbacks=[copy_callback(item) for item in callbacks],
        device=device,
        precision=precision,
        compile=compile,
        verbose=max(0, verbose - 1),
        **options | net_params,
    )
    try:
        net.initialize()
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if is_out_of_memory(error) or not (net_params or callbacks):
            raise
        raise ValueError(
            f"Got net_params={net_params!r} and callbacks={callbacks!r}, which skorch "
            f"cannot make a net of ({str(error).splitlines()[0]}); expected arguments "
            "of skorch.NeuralNet and its parts. Correct them, or leave them at None."
        ) from error
    return net


def update_and_broadcast(net, change=lambda: None, *arguments):
    """Call a function that changes a net; where several share a fit, rank 0 alone.

    The others get its weights, also if nothing has changed.
    """
    ranks = current()
    if ranks.size == 1:
        change(*arguments)
        return

    def weights():
        change(*arguments)
        return weights_as_numpy(net.module_)

    load_weights(net.module_, ranks.from_first(weights))
