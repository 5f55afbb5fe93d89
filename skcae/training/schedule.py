"""Which objectives are trained, one after the other."""

from importlib import import_module

import numpy as np
import torch

from ..params.sparsities import SPARSITIES
from .base_net import update_and_broadcast
from .loop import fresh_history, train
from .reconstruction import Reconstruction
from .stage_reconstruction import StageReconstruction


def learn(
    net,
    samples,
    valid,
    start,
    objectives,
    *,
    initialize_weights,
    epochs,
    seed,
    callbacks,
    ranks,
    checkpoint=None,
):
    """Train a net on samples: all at once, or stage by stage.

    Parameters
    ----------
    net : AutoencoderNet
        Trained in place.
    samples : Samples
        Training data.
    valid : Samples or None
        Validation data.
    start : NetInitializer
        Sets what is not trained.
    objectives : list
        What is minimised, one after the other, see `make_objectives`.
    initialize_weights : bool
        Whether the weights are still to be started.
    epochs : int
        Passes over the training data, for each objective.
    seed : list of int
        Decides orders and noise.
    callbacks : list of (str, Callback)
        In force for these trainings.
    ranks : SingleProcess or Communicator
        Who shares the fit.
    checkpoint : Checkpoint or None, default=None
        Where to write each epoch, and what to go on from.

    Returns
    -------
    rows : list of dict
        Losses and seconds of every epoch and, where a stage is trained alone, its
        number: the "stage", from 1.
    """
    begun, rows = None, []
    if checkpoint is not None:
        generators = objectives[0].generators()
        begun, rows = checkpoint.resume(net, start=start.rng, **generators)
    if initialize_weights and begun is None:
        update_and_broadcast(net, ranks, start.learn_whitening)
    for number, objective in list(enumerate(objectives))[begun:]:
        if initialize_weights and number != begun:
            update_and_broadcast(net, ranks, start.start_stages, objective.stage)
        if checkpoint is not None:
            checkpoint.begin(number, rows, net)
        with fresh_history(net, earlier=number > 0):
            trained = train(
                net,
                samples,
                valid,
                epochs=epochs,
                seed=[*seed[:-1], seed[-1] + len(rows)],
                callbacks=callbacks,
                objective=objective,
                ranks=ranks,
                checkpoint=checkpoint,
            )
        if objective.stage is not None:
            trained = [{**row, "stage": objective.stage + 1} for row in trained]
        if objective.ignores_thresholds:
            update_and_broadcast(net, ranks, start.calibrate, objective.stage)
        rows = rows + trained
    return rows


def make_objectives(n_stages, *, stagewise, sparsity, sparsity_level, crop_size, seed):
    """Return what is minimised, one after the other.

    Parameters
    ----------
    n_stages : int
        Number of stages.
    stagewise : bool
        Whether each stage is trained by itself.
    sparsity : str or None
        Name of a row of `SPARSITIES`: how codes are made sparse.
    sparsity_level : float
        Share of winners, or weight of the penalty.
    crop_size : int or None
        Side of the parts of samples in which winners are looked for.
    seed : list of int
        Draws these parts.

    Returns
    -------
    objectives : list of Reconstruction, StageReconstruction or WinnerTakeAll
    """
    row = SPARSITIES.get(sparsity)
    if row is None or row.objective is None:
        penalty = _penalty(row, sparsity_level)
        if not stagewise:
            return [Reconstruction(penalty)]
        return [StageReconstruction(number, penalty) for number in range(n_stages)]
    module, _, name = row.objective.partition(".")
    objective = getattr(import_module(f".{module}", __package__), name)
    (seed,) = np.random.SeedSequence(seed).generate_state(1)
    generator = torch.Generator().manual_seed(int(seed))
    return [
        objective(number, sparsity_level, crop_size, generator)
        for number in range(n_stages)
    ]


def _penalty(row, level):
    """Return the function of the code that is added to the loss, or None."""
    if row is None or not level:
        return None
    return lambda code: level * row.penalty(code)
