"""What is drawn is what the estimator holds; what cannot be drawn is refused."""

import io
import sys
import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from conftest import make_small
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skcae import (
    ConvAutoencoderTransformer,
    FeatureMapDisplay,
    FilterDisplay,
    ReconstructionDisplay,
    TrainingCurveDisplay,
)

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402

DISPLAYS = [
    ReconstructionDisplay,
    FilterDisplay,
    TrainingCurveDisplay,
    FeatureMapDisplay,
]
# Filters of 3 pixels a side are drawn 4 times as large, with gaps of 1.
TIMES, CELL = 4, 13


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def photographs():
    """Pieces of a photograph, (60, 8, 8, 3) uint8."""
    photograph = load_sample_images().images[1][40:88, 240:320]
    pieces = photograph.reshape(6, 8, 10, 8, 3).swapaxes(1, 2)
    return pieces.reshape(60, 8, 8, 3)


@pytest.fixture(scope="module")
def on_photographs(photographs):
    """A transformer fitted on `photographs`; do not fit it again."""
    return make_small(channel_axis=-1).fit(photographs)


@pytest.fixture(scope="module")
def on_signals(signals):
    """Two stages, trained one by one on `signals`; do not fit it again."""
    cae = make_small(n_filters=(6, 5), layerwise=True, early_stopping=True)
    return cae.fit(signals)


@pytest.fixture(scope="module")
def on_volumes(volumes):
    """A transformer fitted on `volumes`; do not fit it again."""
    return make_small(n_filters=(3, 2)).fit(volumes)


@pytest.fixture(scope="module")
def whitened(small_digits):
    """A whitening transformer with pooled features; do not fit it again."""
    return make_small(n_filters=(4, 3), whiten=0.1, pooling="avg").fit(small_digits)


def rebuilt_by(cae, X):
    return cae.inverse_transform(cae.transform(X))


def from_estimator(cls, cae, X, **params):
    """Make any of the displays."""
    takes_samples = cls in (ReconstructionDisplay, FeatureMapDisplay)
    return cls.from_estimator(cae, *[X] if takes_samples else [], **params)


def image_of(axis):
    (image,) = axis.images
    return np.asarray(image.get_array())


def errors_of(display):
    return np.stack([image_of(axis) for axis in display.axes_[2]])


# %% Reconstructions


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
    assert_allclose(errors_of(display), np.abs(rebuilt - photographs[:2, ..., 1]))


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


def test_what_has_no_inverse_transform_is_rebuilt_too(whitened, small_digits):
    assert not hasattr(whitened, "inverse_transform")
    errors = errors_of(ReconstructionDisplay.from_estimator(whitened, small_digits))
    scores = whitened.score_samples(small_digits[:8])
    assert_allclose((errors**2).mean(axis=(1, 2)), -scores, rtol=1e-3)


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


# %% Filters


def tiles_of(display, n_rows, n_cols):
    """Cut the drawing of 3 x 3 filters into pieces."""
    image = np.asarray(display.im_.get_array())
    assert image.shape[:2] == (n_rows * CELL - 1, n_cols * CELL - 1)
    places = [(row, col) for row in range(n_rows) for col in range(n_cols)]
    return np.stack(
        [
            image[row * CELL :, col * CELL :][: CELL - 1 : TIMES, : CELL - 1 : TIMES]
            for row, col in places
        ]
    )


def test_every_filter(fitted):
    display = FilterDisplay.from_estimator(fitted, n_cols=3, normalize="all")
    tiles = tiles_of(display, 2, 3)
    assert_array_equal(tiles[:4], fitted.filters_[:, 0])
    assert_array_equal(display.filters, fitted.filters_)
    limit = np.abs(fitted.filters_).max()
    assert_allclose(display.im_.get_clim(), (-limit, limit))
    assert_allclose((display.colorbar_.vmin, display.colorbar_.vmax), (-limit, limit))
    assert display.ax_.get_title() == "Stage 1: 4 filters of 3 × 3"


def test_each_filter_by_its_largest_weight(fitted):
    display = FilterDisplay.from_estimator(fitted, n_cols=2)
    tiles = tiles_of(display, 2, 2)
    largest = np.abs(fitted.filters_[:, 0]).max(axis=(1, 2), keepdims=True)
    assert_allclose(tiles, fitted.filters_[:, 0] / largest, rtol=1e-6)
    assert display.im_.get_clim() == (-1, 1)
    assert display.colorbar_ is None


@pytest.mark.parametrize("normalize", ["all", "each"])
@pytest.mark.parametrize("shape", [(3, 1, 3, 3), (3, 1, 5), (3, 3, 3, 3, 3)])
def test_constant_filters(shape, normalize):
    filters = np.zeros(shape, dtype=np.float32)
    filters[1] = 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weights in (filters, filters[:1]):
            display = FilterDisplay(filters=weights).plot(normalize=normalize)
            display.figure_.canvas.draw()


def test_colours_of_filters(on_photographs):
    display = FilterDisplay.from_estimator(on_photographs, n_cols=4, normalize="all")
    tiles = tiles_of(display, 1, 4)
    limit = np.abs(on_photographs.filters_).max()
    expected = np.moveaxis(on_photographs.filters_, 1, -1) / (2 * limit) + 0.5
    assert_allclose(tiles[..., :3], expected, atol=1e-6)
    assert display.colorbar_ is None


def test_filters_of_signals_are_curves(on_signals):
    display = FilterDisplay.from_estimator(on_signals, n_cols=3, normalize="all")
    filters, limit = on_signals.filters_[:, 0], np.abs(on_signals.filters_).max()
    assert display.im_ is None
    for number, (line, weights) in enumerate(zip(display.lines_, filters, strict=True)):
        row, column = divmod(number, 3)
        x, y = line.get_data()
        assert column < x.min() <= x.max() < column + 1
        middle = 2 - row - 0.5
        scale = (y - middle)[np.abs(weights).argmax()] / weights[
            np.abs(weights).argmax()
        ]
        assert_allclose(y - middle, scale * weights, atol=1e-6)
        assert_allclose(scale * limit, 0.42)


def test_filters_of_later_stages(on_signals, on_volumes):
    display = FilterDisplay.from_estimator(on_signals, stage=2, n_cols=5)
    weights = on_signals.module_.encoder[1].convolution.weight.detach().numpy()
    assert_array_equal(display.filters, weights)
    # Six channels of three weights: rows of an image, twice as large.
    image = np.asarray(display.im_.get_array())
    assert image.shape == (12, 5 * 7 - 1)
    largest = np.abs(weights).max(axis=(1, 2))
    for number in range(5):
        tile = image[::2, 7 * number :][:, :6:2]
        assert_allclose(tile, weights[number] / largest[number], rtol=1e-6)
    display = FilterDisplay.from_estimator(on_volumes, stage=2, n_cols=2)
    assert display.ax_.get_title() == "Stage 2: 2 filters of 3 × 3 × 3 × 3"
    # Rows of channels, columns of slices.
    weights = display.filters[1] / np.abs(display.filters[1]).max()
    image = np.asarray(display.im_.get_array())
    block = image[:, 3 * CELL - 1 + 6 :]
    assert block.shape == (3 * CELL - 1, 3 * CELL - 1)
    for channel in range(3):
        for number in range(3):
            tile = block[channel * CELL :: TIMES, number * CELL :: TIMES][:3, :3]
            assert_allclose(tile, weights[channel, number], rtol=1e-6)


def test_slices_of_the_filters_of_volumes(on_volumes):
    display = FilterDisplay.from_estimator(on_volumes, n_cols=1, normalize="all")
    image = np.asarray(display.im_.get_array())
    assert image.shape == (3 * 12 + 2 * 6, 3 * CELL - 1)
    for number, weights in enumerate(on_volumes.filters_[:, 0]):
        row = image[number * 18 :: TIMES][:3]
        tiles = [row[:, piece * CELL :: TIMES][:, :3] for piece in range(3)]
        assert_array_equal(np.stack(tiles), weights)


def test_slices_of_colours():
    filters = np.random.default_rng(0).normal(size=(2, 3, 4, 3, 3))
    display = FilterDisplay(filters=filters).plot(n_cols=1, normalize="all")
    image = np.asarray(display.im_.get_array())
    assert image.shape == (2 * 12 + 6, 4 * CELL - 1, 4)
    weights = filters[1, :, 3] / (2 * np.abs(filters).max()) + 0.5
    drawn = image[18::TIMES, 3 * CELL :: TIMES, :3]
    assert_allclose(drawn, np.moveaxis(weights, 0, -1))


def test_depthwise_filters(small_digits):
    cae = make_small(n_filters=(3, 2), depthwise=(False, True)).fit(small_digits)
    display = FilterDisplay.from_estimator(cae, stage=2)
    assert display.ax_.get_title() == "Stage 2: 2 filters of 3 × 3"


# %% Losses


def losses_of(cae, name):
    return [row[name] for row in cae.history_]


def test_training_curve(fitted):
    display = TrainingCurveDisplay.from_estimator(fitted)
    (line,) = display.lines_
    assert_array_equal(line.get_xdata(), [1, 2])
    assert_array_equal(line.get_ydata(), losses_of(fitted, "train_loss"))
    assert display.valid_loss is None
    assert display.stages is None
    assert display.ax_.get_xlabel() == "Epoch"
    assert display.ax_.get_ylabel() == "Loss"
    assert display.ax_.get_yscale() == "linear"


def test_stages_have_curves_of_their_own(on_signals):
    display = TrainingCurveDisplay.from_estimator(on_signals, yscale="log")
    losses = [losses_of(on_signals, name) for name in ("train_loss", "valid_loss")]
    parts = [part for row in losses for part in (row[:2], row[2:])]
    for line, epochs, part in zip(
        display.lines_, [(1, 2), (3, 4)] * 2, parts, strict=True
    ):
        assert_array_equal(line.get_xdata(), epochs)
        assert_array_equal(line.get_ydata(), part)
    assert display.ax_.get_yscale() == "log"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["training", "validation"]
    assert [text.get_text() for text in display.ax_.texts] == ["stage 1", "stage 2"]


def test_numbers_of_a_log_scale(on_signals):
    display = TrainingCurveDisplay.from_estimator(on_signals, yscale="log")
    display.figure_.canvas.draw()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert any(labels)
    for label in filter(None, labels):
        assert float(label) > 0


def test_the_history_of_skorch(on_signals):
    display = TrainingCurveDisplay.from_estimator(on_signals.net_)
    assert_array_equal(display.train_loss, losses_of(on_signals, "train_loss"))
    assert_array_equal(display.valid_loss, losses_of(on_signals, "valid_loss"))


def test_validation_that_began_later(small_digits):
    cae = make_small(warm_start=True).fit(small_digits)
    cae.fit(small_digits, X_val=small_digits[:9])
    display = TrainingCurveDisplay.from_estimator(cae)
    assert_array_equal(np.isnan(display.valid_loss), [True, True, False, False])


def test_a_single_epoch_is_seen(small_digits):
    cae = make_small(max_epochs=1).fit(small_digits)
    (line,) = TrainingCurveDisplay.from_estimator(cae).lines_
    assert line.get_marker() == "o"


# %% Feature maps


def test_maps_are_the_features(fitted, small_digits):
    display = FeatureMapDisplay.from_estimator(
        fitted, small_digits, sample=5, normalize="all"
    )
    (maps,) = display.maps
    features = fitted.transform(small_digits[5:6])
    assert_array_equal(maps.ravel(), features[0])
    assert_array_equal(display.sample, small_digits[5])
    # Input, then maps of 4 x 4 pixels, three times as large.
    assert len(display.axes_) == 2
    assert_array_equal(image_of(display.axes_[0])[::2, :16:2], small_digits[5])
    image = image_of(display.axes_[1])
    assert_array_equal(
        [image[::3, 13 * number :][:, :12:3] for number in range(4)], maps
    )
    assert display.axes_[1].images[0].get_clim() == (maps.min(), maps.max())
    titles = [axis.get_title(loc="left") for axis in display.axes_]
    assert titles == ["Input", "Stage 1: 4 maps of 4 × 4"]


def test_each_map_has_all_greys(fitted, small_digits):
    display = FeatureMapDisplay.from_estimator(fitted, small_digits, sample=-1)
    image = image_of(display.axes_[1])
    for number, values in enumerate(display.maps[0]):
        tile = image[::3, 13 * number :][:, :12:3]
        span = (values.max() - values.min()) or 1
        assert_allclose(tile, (values - values.min()) / span, atol=1e-6)


def test_the_whitened_sample(whitened, small_digits):
    display = FeatureMapDisplay.from_estimator(whitened, small_digits, n_maps=2)
    titles = [axis.get_title(loc="left") for axis in display.axes_]
    assert titles == [
        "Input",
        "Whitened",
        "Stage 1: 2 of 4 maps of 4 × 4",
        "Stage 2: 2 of 3 maps of 2 × 2",
    ]
    assert display.whitened.shape == (8, 8)
    assert_array_equal(image_of(display.axes_[1])[::2, :16:2], display.whitened)
    # Pooled over the grid, the last maps are the features.
    assert display.maps[1].shape == (3, 2, 2)
    features = whitened.transform(small_digits[:1])
    assert_allclose(display.maps[1].ravel(), features[0], rtol=1e-5)


def test_samples_of_another_size(whitened, digits):
    X = np.concatenate([digits[:2], digits[2:4]], axis=2)
    display = FeatureMapDisplay.from_estimator(whitened, X)
    assert [maps.shape for maps in display.maps] == [(4, 4, 8), (3, 2, 4)]


def test_maps_of_signals_are_curves(on_signals, signals):
    display = FeatureMapDisplay.from_estimator(on_signals, signals, n_cols=3)
    assert [maps.shape for maps in display.maps] == [(6, 20), (5, 10)]
    assert [len(axis.lines) for axis in display.axes_] == [1, 6, 5]
    line = display.axes_[0].lines[0].get_ydata()
    assert_allclose(np.corrcoef(line, signals[0])[0, 1], 1.0)


def test_maps_of_volumes_and_colours(on_volumes, volumes, on_photographs, photographs):
    display = FeatureMapDisplay.from_estimator(on_volumes, volumes)
    assert_array_equal(image_of(display.axes_[0])[::2, :16:2], volumes[0, 3])
    assert [maps.shape for maps in display.maps] == [(3, 3, 4, 4), (2, 2, 2, 2)]
    display = FeatureMapDisplay.from_estimator(on_photographs, photographs)
    drawn = image_of(display.axes_[0])[::2, :16:2, :3]
    assert_allclose(drawn, photographs[0] / 255)


# %% Axes and figures


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


# %% What is refused

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
