"""Files are short enough to read at once, and tests lie where their subject does."""

import importlib
import re
from pathlib import Path

import pytest

from .test_import_graph import ORDER

ROOT = Path(__file__).parents[1]
MOST_LINES = 450
# The public class that says what every parameter means.
LONGER = {"skcae/estimators/transformer.py"}


@pytest.mark.parametrize("folder", ["benchmarks", "examples", "skcae", "tests"])
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


def test_the_page_on_design_names_what_there_is():
    page = (ROOT / "docs/design.md").read_text("utf-8")
    table = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    assert table == ORDER
    paths = set(re.findall(r"`((?:skcae|tests|docs)/[\w/.]*)`", page))
    assert paths
    assert not {path for path in paths if not (ROOT / path).exists()}


def test_the_picture_of_the_floors_is_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    drawing = importlib.import_module("draw_floors")
    assert list(drawing.FLOORS)[::-1] == ORDER
    picture = (ROOT / "docs/_static/floors.svg").read_text("utf-8")
    assert drawing.draw() == picture, "run python docs/draw_floors.py"


def test_the_page_on_design_names_modules_on_the_way_of_a_fit():
    page = (ROOT / "docs/design.md").read_text("utf-8")
    modules = re.findall(rf"`(({'|'.join(ORDER)})\.(\w+))`", page)
    assert len(modules) > 8
    for name, package, module in modules:
        assert (ROOT / "skcae" / package / f"{module}.py").exists(), name
