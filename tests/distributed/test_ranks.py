"""Several processes share a fit: they find what one does, each from its own part."""

import os
import pickle
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "ranks"
sys.path.insert(0, str(SCRIPTS))

import fits  # noqa: E402 (the scripts run alone, too)

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def launch(script, folder, *arguments, n_ranks=2, options=()):
    """Run a script of several ranks; return what each of them leaves behind."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(n_ranks), *options]
    done = subprocess.run(
        [*command, SCRIPTS / script, folder, *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    files = [Path(folder, f"{rank}.pickle") for rank in range(n_ranks)]
    return [pickle.loads(file.read_bytes()) for file in files]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where ranks write."""
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def ranks(folder):
    """What two ranks have found."""
    return launch("shared.py", folder)


@pytest.fixture(scope="module")
def alone():
    """What one process finds."""
    with warnings.catch_warnings(action="ignore"):
        return fits.all_fits()


def assert_same_bits(first, second):
    """Assert that two ranks have found the same."""
    assert first.keys() == second.keys()
    for key, value in first.items():
        if key == "weights":
            assert_same_bits(value, second[key])
        else:
            np.testing.assert_array_equal(value, second[key], err_msg=key)


def assert_same_curve(found, expected, is_solved=False):
    """Assert that losses and weights are those of one process.

    What few equations hardly determine, in decoders that are solved for, may differ.
    """
    for row, wanted in zip(found["history"], expected["history"], strict=True):
        assert row == pytest.approx(wanted, abs=1e-5)
    for key, weight in expected["weights"].items():
        of_decoder = key.startswith(("decoder", "code_decoder"))
        tolerance = 0.05 if is_solved and of_decoder else 1e-5
        np.testing.assert_allclose(
            found["weights"][key], weight, atol=tolerance, err_msg=key
        )
    for key in expected.keys() - {"history", "weights", "features"}:
        tolerance = 0.01 if is_solved else 1e-4
        np.testing.assert_allclose(found[key], expected[key], rtol=tolerance)


def test_ranks_know_each_other(ranks):
    for rank, found in enumerate(ranks):
        assert found["rank"] == found["nested"] == (rank, 2)


@pytest.mark.parametrize(
    "name",
    [*fits.CONFIGURATIONS, "X_val", "winners, X_val", "continued", "classifier"],
)
def test_ranks_find_what_one_process_finds(name, ranks, alone):
    first, second = (found["fits"][name] for found in ranks)
    assert_same_bits(first, second)
    is_solved = name.startswith(("winners", "components", "recipe"))
    assert_same_curve(first, alone[name], is_solved)


def test_search_in_a_block(ranks):
    first, second = (found["search"] for found in ranks)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, fits.searched(), atol=1e-5)


def test_detector_in_a_block(ranks):
    first, second = (found["detector"] for found in ranks)
    assert first == second == pytest.approx(fits.detected(), rel=1e-4)


def test_each_rank_reads_its_part(ranks):
    first, second = (found["rows read"] for found in ranks)
    # All are measured from the first sample, which both read.  In the end the first
    # rank alone looks at samples once more.
    n_alone = fits.rows_read()
    assert first + second == n_alone + 1
    n_in_the_end = min(len(fits.DATA), 256)
    assert second <= (n_alone - n_in_the_end) / 2 + 1


@pytest.mark.parametrize("name", ["X", "X_val"])
def test_nan_in_the_part_of_one_rank(name, ranks):
    for found in ranks:
        kind, message = found["failures"][f"NaN in {name}"]
        assert kind == "ValueError"
        assert message.startswith(f"Input {name} contains NaN")
        assert "among samples 60 to 119" in message
    assert ranks[0]["failures"][f"NaN in {name}"][1].endswith("Raised on rank 1.")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("other data", "X=120 samples of shape (8, 8) on rank 0 and X=60"),
        ("other parameters", "lr=0.01 on rank 0 and lr=0.02 on rank 1"),
        ("diverged", "a train loss of nan in epoch 1"),
    ],
)
def test_errors_that_all_find(name, fault, ranks):
    for found in ranks:
        kind, message = found["failures"][name]
        assert kind == "ValueError"
        assert message.startswith(f"Got {fault}")


@pytest.mark.parametrize("error", ["RuntimeError", "KeyboardInterrupt"])
def test_error_of_one_rank_in_training(error, ranks):
    first, second = (found["failures"] for found in ranks)
    kind, message = first[error]
    assert kind == "RuntimeError"
    assert message.startswith(f"Got {error} on rank 1 (what a test wants); expected")
    assert second[error] == (error, "what a test wants")
    assert first[f"epochs after {error}"] is second[f"epochs after {error}"] is None


def test_fits_after_failures(ranks):
    for found in ranks:
        failures = found["failures"]
        assert failures["MemoryError"][0] == "MemoryError"
        # One of them ended the training of both.
        assert failures["StopTraining"] is None
        assert failures["epochs after StopTraining"] == 2
        failed, scored = failures["search"]
        assert failed == -9 < scored
        assert failures["as before"]


def test_checkpoint_of_the_first_rank(ranks, folder):
    for found in ranks:
        interrupted, refused, went_on_alike = found["failures"]["checkpoint"]
        assert interrupted[0] == "KeyboardInterrupt"
        assert refused[0] == "ValueError"
        assert "of another fit, with lr=0.005" in refused[1]
        assert went_on_alike
    assert (folder / "checkpoint-0").exists()
    assert not (folder / "checkpoint-1").exists()


def test_the_first_rank_speaks(ranks):
    assert ranks[0]["spoken"] == (True, True)
    assert ranks[1]["spoken"] == (False, False)


def test_one_seed_for_all(ranks):
    assert_same_bits(*(found["unseeded"] for found in ranks))


def test_threads_are_not_in_the_block(ranks):
    np.testing.assert_array_equal(*(found["threads"] for found in ranks))


def test_script_that_nothing_has_launched_works_alone(tmp_path):
    from skcae import data_parallel

    with data_parallel() as ranks:
        assert (ranks.rank, ranks.size) == (0, 1)
        found = fits.summary(fits.make().fit(fits.DATA))
    expected = fits.summary(fits.make().fit(fits.DATA))
    assert pickle.dumps(found) == pickle.dumps(expected)


@pytest.mark.slow
@pytest.mark.parametrize(("maker", "n_ranks"), [("torch", 3), ("accelerate", 2)])
def test_groups_that_are_there_already(maker, n_ranks, tmp_path):
    found = launch("joined.py", tmp_path, maker, n_ranks=n_ranks)
    params = fits.CONFIGURATIONS["one left over"]
    expected = fits.summary(fits.make(**params).fit(fits.DATA))
    for rank, of_rank in enumerate(found):
        assert (of_rank.pop("rank"), of_rank.pop("size")) == (rank, n_ranks)
        assert_same_bits(of_rank, found[0])
        assert_same_curve(of_rank, expected)


@pytest.mark.slow
def test_a_rank_that_is_killed_leaves_no_other_waiting(tmp_path):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [
        subprocess.Popen(
            [sys.executable, SCRIPTS / "killed.py", tmp_path],
            env=ENVIRONMENT | shared | {"RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    _, said = ranks[0].communicate(timeout=120)
    assert ranks[1].wait(timeout=120) == -9
    assert ranks[0].returncode == 1
    assert "Got no answer from another rank" in said


@pytest.mark.slow
def test_launcher_that_starts_again_goes_on_from_the_checkpoint(tmp_path):
    found = launch("killed.py", tmp_path, options=["--max-restarts", "1"])
    expected = fits.summary(fits.make(batch_size=16).fit(fits.DATA))
    assert_same_bits(*found)
    assert_same_curve(found[0], expected)
