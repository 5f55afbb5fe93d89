"""Whatever ends a fit early, the estimator is what it was, or fitted as a whole."""

import ast
import contextlib
import copy
import functools
import os
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

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

# How many calls are interrupted at some place, all kinds of calls together.
N_EXAMPLES = int(os.environ.get("SKCAE_EXAMPLES", 200))
# Whose lines may be interrupted: ours, and where contexts begin and end.
PLACES = (
    os.path.dirname(skcae.__file__) + os.sep,
    contextlib.__file__,
    *(
        os.path.join(os.path.dirname(torch.__file__), *path.split("/"))
        for path in (
            "autograd/grad_mode.py",
            "amp/autocast_mode.py",
            "utils/_contextlib.py",
        )
    ),
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


def switches():
    """Return what is set in torch and numpy for this process or thread."""
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.is_autocast_cache_enabled(),
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
        torch.overrides.has_torch_function((None,)),
        torch.get_rng_state().tolist(),
        threading.active_count(),
        np.geterr(),
    )


@functools.cache
def ends_of_contexts(path):
    """Return (first, last) line of the block, by the line of each item of a `with`."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    return {
        item.context_expr.lineno: (node.lineno, node.end_lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
    }


class InterruptedAt:
    """Raise KeyboardInterrupt at the n-th line, as Ctrl-C may at any.

    Python itself lets no signal in between the last line of a `with` block and the
    method that ends its context. In that method it does.
    """

    def __init__(self, place):
        self.place, self.n_lines = place, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def _on_call(self, frame, event, arg):
        path = frame.f_code.co_filename
        if not path.startswith(PLACES):
            return None
        ends, last = ends_of_contexts(path), 0

        def on_line(frame, event, arg):
            nonlocal last
            if event != "line":
                return on_line
            first, end = ends.get(frame.f_lineno, (0, 0))
            is_end, last = first <= last <= end and end, frame.f_lineno
            if not is_end:
                self._count()
            return on_line

        return on_line

    def _count(self):
        self.n_lines += 1
        if self.n_lines == self.place:
            raise KeyboardInterrupt


KINDS = {
    "fit": ("transformer", "classifier", "detector"),
    "refit": ("transformer", "classifier", "detector"),
    "warm start": ("transformer",),
    "first partial_fit": ("transformer",),
    "later partial_fit": ("transformer",),
    "loaded": ("transformer", "classifier"),
    "transform": ("transformer",),
    "predict": ("classifier", "detector"),
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
    if kind in ("transform", "predict"):
        return estimator, lambda X, y: getattr(estimator, kind)(X)
    method = "partial_fit" if "partial" in kind else "fit"
    return estimator, getattr(estimator, method)


@contextlib.contextmanager
def float64_on_three_threads():
    before = torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(3)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def modes():
    with torch.device("meta"), torch.inference_mode(), torch.autocast("cpu"):
        yield


AROUND = [contextlib.nullcontext, float64_on_three_threads, modes]


def is_interrupted(*arguments):
    """Whether a place was reached; look whether all settings are as before."""
    # Python forgets to end the handling of StopIteration where a trace function raises
    # in contextlib. A thread takes that with it; later tests see no trace of it.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_is_interrupted, *arguments).result()


def _is_interrupted(place, around, method, *arguments):
    with around():
        before = switches()
        try:
            with InterruptedAt(place):
                method(*arguments)
        except KeyboardInterrupt:
            return True
        finally:
            assert switches() == before, (place, around)
    return False


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_interrupted_at_many_places(kind, name, small_digits, digit_labels):
    X, y = small_digits[:40], digit_labels[:40]
    for _ in range(2):  # what is imported and remembered for the first time counts not
        complete, method = prepare(kind, name, X, y)
        with InterruptedAt(None) as counter:
            method(X, y)
    rng, n_lines = random.Random(kind + name), counter.n_lines
    n_places = max(N_EXAMPLES // len(CASES) - 6, 6)
    last = range(n_lines - 5, n_lines + 1)
    places = [*(rng.randint(1, n_lines) for _ in range(n_places)), *last]
    n_interrupted = 0
    for place in places:
        estimator, method = prepare(kind, name, X, y)
        before = state_of(estimator)
        if not is_interrupted(place, rng.choice(AROUND), method, X, y):
            continue
        n_interrupted += 1
        if vars(estimator) == before[0]:
            assert_unchanged(estimator, before)
        else:  # it was over
            assert vars(estimator).keys() == vars(complete).keys()
            expected = getattr(complete, "history_", [])
            assert len(getattr(estimator, "history_", [])) == len(expected)
    assert n_interrupted > len(places) // 2
    assert sys.exc_info() == (None, None, None)


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


class Spoil(Callback):
    """Make the weights infinite, once it is told to."""

    is_armed = False

    def on_epoch_begin(self, net, **kwargs):
        if type(self).is_armed:
            with torch.no_grad():
                net.module_.filters.mul_(torch.inf)


def test_failed_partial_fit_does_not_spoil_the_next(small_digits, monkeypatch):
    expected, cae = (
        make_small(callbacks=[Spoil()]).partial_fit(small_digits) for _ in "ab"
    )
    monkeypatch.setattr(Spoil, "is_armed", True)
    with pytest.raises(ValueError, match="expected a finite loss"):
        cae.partial_fit(small_digits)
    monkeypatch.undo()
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
