"""Every benchmark runs and prints its figures; what they are is not tested."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RATIO = r"\d+\.\d\d \["
# What each script prints with these arguments.
EXPECTED = {
    "bench_components.py": r"n_components \(16\) +\d+\.\d\d",
    "bench_defaults.py": r"default +\d+\.\d\d +\d+\.\d\d +0\.\d{3} ",
    "bench_features.py": r"skcae, recipe +\d+\.\d\d +\d+\.\d\d +\d+ ",
    "bench_features.py --data cifar10_jpeg --flip --only raw skcae": r"skcae, recipe",
    "bench_features.py --data mnist --labels 50 --only k-means recipe": (
        r"skcae, recipe .* \d+\.\d\d \(\d+\.\d\)"
    ),
    "bench_features.py --data ucr_ecg5000": r"MiniRocket .*\nskcae, recipe",
    "bench_features.py --data adrenalmnist3d_32 --only PCA recipe": r"skcae, recipe",
    "bench_finetune.py --labels 50 all": r"skcae, fine-tuned +\d+\.\d\d +\(",
    "bench_finetune.py --data mnist --labels 50 --only skcae": r"head alone +\d+\.\d",
    "bench_finetune.py --data cifar10_jpeg --labels 50 --only tuned --no-test": (
        r"skcae, fine-tuned +\d+\.\d\d"
    ),
    "bench_fit.py": rf"skcae / tuned loop +{RATIO}",
    "bench_gpu.py": r"no CUDA device|samples/s",
    "bench_gpu.py --device cpu": rf"skcae / skorch predict +{RATIO}",
    "bench_growth.py": r"fit with max_epochs=0 +\d+\.\d",
    "bench_import.py": rf"skcae / torch, sklearn, skorch: {RATIO}",
    "bench_memory.py": r"npy: fit, growth +[+-]\d+\.\d ",
    "bench_memory.py --storage zarr h5": r"h5: transform, growth +[+-]\d+\.\d ",
    "bench_onnx.py": rf"errors +one sample +onnxruntime / skcae {RATIO}",
    "bench_outliers.py": r"skcae, features +\d+\.\d\d .*\n(.*\n)*OneClassSVM",
    "bench_scale.py": (
        rf"joblib.*\ntwo workers / one: {RATIO}.*\nscores differ by 0 .*\n(.*\n)*"
        rf".*Dask.*\ntwo workers / one: {RATIO}.*\nscores differ by 0 .*\n(.*\n)*"
        rf"two processes / one: {RATIO}.*\nlosses differ by \de-0[789] "
    ),
    "bench_transform.py": r"peak memory of skcae +\d+\.\d\d of its result",
    "bench_winners.py": rf"grey 28x28, 7x7 +K=16 .* {RATIO}.* \de-0[789]",
}


def test_every_benchmark_is_listed():
    scripts = {path.name for path in (ROOT / "benchmarks").glob("bench_*.py")}
    assert scripts == {command.split()[0] for command in EXPECTED}


@pytest.mark.slow
@pytest.mark.parametrize("command", EXPECTED)
def test_a_quick_run_prints_figures(command):
    script, *arguments = command.split()
    if script == "bench_memory.py" and not Path("/proc/self/clear_refs").exists():
        pytest.skip("peak memory is measured on Linux only")
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", "--quick", *arguments],
        cwd=ROOT,
        # Waiting threads slow each other down beside busy processes.
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(EXPECTED[command], done.stdout), done.stdout
