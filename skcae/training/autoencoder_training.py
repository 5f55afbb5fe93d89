"""One training of an autoencoder, and what is measured once it has ended."""

from functools import partial

from ..params.learning import has_computed_code, is_decoder_fitted
from ..runtime.devices import explains_out_of_memory
from ..runtime.inference import count_dead_units, mean_loss
from ..runtime.precision import matmul_precision
from ..runtime.threads import is_worth_threads, one_thread
from ..runtime.torch_settings import with_torch_defaults
from ..utils.user_warnings import warn
from .base_net import update_and_broadcast
from .initialization import NetInitializer
from .schedule import learn, make_objectives

# Enough samples to tell a constant unit from a rare one.
_N_SAMPLES_DEAD = 256
# Enough for a loss that no epoch has measured.
_N_SAMPLES_LOSS = 256


@explains_out_of_memory
@with_torch_defaults
def train_autoencoder(
    net,
    samples,
    valid,
    learning,
    *,
    seed,
    n_epochs_before,
    n_samples_before,
    epochs,
    callbacks,
    initialize_weights,
    ranks,
    checkpoint=None,
):
    """Train the net of an autoencoder.

    Parameters
    ----------
    net : AutoencoderNet
        Trained in place.
    samples : Samples
        Training data.
    valid : Samples or None
        Validation data.
    learning : dict
        How filters are learnt, see `learning_params`.
    seed : int
        Decides all that is random.
    n_epochs_before : int
        Epochs of earlier trainings, so that each one draws other numbers.
    n_samples_before : int
        Samples of earlier trainings that are still to be rebuilt, which this one does
        not see.
    epochs : int
        Passes over the training data, for each stage where these are trained one by
        one.
    callbacks : list of (str, Callback)
        In force for this training, after the net's own.
    initialize_weights : bool
        Whether the weights are still to be started.
    ranks : SingleProcess or Communicator
        Who shares the training.
    checkpoint : Checkpoint or None, default=None
        Where to write each epoch, and what to go on from.

    Returns
    -------
    rows : list of dict
        Losses and seconds of every epoch.
    """
    # A rank that goes on from weights of its own begins with those of rank 0.
    update_and_broadcast(net, ranks)
    if checkpoint is not None and checkpoint.is_finished:
        return checkpoint.recover(net)
    start = NetInitializer(
        net,
        samples,
        init=learning["init"],
        whiten=learning["whiten"],
        threshold=learning["threshold"],
        seed=seed,
    )
    objectives = make_objectives(
        len(net.module_.encoder),
        stagewise=learning["stagewise"],
        sparsity=learning["sparsity"],
        sparsity_level=learning["sparsity_level"],
        crop_size=learning["crop_size"],
        seed=[seed, n_epochs_before],
    )
    n_multiplications = net.module_.cost()[0] * net.batch_size
    # The number of threads decides the order of sums also where filters are started
    # and decoders are fitted.
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
                seed=[seed, n_epochs_before],
                callbacks=callbacks,
                ranks=ranks,
                checkpoint=checkpoint,
            )
        architecture = net.module_.architecture
        # Least squares are solved by iteration, which needs exact products.
        with matmul_precision("float32", net.device):
            computes_dense_code = has_computed_code(architecture, learning)
            if computes_dense_code or architecture.decodes_features:
                fit_code = partial(
                    start.fit_code,
                    computes_dense_code=computes_dense_code,
                    is_new=initialize_weights,
                    n_before=n_samples_before,
                )
                update_and_broadcast(net, ranks, fit_code)
            if is_decoder_fitted(architecture, learning, epochs):
                update_and_broadcast(net, ranks, start.fit_decoder)
    if checkpoint is not None:
        checkpoint.finish(net, rows)
    # The processors of the ranks may round differently.
    update_and_broadcast(net, ranks)
    return ranks.broadcast_result(lambda: rows)


def kept_loss(net, samples, rows, learning, ranks, *, keeps_best):
    """Return the training loss of the epoch whose weights were kept.

    Where no epoch has measured the loss of the whole autoencoder, it is that on some
    of the samples.

    Parameters
    ----------
    net : AutoencoderNet
        The trained net.
    samples : Samples
        Training data.
    rows : list of dict
        As `train_autoencoder` returns them.
    learning : dict
        How filters were learnt.
    ranks : SingleProcess or Communicator
        Who shares the fit; the loss is that which rank 0 finds.
    keeps_best : bool
        Whether the weights are those of the epoch with the least validation loss.

    Returns
    -------
    loss : float
    """
    is_of_parts = learning["stagewise"] or has_computed_code(
        net.module_.architecture, learning
    )
    if not rows or is_of_parts:
        some = samples.evenly_spaced(_N_SAMPLES_LOSS)
        return ranks.broadcast_result(lambda: mean_loss(net, some))
    if keeps_best:
        return min(rows, key=lambda row: row["valid_loss"])["train_loss"]
    return rows[-1]["train_loss"]


def count_and_warn_of_dead_units(net, samples, ranks):
    """Return how many units of the code are constant, with a warning if any is.

    Parameters
    ----------
    net : AutoencoderNet
        The trained net.
    samples : Samples
        Training data.
    ranks : SingleProcess or Communicator
        Who shares the fit; rank 0 counts.

    Returns
    -------
    n_dead : int
    """
    if len(samples) < 2:
        return 0
    some = samples.evenly_spaced(_N_SAMPLES_DEAD)
    n_dead, n_units = ranks.broadcast_result(lambda: count_dead_units(net, some))
    if n_dead and net.module_.architecture.computes_dense_code:
        warn(
            f"{n_dead} of {n_units} components of the code are constant over the "
            "training samples, as there are no more principal components than samples, "
            "or than features that vary. Lower n_components."
        )
    elif n_dead:
        warn(
            f"{n_dead} of {n_units} units of the code are constant over the training "
            "samples. Lower lr, train longer, or use activation='identity' or 'abs'."
        )
    return n_dead
