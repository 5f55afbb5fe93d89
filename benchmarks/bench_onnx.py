"""How long onnxruntime takes for features, against transform.

    python benchmarks/bench_onnx.py [--threads 1] [--repeats 9] [--only 28x28]

The graph is that of `skl2onnx.to_onnx` with `skcae.onnx`.  It gets all samples in
batches of 64, and single samples one after the other, as a service would; `transform`
gets all at once, and the same single ones.  Figures are ratios onnxruntime / transform,
medians with quartiles, with the largest difference of features relative to the largest
of them, and onnxruntime's time for one sample.
"""

import numpy as np
import onnxruntime
import skl2onnx
from _timing import interleave, make_parser, parse, ratio
from _workloads import WORKLOADS

import skcae.onnx  # noqa: F401 (registers the converter)

BATCH_SIZE = 64
N_SINGLE = 200


def make_runner(cae, X, n_threads):
    """Return a function from samples to features that onnxruntime computes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    content = skl2onnx.to_onnx(cae, X[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )
    return lambda batch: session.run(None, {"X": batch})[0]


def in_batches(function, X, size):
    """Return what `function` makes of all samples, batch by batch."""
    parts = [function(X[first : first + size]) for first in range(0, len(X), size)]
    return np.concatenate(parts)


def compare(cae, run, X, size, repeats):
    """Return seconds and features of both, in batches of `size` at most."""
    contestants = {
        "onnxruntime": lambda: in_batches(run, X, min(size, BATCH_SIZE)),
        "transform": lambda: in_batches(cae.transform, X, size),
    }
    return interleave(contestants, repeats)


def main():
    """Print a line per workload."""
    parser = make_parser(__doc__, repeats=9, threads=True)
    parser.add_argument("--only", choices=[workload.name for workload in WORKLOADS])
    arguments = parse(parser)
    for workload in WORKLOADS:
        if arguments.only not in (None, workload.name):
            continue
        X = workload.samples(arguments.quick)
        cae = workload.make_cae(max_epochs=1).fit(X)
        run = make_runner(cae, X, arguments.threads)
        print(f"\n{workload.name}")
        for what, samples, size in (
            ("all samples", X, len(X)),
            ("one sample", X[:N_SINGLE], 1),
        ):
            seconds, features = compare(cae, run, samples, size, arguments.repeats)
            ours, theirs = (features[name][0] for name in seconds)
            difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
            print(
                f"  {what:<12} onnxruntime / transform "
                f"{ratio(seconds['onnxruntime'], seconds['transform'])}   "
                f"largest difference {difference:.0e}   "
                f"{np.median(seconds['onnxruntime']) / len(samples) * 1e6:.0f} us each"
            )


if __name__ == "__main__":
    main()
