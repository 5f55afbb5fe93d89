"""Where displays draw, and what they refuse."""

import inspect
import io
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import skcae
from skcae import (
    ConvAutoencoderTransformer,
    FeatureMapDisplay,
    FilterDisplay,
    ReconstructionDisplay,
    TrainingCurveDisplay,
)

from ..conftest import make_small

DISPLAYS = [getattr(skcae, name) for name in skcae.__all__ if name.endswith("Display")]


def from_estimator(cls, cae, X, **params):
    """Make any of the displays."""
    takes_samples = "X" in inspect.signature(cls.from_estimator).parameters
    return cls.from_estimator(cae, *[X] if takes_samples else [], **params)


@pytest.mark.parametrize(
    ("cls", "n_axes"), [(ReconstructionDisplay, 24), (FeatureMapDisplay, 2)]
)
def test_many_axes(cls, n_axes, fitted, small_digits):
    figure, (left, right) = plt.subplots(1, 2)
    display = cls.from_estimator(fitted, small_digits, ax=right)
    assert display.bounding_ax_ is right
    assert display.figure_ is figure
    assert display.axes_.size == n_axes
    again = display.plot(ax=display.axes_)
    assert again is display
    assert display.bounding_ax_ is None
    assert len(figure.axes) == 2 + n_axes
    with pytest.raises(ValueError, match=r"Got ax .* expected .* Pass"):
        display.plot(ax=right)
    flat = np.array([figure.add_subplot() for _ in range(n_axes)])
    assert display.plot(ax=flat).axes_.ravel()[-1] is flat[-1]


@pytest.mark.parametrize("cls", [FilterDisplay, TrainingCurveDisplay])
def test_one_axes(cls, fitted, small_digits):
    figure, (left, right) = plt.subplots(1, 2)
    display = from_estimator(cls, fitted, small_digits, ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()
    display.plot()
    assert display.figure_ is not figure


@pytest.mark.parametrize("cls", DISPLAYS)
@pytest.mark.parametrize("kind", ["images", "colours", "signals", "volumes"])
def test_nothing_leaves_the_figure(cls, kind, request):
    names = {
        "images": ("whitened", "small_digits"),
        "colours": ("on_photographs", "photographs"),
        "signals": ("on_signals", "signals"),
        "volumes": ("on_volumes", "volumes"),
    }[kind]
    cae, X = map(request.getfixturevalue, names)
    params = {"n_samples": 3} if cls is ReconstructionDisplay else {}
    if cls is FilterDisplay:
        params = {"normalize": "all"}
    display = from_estimator(cls, cae, X, **params)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display.figure_.savefig(file, format="png")
    whole = display.figure_.bbox.padded(1)
    box = display.figure_.get_tightbbox().transformed(display.figure_.dpi_scale_trans)
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1
    assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert max(display.figure_.get_size_inches()) < 10


THREE_PARTS = r"Got .*; ?expected .*\. [A-Z]|Got .* but .*; expected .*\. [A-Z]"


@pytest.mark.parametrize("cls", DISPLAYS)
def test_unfitted(cls, small_digits):
    with pytest.raises(NotFittedError):
        from_estimator(cls, ConvAutoencoderTransformer(), small_digits)


@pytest.mark.parametrize("cls", DISPLAYS)
@pytest.mark.parametrize("make", [PCA, lambda: make_pipeline(PCA())])
def test_other_estimators(cls, make, small_digits):
    X = small_digits.reshape(120, -1)
    with pytest.raises(TypeError, match=rf"(?s){THREE_PARTS}"):
        from_estimator(cls, make().fit(X), X)


@pytest.mark.parametrize("cls", DISPLAYS)
def test_classes(cls, small_digits):
    with pytest.raises(TypeError, match="class"):
        from_estimator(cls, ConvAutoencoderTransformer, small_digits)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (ReconstructionDisplay, {"n_samples": 121}),
        (ReconstructionDisplay, {"channel": 1}),
        (ReconstructionDisplay, {"ax": [3, 4]}),
        (ReconstructionDisplay, {"ax": "axes"}),
        (FilterDisplay, {"stage": 2}),
        (FilterDisplay, {"ax": 3}),
        (TrainingCurveDisplay, {"ax": "axes"}),
        (FeatureMapDisplay, {"sample": 120}),
        (FeatureMapDisplay, {"sample": -121}),
    ],
)
def test_what_does_not_fit(cls, params, fitted, small_digits):
    with pytest.raises((TypeError, ValueError), match=rf"(?s){THREE_PARTS}"):
        from_estimator(cls, fitted, small_digits, **params)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (ReconstructionDisplay, {"n_samples": 0}),
        (ReconstructionDisplay, {"n_samples": 1.5}),
        (ReconstructionDisplay, {"channel": -1}),
        (ReconstructionDisplay, {"colorbar": "right"}),
        (ReconstructionDisplay, {"error_kw": "gray"}),
        (FilterDisplay, {"stage": 0}),
        (FilterDisplay, {"n_cols": 0}),
        (FilterDisplay, {"normalize": "filter"}),
        (FilterDisplay, {"im_kw": []}),
        (TrainingCurveDisplay, {"yscale": "symlog"}),
        (TrainingCurveDisplay, {"line_kw": "red"}),
        (FeatureMapDisplay, {"sample": 0.5}),
        (FeatureMapDisplay, {"n_maps": 0}),
        (FeatureMapDisplay, {"normalize": None}),
    ],
)
def test_parameters_out_of_range(cls, params, fitted, small_digits):
    (name,) = params
    message = f"The '{name}' parameter of {cls.__name__}.from_estimator must be"
    with pytest.raises(ValueError, match=message):
        from_estimator(cls, fitted, small_digits, **params)
    if name not in ("n_samples", "stage", "sample"):
        display = from_estimator(cls, fitted, small_digits[:1])
        with pytest.raises(ValueError, match=message.replace("from_estimator", "plot")):
            display.plot(**params)


@pytest.mark.parametrize("cls", [ReconstructionDisplay, FeatureMapDisplay])
def test_bad_samples(cls, fitted, small_digits):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        cls.from_estimator(fitted, small_digits[:0])
    with pytest.raises(ValueError, match="expected the same shape"):
        cls.from_estimator(fitted, small_digits[:, 1:])


def test_too_few_axes(fitted, small_digits):
    _, axes = plt.subplots(2, 8)
    with pytest.raises(ValueError, match=r"16 axes; expected 24, in 3 row\(s\) of 8"):
        ReconstructionDisplay.from_estimator(fitted, small_digits, ax=axes)


def test_no_epochs(small_digits):
    cae = make_small(max_epochs=0, init="patches").fit(small_digits)
    with pytest.raises(ValueError, match=THREE_PARTS):
        TrainingCurveDisplay.from_estimator(cae)


@pytest.mark.parametrize("cls", DISPLAYS)
def test_without_matplotlib(cls, fitted, small_digits, monkeypatch):
    display = from_estimator(cls, fitted, small_digits[:1])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name, call in {
        "from_estimator": lambda: from_estimator(cls, fitted, small_digits),
        "plot": display.plot,
    }.items():
        message = rf"{cls.__name__}\.{name} requires matplotlib"
        with pytest.raises(ImportError, match=message):
            call()
