"""What transform gives does not depend on how samples meet in batches or threads."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from skcae.runtime import inference

from ..conftest import make_small

CONFIGURATIONS = [
    {},
    {"n_components": 4},
    {"padding": "full", "activation": "tanh", "pool_size": 1},
    {"tied_weights": True, "kernel_size": 5, "n_filters": (4, 8)},
    {"pooling": "avg"},
    {
        "n_filters": (6, 2),
        "depthwise": (False, True),
        "activation": ("two_sided", "abs"),
        "whiten": 0.1,
        "pooling": "avg",
        "feature_stages": "all",
        "power": 0.5,
    },
    {
        "n_filters": (6, 2),
        "layerwise": True,
        "pooling": "avg",
        "feature_stages": "all",
        "n_components": 3,
    },
]


@pytest.fixture(params=CONFIGURATIONS, ids=str)
def trained(request, small_digits):
    """Transformers of several kinds."""
    return make_small(**request.param).fit(small_digits)


def test_subsets_and_orders_give_the_same_bits(trained, digits):
    features = trained.transform(digits)
    for size in (1, 2, 3, 7, 130):
        assert_array_equal(trained.transform(digits[:size]), features[:size])
    order = np.random.default_rng(0).permutation(len(digits))
    assert_array_equal(trained.transform(digits[order]), features[order])
    scores = trained.score_samples(digits)
    assert_array_equal(trained.score_samples(digits[-1:]), scores[-1:])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_batches_in_threads_give_the_same_bits(trained, digits, threads, monkeypatch):
    expected = trained.transform(digits)
    monkeypatch.setattr(inference, "is_worth_threads", lambda n: True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert_array_equal(trained.transform(digits), expected)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_training_mode_of_the_module_is_ignored(small_digits):
    cae = make_small(corruption="mask", corruption_level=0.9).fit(small_digits)
    expected = cae.transform(small_digits)
    cae.module_.train()
    assert_array_equal(cae.transform(small_digits), expected)


def test_error_of_a_thread_reaches_the_caller(trained, digits, monkeypatch):
    monkeypatch.setattr(inference, "is_worth_threads", lambda n: True)

    def fail(x):
        raise KeyboardInterrupt

    monkeypatch.setattr(trained.module_, "encode", fail)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyboardInterrupt):
            trained.transform(digits)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_result_that_does_not_fit_says_how_large_it_is():
    with pytest.raises(MemoryError, match=r"\(4000000000000, 1000\) \(.* GiB\)"):
        inference._allocate((4 * 10**12, 1000), "features")


def test_module_works_in_the_units_of_the_data(trained, small_digits):
    x = torch.from_numpy(small_digits[:, None].astype(np.float32))
    module = trained.module_.eval()
    with torch.inference_mode():
        features = module.features(x).numpy()
        rebuilt = module(x)
        same = module.decode(module.encode(x))
    np.testing.assert_allclose(features, trained.transform(small_digits), atol=1e-5)
    assert torch.equal(rebuilt, same)
    np.testing.assert_allclose(
        trained.inverse_transform(features), rebuilt[:, 0], atol=1e-4
    )
    errors = (rebuilt[:, 0].numpy() - small_digits) ** 2
    np.testing.assert_allclose(
        trained.score_samples(small_digits), -errors.mean(axis=(1, 2)), rtol=1e-4
    )


def test_net_predicts_reconstructions(fitted, small_digits):
    predicted = fitted.net_.predict(small_digits[:, None].astype(np.float32))
    rebuilt = fitted.inverse_transform(fitted.transform(small_digits))
    np.testing.assert_allclose(predicted[:, 0], rebuilt, atol=1e-4)


def test_features_go_into_a_memory_map(trained, digits, tmp_path):
    expected = trained.transform(digits)
    out = np.lib.format.open_memmap(
        tmp_path / "features.npy", mode="w+", dtype=np.float32, shape=expected.shape
    )
    assert trained.transform(digits, out=out) is out
    del out
    assert_array_equal(np.load(tmp_path / "features.npy"), expected)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty((120, 63), np.float32), ValueError),
        (np.empty((119, 64), np.float32), ValueError),
        (np.empty((120, 64)), ValueError),
        ([[0.0]], TypeError),
    ],
)
def test_out_that_does_not_fit(out, error, fitted, small_digits):
    with pytest.raises(error, match=r"Got out of .*; expected .* of shape \(120, 64\)"):
        fitted.transform(small_digits, out=out)


def random_architectures(n):
    rng = np.random.default_rng(0)
    for _ in range(n):
        n_stages = rng.integers(1, 3)
        yield (
            {
                "n_filters": tuple(int(k) for k in rng.integers(1, 9, size=n_stages)),
                "kernel_size": int(rng.integers(1, 6)),
                "stride": int(rng.integers(1, 3)),
                "pool_size": int(rng.integers(1, 3)),
                "padding": str(rng.choice(["same", "full"])),
                "tied_weights": bool(rng.integers(2)),
                "n_components": [None, 3][rng.integers(2)],
            },
            tuple(rng.integers(5, 16, size=rng.integers(1, 4))),
        )


def random_encoders(n):
    """Return architectures of whatever changes how samples become features."""
    rng = np.random.default_rng(3)
    names = ["two_sided", "soft_threshold", "triangle", "abs", "relu"]
    for number in range(n):
        n_stages, n_axes = 1 + number % 2, 1 + number % 3
        activations = rng.permutation(names)[:n_stages]
        depthwise = [
            number > 0 and name != "triangle" for number, name in enumerate(activations)
        ]
        pooling = [None, "avg", "max"][rng.integers(3)]
        yield (
            {
                "n_filters": tuple(int(k) for k in rng.integers(2, 7, size=n_stages)),
                "kernel_size": int(rng.integers(2, 6)),
                "pool_size": int(rng.integers(1, 4)),
                "pool_mode": str(rng.choice(["avg", "max"])),
                "depthwise": tuple(depthwise),
                "activation": tuple(map(str, activations)),
                "whiten": [None, 0.1][rng.integers(2)],
                "init": str(rng.choice(["patches", "kmeans"])),
                "pooling": pooling,
                "pool_grid": int(rng.integers(1, 4)),
                "feature_stages": "last" if pooling is None else "all",
                "power": 1.0 if pooling is None else 0.5,
            },
            tuple(rng.integers(7, 16, size=n_axes)),
        )


ARCHITECTURES = [*random_architectures(40), *random_encoders(18)]


@pytest.mark.parametrize(("params", "shape"), ARCHITECTURES)
def test_any_architecture_gives_the_same_bits(params, shape):
    X = np.random.default_rng(1).normal(size=(41, *shape))
    cae = make_small(max_epochs=1, **params).fit(X)
    features, scores = cae.transform(X), cae.score_samples(X)
    rows = np.random.default_rng(2).permutation(41)[:5]
    assert_array_equal(cae.transform(X[rows]), features[rows])
    assert_array_equal(cae.transform(X[:1]), features[:1])
    assert_array_equal(cae.score_samples(X[rows]), scores[rows])


def test_larger_samples_come_in_smaller_batches(digits):
    module_net = make_small(pooling="max").fit(digits[:100]).net_
    small = inference.BatchRunner(module_net, 100)
    large = inference.BatchRunner(module_net, 100, (512, 512))
    assert small.batch_size == 256  # the most
    assert large.batch_size == 2  # the least
    assert large.n_multiplications == small.n_multiplications * (512 / 8) ** 2


def test_loss_of_few_samples_is_their_mean(small_digits):
    cae = make_small(n_components=2, max_epochs=0).fit(small_digits[:3])
    rebuilt = cae.inverse_transform(cae.transform(small_digits[:3]))
    error = (small_digits[:3] - rebuilt) / small_digits[:3].std()
    assert cae.reconstruction_err_ == pytest.approx(0.5 * (error**2).mean(), rel=1e-4)


@pytest.fixture
def as_on_a_device(monkeypatch):
    """Let inference take the CPU for another device."""
    monkeypatch.setattr(inference, "is_cpu", lambda device: False)


@pytest.mark.parametrize(
    "params",
    [{}, {"n_components": 3}, {"pooling": "avg"}, {"max_epochs": 0}],
    ids=str,
)
def test_inference_as_on_a_device(params, digits, request, monkeypatch):
    X = digits.astype(np.uint8)
    cae = make_small(**params).fit(X)
    expected, score = cae.transform(X), cae.score(X)
    request.getfixturevalue("as_on_a_device")
    monkeypatch.setattr(inference, "_DEVICE_VALUES", 2**18)
    runner = inference.BatchRunner(cae.net_, len(X))
    assert runner.batch_size == 2**18 // 256
    features = cae.transform(X)
    np.testing.assert_allclose(features, expected, atol=1e-5)
    assert cae.score(X) == pytest.approx(score)
    order = np.random.default_rng(0).permutation(len(X))[:100]
    np.testing.assert_array_equal(cae.transform(X[order]), features[order])
    np.testing.assert_array_equal(cae.transform(X[:1]), features[:1])
    rebuilt = cae.inverse_transform(features)
    np.testing.assert_array_equal(cae.inverse_transform(features[:3]), rebuilt[:3])


def test_batches_of_a_device_are_larger(fitted, as_on_a_device):
    assert inference.BatchRunner(fitted.net_, 1).batch_size == 4096
    large = inference.BatchRunner(fitted.net_, 1, (2048, 2048))
    assert large.batch_size == 2


def test_channels_last_as_on_a_device(digits, as_on_a_device):
    X = np.stack([digits, -digits, digits**2], axis=-1)[:200]
    cae = make_small(channel_axis=-1).fit(X)
    assert cae.transform(X).shape == (200, 64)
    assert np.isfinite(cae.score(X))
