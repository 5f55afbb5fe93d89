"""The steps of `fit` and `partial_fit` of an autoencoder."""

import math
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split

from ..data.statistics import check_variation
from ..data.statistics import moments as moments_of
from ..distributed.context import current
from ..params.learning import has_computed_code, learning_params, training_params
from ..params.scaling import resolve_scale
from ..params.warm_start import warm_start_signature
from ..persistence.fitted import Fitted
from ..persistence.fitted_state import FittedState, fitted_state, is_fitted_name


class BaseAutoencoder(FittedState, BaseEstimator):
    """Steps of `fit` and `partial_fit` that leave the estimator unchanged.

    They fill a record of the fit and return public attributes as dicts. `fit` assigns
    both once everything has been computed.
    """

    @property
    def _n_features_out(self):
        """Number of features; scikit-learn makes their names from it."""
        return self._fitted.architecture.n_features

    def _new_record(self, samples, params, architecture):
        """Return the record of a fit that has neither a seed nor a net yet."""
        return Fitted(
            architecture,
            samples.layout,
            has_rows=samples.X.ndim == 2 and len(samples.layout.shape) > 1,
            net_arguments={
                "loss": params.loss,
                "max_samples": params.max_samples,
                **training_params(params),
            },
            learning=learning_params(params),
        )

    def _copy_with(self, fitted, attributes):
        """Return a copy of the estimator, fitted as far as a fit has come."""
        copied = type(self).__new__(type(self))
        copied.__dict__ = fitted_state(self, fitted.without_net(), attributes)
        return copied

    def _make_module(self, fitted):
        from ..nn.autoencoder import ConvAutoencoder

        return ConvAutoencoder(fitted.architecture)

    def _make_net(self, fitted, device):
        """Return a net with random filters."""
        from ..training.autoencoder_net import make_net

        has_code = fitted.architecture.n_components is not None
        is_computed = has_computed_code(fitted.architecture, fitted.learning)
        return make_net(
            fitted.architecture,
            tunes_encoder=has_code and not is_computed,
            **fitted.net_arguments,
            device=device,
            callbacks=self.callbacks or (),
            seed=fitted.seed,
        )

    def _open_checkpoint(self, params, samples, valid, seed, warm):
        """Return the checkpoint of this fit; None without a file."""
        if self.checkpoint is None:
            return None
        from ..persistence.checkpoint import Checkpoint
        from ..persistence.fingerprint import fingerprint

        def opened():
            begins_from = self._fitted if warm else None
            identity = fingerprint(vars(params), samples, valid, seed, begins_from)
            return Checkpoint(self.checkpoint, identity, seed)

        ranks = current()
        checkpoint = ranks.broadcast_result(opened)
        checkpoint.is_writer = ranks.is_first
        return checkpoint

    def _hold_out(self, samples, valid, seed):
        """Return training and validation samples; the latter may be None."""
        if valid is not None:
            return samples, valid
        if not self.early_stopping:
            return samples, None
        n_held_out = math.ceil(self.validation_fraction * len(samples))
        if n_held_out == len(samples):
            raise ValueError(
                f"Got validation_fraction={self.validation_fraction} with "
                f"{len(samples)} samples; expected at least one sample to train on. "
                "Lower it, or pass X_val."
            )
        rows, held_out = train_test_split(
            np.arange(len(samples)), test_size=n_held_out, random_state=seed
        )
        return samples.subset(np.sort(rows)), samples.subset(np.sort(held_out))

    def _warm_architecture(self, architecture, params):
        """Return an architecture that takes the weights of the previous fit.

        Raises
        ------
        ValueError
            If these weights cannot be used.
        """
        fitted = self._fitted
        now = warm_start_signature(architecture, learning_params(params))
        before = warm_start_signature(fitted.architecture, fitted.learning)
        for name, value in now.items():
            # A parameter that had no effect before matters because another has changed.
            if value != before.get(name, value):
                raise ValueError(
                    f"Got {name}={value!r} in a warm start from "
                    f"{name}={before[name]!r}; expected the architecture and the "
                    "sample shape of the first fit. Set warm_start=False to start "
                    "afresh."
                )
        # Its maps are those that the weights of the dense code lead to.
        trains = fitted.architecture.trains_dense_code
        return replace(architecture, trains_dense_code=trains)

    def _start(self, fitted, samples, n_held_out=0):
        """Give the record a net with the scale of the data and random filters.

        Parameters
        ----------
        fitted : Fitted
            The record.
        samples : Samples
            Those that are trained on.
        n_held_out : int, default=0
            How many others there are.

        Returns
        -------
        attributes : dict
            Public attributes before the first epoch.
        """
        from ..runtime.devices import resolve_device

        device = resolve_device(self.device, current().gpu)
        moments = moments_of(samples, current())
        check_variation(moments, n_held_out)
        fitted.net = self._make_net(fitted, device)
        scale = resolve_scale(fitted.architecture.output_activation, moments)
        fitted.net.module_.set_scale(*scale, moments)
        return {"n_iter_": 0, "history_": []} | _mean_of(samples, moments)

    def _restart(self, fitted, samples):
        """Give the record a new net with the weights of the previous fit."""
        from ..persistence.weights import load_weights, weights_as_numpy
        from ..runtime.devices import resolve_device

        device = resolve_device(self.device, current().gpu)
        fitted.net = self._make_net(fitted, device)
        module, moments = fitted.net.module_, moments_of(samples, current())
        load_weights(module, weights_as_numpy(self.module_))
        module.set_range(moments)
        attributes = {"n_iter_": self.n_iter_, "history_": self.history_}
        return attributes | _mean_of(samples, moments)

    def _continue(self, samples):
        """Train for one more epoch, and assign all results or none."""
        from ..training.net_snapshot import NetSnapshot

        before, after = NetSnapshot(self.net_), None
        attributes = {
            name: value for name, value in vars(self).items() if is_fitted_name(name)
        }
        fitted = attributes.pop("_fitted")
        try:
            self.module_.set_range(moments_of(samples, current()), widens=True)
            attributes |= self._train(
                fitted,
                attributes,
                samples,
                n_samples_before=attributes["n_samples_seen_"],
                initialize_weights=False,
            )
            attributes |= _add_to_mean(attributes, samples)
            after = fitted_state(self, fitted, attributes)
            self.__dict__ = after
        except BaseException:
            if vars(self) is not after:
                before.restore()
            raise

    def _train(
        self,
        fitted,
        attributes,
        samples,
        valid=None,
        *,
        n_samples_before=0,
        epochs=1,
        callbacks=(),
        initialize_weights=True,
        checkpoint=None,
    ):
        """Train the net of a record; return the public attributes that change."""
        from ..training.autoencoder_training import (
            count_and_warn_of_dead_units,
            kept_loss,
            train_autoencoder,
        )

        # partial_fit keeps the parameters of the first fit, even if set_params has
        # changed them since.
        net, learning, ranks = fitted.net, fitted.learning, current()
        rows = train_autoencoder(
            net,
            samples,
            valid,
            learning,
            seed=fitted.seed,
            n_epochs_before=attributes["n_iter_"],
            n_samples_before=n_samples_before,
            epochs=epochs,
            callbacks=list(callbacks),
            initialize_weights=initialize_weights,
            ranks=ranks,
            checkpoint=checkpoint,
        )
        history = attributes["history_"] + [
            {**row, "epoch": number}
            for number, row in enumerate(rows, start=attributes["n_iter_"] + 1)
        ]
        keeps_best = self.early_stopping and valid is not None
        return {
            "history_": history,
            "n_iter_": len(history),
            "reconstruction_err_": kept_loss(
                net, samples, rows, learning, ranks, keeps_best=keeps_best
            ),
            "n_dead_units_": count_and_warn_of_dead_units(net, samples, ranks),
        }

    def _training_callbacks(self, context, reported):
        """Return the callbacks of one fit; the net drops them when it ends."""
        from ..training.callbacks import TaskReports, make_callbacks

        callbacks = make_callbacks(self, current())
        if context is not None:
            reports = TaskReports(self, context, **reported)
            callbacks.append(("task_reports", reports))
        return callbacks


def _mean_of(samples, moments):
    """Return the attributes about the training samples."""
    mean = samples.layout.from_channels_first(moments["mean"][None])[0]
    return {"mean_": np.array(mean, order="C"), "n_samples_seen_": len(samples)}


def _add_to_mean(attributes, samples):
    """Return the attributes about the samples of all trainings so far."""
    here = _mean_of(samples, moments_of(samples, current()))
    total = attributes["n_samples_seen_"] + len(samples)
    mean = attributes["mean_"]
    mean = mean + (here["mean_"] - mean) * (len(samples) / total)
    return {"mean_": mean, "n_samples_seen_": total}
