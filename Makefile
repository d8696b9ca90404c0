# Everything a developer runs; each target stands alone on a fresh machine with Python 3.11+, make and git.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test lint types tests coverage test-shared test-postgres test-browser accuracy conformance \
	conformance-standin bench samples clean

demo: $(BIN)/watcher
	$(BIN)/watcher demo

test: lint types tests

lint: $(BIN)/pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/pytest
	$(BIN)/mypy

tests: $(BIN)/pytest
	$(BIN)/pytest -n $(JOBS) --dist worksteal

# Which lines no test reaches. Tracing makes the tests half as slow again, so it is not part of `make test`.
coverage: $(BIN)/pytest
	$(BIN)/pytest -n $(JOBS) --dist worksteal --cov --cov-report=term

# The parts of the tests that need something beside Python: skipped, with the reason, where it is absent.
test-shared: $(BIN)/pytest
	$(BIN)/pytest -m shared -rs

test-postgres: $(BIN)/pytest
	$(BIN)/pytest -m postgres -rs

test-browser: $(BIN)/pytest
	-test -f node_modules/axe-core/axe.min.js || npm install --no-save --no-package-lock --prefix . axe-core@4
	$(BIN)/pytest -m browser -rs

accuracy: $(BIN)/pytest
	$(BIN)/python scripts/accuracy.py

# Our parameter counts against transformers on the meta device, for every causal language model of its newest version.
conformance:
	$(PYTHON) scripts/conformance.py

# The stand-in against recorded answers of the real Hub.
conformance-standin: $(BIN)/pytest
	$(BIN)/python scripts/conformance_standin.py

bench: $(BIN)/pytest
	$(BIN)/python scripts/bench.py

samples: $(BIN)/pytest
	$(BIN)/python scripts/samples.py

clean:
	rm -rf $(VENV) .conformance build dist *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/watcher: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check .
	@touch $@

$(BIN)/pytest: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
