"""How long onnxruntime takes for features and outlier scores, against skcae.

    python benchmarks/bench_onnx.py [--threads 1] [--repeats 9] [--only 28x28]

The graphs are those of `skl2onnx.to_onnx` with `skcae.onnx`: of a transformer, and of
outlier detectors made of it, by the distance of its features and by the error of its
reconstructions.  They get all samples in batches of 64, and single samples one after
the other, as a service would; `transform` and `decision_function` get all at once, and
the same single ones.  Figures are ratios onnxruntime / skcae, medians with quartiles,
with the largest difference of results relative to the largest of them, and the time
that onnxruntime takes for one sample.
"""

import numpy as np
import onnxruntime
import skl2onnx
from _script import make_parser, parse
from _timing import interleave, largest_difference, ratio
from _workloads import WORKLOADS, chosen_workloads

import skcae.onnx  # noqa: F401 (registers the converters)
from skcae import ConvAutoencoderOutlierDetector

BATCH_SIZE = 64
N_SINGLE = 200


def make_runner(estimator, X, n_threads):
    """Return a function from samples to what onnxruntime computes last of them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    content = skl2onnx.to_onnx(estimator, X[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )
    name = session.get_outputs()[-1].name
    return lambda batch: session.run([name], {"X": batch})[0]


def in_batches(function, X, size):
    """Return what `function` makes of all samples, batch by batch."""
    parts = [function(X[first : first + size]) for first in range(0, len(X), size)]
    return np.concatenate(parts)


def compare(method, run, X, size, repeats):
    """Return seconds and results of both, in batches of `size` at most."""
    contestants = {
        "onnxruntime": lambda: in_batches(run, X, min(size, BATCH_SIZE)),
        "skcae": lambda: in_batches(method, X, size),
    }
    return interleave(contestants, repeats)


def methods_of(cae, X):
    """Return what is measured: by a name, an estimator and its method."""
    yield "transform", cae, cae.transform
    for name, criterion in (("distances", "features"), ("errors", "reconstruction")):
        detector = ConvAutoencoderOutlierDetector(cae, criterion=criterion).fit(X)
        yield name, detector, detector.decision_function


def report(name, method, run, X, repeats):
    """Print a line for all samples and one for single ones."""
    for what, samples, size in (
        ("all samples", X, len(X)),
        ("one sample", X[:N_SINGLE], 1),
    ):
        seconds, results = compare(method, run, samples, size, repeats)
        ours, theirs = (results[name][0].reshape(len(samples), -1) for name in seconds)
        difference = largest_difference(ours, theirs)
        print(
            f"  {name:<10} {what:<12} onnxruntime / skcae "
            f"{ratio(seconds['onnxruntime'], seconds['skcae'])}   "
            f"largest difference {difference:.0e}   "
            f"{np.median(seconds['onnxruntime']) / len(samples) * 1e6:.0f} us each",
            flush=True,
        )


def main():
    """Print two lines for every method and workload."""
    parser = make_parser(__doc__, repeats=9, threads=True, workloads=WORKLOADS)
    arguments = parse(parser)
    for workload, X in chosen_workloads(arguments):
        cae = workload.make_cae(max_epochs=1).fit(X)
        print(f"\n{workload.name}")
        for name, estimator, method in methods_of(cae, X):
            run = make_runner(estimator, X, arguments.threads)
            report(name, method, run, X, arguments.repeats)


if __name__ == "__main__":
    main()
