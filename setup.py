"""What skcae needs; all else about the package is in pyproject.toml."""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
PLOT = ["matplotlib>=3.9"]
ONNX = ["onnx>=1.17", "onnxruntime>=1.20", "skl2onnx>=1.19"]
DASK = ["dask[array]>=2025.1", "distributed>=2025.1"]
ACCELERATE = ["accelerate>=1.2"]
TEST = [
    *PLOT,
    *ONNX,
    *DASK,
    *ACCELERATE,
    "h5py>=3.11",
    "hypothesis>=6.100",
    "ipykernel>=6.29",
    "joblib>=1.3",
    "nbclient>=0.10",
    "numpydoc>=1.8",
    "polars>=1.0",
    "pytest>=8",
    "pytest-xdist>=3.5",
    "rich>=13",
    "safetensors>=0.5",
    "skops>=0.13",
    "zarr>=3.0",
]
DOCS = [
    *PLOT,
    "myst-parser>=4",
    "numpydoc>=1.8",
    "pydata-sphinx-theme>=0.16",
    "sphinx>=8",
]


def version():
    """Return the version without importing what the package needs."""
    lines = (HERE / "skcae" / "__init__.py").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("__version__"))


setup(
    version=version(),
    install_requires=[
        "numpy>=2.0",
        "pandas>=2.2",
        "scikit-learn>=1.7",
        "scipy>=1.13",
        "skorch>=1.3",
        "torch>=2.6",
        "tqdm>=4.60",
    ],
    extras_require={
        "plot": PLOT,
        "onnx": ONNX,
        "dask": DASK,
        "accelerate": ACCELERATE,
        "test": TEST,
        "docs": DOCS,
        "dev": [*TEST, *DOCS, "ruff>=0.9"],
    },
)
