"""Every block of Python in the documentation runs, and so does every doctest."""

import doctest
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import skcae

# Since scikit-learn 1.9, as `ProgressLines` needs them.
HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None
ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks_of(path):
    """Return code blocks, each behind as many blank lines as there are lines above."""
    text = path.read_text(encoding="utf-8")
    return [
        "\n" * text.count("\n", 0, match.start(1)) + match[1]
        for match in BLOCK.finditer(text)
    ]


PAGES = {
    str(path.relative_to(ROOT)): path
    for path in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    if "_build" not in path.parts and blocks_of(path)
}


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of(page, tmp_path, monkeypatch):
    if "set_callbacks(" in "".join(blocks_of(PAGES[page])):
        pytest.importorskip("sklearn.callback")  # since scikit-learn 1.9
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    namespace = {"__name__": "page"}
    for block in blocks_of(PAGES[page]):
        exec(compile(block, PAGES[page], "exec"), namespace)


def test_pages_were_found():
    assert {"docs/index.md", "docs/get_started.md"} < set(PAGES)
    chapters = {page for page in PAGES if page.startswith("docs/user_guide/")}
    assert len(chapters) >= 6


def test_every_block_says_what_it_is():
    for path in PAGES.values():
        fences = re.findall(r"^```(.*)$", path.read_text(encoding="utf-8"), re.M)
        assert len(fences) % 2 == 0, path
        assert all(fences[::2]), path


def test_doctests():
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(skcae.__path__, "skcae.")
    ]
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for module in [skcae, *modules]:
        for test in finder.find(module):
            if HAS_CALLBACKS or "set_callbacks(" not in test.docstring:
                runner.run(test)
    assert runner.failures == 0
    assert runner.tries > 0


def test_the_reference_names_all_that_is_public():
    page = (ROOT / "docs/reference/index.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", page))
    assert sorted(set(skcae.__all__) - words) == []
