"""How fast a GPU trains and transforms, against what people write today.

    python benchmarks/bench_gpu.py [--precision auto] [--compile] [--device cuda]

Samples per second of `fit` and `transform` from numpy arrays, ratios of seconds to the
rivals of bench_fit.py and bench_transform.py on the same device (the loop tuned by hand
holds the data there and uses bfloat16 autocast), medians with quartiles, and the
operations per second as a share of what a large float32 matrix product reaches in the
same run.  Where there is no such device, says so and stops.
"""

import numpy as np
import torch
from _script import make_parser, parse
from _timing import interleave, matmul_peak, operations, waiting_for
from _workloads import WORKLOADS, chosen_workloads
from bench_fit import make_contestants as make_fits
from bench_fit import print_fits, training_operations
from bench_transform import make_contestants as make_transforms
from bench_transform import print_times

EPOCHS = 5
# Of the transformer.
PARAMETERS = ("device", "precision", "compile")


def encoding_operations(workload, X):
    """Return the floating point operations that encode one sample."""
    cae = workload.make_cae(max_epochs=0, device="cpu").fit(X[:1000])
    x = torch.rand(8, cae.module_.scaler.mean.numel(), *cae.module_.spatial)
    with torch.no_grad():
        return operations(lambda: cae.module_.encode(x)) / len(x)


def print_speed(what, seconds, n_samples, operations_per_sample, peak):
    """Print samples per second of each contestant, and the share of the peak."""
    for name, values in seconds.items():
        speed = n_samples / np.median(values)
        share = speed * operations_per_sample / peak
        print(f"  {what} {name:<18}{speed:12,.0f} samples/s {share:7.3f} of peak")


def main():
    """Print a table."""
    parser = make_parser(__doc__, repeats=5, workloads=WORKLOADS)
    parser.add_argument("--device", default="cuda", help="cpu tries the script out")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--compile", action="store_true")
    arguments = parse(parser)
    device, repeats = arguments.device, arguments.repeats
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu and not torch.cuda.is_available():
        print("Found no CUDA device: nothing to measure.")
        return
    settle, peak = waiting_for(device), matmul_peak(repeats, device)
    chip = torch.cuda.get_device_name(device) if on_gpu else device
    print(f"{chip}: {peak / 1e12:.2f} TFLOP/s in a float32 matrix product")
    for workload, X in chosen_workloads(arguments):
        epochs = 1 if arguments.quick else EPOCHS
        params = {name: getattr(arguments, name) for name in PARAMETERS}
        print(f"\n{workload.name}")
        fits = make_fits(workload, X, epochs, **params)
        seconds, losses = interleave(fits, repeats, settle)
        print_fits(seconds, losses)
        n_operations = training_operations(workload, X)
        print_speed("fit", seconds, len(X) * epochs, n_operations, peak)
        transforms = make_transforms(workload, X, **params)
        seconds, features = interleave(transforms, repeats, settle)
        print_times(seconds, features)
        n_operations = encoding_operations(workload, X)
        print_speed("transform", seconds, len(X), n_operations, peak)
        del fits, transforms
        if on_gpu:
            kept = torch.cuda.memory_allocated(device) / 1e6
            print(f"  kept on the device afterwards: {kept:.1f} MB")


if __name__ == "__main__":
    main()
