"""Samples that stay on disk, and how much memory learning from them takes.

Many overlapping patches of two photographs are written to files in several formats. An
autoencoder is trained on each of them, and once on the whole array in memory. Peaks of
the memory in use are measured, which works on Linux alone.

Besides what skcae needs this takes zarr, h5py and Pillow, which comes with matplotlib.
"""

import ctypes
import gc
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import zarr
from PIL import Image
from sklearn.datasets import load_sample_images
from torch.utils.data import Dataset

from skcae import ConvAutoencoderTransformer

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))
STEP = 16 if QUICK else 2
SIDE = 32
CHUNK = 500
MB = 1e6


# %%
# Files
# -----
# Patches of uint8, (n, 32, 32, 3), in chunks of 1.5 MB. The array itself is made only
# to compare with: files can be written piece by piece.
def patches_of(photograph):
    """Return the patches around every other pixel of every other row."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (SIDE, SIDE, 3))
    return windows[::STEP, ::STEP].reshape(-1, SIDE, SIDE, 3)


def write_all(X, folder):
    """Write an array in every format; return what opens it again, by name."""
    np.save(folder / "X.npy", X)
    options = {"shape": X.shape, "dtype": X.dtype, "chunks": (CHUNK, *X.shape[1:])}
    zarr.create_array(folder / "X.zarr", **options)[:] = X
    with h5py.File(folder / "X.h5", "w") as file:
        file.create_dataset("X", data=X, chunks=options["chunks"], compression="lzf")
    for number, image in enumerate(X[:: len(X) // (100 if QUICK else 2000)]):
        Image.fromarray(image).save(folder / f"{number:05}.png")
    return {
        "in memory": lambda: np.load(folder / "X.npy"),
        "memory map": lambda: np.load(folder / "X.npy", mmap_mode="r"),
        "zarr": lambda: zarr.open_array(folder / "X.zarr", mode="r"),
        "HDF5": lambda: h5py.File(folder / "X.h5")["X"],
        "image files": lambda: ImageFiles(folder.glob("*.png")),
    }


class ImageFiles(Dataset):
    """Images that are loaded one by one."""

    def __init__(self, paths):
        self.paths = sorted(paths)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, number):
        return Image.open(self.paths[number])


# %%
# Memory in use
# -------------
def peak_of(work):
    """Return by how many bytes resident memory rises; None but on Linux."""
    if not Path("/proc/self/clear_refs").exists():
        work()
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = resident("VmRSS")
    work()
    return resident("VmHWM") - before


def resident(field):
    """Return a size that the kernel knows, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def make():
    """Return an autoencoder that sees 2,000 patches, drawn from all of them."""
    return ConvAutoencoderTransformer(
        recipe="tutorial",
        channel_axis=-1,
        n_filters=16,
        kernel_size=5,
        pool_size=4,
        activation="abs",
        max_epochs=1,
        max_samples=2000,
        random_state=0,
        # Of these processes each loads image files; they do nothing for arrays.
        net_params={"iterator_train__num_workers": 2},
    )


def learn_in_parts(X):
    """Train on some chunks, one after the other."""
    cae = make()
    for start in range(0, X.shape[0], 16 * CHUNK):
        cae.partial_fit(X[start : start + CHUNK])


with TemporaryDirectory() as folder:
    X = np.concatenate([patches_of(image) for image in load_sample_images().images])
    size, some = X.nbytes, X[:: len(X) // 200].copy()
    stored = write_all(X, Path(folder))
    del X
    make().fit(some)  # so that everything is loaded
    print(f"{size / MB:.0f} MB of patches      memory   seconds")
    peaks = {}
    ways = {name: lambda X=X: make().fit(X()) for name, X in stored.items()}
    ways["partial_fit on zarr"] = lambda: learn_in_parts(stored["zarr"]())
    for name, work in ways.items():
        start = time.perf_counter()
        peaks[name] = peak_of(work)
        seconds = time.perf_counter() - start
        grown = "unknown" if peaks[name] is None else f"{peaks[name] / MB:4.0f} MB"
        print(f"{name:<20} {grown:>12} {seconds:9.1f}")

# %%
# A figure
# --------
figure, axis = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
axis.barh(list(peaks), [(peak or 0) / MB for peak in peaks.values()], color="0.4")
axis.axvline(size / MB, color="C3", label="size of the array")
axis.set_xlabel("rise of resident memory in fit, MB")
axis.invert_yaxis()
axis.legend(loc="lower right")
figure.savefig("photos_memory.png", dpi=160)
print("wrote photos_memory.png")
