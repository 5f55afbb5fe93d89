"""Configuration of the documentation; nothing is fetched while it is built."""

import skcae

project = "skcae"
author = "the skcae developers"
copyright = f"2026, {author}"
version = release = skcae.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "numpydoc",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

# Single backquotes in docstrings name parameters and methods.
default_role = "literal"
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}

# The page of a class lists its methods itself; numpydoc would list them twice.
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"skcae {version}"
html_theme_options = {"show_prev_next": True, "navigation_with_keys": False}
html_show_sourcelink = False
