"""How an estimator starts, trains and sums up its autoencoder."""

import math

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split

from ..data.statistics import moments as moments_of
from ..distributed.context import current
from ..params.learning import is_decoder_fitted, learning_params, training_params
from ..params.scaling import resolve_scale
from ..params.warm_start import warm_start_signature
from ..persistence.fitted_state import NumpyState
from ..utils.user_warnings import warn

# Enough samples to tell a constant unit from a rare one.
_N_SAMPLES_DEAD = 512
# Enough for the loss of what no epoch has measured.
_N_SAMPLES_LOSS = 1000
# Of 24 bits, fewer than 6 are left for the differences.
_LOST_DIGITS = 64 * np.finfo(np.float32).eps


class BaseAutoencoder(NumpyState, BaseEstimator):
    """Private steps between the parameters of an estimator and its fitted state."""

    @property
    def _takes_any_size(self):
        """Whether N-D samples of another spatial shape than fit saw can be encoded."""
        return self._architecture.pooling is not None

    def _open_checkpoint(self, samples, valid, seed, continues):
        """Return what keeps this fit in a file, None where there is to be no file."""
        if self.checkpoint is None:
            return None
        from ..persistence.checkpoint import Checkpoint
        from ..persistence.fingerprint import fingerprint

        def opened():
            identity = fingerprint(self, samples, valid, seed, continues)
            return Checkpoint(self.checkpoint, identity, seed)

        return current().from_first(opened)

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

    def _start(self, samples, architecture, seed):
        """Learn the scale of the data and draw the initial weights."""
        from ..runtime.devices import resolve_device

        device = resolve_device(self.device)
        moments = moments_of(samples)
        low, high = moments["channel_min"].min(), moments["channel_max"].max()
        if low == high:
            raise ValueError(
                f"Got X in which every value is {low:g} in float32; expected samples "
                "that differ. Check how X was loaded and scaled."
            )
        self._warn_of_lost_digits(moments)
        self._architecture, self._seed = architecture, seed
        self._training_params = self._training_params_of_now()
        self._learning_params = learning_params(self)
        net = self._make_net(device)
        module = net.module_
        module.scaler.set(*resolve_scale(architecture.output_activation, moments))
        self._code_shape = architecture.code_shape
        self._n_features_out = architecture.n_features
        self._set_mean(samples, moments)
        self.n_iter_, self.history_ = 0, []
        self._net = net

    @staticmethod
    def _warn_of_lost_digits(moments):
        std = moments["channel_std"]
        largest = np.maximum(
            np.abs(moments["channel_min"]), np.abs(moments["channel_max"])
        )
        if ((std > 0) & (std < _LOST_DIGITS * largest)).any():
            warn(
                "X varies so little around so large values that float32, in which all "
                "is computed, loses most digits of the differences. Subtract a "
                "constant from X first."
            )

    def _check_same_module(self, architecture):
        """Refuse what a warm start cannot go on from."""
        now, before = (
            warm_start_signature(architecture),
            warm_start_signature(self._architecture),
        )
        # Whoever goes on keeps the whitening and the thresholds.
        for name in ("whiten", "threshold"):
            now[name], before[name] = getattr(self, name), self._learning_params[name]
        for name, value in now.items():
            if value != before[name]:
                raise ValueError(
                    f"Got {name}={value!r} in a warm start from "
                    f"{name}={before[name]!r}; expected the architecture and the "
                    "sample shape of the first fit. Set warm_start=False to start "
                    "afresh."
                )

    def _restart(self, samples, architecture, seed):
        """Go on from the weights at hand, with the training parameters of now."""
        from ..persistence.weights import load_weights, weights_as_numpy
        from ..runtime.devices import resolve_device

        device = resolve_device(self.device)
        weights = weights_as_numpy(self.module_)
        self._architecture, self._seed = architecture, seed
        self._training_params = self._training_params_of_now()
        self._learning_params = learning_params(self)
        self._net = self._make_net(device)
        load_weights(self._net.module_, weights)
        self._set_mean(samples, moments_of(samples))

    def _set_mean(self, samples, moments):
        self.mean_ = self._as_sample(moments["mean"])
        self.n_samples_seen_ = len(samples)

    def _as_sample(self, array):
        """Return an array (C, *spatial) in the layout of a sample."""
        return np.array(self._layout.from_channels_first(array[None])[0], order="C")

    def _add_to_mean(self, samples):
        total = self.n_samples_seen_ + len(samples)
        mean = self._as_sample(moments_of(samples)["mean"])
        self.mean_ = self.mean_ + (mean - self.mean_) * (len(samples) / total)
        self.n_samples_seen_ = total

    def _training_params_of_now(self):
        return {
            "loss": self.loss,
            "max_samples": self.max_samples,
            **training_params(self),
        }

    def _make_net(self, device):
        """Return a net with the architecture of the fit and random filters."""
        from ..training.autoencoder_net import make_net

        return make_net(
            self._architecture,
            **self._training_params,
            device=device,
            callbacks=self.callbacks or (),
            seed=self._seed,
        )

    def _training_callbacks(self, context, X, y):
        """Return the callbacks of one fit, none of which outlives it."""
        from ..training.callbacks import TaskReports, make_callbacks

        callbacks = make_callbacks(self)
        if context is not None:
            callbacks.append(("task_reports", TaskReports(self, context, X, y)))
        return callbacks

    def _train(self, samples, valid, epochs, callbacks, *, keep, checkpoint=None):
        """Train the net; if that fails, `keep` the weights of before or have none."""
        from ..persistence.weights import load_weights, weights_as_numpy
        from ..runtime.inference import mean_loss

        net = self.net_
        before = weights_as_numpy(net.module_) if keep else None
        try:
            rows = self._learn(
                samples,
                valid,
                epochs,
                callbacks,
                initialize_weights=not keep,
                checkpoint=checkpoint,
            )
        except BaseException:
            if keep:
                load_weights(net.module_, before)
            else:
                self._forget_fit()
            raise
        self.history_ = self.history_ + [
            {**row, "epoch": number}
            for number, row in enumerate(rows, start=self.n_iter_ + 1)
        ]
        self.n_iter_ = len(self.history_)
        if not rows or self._learning_params["stagewise"]:
            some = samples.evenly_spaced(_N_SAMPLES_LOSS)
            loss = current().from_first(lambda: mean_loss(net, some))
            self.reconstruction_err_ = loss
        elif self.early_stopping and valid is not None:
            best = min(rows, key=lambda row: row["valid_loss"])
            self.reconstruction_err_ = best["train_loss"]
        else:
            self.reconstruction_err_ = rows[-1]["train_loss"]

    def _learn(
        self, samples, valid, epochs, callbacks, *, initialize_weights, checkpoint
    ):
        from ..runtime.precision import matmul_precision
        from ..runtime.threads import is_worth_threads, one_thread
        from ..training.base_net import update_and_broadcast
        from ..training.pretraining import NetInitializer, learn, make_objectives

        # Those of the fit, whatever set_params did before a partial_fit.
        net, learning = self.net_, self._learning_params
        update_and_broadcast(net)  # ranks that go on begin alike
        if checkpoint is not None:
            checkpoint.compare_start(self.mean_, net.device)
            if checkpoint.is_finished:
                return checkpoint.recover(net)
        start = NetInitializer(
            net,
            samples,
            init=learning["init"],
            whiten=learning["whiten"],
            threshold=learning["threshold"],
            seed=self._seed,
        )
        objectives = make_objectives(
            len(net.module_.encoder),
            stagewise=learning["stagewise"],
            sparsity=learning["sparsity"],
            sparsity_level=learning["sparsity_level"],
            crop_size=learning["crop_size"],
            seed=[self._seed, self.n_iter_],
        )
        n_multiplications = net.module_.cost()[0] * net.batch_size
        # What starts filters and fits decoders sums in an order of its own, too.
        with one_thread(when=not is_worth_threads(n_multiplications)):
            with matmul_precision(net.precision, net.device):
                rows = learn(
                    net,
                    samples,
                    valid,
                    start,
                    objectives,
                    initialize_weights=initialize_weights,
                    epochs=epochs,
                    seed=[self._seed, self.n_iter_],
                    callbacks=callbacks,
                    checkpoint=checkpoint,
                )
            if is_decoder_fitted(learning, epochs):
                # Rounded products would lead its iteration astray.
                with matmul_precision("float32", net.device):
                    update_and_broadcast(net, start.decoder)
        if checkpoint is not None:
            checkpoint.finish(net, rows)
        # Ranks may be processors that round in other ways.
        update_and_broadcast(net)
        return current().from_first(lambda: rows)

    def _count_dead_units(self, samples):
        """Set `n_dead_units_`, and warn where it is not 0."""
        from ..runtime.inference import count_dead_units

        self.n_dead_units_ = 0
        if len(samples) < 2:
            return
        some = samples.evenly_spaced(_N_SAMPLES_DEAD)
        counts = current().from_first(lambda: count_dead_units(self.net_, some))
        self.n_dead_units_, n_units = counts
        if self.n_dead_units_:
            warn(
                f"{self.n_dead_units_} of {n_units} units of the code are constant "
                "over the training samples. Lower lr, train longer, or use "
                "activation='identity' or 'abs'."
            )

    def _squared_errors(self, samples):
        from ..runtime.inference import squared_errors

        return squared_errors(self.net_, samples)
