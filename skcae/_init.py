"""Starting values that are computed from data."""

import numpy as np
import torch
from sklearn.decomposition import PCA

from ._devices import explains_out_of_memory

# The components of this many samples' maps are those of all for this purpose; fewer
# have to do where their maps would fill the memory.
_MAX_SAMPLES = 5000
_MAX_BYTES = 2**28


@explains_out_of_memory
@torch.no_grad()
def start_dense_code_from_pca(module, samples, seed):
    """Make the dense code the principal components of the feature maps.

    Directions beyond the rank of the maps keep their random start, scaled down.

    Parameters
    ----------
    module : ConvAutoencoder
        One with a dense code; its convolutions are left alone.
    samples : Samples
        Training data.
    seed : int
        Picks the samples and seeds the randomised solver.

    References
    ----------
    .. [1] N. Halko, P.-G. Martinsson, J. A. Tropp, "Finding structure with
       randomness", SIAM Review 53(2), 2011, :doi:`10.1137/090771806`.
    """
    dense = module.dense
    rng = np.random.default_rng(seed)
    n_bytes = 4 * len(dense.mean)
    n_rows = max(min(_MAX_SAMPLES, _MAX_BYTES // n_bytes), 2 * len(dense.components))
    rows = rng.permutation(len(samples))[:n_rows]
    if len(rows) < 2:
        return
    device = dense.mean.device

    def maps_of(x):
        return dense.flatten(module.before_dense(module.scaler(x.to(device))))

    maps = np.empty((len(rows), len(dense.mean)), dtype=np.float32)
    for part in samples.subset(rows).slices(64):
        maps[part] = maps_of(torch.from_numpy(samples[rows[part]])).cpu().numpy()
    n_components = min(len(dense.components), *maps.shape)
    pca = PCA(n_components, copy=False, random_state=seed).fit(maps)
    components = torch.from_numpy(pca.components_)
    dense.components[n_components:] *= 0.1
    dense.atoms[:, n_components:] *= 0.1
    dense.components[:n_components] = components
    dense.atoms[:, :n_components] = components.T
    dense.mean.copy_(torch.from_numpy(pca.mean_))
    dense.offset.copy_(-dense.components @ dense.mean)
