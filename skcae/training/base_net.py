"""A skorch net with a short inner loop, and how such nets are made."""

import math
from functools import partial

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PassthroughScoring, PrintLog

from ..nn.convolutions import use_channels_last
from ..params.optimizers import OPTIMIZERS
from ..persistence.weights import load_weights, weights_as_numpy
from ..runtime.devices import explains_out_of_memory, is_out_of_memory
from ..runtime.steps import EagerSteps
from ..runtime.torch_settings import with_torch_defaults
from .callbacks import StopTraining, copy_callbacks, stops_training

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

    # What training minimises, the function of module and samples that it is computed
    # from, and how batches are computed; each training sets its own.
    _objective = None
    _training_output = None
    _steps = None

    def __init__(self, *args, precision="float32", **kwargs):
        self.precision = precision
        super().__init__(*args, **kwargs)

    def get_default_callbacks(self):
        """Return callbacks that keep books of epochs, and print them if so wanted."""
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
        for name in ("_training_output", "_objective", "_steps"):  # of this process
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
        if self._steps_at_hand().any(bool(stopped)):
            raise StopTraining

    def set_training(self, training):
        """Set module and loss to training or evaluation mode."""
        self.module_.train(training)
        self.criterion_.train(training)

    def train_step_single(self, batch, **fit_params):
        """Compute loss and gradients of one batch."""
        self.set_training(True)
        steps = self._steps_at_hand()
        loss, output = steps.forward_backward(steps.prepare(batch))
        steps.reduce()
        return {"loss": steps.batch_loss(loss), "y_pred": output}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of one batch."""
        self.set_training(False)
        steps = self._steps_at_hand()
        with torch.no_grad():
            loss, output = self.compute_loss(steps.context, *steps.prepare(batch))
        return {"loss": steps.batch_loss(loss), "y_pred": output}

    def train_step(self, batch, **fit_params):
        """Train on one batch."""
        step = super().train_step(batch, **fit_params)
        self._objective.after_step(self)
        return step

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Train on, or validate with, one pass over the data."""
        if iterator is None:
            return
        steps = self._steps_at_hand()
        steps.begin_epoch()
        iterator.share = steps.share
        if self._has_batch_listeners():
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            rows = self.history[-1]["batches"]  # as many as training batches
            for row, part in zip(rows, iterator.parts, strict=False):
                row[f"{prefix}_batch_size"] = part.stop - part.start
            losses = self.history[-1, "batches", :, f"{prefix}_loss"]
            self._check_loss(sum(losses), prefix)
            return
        self.set_training(training)
        take = steps.train if training else steps.evaluate
        with torch.set_grad_enabled(training):
            for batch in iterator:
                take(batch)
        loss = steps.epoch_loss()
        self._check_loss(loss, prefix)
        self._record(f"{prefix}_loss", loss)

    def compute_loss(self, context, *batch):
        """Return the loss of a batch on the device, and what is predicted for it.

        Parameters
        ----------
        context : BatchContext
            The whole batch.
        *batch : Tensor or tuple of Tensor
            Samples and target.
        """
        return self._objective.loss(self, context, *batch)

    def output(self, x):
        """Return what the loss is computed from, as precision and compile ask."""
        function = type(self)._training_output
        if self.module_.training:
            function = self._training_output
        return function(self.module_, x)

    def _steps_at_hand(self):
        """Return the steps of the training at hand, or of this process alone."""
        if self._steps is not None:
            return self._steps
        steps = EagerSteps(
            self.compute_loss,
            self.optimizer_,
            after_step=partial(self._objective.after_step, self),
            device=self.device,
        )
        steps.begin_epoch()
        return steps

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
        callbacks=copy_callbacks(callbacks),
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


@explains_out_of_memory
@with_torch_defaults
def update_and_broadcast(net, ranks, change=lambda: None, *arguments):
    """Let rank 0 change a net, and give its weights to the other ranks.

    They get them also where nothing has changed.

    Parameters
    ----------
    net : BaseNet
        Changed on all ranks.
    ranks : SingleProcess or Communicator
        Who shares the fit.
    change : callable, default=nothing
        Changes the net; only called on rank 0.
    *arguments : sequence
        Of `change`.
    """
    if ranks.size == 1:
        change(*arguments)
        return

    def changed_weights():
        change(*arguments)
        return weights_as_numpy(net.module_)

    load_weights(net.module_, ranks.broadcast_result(changed_weights))
