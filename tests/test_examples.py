"""Every example runs and leaves its files; a quick run, whatever they show."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIGURES = {
    "distributed_fit.py": {"digits_pipeline.joblib"},
    "plot_digits_pipeline.py": {"digits_reconstructions.png", "digits_filters.png"},
    "plot_displays.py": {
        "photos_filters.png",
        "photos_losses.png",
        "photos_maps.png",
        "photos_reconstructions.png",
    },
    "plot_features_compare.py": {"digits_features.png"},
    "plot_finetune.py": {"digits_finetuned.png"},
    "plot_label_efficiency.py": {"digits_labels.png"},
    "plot_larger_than_memory.py": {"photos_memory.png"},
    "plot_outliers.py": {"digits_outliers.png"},
    "plot_mirrored_views.py": {"photos_mirrored.png"},
    "search_with_dask.py": set(),
}


def test_every_example_is_listed():
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(FIGURES)


@pytest.mark.slow
@pytest.mark.parametrize("script", FIGURES)
def test_a_quick_run_draws_figures(script, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / script],
        cwd=tmp_path,
        env=os.environ
        | {"SKCAE_DEMO_QUICK": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == FIGURES[script], done.stdout
