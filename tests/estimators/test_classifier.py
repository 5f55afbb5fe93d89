"""The classifier: what it learns from which samples, and how it fits in."""

import pickle

import numpy as np
import pytest
import skops.io
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import LRScheduler

from skcae import ConvAutoencoderClassifier, recipes
from skcae.training.fine_tuning import FrozenFeatures

from ..conftest import assert_same_weights, make_small, weights_of

PARAMS = {"max_epochs": 3, "random_state": 0}


def make(autoencoder=None, **params):
    """Return a classifier that trains in a moment."""
    if autoencoder is None:
        autoencoder = make_small()
    return ConvAutoencoderClassifier(autoencoder, **PARAMS | params)


@pytest.fixture(scope="module")
def few_labels(labels):
    """Labels of the first 60 of `small_digits`, -1 for the others."""
    return np.where(np.arange(120) < 60, labels, -1)


@pytest.fixture(scope="module")
def classifier(fitted, small_digits, labels):
    """A classifier fitted on `small_digits`; do not fit it again."""
    return make(fitted).fit(small_digits, labels)


def test_learns_digits(digits, digit_labels):
    cae = make_small(**recipes["small"] | {"n_filters": 32, "random_state": 0})
    model = ConvAutoencoderClassifier(cae, shift=1, max_epochs=8, random_state=0)
    model.fit(digits[:400], digit_labels[:400])
    assert model.score(digits[400:], digit_labels[400:]) > 0.93


def test_probabilities(classifier, small_digits):
    probabilities = classifier.predict_proba(small_digits)
    assert probabilities.shape == (120, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    predicted = classifier.classes_[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(predicted, classifier.predict(small_digits))


def test_module_gives_the_logits(classifier, small_digits):
    x = torch.from_numpy(small_digits[:, None].astype(np.float32))
    with torch.no_grad():
        probabilities = classifier.module_(x).softmax(dim=1).numpy()
    expected = classifier.predict_proba(small_digits)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_predictions_do_not_depend_on_the_batch(classifier, digits):
    together = classifier.predict_proba(digits)
    apart = [classifier.predict_proba(digits[i : i + 1]) for i in (0, 700, 1796)]
    np.testing.assert_array_equal(np.concatenate(apart), together[[0, 700, 1796]])


def test_has_no_decision_function(classifier):
    assert not hasattr(classifier, "decision_function")


# Which samples teach what.


def test_unlabelled_samples_train_the_autoencoder_alone(small_digits, few_labels):
    model = make().fit(small_digits, few_labels)
    np.testing.assert_array_equal(model.classes_, np.arange(10))
    expected = make_small().fit(small_digits).filters_
    np.testing.assert_array_equal(model.autoencoder_.filters_, expected)


def test_unlabelled_samples_do_not_reach_the_head(fitted, small_digits, few_labels):
    model = make(fitted, max_epochs=2).fit(small_digits, few_labels)
    others = small_digits.copy()
    others[60:] = others[60:][::-1]
    again = make(fitted, max_epochs=2).fit(others, few_labels)
    for first, second in zip(model.history_, again.history_, strict=True):
        # The scale of the features sees all samples, but in no order.
        assert first["train_loss"] == pytest.approx(second["train_loss"], rel=1e-4)


def test_a_fitted_autoencoder_does_not_change(fitted, small_digits, labels):
    before = fitted.transform(small_digits)
    model = make(fitted, lr=0.1).fit(small_digits, labels)
    np.testing.assert_array_equal(fitted.transform(small_digits), before)
    np.testing.assert_array_equal(model.autoencoder_.transform(small_digits), before)
    tuned = model.module_.encoder.filters.detach().numpy()
    assert not np.allclose(tuned, fitted.filters_)


def test_an_unfitted_autoencoder_stays_so(small_digits, labels):
    cae = make_small()
    make(cae).fit(small_digits, labels)
    assert not hasattr(cae, "n_iter_")


def test_default_autoencoder(small_digits, labels):
    model = ConvAutoencoderClassifier(random_state=0, max_epochs=0)
    model.fit(small_digits[:40], labels[:40])
    again = clone(model).fit(small_digits[:40], labels[:40])
    assert_same_weights(model, again)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b", "c"] * 30, ["a", "b", "c"]),
        (np.array(["b", -1, "a", "b"] * 30, dtype=object), ["a", "b"]),
        (np.array([3, -1, 5, -1] * 30, dtype=object), [3, 5]),
        (np.array([2.0, -1.0, 7.0, 2.0] * 30), [2.0, 7.0]),
        (np.array([True, False] * 60), [False, True]),
        (np.array([0, 255, 1, 0] * 30, dtype=np.uint8), [0, 1, 255]),
        (np.array([-1, 1] * 60), [-1, 1]),
    ],
    ids=["strings", "objects", "numbers", "floats", "booleans", "unsigned", "signs"],
)
def test_any_type_of_label(fitted, small_digits, y, classes):
    model = make(fitted).fit(small_digits, y)
    assert model.classes_.tolist() == classes
    assert set(model.predict(small_digits)) <= set(classes)
    assert model.predict_proba(small_digits).shape == (120, len(classes))


def test_one_class(fitted, small_digits):
    model = make(fitted).fit(small_digits, np.full(120, "only"))
    assert set(model.predict(small_digits)) == {"only"}


# Weights.


def test_weight_zero_is_no_label(fitted, small_digits, labels, few_labels):
    weights = (few_labels != -1).astype(float)
    expected = make(fitted).fit(small_digits, few_labels)
    model = make(fitted).fit(small_digits, labels, sample_weight=weights)
    assert_same_weights(model, expected)


def test_only_ratios_of_weights_matter(fitted, small_digits, labels):
    expected = make(fitted).fit(small_digits, labels)
    model = make(fitted).fit(small_digits, labels, sample_weight=np.full(120, 7.0))
    assert_same_weights(model, expected)


@pytest.mark.parametrize("head_init", ["ridge", "zeros"])
def test_heavy_classes_are_predicted_more_often(
    fitted, digits, small_digits, labels, head_init
):
    params = {"head_init": head_init, "frozen_epochs": "all", "lr": 0.01}
    for seed in range(3):
        # Of training samples the right class is certain, whatever it weighs.
        counts = [
            make(fitted, class_weight=weight, random_state=seed, **params)
            .fit(small_digits, labels)
            .predict_proba(digits[120:620])[:, 3]
            .mean()
            for weight in (None, {3: 50.0})
        ]
        assert counts[1] > counts[0] + 0.01


def test_balanced_weights_are_those_of_scikit_learn(fitted, small_digits, labels):
    y = np.where(labels < 8, 0, 1)
    by_class = make(fitted, class_weight="balanced").fit(small_digits, y)
    weights = np.where(y == 0, 60 / (y == 0).sum(), 60 / (y == 1).sum())
    by_sample = make(fitted).fit(small_digits, y, sample_weight=weights)
    assert_same_weights(by_class, by_sample)


# Freezing.


@pytest.mark.parametrize("params", [{}, {"shift": 1}], ids=["cached", "views"])
def test_a_frozen_encoder_stays(fitted, small_digits, labels, params):
    model = make(fitted, frozen_epochs="all", lr=0.1, **params)
    model.fit(small_digits, labels)
    tuned = model.module_.encoder.filters.detach().numpy()
    np.testing.assert_array_equal(tuned, fitted.filters_)
    assert [row["frozen"] for row in model.history_] == [True] * 3
    losses = [row["train_loss"] for row in model.history_]
    start = make(fitted, max_epochs=0).fit(small_digits, labels)
    assert losses[-1] < losses[0]
    assert not np.array_equal(weights_of(model)["weight"], weights_of(start)["weight"])


def test_frozen_epochs_come_first(fitted, small_digits, labels):
    model = make(fitted, frozen_epochs=2).fit(small_digits, labels)
    assert [row["frozen"] for row in model.history_] == [True, True, False]
    assert [row["epoch"] for row in model.history_] == [1, 2, 3]
    assert model.n_iter_ == 3


def test_features_of_a_frozen_encoder_are_computed_once(
    fitted, small_digits, labels, monkeypatch
):
    seen = []
    loss = FrozenFeatures.loss

    def spying(self, net, context, x, target):
        seen.append(x.shape[1:])
        return loss(self, net, context, x, target)

    monkeypatch.setattr(FrozenFeatures, "loss", spying)
    make(fitted, frozen_epochs="all").fit(small_digits, labels)
    assert set(seen) == {(1, 64)}
    assert len(seen) == 3 * 4


def test_without_epochs_it_is_the_ridge_regression(fitted, small_digits, labels):
    model = make(fitted, max_epochs=0).fit(small_digits, labels)
    assert model.history_ == []
    assert model.score(small_digits, labels) > 0.9
    zeros = make(fitted, max_epochs=0, head_init="zeros").fit(small_digits, labels)
    np.testing.assert_allclose(zeros.predict_proba(small_digits), 0.1)


# Training.


def test_early_stopping_restores_the_best_weights(fitted, small_digits, labels):
    model = make(
        fitted,
        early_stopping=True,
        validation_fraction=0.3,
        lr=0.3,
        lr_schedule="constant",
        head_init="zeros",
        max_epochs=20,
        n_iter_no_change=4,
    ).fit(small_digits, labels)
    losses = [row["valid_loss"] for row in model.history_]
    assert model.n_iter_ < 20
    best = np.argmin(losses)
    assert best < len(losses) - 1
    shorter = clone(model).set_params(max_epochs=int(best) + 1)
    assert_same_weights(model, shorter.fit(small_digits, labels))


@pytest.mark.parametrize(
    "params",
    [
        {"shift": 1},
        {"flip": True},
        {"dropout": 0.5},
        {"label_smoothing": 0.2},
        {"class_weight": "balanced"},
        {"optimizer": "sgd"},
        {"lr": 0.01},
        {"encoder_lr": 0.01},
        {"lr_schedule": "constant"},
        {"weight_decay": 0.1},
        {"batch_size": 10},
        {"max_epochs": 2},
        {"frozen_epochs": 1},
        {"head_init": "zeros"},
        {"random_state": 1},
        {"early_stopping": True},
        {"net_params": {"optimizer__betas": (0.5, 0.9)}},
    ],
    ids=lambda params: next(iter(params)),
)
def test_every_parameter_changes_the_fit(
    classifier, fitted, small_digits, labels, params
):
    model = make(fitted, **params).fit(small_digits, labels)
    assert not np.array_equal(
        weights_of(model)["weight"], weights_of(classifier)["weight"]
    )


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"shift": 1, "flip": True, "dropout": 0.3},
        {"early_stopping": True, "validation_fraction": 0.2},
    ],
    ids=["default", "random", "early_stopping"],
)
def test_same_seed_same_bits(small_digits, labels, params):
    before = torch.get_rng_state()
    first = make(**params).fit(small_digits, labels)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert_same_weights(first, make(**params).fit(small_digits, labels))


def test_epochs_of_a_schedule_keep_no_books_of_batches(classifier):
    assert classifier.net_.history[-1]["batches"] == []


def test_callbacks_of_the_user(fitted, small_digits, labels):
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.1)
    model = make(fitted, lr_schedule="constant", callbacks=[("steps", schedule)])
    model.fit(small_digits, labels)
    rates = [row["event_lr"] for row in model.net_.history]
    np.testing.assert_allclose(rates, [1e-3, 1e-4, 1e-5])


def test_ctrl_c_reaches_the_caller(fitted, small_digits, labels, monkeypatch):
    def interrupted(self, net, context, x, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(FrozenFeatures, "loss", interrupted)
    model = make(fitted, frozen_epochs=1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(small_digits, labels)
    assert not model.__sklearn_is_fitted__()
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    "params",
    [
        {"whiten": 0.1, "pooling": "avg", "power": 0.5, "activation": "two_sided"},
        {"n_filters": (4, 2), "depthwise": (False, True), "feature_stages": "all"}
        | {"pooling": "max", "layerwise": True},
        {"n_components": 5},
        {"n_filters": (4, 2), "layerwise": True, "n_components": 5, "power": 0.5}
        | {"pooling": "avg", "feature_stages": "all"},
        {"activation": "triangle", "tied_weights": True},
        {"padding": "full", "pool_size": 1, "activation": "tanh"},
    ],
    ids=["whitened", "stack", "dense", "components", "tied", "textbook"],
)
def test_every_kind_of_encoder_is_tuned(small_digits, labels, params):
    model = make(make_small(**params), lr=0.01).fit(small_digits, labels)
    before = model.autoencoder_.module_.state_dict()
    for name, tensor in model.module_.encoder.named_parameters():
        assert torch.isfinite(tensor).all()
        if name.endswith("convolution.weight") or name == "dense.components":
            assert not torch.equal(tensor, before[name]), name
    assert model.history_[-1]["train_loss"] < 1.5
    # Blank samples are where roots have no slope.
    blank = np.zeros((2, 8, 8))
    assert np.isfinite(model.predict_proba(blank)).all()


def test_blank_parts_of_samples_give_finite_gradients(small_digits, labels):
    X = small_digits.copy()
    X[:, :4] = 0
    cae = make_small(pooling="max", power=0.5, pool_grid=4)
    model = make(cae, max_epochs=2).fit(X, labels)
    assert np.isfinite(model.predict_proba(X)).all()


# Data of other kinds.


def test_colours_rows_and_signals(digits, labels, signals):
    colours = np.stack([digits[:120], 16 - digits[:120]], axis=-1)
    cae = make_small(channel_axis=-1)
    expected = make(cae, shift=1, flip=True).fit(colours, labels)
    rows = make(cae.set_params(input_shape=(8, 8, 2)), shift=1, flip=True)
    rows.fit(colours.reshape(120, -1), labels)
    assert_same_weights(expected, rows)
    y = np.arange(60) % 2
    model = make(shift=2, flip=True).fit(signals, y)
    assert model.input_shape_ == (40,)


def test_volumes(volumes):
    model = make(shift=1, flip=True).fit(volumes, np.arange(40) % 3)
    assert model.predict(volumes).shape == (40,)


# Beside other estimators.


def test_grid_search_and_pipeline(small_digits, labels):
    pipeline = make_pipeline(FunctionTransformer(lambda X: X / 16), make())
    name = "convautoencoderclassifier__autoencoder__n_filters"
    search = GridSearchCV(pipeline, {name: [2, 4]}, cv=2)
    search.fit(small_digits, labels)
    assert search.best_estimator_[-1].autoencoder_.filters_.shape[0] in (2, 4)


def test_calibration_and_cross_validation(fitted, small_digits, labels):
    calibrated = CalibratedClassifierCV(make(fitted), cv=2, ensemble=False)
    assert calibrated.fit(small_digits, labels).score(small_digits, labels) > 0.7
    assert cross_val_score(make(fitted), small_digits, labels, cv=2).mean() > 0.5


def test_pickles(classifier, small_digits):
    data = pickle.dumps(classifier)
    assert b"torch" not in data
    expected = classifier.predict_proba(small_digits)
    loaded = pickle.loads(data)
    np.testing.assert_array_equal(loaded.predict_proba(small_digits), expected)


def test_skops(classifier, small_digits):
    data = skops.io.dumps(classifier)
    trusted = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("skcae.") for name in trusted)
    loaded = skops.io.loads(data, trusted=trusted)
    expected = classifier.predict(small_digits)
    np.testing.assert_array_equal(loaded.predict(small_digits), expected)


def test_a_refit_forgets_the_fit_before(small_digits, labels):
    model = make().fit(small_digits, labels)
    model.fit(small_digits[:50], labels[:50] % 2)
    assert_same_weights(model, make().fit(small_digits[:50], labels[:50] % 2))


def test_bfloat16(fitted, small_digits, labels):
    exact = make(fitted).fit(small_digits, labels)
    rounded = make(fitted, precision="bfloat16").fit(small_digits, labels)
    weights = weights_of(exact)["weight"], weights_of(rounded)["weight"]
    assert not np.array_equal(*weights)
    np.testing.assert_allclose(*weights, atol=0.05)


@pytest.mark.slow
def test_compiled(fitted, small_digits, labels):
    plain = make(fitted, shift=1).fit(small_digits, labels)
    compiled = make(fitted, shift=1, compile=True).fit(small_digits, labels)
    np.testing.assert_allclose(
        compiled.predict_proba(small_digits),
        plain.predict_proba(small_digits),
        atol=1e-4,
    )
