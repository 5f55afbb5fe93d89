# `make demo` and `make test` set up everything they need; only python3 is assumed.

PYTHON ?= python3
VENV := .venv
# One test process per core, one thread each.
TEST := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-all lint docs bench clean

demo: $(INSTALLED)
	$(RUN) examples/plot_digits_pipeline.py

test: $(INSTALLED)
	$(TEST) -m "not slow"

test-all: $(INSTALLED)
	$(TEST)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

docs: $(INSTALLED)
	$(RUN) -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(INSTALLED)
	$(RUN) benchmarks/bench_defaults.py

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/reference/generated

$(INSTALLED): setup.py pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt torch
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable .[dev]
	touch $@
