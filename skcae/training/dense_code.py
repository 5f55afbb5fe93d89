"""Dense codes that are computed: the principal components of the features."""

import numpy as np
import torch
from sklearn.decomposition import PCA

# What random directions beyond the rank of the features are multiplied by, so that
# they disturb little of what the others rebuild.
_RANDOM_SCALE = 0.1


@torch.no_grad()
def set_principal_components(dense, features, seed, *, is_trained, keep=False):
    """Make a dense code, and its way back, the principal components of features.

    Parameters
    ----------
    dense : DenseCode
        Its weights are set.
    features : ndarray of shape (n_samples, n_features), float32
        Features of training samples, in the order of `DenseCode.flatten`.
    seed : int
        Of the randomised solver.
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
    n_components = len(dense.components)
    if len(features) < 2 or (keep and len(features) <= n_components):
        return
    n_components = min(n_components, *features.shape)
    # Features that do not vary have no shares of their variance, which it computes.
    with np.errstate(invalid="ignore"):
        pca = PCA(n_components, random_state=seed).fit(features)
    beyond = _RANDOM_SCALE if is_trained else 0.0
    mean, components = torch.from_numpy(pca.mean_), torch.from_numpy(pca.components_)
    dense.components[n_components:] *= beyond
    dense.components[:n_components] = components
    dense.atoms[:, n_components:] *= beyond
    dense.atoms[:, :n_components] = components.T
    dense.mean.copy_(mean)
    dense.offset.copy_(-dense.components @ mean.to(dense.offset.device))
