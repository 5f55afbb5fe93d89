"""What is computed of a code once the stages of the encoder have been learnt."""

import math

import numpy as np
import torch

from ..runtime.inference import BatchRunner
from .code_decoder_fit import fit_code_decoder, start_code_decoder
from .dense_code import set_principal_components

# What so many samples tell is what all would tell; fewer have to do where their
# features, or they themselves, would fill the memory.
_MAX_SAMPLES = 5000
_MAX_BYTES = 2**28


@torch.no_grad()
def start_dense_code(net, samples, seed):
    """Start a dense code that is going to be trained: as principal components.

    Parameters
    ----------
    net : AutoencoderNet
        Its convolutions are left alone.
    samples : Samples
        Training data.
    seed : int
        Picks the samples and seeds the randomised solver.
    """
    features, _ = _features_and_samples(net, samples, seed)
    set_principal_components(net.module_.dense, features, seed, is_trained=True)


@torch.no_grad()
def fit_code(net, samples, seed, *, computes_dense_code, is_new, n_before):
    """Compute a dense code, and what rebuilds samples from pooled features.

    Parameters
    ----------
    net, samples, seed
        As of `start_dense_code`.
    computes_dense_code : bool
        Whether there is a dense code that has not been trained.
    is_new : bool
        Whether nothing has been computed before. If not, the dense code stays as it is
        where there are too few samples for so many components.
    n_before : int
        Number of samples of earlier trainings, from which samples are still to be
        rebuilt.
    """
    module, decoder = net.module_, net.module_.code_decoder
    features, x = _features_and_samples(net, samples, seed)
    if computes_dense_code:
        set_principal_components(
            module.dense, features, seed, is_trained=False, keep=not is_new
        )
    if decoder is None:
        return

    def rows(part):
        some = torch.from_numpy(features[part]).to(decoder.weight.device)
        if module.dense is None:
            return some
        return module.features_of_code(module.dense(some))

    if not n_before:
        start_code_decoder(decoder, rows, x, seed)
    fit_code_decoder(decoder, rows, x, n_before)


def _features_and_samples(net, samples, seed):
    """Return features and standardised values of some samples, as rows."""
    module = net.module_
    architecture = module.architecture
    n_features = math.prod(architecture.feature_shape)
    n_values = samples.layout.n_features if architecture.decodes_features else 0
    size = min(_MAX_SAMPLES, _MAX_BYTES // (4 * max(n_features, n_values)))
    size = max(size, 2 * (architecture.n_components or 1))
    rows = np.random.default_rng(seed).permutation(len(samples))[:size]
    features = np.empty((len(rows), n_features), dtype=np.float32)
    values = np.empty((len(rows), n_values), dtype=np.float32)
    some, runner = samples.subset(rows), BatchRunner(net, len(rows))

    def work(part):
        batch = runner.read(some, part)
        features[part] = runner.apply(module.wide_features, batch)
        if n_values:
            x = runner.apply(module.scaler, batch)
            values[part] = x.reshape(len(x), -1)

    runner.run(work, some)
    return features, values
