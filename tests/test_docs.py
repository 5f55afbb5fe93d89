"""Every block of Python in the documentation runs, and so does every doctest."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import skcae

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
    results = [doctest.testmod(module) for module in [skcae, *modules]]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) > 0
