"""Dense codes that are computed: the principal components of the features."""

import numpy as np
import torch
from sklearn.decomposition import PCA

# The components of this many samples' features are those of all for this purpose;
# fewer have to do where their features would fill the memory.
_MAX_SAMPLES = 5000
_MAX_BYTES = 2**28
_BATCH_SIZE = 64
# What random directions beyond the rank of the features are multiplied by, so that
# they disturb little of what the others rebuild.
_RANDOM_SCALE = 0.1
# What the way back of a code is fitted to: samples per component, and at least so many.
_EQUATIONS = 32
_MIN_FITTED = 1000
# Added to the variances of codes, which are 1 then: keeps rounding errors small.
_RIDGE = 1e-4


@torch.no_grad()
def compute_dense_code(module, samples, seed, *, is_trained, keep=False):
    """Make the dense code the principal components of the features.

    Its way back are the components too or, where features are pooled and the code is
    not going to be trained, the least squares solution for the maps before pooling.

    Parameters
    ----------
    module : ConvAutoencoder
        One with a dense code; its convolutions are left alone.
    samples : Samples
        Training data.
    seed : int
        Picks the samples and seeds the randomised solver.
    is_trained : bool
        Whether the code is going to be trained. Directions beyond the rank of the
        features then keep their random start, scaled down; else they are zero.
    keep : bool, default=False
        Whether the code stays as it is if there are too few samples for so many
        components.

    References
    ----------
    .. [1] N. Halko, P.-G. Martinsson, J. A. Tropp, "Finding structure with
       randomness", SIAM Review 53(2), 2011, :doi:`10.1137/090771806`.
    """
    n_components, n_features = module.dense.components.shape
    n_rows = max(min(_MAX_SAMPLES, _MAX_BYTES // (4 * n_features)), 2 * n_components)
    rows = np.random.default_rng(seed).permutation(len(samples))[:n_rows]
    if len(rows) < 2 or (keep and len(rows) <= n_components):
        return
    features = np.empty((len(rows), n_features), dtype=np.float32)
    for part, x in _batches(module, samples, rows):
        values = module.dense.flatten(module.before_dense(x))
        features[part] = values.cpu().numpy()
    n_components = min(n_components, *features.shape)
    # Features that do not vary have no shares of their variance, which it computes.
    with np.errstate(invalid="ignore"):
        pca = PCA(n_components, copy=False, random_state=seed).fit(features)
    undoes_pooling = module.architecture.undoes_pooling
    _set_components(
        module.dense,
        pca,
        beyond=_RANDOM_SCALE if is_trained else 0.0,
        sets_way_back=not undoes_pooling,
    )
    if undoes_pooling:
        n_rows = max(_MIN_FITTED, _EQUATIONS * n_components)
        _fit_way_back(module, samples, rows[:n_rows], pca.explained_variance_)


def _set_components(dense, pca, *, beyond, sets_way_back):
    """Set the components of a code, and multiply those beyond the rank by a number."""
    n_components, mean = len(pca.components_), torch.from_numpy(pca.mean_)
    components = torch.from_numpy(pca.components_)
    dense.components[n_components:] *= beyond
    dense.components[:n_components] = components
    if sets_way_back:
        dense.atoms[:, n_components:] *= beyond
        dense.atoms[:, :n_components] = components.T
        dense.mean.copy_(mean)
    dense.offset.copy_(-dense.components @ mean.to(dense.offset.device))


def _fit_way_back(module, samples, rows, variances):
    """Solve for the maps that codes stand for: linear least squares, with a ridge."""
    dense, n_decoded = module.dense, module.architecture.n_decoded
    n_components = len(variances)
    # Of one size, so that one ridge suits all; a code that never varies stays one.
    scale = np.sqrt(np.where(variances > 0.0, variances, 1.0))
    scale = torch.from_numpy(scale.astype(np.float32)).to(dense.offset.device)
    gram, products = 0.0, 0.0
    for _, x in _batches(module, samples, rows):
        code = module.encode_standardised(x)[:, :n_components] / scale
        code = torch.cat([code, torch.ones_like(code[:, :1])], dim=1)
        maps = dense.flatten(module.maps(x, n_decoded))
        gram = gram + code.T.double() @ code.double()
        products = products + code.T @ maps
    gram.diagonal()[:-1] += _RIDGE * len(rows)
    solution = torch.linalg.solve(gram, products.double()).float()
    dense.atoms.zero_()
    dense.atoms[:, :n_components] = (solution[:-1] / scale[:, None]).T
    dense.mean.copy_(solution[-1])


def _batches(module, samples, rows):
    """Iterate over slices of some rows, and these samples in the net's units."""
    device = module.dense.mean.device
    some = samples.subset(rows)
    for part in some.slices(_BATCH_SIZE):
        x = torch.from_numpy(some[part]).to(device)
        yield part, module.standardise(x)
