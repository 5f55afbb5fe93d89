"""The outlier detector: its contract, what it finds, and where."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcae import ConvAutoencoderOutlierDetector, ConvAutoencoderTransformer

from ..conftest import make_small

CRITERIA = ("features", "reconstruction")
NARROW = {"n_filters": 4, "n_components": 2, "max_epochs": 2}
CONFIGURATIONS = [
    {"criterion": "reconstruction"},
    {"autoencoder": ConvAutoencoderTransformer(**NARROW), "contamination": 0.2},
    {"autoencoder": ConvAutoencoderTransformer(n_filters=4, max_epochs=2)},
    {
        "autoencoder": ConvAutoencoderTransformer(**NARROW, corruption="mask"),
        "criterion": "reconstruction",
        "contamination": 0.5,
    },
]


@parametrize_with_checks(
    [ConvAutoencoderOutlierDetector(**params) for params in CONFIGURATIONS]
)
def test_estimator(estimator, check):
    check(estimator)


def make(criterion="features", **params):
    """Return a detector that is fitted in a moment."""
    autoencoder = make_small(**{"n_components": 4} | params)
    return ConvAutoencoderOutlierDetector(autoencoder, criterion=criterion)


@pytest.fixture(scope="module")
def zeros_and_others(digits, digit_labels):
    """Zeros to learn from, further zeros, and other digits."""
    zeros = digits[digit_labels == 0]
    return zeros[:120], zeros[120:], digits[digit_labels != 0][:300]


@pytest.fixture(scope="module", params=CRITERIA)
def default(request, zeros_and_others):
    """A detector with default autoencoder, fitted on zeros; do not fit it again."""
    detector = ConvAutoencoderOutlierDetector(criterion=request.param, random_state=0)
    return detector.fit(zeros_and_others[0])


def test_it_finds_other_digits(default, zeros_and_others):
    _, normal, odd = zeros_and_others
    scores = default.score_samples(np.concatenate([normal, odd]))
    is_normal = np.arange(len(scores)) < len(normal)
    assert roc_auc_score(is_normal, scores) > 0.98


def test_auto_knows_few_outliers_among_normal_samples(default, zeros_and_others):
    train, normal, odd = zeros_and_others
    assert 0 < (default.predict(train) == -1).mean() < 0.1
    assert (default.predict(normal) == -1).mean() < 0.2
    assert (default.predict(odd) == -1).mean() > 0.6


def test_decision(default, zeros_and_others):
    _, _, odd = zeros_and_others
    scores = default.score_samples(odd)
    assert scores.dtype == np.float64
    assert (scores <= 0).all()
    decision = default.decision_function(odd)
    np.testing.assert_array_equal(decision, scores - default.offset_)
    np.testing.assert_array_equal(default.predict(odd), np.where(decision < 0, -1, 1))


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("contamination", [0.05, 0.25, 0.5])
def test_contamination(criterion, contamination, small_digits):
    detector = make(criterion).set_params(contamination=contamination)
    outliers = detector.fit_predict(small_digits) == -1
    assert outliers.mean() == contamination


def test_error_map_is_in_the_layout_of_x(default, zeros_and_others):
    _, _, odd = zeros_and_others
    errors = default.error_map(odd)
    assert errors.shape == odd.shape
    assert errors.dtype == np.float64
    np.testing.assert_allclose(
        errors.mean(axis=(1, 2)), -default.autoencoder_.score_samples(odd)
    )
    rows = default.error_map(odd.reshape(len(odd), -1))
    np.testing.assert_array_equal(rows, errors.reshape(len(odd), -1))


def test_error_map_is_the_squared_difference(small_digits):
    detector = make("reconstruction").fit(small_digits)
    autoencoder = detector.autoencoder_
    rebuilt = autoencoder.inverse_transform(autoencoder.transform(small_digits))
    errors = detector.error_map(small_digits)
    np.testing.assert_allclose(errors, (small_digits - rebuilt) ** 2, rtol=1e-3)
    scores = detector.score_samples(small_digits)
    np.testing.assert_allclose(errors.mean(axis=(1, 2)), -scores)


@pytest.mark.parametrize("channel_axis", [0, -1])
def test_error_map_of_channels(channel_axis, small_digits):
    X = np.stack([small_digits, small_digits[:, ::-1]], axis=channel_axis % 3 + 1)
    detector = make("reconstruction", channel_axis=channel_axis).fit(X)
    changed = X.copy()
    where = [slice(None)] * 4
    where[channel_axis % 3 + 1] = 1
    changed[tuple(where)] += 100
    errors = detector.error_map(changed).swapaxes(1, channel_axis % 3 + 1)
    assert errors.shape[1] == 2
    assert errors[:, 1].mean() > errors[:, 0].mean()


def test_error_map_shows_where(default, zeros_and_others):
    _, normal, _ = zeros_and_others
    scratched = normal.copy()
    scratched[:, 3:5, 3:5] = 16
    errors = default.error_map(scratched)
    share = errors[:, 3:5, 3:5].sum(axis=(1, 2)) / errors.sum(axis=(1, 2))
    assert np.median(share) > 0.3


def test_error_map_of_large_values(small_digits):
    X = small_digits * 1e20
    errors = make("reconstruction").fit(X).error_map(X)
    assert np.isfinite(errors).all()
    assert errors.max() > 1e38


def test_other_layouts(signals, volumes):
    for X in (signals, volumes):
        for criterion in CRITERIA:
            detector = ConvAutoencoderOutlierDetector(
                criterion=criterion, random_state=0
            ).fit(X)
            assert detector.error_map(X).shape == X.shape
            assert set(detector.predict(X)) == {1, -1}


def test_unfitted_autoencoder_stays_unfitted(small_digits):
    given = make_small(random_state=None)
    detector = ConvAutoencoderOutlierDetector(given, random_state=0)
    detector.fit(small_digits)
    assert not hasattr(given, "n_iter_")
    assert given.random_state is None
    again = clone(detector).fit(small_digits)
    expected = detector.score_samples(small_digits)
    np.testing.assert_array_equal(again.score_samples(small_digits), expected)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_fitted_autoencoder_is_copied(criterion, fitted, small_digits):
    before = pickle.dumps(fitted)
    detector = ConvAutoencoderOutlierDetector(fitted, criterion=criterion)
    detector.fit(small_digits[:60])
    assert detector.autoencoder_ is not fitted
    np.testing.assert_array_equal(detector.autoencoder_.filters_, fitted.filters_)
    assert detector.autoencoder_.n_samples_seen_ == len(small_digits)
    assert pickle.dumps(fitted) == before


def test_autoencoder_fitted_on_a_frame(small_digits):
    frame = pd.DataFrame(small_digits.reshape(120, -1)).add_prefix("pixel")
    autoencoder = make_small(input_shape=(8, 8)).fit(frame)
    detector = ConvAutoencoderOutlierDetector(autoencoder).fit(frame)
    assert list(detector.feature_names_in_) == list(frame)
    scores = detector.score_samples(frame)
    np.testing.assert_array_equal(scores, detector.score_samples(small_digits))
    with pytest.raises(ValueError, match="feature names"):
        detector.predict(frame[frame.columns[::-1]])


def test_features_wider_than_samples_are_many(small_digits):
    detector = make(n_components=None, n_filters=64).fit(small_digits[:9])
    scores = detector.score_samples(small_digits)
    assert np.isfinite(scores).all()
    assert np.median(scores[9:]) < np.median(scores[:9])


def test_features_that_do_not_vary(small_digits):
    same = np.repeat(small_digits[:2], 20, axis=0)
    detector = make(n_components=None).fit(same)
    assert np.isfinite(detector.score_samples(small_digits)).all()
    assert (detector.predict(small_digits[2:]) == -1).all()


def test_the_autoencoder_can_be_searched(zeros_and_others):
    train, normal, odd = zeros_and_others
    X = np.concatenate(zeros_and_others)
    y = np.repeat([1, 1, -1], [len(train), len(normal), len(odd)])
    rows = np.arange(len(X))
    search = GridSearchCV(
        make(max_epochs=1),
        {"autoencoder__n_components": [2, 4], "criterion": CRITERIA},
        scoring="roc_auc",
        cv=[(rows[: len(train)], rows[len(train) :])],
        refit=False,
    )
    assert search.fit(X, y).best_score_ > 0.9


@pytest.mark.parametrize("criterion", CRITERIA)
def test_files(criterion, small_digits):
    detector = make(criterion).fit(small_digits)
    expected = detector.decision_function(small_digits)
    data = skops.io.dumps(detector)
    trusted = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("skcae.") for name in trusted)
    for loaded in (
        pickle.loads(pickle.dumps(detector)),
        copy.deepcopy(detector),
        skops.io.loads(data, trusted=trusted),
    ):
        np.testing.assert_array_equal(loaded.decision_function(small_digits), expected)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("signal", {"kernel_size": 15, "whiten": None, "pool_grid": 8}),
        (
            "grey",
            {"whiten": 10.0, "threshold": 1.0, "pool_grid": 3},
        ),
        ("volume", {"whiten": 10.0, "threshold": 1.0, "pool_grid": 2}),
    ],
)
def test_documented_default_autoencoder(kind, changes, signals, digits, volumes):
    X = {"signal": signals, "grey": digits[:60], "volume": volumes[:20]}[kind]
    detector = ConvAutoencoderOutlierDetector(random_state=0).fit(X)
    expected = {
        "recipe": kind,
        "n_filters": (16, 4),
        "feature_stages": "last",
        "init": "random",
        "sparsity_level": 0.1,
        "max_epochs": 3,
        "random_state": 0,
    }
    expected = ConvAutoencoderTransformer(**expected | changes)
    assert detector.transformer_.get_params() == expected.get_params()
    narrow = ConvAutoencoderTransformer(
        recipe="tutorial",
        n_filters=(16, 32),
        n_components=16,
        max_samples=1280,
        random_state=0,
    )
    assert detector.autoencoder_.get_params() == narrow.get_params()


def test_one_autoencoder_is_enough_where_one_is_given(small_digits):
    detector = make().fit(small_digits)
    assert detector.transformer_ is detector.autoencoder_
    loaded = pickle.loads(pickle.dumps(detector))
    assert loaded.transformer_ is loaded.autoencoder_
    for given in (None, make_small()):
        detector = ConvAutoencoderOutlierDetector(given, criterion="reconstruction")
        detector.fit(small_digits)
        assert detector.transformer_ is None
        assert detector.pca_ is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"autoencoder": "cae"}, "'autoencoder' parameter"),
        ({"criterion": "distance"}, "'criterion' parameter"),
        ({"contamination": 0.0}, "'contamination' parameter"),
        ({"contamination": 0.6}, "'contamination' parameter"),
        ({"contamination": "few"}, "'contamination' parameter"),
    ],
)
def test_parameters_out_of_range(params, message, small_digits):
    with pytest.raises(ValueError, match=message):
        ConvAutoencoderOutlierDetector(**params).fit(small_digits)


def test_samples_of_another_shape(fitted, small_digits):
    with pytest.raises(ValueError, match="Resize the samples"):
        ConvAutoencoderOutlierDetector(fitted).fit(np.zeros((5, 9, 9)))
    detector = make().fit(small_digits)
    for method in (detector.predict, detector.error_map):
        with pytest.raises(ValueError, match="OutlierDetector was fitted on samples"):
            method(np.zeros((5, 9, 9)))


def test_one_sample_is_too_few(fitted, small_digits):
    for autoencoder in (None, make_small(), fitted):
        with pytest.raises(ValueError, match="1 sample.*; expected at least 2"):
            ConvAutoencoderOutlierDetector(autoencoder).fit(small_digits[:1])


def test_a_failed_fit_leaves_the_previous_one(small_digits):
    detector = make().fit(small_digits)
    expected = detector.score_samples(small_digits)
    with pytest.raises(ValueError, match="NaN"):
        detector.fit(np.full((4, 8, 8), np.nan))
    np.testing.assert_array_equal(detector.score_samples(small_digits), expected)
