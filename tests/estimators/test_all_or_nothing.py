"""Whatever ends a fit early, the estimator is what it was, or fitted as a whole."""

import copy
import os
import random
import sys

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

import skcae
from skcae import (
    ConvAutoencoderClassifier,
    ConvAutoencoderOutlierDetector,
    ConvAutoencoderTransformer,
)

from ..conftest import make_small

# How many places of each kind of fit are interrupted.
N_PLACES = 8
# Where global settings are changed and restored is left out: an interrupt there is
# told to the process, not to the estimator.
FOLDERS = tuple(
    os.path.join(os.path.dirname(skcae.__file__), name) + os.sep
    for name in ("data", "estimators", "params", "persistence", "training")
)


def make_transformer(**params):
    return make_small(max_epochs=1, n_filters=2, **params)


def make_classifier(**params):
    return ConvAutoencoderClassifier(
        make_transformer(**params), max_epochs=1, random_state=0
    )


def make_detector(**params):
    return ConvAutoencoderOutlierDetector(make_transformer(**params))


MAKERS = {
    "transformer": make_transformer,
    "classifier": make_classifier,
    "detector": make_detector,
}


def state_of(estimator):
    """Return all that an estimator holds, with copies of what training changes."""
    state = dict(vars(estimator))
    if "_fitted" not in state:
        return state, None
    net = estimator.net_
    inside = [net.module_.state_dict(), net.optimizer_.state_dict(), list(net.history)]
    return state, copy.deepcopy(inside)


def assert_equal_inside(here, there):
    if isinstance(here, torch.Tensor):
        assert torch.equal(here, there)
    elif isinstance(here, dict):
        assert here.keys() == there.keys()
        for name in here:
            assert_equal_inside(here[name], there[name])
    elif isinstance(here, (list, tuple)):
        assert len(here) == len(there)
        for pair in zip(here, there, strict=True):
            assert_equal_inside(*pair)
    else:
        assert here == there


def assert_unchanged(estimator, before):
    state, inside = state_of(estimator)
    assert state == before[0]
    assert_equal_inside(inside, before[1])


class InterruptedAt:
    """Raise KeyboardInterrupt at the n-th line of ours, as Ctrl-C may at any."""

    def __init__(self, place):
        self.place, self.n_lines = place, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def _on_call(self, frame, event, arg):
        return self._on_line if frame.f_code.co_filename.startswith(FOLDERS) else None

    def _on_line(self, frame, event, arg):
        if event == "line":
            self.n_lines += 1
            if self.n_lines == self.place:
                raise KeyboardInterrupt
        return self._on_line


KINDS = {
    "fit": ("transformer", "classifier", "detector"),
    "refit": ("transformer", "classifier", "detector"),
    "warm start": ("transformer",),
    "first partial_fit": ("transformer",),
    "later partial_fit": ("transformer",),
    "loaded": ("transformer", "classifier"),
}
CASES = [(kind, name) for kind, names in KINDS.items() for name in names]


def prepare(kind, name, X, y):
    """Return an estimator, and the method that is going to be interrupted."""
    if kind in ("fit", "first partial_fit"):
        estimator = MAKERS[name]()
    elif kind == "warm start":
        estimator = MAKERS[name](warm_start=True).fit(X[::-1], y)
    else:
        estimator = MAKERS[name]().fit(X[::-1], y)
    if kind == "loaded":
        estimator = copy.deepcopy(estimator)
    method = "partial_fit" if "partial" in kind else "fit"
    return estimator, getattr(estimator, method)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_interrupted_at_many_places(kind, name, small_digits, digit_labels):
    X, y = small_digits[:40], digit_labels[:40]
    for _ in range(2):  # what is imported and remembered for the first time counts not
        complete, method = prepare(kind, name, X, y)
        with InterruptedAt(None) as counter:
            method(X, y)
    rng = random.Random(kind + name)
    last = range(counter.n_lines - 5, counter.n_lines + 1)
    places = [*rng.sample(range(1, counter.n_lines), N_PLACES), *last]
    expected = getattr(complete, "history_", [])
    n_interrupted = 0
    for place in places:
        estimator, method = prepare(kind, name, X, y)
        before = state_of(estimator)
        try:
            with InterruptedAt(place):
                method(X, y)
        except KeyboardInterrupt:
            n_interrupted += 1
        else:
            continue
        if vars(estimator) == before[0]:
            assert_unchanged(estimator, before)
        else:  # it was over
            assert vars(estimator).keys() == vars(complete).keys()
            assert len(getattr(estimator, "history_", [])) == len(expected)
    assert n_interrupted > len(places) // 2


EVENTS = [
    "on_train_begin",
    "on_epoch_begin",
    "on_batch_begin",
    "on_grad_computed",
    "on_batch_end",
    "on_epoch_end",
    "on_train_end",
]


class Fail(Callback):
    """Raise an exception in one event, once it is told to."""

    error, event = None, None


def _failing(event):
    def fail(self, *args, **kwargs):
        if type(self).error is not None and type(self).event == event:
            raise type(self).error

    return fail


for _event in EVENTS:
    setattr(Fail, _event, _failing(_event))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError(), SystemExit()])
@pytest.mark.parametrize("event", EVENTS)
def test_failed_in_an_event(event, error, small_digits, digit_labels):
    X, y = small_digits[:40], digit_labels[:40]
    params = {"callbacks": [Fail()]}
    Fail.error = None
    cases = []
    for name, make in MAKERS.items():
        unfitted, fitted = make(**params), make(**params).fit(X[::-1], y)
        cases += [(unfitted, unfitted.fit), (fitted, fitted.fit)]
        if name == "transformer":
            warm = make(**params, warm_start=True).fit(X[::-1], y)
            cases += [(fitted, fitted.partial_fit), (warm, warm.fit)]
            cases += [(unfitted, unfitted.partial_fit)]
    befores = [state_of(estimator) for estimator, _ in cases]
    Fail.error, Fail.event = error, event
    try:
        for (estimator, method), before in zip(cases, befores, strict=True):
            with pytest.raises(type(error)):
                method(X, y)
            assert_unchanged(estimator, before)
    finally:
        Fail.error = None


def test_failed_partial_fit_does_not_spoil_the_next(small_digits):
    expected, cae = (make_small().partial_fit(small_digits) for _ in "ab")
    with pytest.raises(ValueError, match="expected a finite loss"):
        cae.partial_fit(small_digits * 1e30)
    for _ in range(2):
        expected.partial_fit(small_digits)
        cae.partial_fit(small_digits)
    np.testing.assert_array_equal(
        cae.transform(small_digits), expected.transform(small_digits)
    )
    assert len(cae.net_.history) == cae.n_iter_ == 3


def test_failed_warm_start_keeps_the_mean(small_digits, digits):
    cae = make_small(warm_start=True).fit(small_digits)
    score = cae.score(small_digits)
    cae.set_params(lr=1e30)
    with pytest.raises(ValueError, match="expected a finite loss"):
        cae.fit(digits[500:550] + 100)
    assert cae.n_samples_seen_ == len(small_digits)
    assert cae.score(small_digits) == score


def test_wrong_net_params_leave_what_can_be_stored(small_digits):
    cae = make_small(warm_start=True).fit(small_digits)
    expected = cae.transform(small_digits)
    cae.set_params(net_params={"optimizer__betas": "none"})
    with pytest.raises(ValueError, match="net_params"):
        cae.fit(small_digits)
    loaded = copy.deepcopy(cae)
    np.testing.assert_array_equal(loaded.transform(small_digits), expected)


def test_names_of_columns_go_with_a_fit_without_names(small_digits):
    pandas = pytest.importorskip("pandas")
    rows = small_digits.reshape(120, 64)
    frame = pandas.DataFrame(rows, columns=[f"pixel {n}" for n in range(64)])
    cae = make_small(input_shape=(8, 8)).fit(frame)
    assert hasattr(cae, "feature_names_in_")
    cae.fit(rows)
    assert not hasattr(cae, "feature_names_in_")


def test_first_partial_fit_that_fails_leaves_nothing(small_digits):
    cae = make_small(callbacks=[Fail()], lr=1e30)
    before = dict(vars(cae))
    with pytest.raises(ValueError, match="expected a finite loss"):
        cae.partial_fit(small_digits)
    assert vars(cae) == before
    assert isinstance(cae, ConvAutoencoderTransformer)
