"""What a fit prints."""

import pickle
import subprocess
import sys
import textwrap

import pytest

from ..conftest import make_small
from .conftest import InterruptEpoch, Recorder


def test_fit_prints_nothing(small_digits, digits, capfd):
    cae = make_small(early_stopping=True, callbacks=[Recorder()], max_epochs=4)
    cae.fit(small_digits)
    cae.fit(small_digits, X_val=digits[120:150])
    cae.partial_fit(small_digits)
    cae.inverse_transform(cae.transform(small_digits))
    cae.score(small_digits)
    pickle.loads(pickle.dumps(cae)).score_samples(small_digits)
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_a_bar(small_digits, digits, capsys):
    make_small(verbose=1).fit(small_digits, X_val=digits[120:150])
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err
    assert "train_loss=" in err
    assert "valid_loss=" in err
    make_small(verbose=1, max_epochs=5, tol=1e3, n_iter_no_change=2).fit(small_digits)
    assert "3/5" in capsys.readouterr().err


def test_no_epoch_has_no_bar(small_digits, capfd):
    make_small(verbose=2, max_epochs=0).fit(small_digits)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_bars_of_several_processes_are_lines():
    # Written to the descriptor that the processes share, like a terminal.
    code = """
        from sklearn.datasets import load_digits
        from sklearn.model_selection import cross_val_score
        from skcae import ConvAutoencoderTransformer

        cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=3, verbose=1)
        cross_val_score(cae, load_digits().images[:200], cv=4, n_jobs=2)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\r" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for line in lines:
        assert line.startswith("100%|")
        assert "3/3" in line
        assert "train_loss=" in line


def test_bar_is_closed_after_an_error(small_digits, capsys):
    cae = make_small(verbose=1, callbacks=[InterruptEpoch("on_epoch_end", 2)])
    with pytest.raises(KeyboardInterrupt):
        cae.fit(small_digits)
    assert capsys.readouterr().err.endswith("\n")


def test_more_verbose_adds_a_table(small_digits, capsys):
    make_small(verbose=2).fit(small_digits)
    out, err = capsys.readouterr()
    assert "train_loss" in out
    assert len(out.strip().splitlines()) == 4  # header, rule, two epochs
    assert "2/2" in err
