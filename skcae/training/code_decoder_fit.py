"""How samples are rebuilt from pooled features: least squares, with a ridge."""

import numpy as np
import torch
from scipy import linalg
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.utils import gen_batches

from ..nn.linear import linear

# Directions of the channels, and atoms, are those of so many samples.
_N_SAMPLES_DIRECTIONS = 500
_N_SAMPLES_ATOMS = 2000
_BATCH_SIZE = 256
# Products of so many samples at a time are added up in double precision.
_N_ADDED = 1024
# Penalties, in units of the mean square of reduced features, among which left-out
# errors of some samples choose. The best one depends little on their number.
_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
_N_SAMPLES_PENALTY = 1000


@torch.no_grad()
def start_code_decoder(decoder, rows, x, seed):
    """Set what a decoder sees of features, and the atoms that it adds.

    The atoms are principal components of the samples; their weights are 0.

    Parameters
    ----------
    decoder : CodeDecoder
        It is changed.
    rows : callable
        Returns rows of features, a tensor, of a slice of the samples.
    x : ndarray of shape (n_samples, n_values), float32
        The samples, in standardised units.
    seed : int
        Of the randomised solver.
    """
    some = rows(slice(0, _N_SAMPLES_DIRECTIONS))
    for directions, block in zip(decoder.directions, decoder.blocks(some), strict=True):
        directions.copy_(_main_directions(block.flatten(0, 1), len(directions)))
    x = x[:_N_SAMPLES_ATOMS]
    n_atoms = min(len(decoder.weight), *x.shape)
    # Samples that do not vary have no shares of their variance, which it computes.
    with np.errstate(invalid="ignore"):
        pca = PCA(n_atoms, random_state=seed).fit(x)
    for weights in (decoder.atoms, decoder.weight, decoder.offset):
        weights.zero_()
    decoder.atoms[:, :n_atoms] = torch.from_numpy(pca.components_.T)
    decoder.mean.copy_(torch.from_numpy(pca.mean_))


def _main_directions(values, n_directions):
    """Return the directions in which values vary most, scaled to a variance of 1."""
    values = values.double()
    values = values - values.mean(dim=0)
    variances, vectors = torch.linalg.eigh(values.T @ values / len(values))
    kept = variances[-n_directions:].clamp_min(0.0).mean()
    return vectors[:, -n_directions:].T / (kept.sqrt() if kept > 0.0 else 1.0)


@torch.no_grad()
def fit_code_decoder(decoder, rows, x, n_before=0):
    """Solve for the weights of the atoms that add up to samples.

    Parameters
    ----------
    decoder : CodeDecoder
        One that `start_code_decoder` has started. What it still misses of the samples
        is fitted, so that it keeps what it has learnt from others.
    rows, x
        As of `start_code_decoder`.
    n_before : int, default=0
        Number of samples that it has been fitted to before.
    """
    reduced = np.empty((len(x), decoder.weight.shape[1]), dtype=np.float32)
    missing = np.empty((len(x), len(decoder.weight)), dtype=np.float32)
    device = decoder.weight.device
    for part in gen_batches(len(x), _BATCH_SIZE):
        seen = decoder.reduce(rows(part))
        target = (torch.from_numpy(x[part]).to(device) - decoder.mean) @ decoder.atoms
        reduced[part] = seen.cpu().numpy()
        found = linear(seen, decoder.weight, decoder.offset, exact=True)
        missing[part] = (target - found).cpu().numpy()
    centre = reduced.mean(axis=0, dtype=np.float64).astype(np.float32)
    share = len(x) / (len(x) + n_before)
    shift = share * missing.mean(axis=0, dtype=np.float64)
    reduced -= centre
    missing -= shift.astype(np.float32)
    unit = float(np.linalg.norm(reduced)) ** 2 / reduced.size
    if not unit:  # features do not vary
        return
    penalty = _best_penalty(reduced, missing, unit) + n_before * unit
    change = _solve_ridge(reduced, missing, penalty)
    decoder.weight += torch.from_numpy(change.T).to(device)
    decoder.offset += torch.from_numpy(shift - change.T @ centre).to(device)


def _best_penalty(rows, targets, unit):
    some = slice(0, _N_SAMPLES_PENALTY)
    penalties = [unit * factor for factor in _PENALTIES]
    return RidgeCV(penalties).fit(rows[some], targets[some]).alpha_


def _solve_ridge(rows, targets, penalty):
    """Return the solution of ridge regression, in double precision.

    References
    ----------
    .. [1] C. Saunders, A. Gammerman, V. Vovk, "Ridge regression learning algorithm in
       dual variables", ICML 1998.
    """
    n_samples, n_values = rows.shape
    if n_samples < n_values:
        products = _products(rows.T, rows.T)
        products[np.diag_indices(n_samples)] += penalty
        return rows.T @ linalg.solve(products, targets, assume_a="pos")
    products = _products(rows, rows)
    products[np.diag_indices(n_values)] += penalty
    return linalg.solve(products, _products(rows, targets), assume_a="pos")


def _products(a, b):
    """Return ``a.T @ b`` in double precision, from products of parts in single."""
    parts = gen_batches(len(a), _N_ADDED)
    return sum(np.float64(1) * (a[part].T @ b[part]) for part in parts)
