# The daily commands. `make check` is what must be green before a change lands.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: check test bench lint types

$(BIN)/pytest:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -e ".[dev]"

check: lint types test

lint: $(BIN)/pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/pytest
	$(BIN)/mypy

test: $(BIN)/pytest
	$(BIN)/pytest -n 2

bench: $(BIN)/pytest
	$(BIN)/pip install -q -e ".[bench]"
	$(BIN)/python -m benchmarks
