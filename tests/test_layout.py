"""Files are short enough to read at once, and tests lie where their subject does."""

from pathlib import Path

import pytest

from .test_import_graph import ORDER

ROOT = Path(__file__).parents[1]
MOST_LINES = 450
# The public class that says what every parameter means.
LONGER = {"skcae/estimators/transformer.py"}


@pytest.mark.parametrize("folder", ["skcae", "tests"])
def test_no_file_is_long(folder):
    lines = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8").count("\n")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert lines
    long = {name for name, n_lines in lines.items() if n_lines > MOST_LINES}
    assert long <= LONGER


def test_each_folder_of_tests_has_the_name_of_a_package():
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    with_tests = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders == with_tests <= set(ORDER)
