"""How filters are learnt: objectives, stages in turn, starts, fitted decoders."""

import copy
import itertools
import pickle

import joblib
import numpy as np
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler

from skcae.data.samples import Layout, Samples
from skcae.nn.autoencoder import ConvAutoencoder
from skcae.params.architecture import Architecture
from skcae.params.stage import Stage
from skcae.training import decoder_fit
from skcae.training.batches import Batches
from skcae.training.decoder_fit import fit_decoder
from skcae.training.objectives import WinnerTakeAll

from ..conftest import make_small

STACK = {"n_filters": (4, 6), "layerwise": True}
WINNERS = {"sparsity": "winner_take_all", "init": "kmeans", "sparsity_level": 0.2}
CONFIGURATIONS = {
    "stack": STACK,
    "denoising-stack": {**STACK, "corruption": "mask", "activation": "tanh"},
    "tied-stack": {**STACK, "tied_weights": True, "activation": "two_sided"},
    "l1": {"sparsity": "l1", "sparsity_level": 0.01},
    "l1-stack": {**STACK, "sparsity": "l1", "activation": "soft_threshold"},
    "winners": {**WINNERS, "crop_size": 5, "max_samples": 50},
    "winners-whitened": {**WINNERS, "whiten": 0.1, "activation": "triangle"},
    "winners-stack": {**STACK, **WINNERS, "padding": "valid", "pool_mode": "avg"},
    "winners-depthwise": {
        **STACK,
        **WINNERS,
        "n_filters": (4, 2),
        "depthwise": (False, True),
        "activation": "two_sided",
        "crop_size": 6,
    },
    "patches": {"init": "patches", "max_epochs": 0, "padding": "full"},
    "kmeans-trained": {"init": "kmeans", "whiten": 0.5, "activation": "abs"},
}
every_configuration = pytest.mark.parametrize(
    "params", CONFIGURATIONS.values(), ids=CONFIGURATIONS
)


def weights_of(cae):
    """Return a copy of all weights."""
    return {name: tensor.clone() for name, tensor in cae.module_.state_dict().items()}


def changed(before, after):
    """Return the names of the weights that differ."""
    return {name for name in before if not torch.equal(before[name], after[name])}


def as_tensor(X):
    return torch.from_numpy(X[:, None].astype(np.float32))


class Snapshots(Callback):
    """Remembers the weights at the end of every epoch."""

    def __init__(self):
        self.weights = []

    def on_epoch_end(self, net, **kwargs):
        self.weights.append(copy.deepcopy(net.module_.state_dict()))


def fit_with_snapshots(X, **params):
    snapshots = Snapshots()
    cae = make_small(callbacks=[("snapshots", snapshots)], **params).fit(X)
    # The copy that was used shares the list.
    return cae, snapshots.weights


# Stages in turn


@pytest.mark.parametrize(
    "params",
    [
        STACK,
        {**STACK, "weight_decay": 0.1, "optimizer": "adamw"},
        {**STACK, "tied_weights": True},
        {**STACK, "corruption": "gaussian"},
        {**STACK, "sparsity": "winner_take_all"},
    ],
    ids=str,
)
def test_a_stage_rests_while_another_is_trained(params, small_digits):
    _, weights = fit_with_snapshots(small_digits, max_epochs=2, **params)
    assert len(weights) == 4
    own = {
        0: ("encoder.0.", "decoder.1."),
        1: ("encoder.1.", "decoder.0."),
    }
    for epoch in (1, 3):
        names = changed(weights[epoch - 1], weights[epoch])
        assert names
        assert all(name.startswith(own[epoch // 2]) for name in names), names


def test_winners_train_filters_alone(small_digits):
    _, weights = fit_with_snapshots(small_digits, **WINNERS)
    assert changed(weights[0], weights[1]) == {"encoder.0.convolution.weight"}


def test_history_tells_the_stage(small_digits):
    cae = make_small(max_epochs=3, **STACK).fit(small_digits, X_val=small_digits)
    assert [row["stage"] for row in cae.history_] == [1, 1, 1, 2, 2, 2]
    assert [row["epoch"] for row in cae.history_] == [1, 2, 3, 4, 5, 6]
    assert all("valid_loss" in row for row in cae.history_)
    assert cae.n_iter_ == 6
    assert "stage" not in make_small().fit(small_digits).history_[0]


def test_features_of_a_stack_are_the_code_of_its_last_stage(small_digits):
    cae = make_small(**STACK, pool_size=(2, 1)).fit(small_digits)
    module = cae.module_.eval()
    with torch.no_grad():
        first = module.encoder[0](module.standardise(as_tensor(small_digits)))
        second = module.encoder[1](first)
    assert first.shape[1:] == (4, 4, 4)
    features = cae.transform(small_digits)
    assert_allclose(features, second.flatten(1), atol=1e-5)
    assert features.shape == (120, 6 * 4 * 4)


def test_first_stage_of_a_stack_is_trained_like_one_alone(small_digits):
    alone = make_small(activation="tanh").fit(small_digits)
    stack = make_small(activation="tanh", **STACK).fit(small_digits)
    losses = [row["train_loss"] for row in stack.history_[:2]]
    # They start from the same filters; other decoder weights are drawn.
    assert losses == pytest.approx(
        [row["train_loss"] for row in alone.history_], rel=0.2
    )


def test_stages_learn(small_digits):
    cae = make_small(max_epochs=15, **STACK).fit(small_digits)
    losses = [row["train_loss"] for row in cae.history_]
    assert losses[14] < losses[0]
    assert losses[29] < losses[15]
    start = make_small(max_epochs=0, **STACK).fit(small_digits)
    assert cae.score(small_digits) > start.score(small_digits)
    assert cae.reconstruction_err_ < start.reconstruction_err_


def test_schedule_of_rates_begins_anew_in_every_stage(small_digits):
    schedule = LRScheduler(policy="StepLR", step_size=1, gamma=0.1)
    cae = make_small(callbacks=[schedule], **STACK).fit(small_digits)
    rates = cae.net_.history[:, "event_lr"]
    assert_allclose(rates, [5e-3, 5e-4, 5e-3, 5e-4])


def test_every_stage_stops_by_itself(small_digits):
    params = {"tol": 1e3, "n_iter_no_change": 2, "max_epochs": 9}
    for others in ({}, {"callbacks": [EarlyStopping("train_loss", patience=2)]}):
        cae = make_small(**params, **others, **STACK).fit(small_digits)
        assert [row["stage"] for row in cae.history_] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("params", [STACK, WINNERS], ids=["stack", "winners"])
def test_best_weights_of_every_stage_are_restored(params, small_digits):
    params = {**params, "early_stopping": True, "tol": 0, "max_epochs": 12, "lr": 0.2}
    cae, weights = fit_with_snapshots(small_digits, n_iter_no_change=3, **params)
    stage = [row for row in cae.history_ if row["stage"] == 1]
    best = int(np.argmin([row["valid_loss"] for row in stage]))
    name = "encoder.0.convolution.weight"
    assert torch.equal(weights_of(cae)[name], weights[best][name])


@every_configuration
def test_validation_samples_are_only_watched(params, digits):
    watched = make_small(**params).fit(digits[:80], X_val=digits[80:120])
    alone = make_small(**params).fit(digits[:80])
    assert not changed(weights_of(watched), weights_of(alone))
    assert all("valid_loss" in row for row in watched.history_)


# Winners


@pytest.mark.parametrize("whiten", [None, 0.1])
@pytest.mark.parametrize("shape", [(64,), (8, 8), (4, 4, 4)])
def test_filters_have_unit_norm(shape, whiten, small_digits):
    X = small_digits.reshape(-1, *shape)
    cae = make_small(**WINNERS, whiten=whiten, crop_size=4).fit(X)
    rows = cae.filters_.reshape(4, -1)
    assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    if whiten is None:
        assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    before = make_small(**WINNERS, whiten=whiten, max_epochs=0).fit(X).filters_
    assert (cae.filters_ != before).any()


def test_codes_are_dense_after_winners(small_digits):
    cae = make_small(**WINNERS, pool_size=1).fit(small_digits)
    assert (cae.transform(small_digits) > 0).mean() > 0.2


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_any_share_of_winners(share, small_digits):
    cae = make_small(sparsity="winner_take_all", sparsity_level=share)
    assert np.isfinite(cae.fit(small_digits).score(small_digits))


@pytest.mark.parametrize("whiten", [None, 0.1])
def test_unpooled_codes_explain_nine_tenths(whiten, digits):
    cae = make_small(
        sparsity="winner_take_all",
        n_filters=32,
        kernel_size=5,
        pool_size=1,
        whiten=whiten,
        max_epochs=5,
    ).fit(digits[:1200])
    assert cae.score(digits[1200:]) >= 0.9
    assert_allclose(
        cae.inverse_transform(cae.transform(digits[:9])).mean(),
        digits[:9].mean(),
        rtol=0.1,
    )


@pytest.mark.parametrize("init", ["patches", "kmeans"])
def test_filters_from_data_without_training(init, digits):
    cae = make_small(init=init, n_filters=16, pool_size=1, max_epochs=0)
    cae.fit(digits[:1000])
    assert cae.history_ == []
    assert cae.score(digits[1000:]) > 0.85
    random = make_small(n_filters=16, pool_size=1, max_epochs=0).fit(digits[:1000])
    assert random.score(digits[1000:]) < 0.5
    assert (cae.filters_ != random.filters_).all()
    assert_allclose(np.linalg.norm(cae.filters_.reshape(16, -1), axis=1), 1, rtol=1e-5)


def test_filters_of_later_stages_are_patches_of_maps(small_digits):
    cae = make_small(
        init="patches", n_filters=(4, 3), kernel_size=(3, 2), max_epochs=0
    ).fit(small_digits)
    module = cae.module_
    with torch.no_grad():
        maps = module.encoder[0](module.standardise(as_tensor(small_digits)))
    patches = unfold(maps, 2)
    patches -= patches.mean(dim=1, keepdim=True)
    patches /= patches.norm(dim=1, keepdim=True).clamp_min(1e-9)
    filters = module.encoder[1].convolution.weight.detach().flatten(1)
    assert_allclose((filters @ patches.T).max(dim=1).values, 1, rtol=1e-4)


def unfold(maps, side):
    """Return all patches of images as rows."""
    patches = torch.nn.functional.unfold(maps, side)
    return patches.transpose(1, 2).reshape(-1, patches.shape[1])


def test_filters_larger_than_the_samples(small_digits):
    X = small_digits[:, :3, :4]
    for init in ("patches", "kmeans"):
        params = {"init": init, "kernel_size": 7, "whiten": 0.1, "pool_size": 1}
        cae = make_small(**params, max_epochs=0).fit(X)
        assert np.isfinite(cae.transform(X)).all()
        assert cae.score(X) > 0.5


# Decoders by least squares


def random_module(spatial, n_channels=1, **params):
    sizes = {"n_filters": 3, "kernel_size": 3, "stride": 1, "pool_size": 1}
    names = {"padding": "same", "activation": "abs"}
    stage = Stage(**sizes | names | params)
    module = ConvAutoencoder(Architecture([stage], spatial, n_channels)).eval()
    module.reset_parameters(torch.Generator().manual_seed(0))
    return module


def design_of(module, x):
    """Return the matrix by which a decoder's weights and biases are multiplied."""
    layer = module.decoder[0].convolution
    parameters = [layer.weight, layer.bias]
    columns = []
    with torch.no_grad():
        code = module.encoder[0](x)
        for parameter in parameters:
            parameter.zero_()
        for parameter in parameters:
            for number in range(parameter.numel()):
                index = np.unravel_index(number, parameter.shape)
                parameter[index] = 1.0
                columns.append(module.decoder[0](code, x.shape[2:]).flatten())
                parameter.zero_()
    return torch.stack(columns, dim=1).double().numpy()


DECODERS = [
    {},
    {"n_channels": 2},
    {"kernel_size": 2},
    {"kernel_size": 4, "padding": "full"},
    {"padding": "valid"},
    {"padding": "full", "activation": "two_sided"},
    {"pool_size": 2},
    {"pool_size": 3, "pool_mode": "avg", "padding": "valid"},
    {"pool_size": 2, "kernel_size": 2, "padding": "full"},
    {"stride": 2},
    {"stride": 3, "kernel_size": 2},
    {"stride": 2, "pool_size": 2, "padding": "valid"},
    {"n_channels": 3, "depthwise": True, "activation": "two_sided", "pool_size": 2},
    {"n_channels": 2, "depthwise": True},
]


@pytest.mark.parametrize(
    ("params", "spatial"),
    [
        *itertools.product(DECODERS, [(9, 8)]),
        *itertools.product(DECODERS[::3], [(21,), (5, 6, 4)]),
    ],
    ids=str,
)
def test_decoder_is_the_least_squares_solution(params, spatial, monkeypatch):
    monkeypatch.setattr(decoder_fit, "_RIDGE", 1e-7)
    monkeypatch.setattr(decoder_fit, "_MAX_ITER", 400)
    monkeypatch.setattr(decoder_fit, "_TOLERANCE", 1e-5)
    generator = torch.Generator().manual_seed(1)
    n_channels = params.get("n_channels", 1)
    module = random_module(spatial, **params)
    x = torch.randn((40, n_channels, *spatial), generator=generator)
    x = x.cumsum(dim=2) / 3
    fit_decoder(module, x)
    with torch.no_grad():
        rebuilt = module.decoder[0](module.encoder[0](x), spatial)
    error = float((rebuilt - x).square().mean())
    design, target = design_of(module, x), x.flatten().double().numpy()
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    least = np.square(design @ solution - target).mean()
    assert least < np.var(target)
    assert least * (1 - 1e-5) <= error <= 1.002 * least + 1e-5


def test_decoder_survives_more_iterations_than_digits(monkeypatch):
    generator = torch.Generator().manual_seed(1)
    for params in DECODERS[::3]:
        module = random_module((9, 8), **params)
        n_channels = params.get("n_channels", 1)
        x = torch.randn((40, n_channels, 9, 8), generator=generator).cumsum(dim=2)
        errors = []
        for n, tolerance in ((100, 1e-4), (600, 0.0)):
            monkeypatch.setattr(decoder_fit, "_MAX_ITER", n)
            monkeypatch.setattr(decoder_fit, "_TOLERANCE", tolerance)
            fit_decoder(module, x)
            with torch.no_grad():
                rebuilt = module.decoder[0](module.encoder[0](x), (9, 8))
            errors.append(float((rebuilt - x).square().mean()))
        assert errors[1] <= 1.01 * errors[0]


def test_decoder_of_a_stack_rebuilds_the_maps_before_it(digits):
    params = {**STACK, "init": "kmeans", "n_filters": (6, 18), "max_epochs": 0}
    for name in ("relu", "tanh", "sigmoid", "triangle", "two_sided"):
        cae = make_small(activation=name, pool_size=1, **params).fit(digits[:300])
        assert cae.score(digits[300:]) > 0.5, name


def test_decoder_of_samples_smaller_than_a_window(small_digits):
    X = small_digits.reshape(-1, 2)
    for pool_size in (3, 5):
        cae = make_small(pool_size=pool_size, **WINNERS).fit(X)
        assert np.isfinite(cae.score(X))
        assert np.isfinite(cae.inverse_transform(cae.transform(X))).all()


def test_tied_and_dense_decoders_are_not_fitted(small_digits):
    for params in ({"tied_weights": True}, {"n_components": 3}):
        cae = make_small(init="kmeans", max_epochs=0, **params).fit(small_digits)
        assert np.isfinite(cae.score(small_digits))


# The penalty


@pytest.mark.parametrize("params", [{}, STACK], ids=["together", "stack"])
def test_penalty_makes_codes_sparser(params, digits):
    small, large = (
        make_small(
            sparsity="l1", sparsity_level=level, pool_size=1, max_epochs=10, **params
        ).fit_transform(digits[:300])
        for level in (0.0, 0.5)
    )
    assert np.abs(large).mean() < 0.7 * np.abs(small).mean()


def test_no_penalty_is_no_sparsity(small_digits):
    cae = make_small(sparsity="l1", sparsity_level=0.0).fit(small_digits)
    assert not changed(weights_of(cae), weights_of(make_small().fit(small_digits)))


# Samples and crops


@pytest.mark.parametrize(("max_samples", "n_batches"), [(1, 1), (20, 2), (999, 8)])
def test_samples_of_an_epoch(max_samples, n_batches, small_digits):
    class Count(Callback):
        sizes = []

        def on_batch_end(self, net, batch=None, training=False, **kwargs):
            self.sizes.append(len(batch[0]))

    cae = make_small(
        max_samples=max_samples, batch_size=16, callbacks=[Count()], max_epochs=3
    ).fit(small_digits)
    assert len(Count.sizes) == 3 * n_batches
    assert sum(Count.sizes) == 3 * min(max_samples, 120)
    assert cae.n_samples_seen_ == 120


def test_samples_are_drawn_anew_each_epoch(small_digits):
    samples = Samples(small_digits, Layout((8, 8)))
    batches = Batches(samples, 16, shuffle=True, max_samples=20)
    first, second = ([x for x, _ in batches] for _ in range(2))
    assert [len(x) for x in first] == [16, 4]
    assert not torch.equal(first[0], second[0])
    whole = Batches(samples, 16, shuffle=True)
    assert torch.equal(first[0], next(iter(whole))[0])


def test_all_validation_samples_are_looked_at(digits):
    few, all_of_them = (
        make_small(max_samples=n, max_epochs=1, lr=1e-12).fit(
            digits[:100], X_val=digits[100:300]
        )
        for n in (10, None)
    )
    losses = [cae.history_[0]["valid_loss"] for cae in (few, all_of_them)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("crop", [1, 3, 8, 50])
def test_crops_of_any_size(crop, small_digits, volumes, signals):
    for X in (small_digits, volumes, signals):
        cae = make_small(**WINNERS, crop_size=crop, whiten=0.1).fit(X)
        assert np.isfinite(cae.score(X))
        norms = np.linalg.norm(cae.filters_.reshape(4, -1), axis=1)
        assert_allclose(norms, 1, rtol=1e-5)


def test_crops_differ_from_one_part_to_the_next(small_digits, monkeypatch):
    seen = []

    def remember(self, net, x):
        seen.append(self.generator.get_state().clone())
        return loss(self, net, x)

    loss = WinnerTakeAll.loss
    monkeypatch.setattr(WinnerTakeAll, "loss", remember)
    cae = make_small(**WINNERS, crop_size=4)
    for _ in range(2):
        cae.partial_fit(small_digits)
    assert not torch.equal(seen[0], seen[-1])
    assert not torch.equal(seen[0], seen[len(seen) // 2])


# Going on, copies, files, processes


@every_configuration
def test_partial_fit_and_warm_start_go_on(params, small_digits):
    for cae in (make_small(**params), make_small(**params, warm_start=True)):
        train = cae.fit if cae.warm_start else cae.partial_fit
        train(small_digits)
        n_before, before = cae.n_iter_, weights_of(cae)
        train(small_digits)
        epochs = 2 * n_before if params.get("max_epochs") != 0 else cae.n_iter_
        assert cae.n_iter_ == len(cae.history_) == epochs
        after = weights_of(cae)
        if cae.n_iter_ > n_before:
            assert "encoder.0.convolution.weight" in changed(before, after)
        fixed = {name for name in before if "whitening" in name or "scaler" in name}
        assert not fixed & changed(before, after)


def test_parameters_set_after_a_fit_do_not_change_how_it_goes_on(small_digits):
    for params in (WINNERS, STACK, {}):
        same, other = (make_small(**params).fit(small_digits) for _ in "ab")
        other.set_params(sparsity="l1", layerwise=False, init="patches", whiten=3.0)
        other.set_params(threshold=9.0, crop_size=1, sparsity_level=0.9)
        assert_array_equal(same.transform(small_digits), other.transform(small_digits))
        for cae in (same, other):
            cae.partial_fit(small_digits)
        assert not changed(weights_of(same), weights_of(other))


@every_configuration
def test_same_seed_same_bits(params, small_digits):
    first = make_small(**params).fit(small_digits)
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    second = clone(first).fit(small_digits)
    assert not changed(weights_of(first), weights_of(second))
    other = clone(first).set_params(random_state=1).fit(small_digits)
    assert changed(weights_of(first), weights_of(other))


def test_same_bits_in_other_workers(small_digits):
    models = [make_small(**params) for params in CONFIGURATIONS.values()]
    here = [clone(model).fit(small_digits) for model in models]
    for backend in ("loky", "threading"):
        there = joblib.Parallel(n_jobs=2, backend=backend)(
            joblib.delayed(model.fit)(small_digits) for model in map(clone, models)
        )
        for one, other in zip(here, there, strict=True):
            assert not changed(weights_of(one), weights_of(other))


@every_configuration
def test_files(params, small_digits):
    cae = make_small(**params).fit(small_digits)
    features, score = cae.transform(small_digits), cae.score(small_digits)
    data = skops.io.dumps(cae)
    trusted = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("skcae.") for name in trusted)
    pickled = pickle.dumps(cae)
    assert b"torch" not in pickled
    cae.partial_fit(small_digits)
    for loaded in (pickle.loads(pickled), skops.io.loads(data, trusted=trusted)):
        assert_array_equal(loaded.transform(small_digits), features)
        assert loaded.score(small_digits) == score
        # Training goes on with the same samples and crops, by a new optimizer.
        assert loaded.partial_fit(small_digits).n_iter_ == cae.n_iter_


def test_search_over_how_filters_are_learnt(small_digits):
    grid = {
        "init": ["random", "kmeans"],
        "sparsity": [None, "winner_take_all"],
        "whiten": [None, 0.1],
    }
    serial, parallel = (
        GridSearchCV(make_small(), grid, cv=2, n_jobs=n_jobs, error_score="raise").fit(
            small_digits
        )
        for n_jobs in (1, 2)
    )
    scores = serial.cv_results_["mean_test_score"]
    assert_array_equal(parallel.cv_results_["mean_test_score"], scores)
    assert len(set(scores)) == 8


@every_configuration
def test_callbacks_that_listen_to_batches_change_nothing(params, small_digits):
    class Listener(Callback):
        losses = []

        def on_batch_end(self, net, training=False, loss=None, **kwargs):
            assert torch.isfinite(net.module_.filters).all()

    callbacks = [Listener(), EpochScoring(_spread, name="spread")]
    quiet = make_small(**params).fit(small_digits)
    loud = make_small(**params, callbacks=callbacks).fit(
        small_digits, X_val=small_digits
    )
    assert not changed(weights_of(quiet), weights_of(loud))
    assert all("spread" in row for row in loud.net_.history)


def _spread(net, X, y=None):
    return 1.0


# Kinds of samples


@every_configuration
@pytest.mark.parametrize("shape", [(64,), (4, 4, 4)])
def test_signals_and_volumes(shape, params, small_digits):
    X = small_digits.reshape(-1, *shape)
    params = {**params, "kernel_size": 2}
    cae = make_small(**params).fit(X)
    features = cae.transform(X)
    assert np.isfinite(features).all()
    assert_array_equal(cae.transform(X[5:7]), features[5:7])
    assert cae.inverse_transform(features).shape == X.shape


@every_configuration
def test_samples_as_they_are_stored(params, small_digits, tmp_path):
    expected = make_small(**params).fit(small_digits.astype(np.float32))
    stored = small_digits.astype(np.uint8)
    mapped = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.uint8, shape=stored.shape
    )
    mapped[:] = stored
    mapped.flush()
    for X in (stored, np.load(tmp_path / "X.npy", mmap_mode="r")):
        cae = make_small(**params).fit(X)
        assert not changed(weights_of(cae), weights_of(expected))
        assert_array_equal(
            cae.transform(X), expected.transform(small_digits.astype(np.float32))
        )
    assert_array_equal(stored, small_digits)


@every_configuration
def test_channels(params, digits):
    X = digits[:240].reshape(80, 3, 8, 8)
    cae = make_small(**params, channel_axis=0).fit(X)
    assert cae.inverse_transform(cae.transform(X)).shape == X.shape
    last = make_small(**params, channel_axis=-1).fit(np.moveaxis(X, 1, -1))
    assert_allclose(last.transform(np.moveaxis(X, 1, -1)), cae.transform(X), atol=2e-2)


@every_configuration
def test_few_samples(params, digits):
    cae = make_small(**params, batch_size=2).fit(digits[:3])
    assert np.isfinite(cae.transform(digits[:9])).all()


@pytest.mark.slow
def test_compiled_stages_and_few_samples_train_the_same(small_digits):
    plain = make_small(max_samples=20).fit(small_digits)
    compiled = make_small(max_samples=20, compile=True).fit(small_digits)
    assert_allclose(
        compiled.transform(small_digits), plain.transform(small_digits), atol=1e-4
    )
