"""Whether memory grows with an array on disk that is trained on and transformed.

    python benchmarks/bench_memory.py [--gigabytes 6] [--storage npy zarr h5]

A float32 array (a .npy file that is mapped, or one of zarr or h5py in chunks of 4 MiB)
and one a tenth the size are written into a temporary directory (in TMPDIR, which must
be on a disk) and deleted at the end.  For each, a fresh process fits a small
autoencoder for one epoch and transforms, into another memory map where `transform` can.
Figures are peaks above the level just before, in MB: of allocated memory (anonymous)
and of all resident memory, which includes pages of mapped files; and how much they grow
from the small file to the large.
"""

import tempfile
from pathlib import Path

import h5py
import numpy as np
import zarr
from _memory import MB, in_fresh_process, peak_memory
from _script import Table, make_parser, parse
from _timing import Stopwatch

from skcae import ConvAutoencoderTransformer

SHAPE = (128, 128)
SAMPLE_BYTES = 4 * SHAPE[0] * SHAPE[1]
CHUNKS = (64, *SHAPE)


def blocks_of_noise(n_samples):
    """Yield images of noise, and the number of the first."""
    block = np.random.default_rng(0).normal(size=(512, *SHAPE)).astype(np.float32)
    for start in range(0, n_samples, len(block)):
        block[:, 0, 0] = start  # no two blocks are equal
        yield start, block[: n_samples - start]


def write_samples(path, n_bytes, storage):
    """Write images of noise."""
    shape = (n_bytes // SAMPLE_BYTES, *SHAPE)
    if storage == "npy":
        # Not through a map, whose pages would count as memory of this process.
        with open(path, "wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for _, block in blocks_of_noise(shape[0]):
                file.write(block.tobytes())
        return
    options = {"shape": shape, "chunks": CHUNKS, "dtype": np.float32}
    if storage == "zarr":
        fill(zarr.create_array(path, overwrite=True, **options))
        return
    with h5py.File(path, "w") as file:
        fill(file.create_dataset("X", **options))


def fill(array):
    """Write images of noise into an array on disk."""
    for start, block in blocks_of_noise(array.shape[0]):
        array[start : start + len(block)] = block


def opened(path):
    """Return the array of a file, by the end of its name."""
    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r")
    return zarr.open_array(path) if path.suffix == ".zarr" else h5py.File(path)["X"]


def peaks(path):
    """Return peak memory (anonymous, total) in MB and seconds, by method."""
    X = opened(path)
    cae = ConvAutoencoderTransformer(
        recipe="tutorial",
        n_filters=4,
        kernel_size=4,
        stride=4,
        pool_size=1,
        max_epochs=1,
        random_state=0,
    )
    cae.fit(X[:256]).transform(X[:256])  # and everything is loaded
    shape = (X.shape[0], *cae.transform(X[:1]).shape[1:])
    out = np.lib.format.open_memmap(
        path.with_suffix(".out.npy"), mode="w+", dtype=np.float32, shape=shape
    )
    calls = {"fit": lambda: cae.fit(X), "transform": lambda: cae.transform(X, out=out)}
    found, watch = {}, Stopwatch()
    for name, call in calls.items():
        with watch.on(name):
            total, anonymous = peak_memory(call)
        found[name] = anonymous / MB, total / MB, watch.seconds[name]
    return found


def measure(storage, n_bytes):
    """Return the peaks that one array leads to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"samples.{storage}"
        write_samples(path, n_bytes, storage)
        return in_fresh_process(peaks, path)


def main():
    """Print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--gigabytes", type=float, default=6.0)
    parser.add_argument(
        "--storage", nargs="+", choices=("npy", "zarr", "h5"), default=["npy"]
    )
    arguments = parse(parser)
    large = int((0.2 if arguments.quick else arguments.gigabytes) * 1e9)
    table = Table(30, {"anonymous MB": "12.1f", "total MB": "8.1f", "seconds": "7.1f"})
    for storage in arguments.storage:
        found = {n_bytes: measure(storage, n_bytes) for n_bytes in (large // 10, large)}
        for name in found[large]:
            for n_bytes, of_size in found.items():
                table.row(f"{storage}: {name}, {n_bytes / MB:.0f} MB", *of_size[name])
            small, big = (np.array(of_size[name]) for of_size in found.values())
            growth = (f"{value:+.1f}" for value in (big - small)[:2])
            table.row(f"{storage}: {name}, growth", *growth, "")


if __name__ == "__main__":
    main()
