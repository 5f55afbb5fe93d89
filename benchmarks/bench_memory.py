"""Whether memory grows with a memory map that is trained on and transformed.

    python benchmarks/bench_memory.py [--gigabytes 6]

A float32 .npy file and one a tenth the size are written into a temporary directory (in
TMPDIR, which must be on a disk) and deleted at the end.  For each, a fresh process fits
a small autoencoder for one epoch and transforms, into another memory map where
`transform` can.  Figures are peaks above the level just before, in MB: of allocated
memory (anonymous) and of all resident memory, which includes pages of mapped files;
and how much they grow from the small file to the large.
"""

import inspect
import tempfile
import time
from pathlib import Path

import numpy as np
from _memory import MB, in_fresh_process, peak_memory
from _timing import make_parser, parse

from skcae import ConvAutoencoderTransformer

SHAPE = (128, 128)
SAMPLE_BYTES = 4 * SHAPE[0] * SHAPE[1]


def write_samples(path, n_bytes):
    """Write images of noise."""
    block = np.random.default_rng(0).normal(size=(512, *SHAPE)).astype(np.float32)
    shape = (n_bytes // SAMPLE_BYTES, *SHAPE)
    with open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, shape[0], len(block)):
            block[:, 0, 0] = start  # no two blocks are equal
            file.write(block[: shape[0] - start].tobytes())


def peaks(path):
    """Return the peak memory (total, anonymous) and seconds of each method."""
    X = np.load(path, mmap_mode="r")
    cae = ConvAutoencoderTransformer(
        n_filters=4, kernel_size=4, stride=4, pool_size=1, max_epochs=1, random_state=0
    )
    work = {"fit": lambda: cae.fit(X)}
    cae.fit(X[:256]).transform(X[:256])  # and everything is loaded
    if "out" in inspect.signature(cae.transform).parameters:
        shape = (len(X), *cae.transform(X[:1]).shape[1:])
        out = np.lib.format.open_memmap(
            path.with_suffix(".out.npy"), mode="w+", dtype=np.float32, shape=shape
        )
        work["transform"] = lambda: cae.transform(X, out=out)
    found = {}
    for name, call in work.items():
        start = time.perf_counter()
        found[name] = (*peak_memory(call), time.perf_counter() - start)
    return found


def main():
    """Print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--gigabytes", type=float, default=6.0)
    arguments = parse(parser)
    large = int((0.2 if arguments.quick else arguments.gigabytes) * 1e9)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for n_bytes in (large // 10, large):
            path = Path(folder) / "samples.npy"
            write_samples(path, n_bytes)
            found[n_bytes] = in_fresh_process(peaks, path)
    print(f"{'':<34}anonymous    total")
    for name in found[large]:
        for n_bytes, of_size in found.items():
            total, anonymous, seconds = of_size[name]
            what = f"{name}, {n_bytes / MB:.0f} MB, {seconds:.1f} s"
            print(f"{what:<34}{anonymous / MB:6.1f} MB{total / MB:6.1f} MB")
        small, big = (np.array(of_size[name][:2]) / MB for of_size in found.values())
        total, anonymous = big - small
        print(f"{f'{name}, growth':<34}{anonymous:+6.1f} MB{total:+6.1f} MB")
    if "transform" not in found[large]:
        print("transform has no parameter out: its result is as large as it is")


if __name__ == "__main__":
    main()
