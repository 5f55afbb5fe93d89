"""A line for every fit of a search: which, where, and that nothing else is printed."""

import fcntl
import os
import pickle
import pty
import re
import struct
import subprocess
import sys
import termios
import textwrap

import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skcae import ProgressLines
from skcae.utils.sklearn_compat import close_listener

from ..conftest import make_small

# Since scikit-learn 1.9.
pytest.importorskip("sklearn.callback")

FIT = re.compile(r"GridSearchCV (\d+) of (\d+): \d+\.\d s, ")


def make_search(params=None, depth=1, **kwargs):
    pipeline = Pipeline(
        [("cae", make_small(max_epochs=1)), ("ridge", RidgeClassifier())]
    )
    params = params or {"cae__kernel_size": [3, 5], "ridge__alpha": [0.1, 10.0]}
    search = GridSearchCV(pipeline, params, cv=2, **kwargs)
    return search.set_callbacks(ProgressLines(max_propagation_depth=depth))


def lines_of(text):
    """Return lines with seconds that do not vary."""
    return re.sub(r"\d+\.\d s", "... s", text).splitlines()


def numbers_of(text):
    """Return the numbers of the fits of a search, and of all."""
    return [tuple(map(int, match.groups())) for match in FIT.finditer(text)]


def test_a_line_per_fit(small_digits, labels, capfd):
    search = make_search().fit(small_digits, labels)
    out, err = capfd.readouterr()
    assert err == ""
    *fits, refit, end = lines_of(out)
    assert fits == [
        f"GridSearchCV {number} of 8: ... s, "
        f"kernel_size={3 if number < 5 else 5}, "
        f"alpha={0.1 if number in (1, 2, 5, 6) else 10.0}"
        for number in range(1, 9)
    ]
    best = "kernel_size={cae__kernel_size}, alpha={ridge__alpha}"
    best = best.format(**search.best_params_)
    assert refit == f"GridSearchCV refit-with-best-params: ... s, {best}"
    assert end == "GridSearchCV fit: ... s"


def test_fits_in_other_processes_are_printed_here(small_digits, labels, capsys):
    make_search(n_jobs=2).fit(small_digits, labels)
    out, err = capsys.readouterr()
    assert err == ""
    assert sorted(numbers_of(out)) == [(number, 8) for number in range(1, 9)]
    assert len(out.splitlines()) == 10


def test_search_among_several_grids(small_digits, labels, capsys):
    params = [{"ridge__alpha": [1.0]}, {"cae__lr": [0.001], "ridge__alpha": [2.0]}]
    make_search(params, refit=False).fit(small_digits, labels)
    *_, first, second, _ = lines_of(capsys.readouterr().out)
    assert first.endswith("3 of 4: ... s, alpha=2.0, lr=0.001")
    assert second.endswith("4 of 4: ... s, alpha=2.0, lr=0.001")


def test_randomized_search(small_digits, capsys):
    cae = make_small(max_epochs=1)
    params = {"lr": [0.001, 0.01], "random_state": range(5)}
    search = RandomizedSearchCV(cae, params, n_iter=3, cv=2, random_state=0)
    search.set_callbacks(ProgressLines()).fit(small_digits)
    lines = lines_of(capsys.readouterr().out)
    assert len(lines) == 8
    assert lines[0].startswith("RandomizedSearchCV 1 of 6: ")
    for params, line in zip(search.cv_results_["params"], lines[:6:2], strict=True):
        assert f"lr={params['lr']}, random_state={params['random_state']}" in line


def test_names_that_would_be_the_same_stay_long(small_digits, labels, capsys):
    params = {"cae__verbose": [0], "cae__lr": [0.01], "ridge__tol": [0.1]}
    make_search(params | {"cae__tol": [0.0]}).fit(small_digits, labels)
    first, *_ = lines_of(capsys.readouterr().out)
    values = "verbose=0, lr=0.01, ridge__tol=0.1, cae__tol=0.0"
    assert first == f"GridSearchCV 1 of 2: ... s, {values}"


def test_values_take_one_line(small_digits, labels, capsys):
    params = {"cae": [StandardScaler(), make_small(max_epochs=1, n_filters=2)]}
    rows = small_digits.reshape(len(small_digits), -1)
    make_search(params, refit=False).fit(rows, labels)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert "cae=ConvAutoencoderTransformer(" in lines[2]


@pytest.mark.parametrize(("depth", "n_lines"), [(0, 1), (1, 4), (2, 7), (None, 7)])
@pytest.mark.filterwarnings("ignore:The estimator RidgeClassifier:UserWarning")
def test_depth(small_digits, labels, capsys, depth, n_lines):
    params = {"ridge__alpha": [1.0]}
    make_search(params, depth=depth).fit(small_digits, labels)
    lines = lines_of(capsys.readouterr().out)
    assert len(lines) == n_lines
    steps = [line for line in lines if line == "Pipeline fit-transform-cae: ... s"]
    assert len(steps) == max(0, n_lines - 4)


def test_fit_without_a_search(small_digits, capsys):
    cae = make_small().set_callbacks(ProgressLines()).fit(small_digits)
    assert lines_of(capsys.readouterr().out) == [
        "ConvAutoencoderTransformer fit: ... s"
    ]
    pickle.loads(pickle.dumps(cae)).fit(small_digits)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_bars_stay_below_the_lines(small_digits, labels, capsys):
    make_search({"cae__verbose": [1]}, refit=False).fit(small_digits, labels)
    out, err = capsys.readouterr()
    assert numbers_of(out) == [(1, 2), (2, 2)]
    assert err.count("1/1") == 2


class Unplug:
    """A callback that makes another one as unreachable as from another machine."""

    def __init__(self, lines):
        self.lines = lines

    def setup(self, estimator, context):
        listener, _ = self.lines._runs[context.root_uuid]
        close_listener(listener)

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass


def test_out_of_reach_lines_are_printed_where_the_fit_is(small_digits, labels, capsys):
    search, lines = make_search(), ProgressLines()
    search.set_callbacks(lines, Unplug(lines)).fit(small_digits, labels)
    assert len(numbers_of(capsys.readouterr().out)) == 8


# Terminals and notebooks

SEARCH = """
    from sklearn.datasets import load_digits
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from skcae import ConvAutoencoderTransformer, ProgressLines

    X, y = load_digits().images[:100], load_digits().target[:100]
    cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=1, random_state=0)
    grid = {{"ridgeclassifier__alpha": range(1, 16)}}
    search = GridSearchCV(
        make_pipeline(cae, RidgeClassifier()), grid, cv=2, n_jobs={n_jobs}
    )
    search = search.set_callbacks(ProgressLines()).fit(X, y)
"""


def run_in_terminal(code, rows, columns):
    """Return what a program writes to a terminal of some size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color"},
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other side was closed
                break
            if not chunk:
                break
            written += chunk
    os.close(ours)
    assert process.returncode == 0, written.decode()
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_more_fits_than_lines_of_the_terminal(n_jobs):
    code = textwrap.dedent(SEARCH.format(n_jobs=n_jobs))
    written = run_in_terminal(code, rows=24, columns=80)
    assert written.replace("\n", "").isprintable()  # nothing moves the cursor
    assert sorted(numbers_of(written)) == [(number, 30) for number in range(1, 31)]
    assert len(written.splitlines()) == 32


@pytest.mark.slow
def test_notebook():
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from nbformat import v4

    cell = v4.new_code_cell(textwrap.dedent(SEARCH.format(n_jobs=2)))
    notebook = v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    (cell,) = notebook.cells
    text = "".join(output.text for output in cell.outputs if output.name == "stdout")
    assert sorted(numbers_of(text)) == [(number, 30) for number in range(1, 31)]
    assert len(text.splitlines()) == 32
