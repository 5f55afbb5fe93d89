"""Unsupervised features that those of skcae are compared with."""

from dataclasses import dataclass

import numpy as np
from _script import optional
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA, MiniBatchDictionaryLearning
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skcae import ConvAutoencoderTransformer

# Values of the codes of one block of samples.
_BLOCK_VALUES = 2**24


def as_rows(X):
    """Return samples as rows of float32."""
    return X.reshape(len(X), -1).astype(np.float32)


def as_shares(X, top):
    """Return samples as rows of values between 0 and 1."""
    return as_rows(X) / np.float32(top)


@dataclass(eq=False)
class PatchFeatures:
    """Codes of all patches of a sample, averaged over a grid.

    As in A. Coates, A. Ng, H. Lee, "An analysis of single-layer networks in
    unsupervised feature learning", AISTATS 2011: patches are normalised and whitened,
    words learnt from some of them, and every patch is compared with every word: by the
    triangle code of scikit-learn's MiniBatchKMeans ("kmeans"), or by the two-sided soft
    threshold of its MiniBatchDictionaryLearning ("dictionary").
    """

    learner: str
    n_words: int
    # Of a patch, and cells of the grid, along every spatial axis.
    side: int
    grid: int
    has_channels: bool
    # Between patches.
    step: int
    n_patches: int
    # Passes of the dictionary over them.
    n_iter: int
    random_state: int

    # Coates and Ng's: 10 squared grey values, those of photographs having a standard
    # deviation of about 60; and the penalty of their whitening.
    flatness, whitening, threshold = 0.003, 0.1, 0.5

    def fit(self, X):
        """Learn whitening and words."""
        rng = np.random.default_rng(self.random_state)
        self.variance_ = np.var(X[: min(len(X), 5000)], dtype=np.float64)
        patches = self._normalise(self._draw(X, rng))
        self.mean_ = patches.mean(axis=0)
        covariance = np.cov(patches, rowvar=False)
        values, vectors = np.linalg.eigh(covariance)
        self.zca_ = (
            vectors / np.sqrt(np.maximum(values, 0) + self.whitening) @ vectors.T
        ).astype(np.float32)
        patches = (patches - self.mean_) @ self.zca_
        self.words_ = self._learn(patches).astype(np.float32)
        return self

    def _learn(self, patches):
        seed = {"random_state": self.random_state}
        if self.learner == "kmeans":
            kmeans = MiniBatchKMeans(self.n_words, batch_size=4096, n_init=1, **seed)
            return kmeans.fit(patches).cluster_centers_
        dictionary = MiniBatchDictionaryLearning(
            self.n_words, batch_size=256, max_iter=self.n_iter, **seed
        )
        # A sparse code costs far more than a mean: it gets a tenth of the patches.
        return dictionary.fit(patches[::10]).components_

    def _windows(self, X):
        """Return a view of all patches: (n, *positions, channels, *patch)."""
        X = X if self.has_channels else X[..., None]
        axes = tuple(range(1, X.ndim - 1))
        windows = sliding_window_view(X, (self.side,) * len(axes), axis=axes)
        return windows[(slice(None), *(slice(None, None, self.step) for _ in axes))]

    def _draw(self, X, rng):
        windows = self._windows(X)
        n_axes = X.ndim - 1 - self.has_channels
        sizes = windows.shape[: n_axes + 1]
        index = [rng.integers(size, size=self.n_patches) for size in sizes]
        patches = windows[tuple(index)].reshape(self.n_patches, -1)
        # Empty paper has nothing to teach.
        return patches[patches.max(axis=1) > patches.min(axis=1)]

    def _normalise(self, patches):
        patches = patches.astype(np.float32)
        patches -= patches.mean(axis=1, keepdims=True)
        variance = np.mean(patches**2, axis=1, keepdims=True)
        patches /= np.sqrt(variance + self.flatness * self.variance_, dtype=np.float32)
        return patches

    def transform(self, X):
        """Return a row of features per sample."""
        n_codes = self.n_words * (2 if self.learner == "dictionary" else 1)
        n_positions = np.prod(self._windows(X[:1]).shape[: X.ndim - self.has_channels])
        size = max(1, int(_BLOCK_VALUES // (n_positions * n_codes)))
        blocks = [self._encode(X[i : i + size]) for i in range(0, len(X), size)]
        return np.concatenate(blocks)

    def _encode(self, X):
        windows = self._windows(X)
        n_axes = X.ndim - 1 - self.has_channels
        positions = windows.shape[: n_axes + 1]
        patches = self._normalise(windows.reshape(np.prod(positions), -1))
        patches -= self.mean_
        patches = patches @ self.zca_
        code = self._triangle if self.learner == "kmeans" else self._soft_threshold
        maps = [self._pool(a.reshape(*positions, -1)) for a in code(patches)]
        return np.concatenate(maps, axis=1)

    def _triangle(self, patches):
        """Return by how much each word is closer than the average word."""
        distances = patches @ (-2 * self.words_.T)
        distances += (patches**2).sum(axis=1, keepdims=True)
        distances += (self.words_**2).sum(axis=1)
        distances = np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        closer = np.subtract(
            distances.mean(axis=1, keepdims=True), distances, out=distances
        )
        return (np.maximum(closer, 0, out=closer),)

    def _soft_threshold(self, patches):
        """Return what of each word is above a threshold, and what of its negative."""
        codes = patches @ self.words_.T
        yield np.maximum(codes - self.threshold, 0)
        yield np.maximum(-codes - self.threshold, 0)

    def _pool(self, maps):
        """Average over a grid that covers all positions."""
        for axis in range(1, maps.ndim - 1):
            size = maps.shape[axis]
            starts = np.arange(self.grid) * size // self.grid
            maps = np.add.reduceat(maps, starts, axis=axis)
            counts = np.diff([*starts, size]).astype(np.float32)
            maps /= counts.reshape(-1, *(1,) * (maps.ndim - 1 - axis))
        return maps.reshape(len(maps), -1)


def tutorial_cae(channel_axis, max_epochs, seed, device):
    """Return what tutorials build: two layers, max-pooling, plain reconstruction."""
    return ConvAutoencoderTransformer(
        recipe="tutorial",
        n_filters=(16, 32),
        kernel_size=3,
        pool_size=2,
        activation="relu",
        lr=1e-3,
        max_epochs=max_epochs,
        channel_axis=channel_axis,
        random_state=seed,
        device=device,
    )


def scattering(shape, has_channels):
    """Return kymatio's wavelet scattering, which learns nothing."""
    spatial = shape[:-1] if has_channels else shape
    scales = 3 if len(spatial) == 1 else 2 if min(spatial) > 16 else 1
    kind = optional("kymatio.numpy", f"Scattering{len(spatial)}D")
    transform = kind(J=scales, shape=spatial)

    def features(X):
        X = X.astype(np.float32)
        if has_channels:
            X = np.ascontiguousarray(np.moveaxis(X, -1, 1))
        blocks = [transform(X[i : i + 128]) for i in range(0, len(X), 128)]
        return as_rows(np.concatenate(blocks))

    return FunctionTransformer(features)


def mini_rocket(n_kernels, length, seed):
    """Return aeon's MiniRocket."""

    def as_collection(X):
        return X.astype(np.float32)[:, None]

    kind = optional("aeon.transformations.collection.convolution_based", "MiniRocket")
    rocket = kind(n_kernels=n_kernels, random_state=seed)
    pipeline = make_pipeline(FunctionTransformer(as_collection), rocket)
    # numba compiles once, whatever comes later.
    pipeline.fit_transform(np.random.default_rng(0).normal(size=(8, length)))
    return pipeline


def make_peers(data, quick=False, device="auto"):
    """Return functions of a seed that make the peers which suit a data set, by name."""
    n_components = 8 if quick else data.n_components

    def patches(learner, n_words, seed):
        return PatchFeatures(
            learner,
            16 if quick else n_words,
            data.patch_side,
            data.patch_grid,
            data.has_channels,
            step=data.patch_step,
            n_patches=2000 if quick else 100_000,
            n_iter=1 if quick else 20,
            random_state=seed,
        )

    rows = FunctionTransformer(as_rows)
    peers = {
        "raw": lambda seed: rows,
        "PCA": lambda seed: make_pipeline(rows, PCA(n_components, random_state=seed)),
        "dictionary": lambda seed: patches("dictionary", data.n_words // 2, seed),
        "k-means": lambda seed: patches("kmeans", data.n_words, seed),
        "tutorial CAE": lambda seed: tutorial_cae(
            data.channel_axis, 1 if quick else 5, seed, device
        ),
    }
    if len(data.shape) < 3 or data.has_channels:
        peers["scattering"] = lambda seed: scattering(data.shape, data.has_channels)
    if data.name in ("mnist", "digits"):
        shares = FunctionTransformer(as_shares, kw_args={"top": data.top})
        peers["RBM"] = lambda seed: make_pipeline(
            shares,
            BernoulliRBM(
                256,
                learning_rate=0.06,
                batch_size=100,
                n_iter=1 if quick else 10,
                random_state=seed,
            ),
        )
    if len(data.shape) == 1:
        peers["MiniRocket"] = lambda seed: mini_rocket(
            84 if quick else 9996, data.shape[0], seed
        )
    return peers
