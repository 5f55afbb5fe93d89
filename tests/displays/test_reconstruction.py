"""Inputs, reconstructions and errors are drawn as they are."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skcae import ReconstructionDisplay

from ..conftest import make_small
from .conftest import image_of


def rebuilt_by(cae, X):
    return cae.inverse_transform(cae.transform(X))


def errors_of(display):
    return np.stack([image_of(axis) for axis in display.axes_[2]])


def test_images_and_their_reconstructions(fitted, small_digits):
    display = ReconstructionDisplay.from_estimator(fitted, small_digits, n_samples=3)
    rebuilt = rebuilt_by(fitted, small_digits[:3])
    assert display.axes_.shape == (3, 3)
    for row, images in zip(
        display.axes_,
        (small_digits, rebuilt, np.abs(rebuilt - small_digits[:3])),
        strict=True,
    ):
        for axis, image in zip(row, images, strict=False):
            assert_allclose(image_of(axis), image, atol=1e-5)
            assert len(axis.get_xticks()) == len(axis.get_yticks()) == 0
    names = [axis.get_ylabel() for axis in display.axes_[:, 0]]
    assert names == ["input", "rebuilt", "error"]


def test_scales_are_shared(fitted, small_digits):
    display = ReconstructionDisplay.from_estimator(fitted, small_digits)
    clims = {axis.images[0].get_clim() for axis in display.axes_[:2].flat}
    assert clims == {(small_digits[:8].min(), small_digits[:8].max())}
    top = errors_of(display).max()
    for axis in display.axes_[2]:
        assert_allclose(axis.images[0].get_clim(), (0, top))
    assert_allclose((display.colorbar_.vmin, display.colorbar_.vmax), (0, top))


@pytest.mark.parametrize("kind", ["digits", "photographs"])
def test_errors_are_those_of_score_samples(
    kind, fitted, small_digits, on_photographs, photographs
):
    cae, X = {
        "digits": (fitted, small_digits),
        "photographs": (on_photographs, photographs),
    }[kind]
    errors = errors_of(ReconstructionDisplay.from_estimator(cae, X[:5]))
    scores = cae.score_samples(X[:5])
    assert_allclose((errors**2).mean(axis=(1, 2)), -scores, rtol=1e-4)


def test_colours(on_photographs, photographs):
    display = ReconstructionDisplay.from_estimator(on_photographs, photographs)
    for row, images in zip(
        display.axes_[:2],
        (photographs, rebuilt_by(on_photographs, photographs[:8]).clip(0, 255)),
        strict=True,
    ):
        for axis, image in zip(row, images, strict=False):
            drawn = image_of(axis)
            assert_allclose(drawn[..., :3], image / 255, atol=1e-5)
            assert (drawn[..., 3] == 1).all()


def test_one_channel_of_many(on_photographs, photographs):
    display = ReconstructionDisplay.from_estimator(
        on_photographs, photographs[:2], channel=1
    )
    assert_array_equal(image_of(display.axes_[0, 1]), photographs[1, ..., 1])
    rebuilt = rebuilt_by(on_photographs, photographs[:2])[..., 1]
    # What float32 leaves of a difference of values up to 255.
    expected = np.abs(rebuilt - photographs[:2, ..., 1])
    assert_allclose(errors_of(display), expected, rtol=0, atol=1e-4)


def test_two_channels_are_shown_as_their_mean(photographs):
    X = np.moveaxis(photographs[..., :2], -1, 1)
    cae = make_small(channel_axis=0).fit(X)
    display = ReconstructionDisplay.from_estimator(cae, X[:2])
    assert_allclose(image_of(display.axes_[0, 0]), X[0].mean(axis=0))
    scores = cae.score_samples(X[:2])
    assert_allclose((errors_of(display) ** 2).mean(axis=(1, 2)), -scores, rtol=1e-4)


def test_signals_are_curves(on_signals, signals):
    display = ReconstructionDisplay.from_estimator(on_signals, signals, n_samples=4)
    rebuilt = rebuilt_by(on_signals, signals[:4])
    for row, curves in zip(
        display.axes_, (signals, rebuilt, rebuilt - signals[:4]), strict=True
    ):
        for axis, curve in zip(row, curves, strict=False):
            (line,) = axis.lines
            assert_allclose(line.get_ydata(), curve, atol=1e-5)
            assert axis.get_ylim() == row[0].get_ylim()
    assert display.axes_[0, 0].get_ylim() == display.axes_[1, 0].get_ylim()
    assert_allclose(sum(display.axes_[2, 0].get_ylim()), 0, atol=1e-6)
    assert display.colorbar_ is None


def test_all_channels_of_signals(signals):
    X = signals.reshape(30, 2, 40)
    cae = make_small(channel_axis=0).fit(X)
    display = ReconstructionDisplay.from_estimator(cae, X)
    for line, curve in zip(display.axes_[0, 1].lines, X[1], strict=True):
        assert_array_equal(line.get_ydata(), curve)


def test_the_middle_slice_of_volumes(on_volumes, volumes):
    display = ReconstructionDisplay.from_estimator(on_volumes, volumes, n_samples=2)
    assert_array_equal(image_of(display.axes_[0, 1]), volumes[1, 3])
    rebuilt = rebuilt_by(on_volumes, volumes[:2])[:, 3]
    assert_allclose(errors_of(display), np.abs(rebuilt - volumes[:2, 3]), atol=1e-5)


def test_rows_and_frames(fitted, small_digits):
    rows = small_digits.reshape(120, -1)
    frame = pd.DataFrame(rows, columns=[f"pixel{n}" for n in range(64)])
    cae = clone(fitted).set_params(input_shape=(8, 8)).fit(frame)
    display = ReconstructionDisplay.from_estimator(cae, frame, n_samples=2)
    expected = ReconstructionDisplay.from_estimator(fitted, small_digits, n_samples=2)
    assert display.inputs.shape == (2, 8, 8)
    assert_array_equal(display.inputs, expected.inputs)
    assert_array_equal(display.reconstructions, expected.reconstructions)


def test_what_pooled_features_keep_of_images(whitened, small_digits):
    display = ReconstructionDisplay.from_estimator(whitened, small_digits)
    rebuilt = rebuilt_by(whitened, small_digits[:8])
    for axis, image in zip(display.axes_[1], rebuilt, strict=True):
        assert_allclose(image_of(axis), image, atol=1e-5)
    expected = np.abs(rebuilt - small_digits[:8])
    assert_allclose(errors_of(display), expected, atol=1e-5)
    scores = whitened.score_samples(small_digits[:8])
    assert_allclose((expected**2).mean(axis=(1, 2)), -scores, rtol=1e-4)


def test_perfect_reconstructions_of_constant_images():
    X = np.full((2, 5, 4), 7.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = ReconstructionDisplay(inputs=X, reconstructions=X).plot()
        display.figure_.canvas.draw()
    assert_array_equal(errors_of(display), np.zeros((2, 5, 4)))


def test_styles(fitted, small_digits, on_signals, signals):
    display = ReconstructionDisplay.from_estimator(
        fitted,
        small_digits,
        n_samples=1,
        im_kw={"cmap": "gray_r"},
        error_kw={"vmax": 9},
        colorbar=False,
    )
    cmaps = [axis.images[0].get_cmap().name for axis in display.axes_[:, 0]]
    assert cmaps == ["gray_r", "gray_r", "inferno"]
    assert display.axes_[2, 0].images[0].get_clim() == (0, 9)
    assert display.colorbar_ is None
    display = ReconstructionDisplay.from_estimator(
        on_signals, signals, n_samples=1, line_kw={"color": "red"}
    )
    assert display.axes_[1, 0].lines[0].get_color() == "red"
