# Clary's set-up, tests and benchmarks. `make demo` and `make test` create what they need.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONSTRAINTS := constraints/clary.txt
# A file's tests stay together: they share what they set up. Two processes, since more would wait for the same disk.
PARALLEL := --numprocesses 2 --dist loadfile

.PHONY: demo test test-slow lint types compatibility clean
.DEFAULT_GOAL := demo

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@command -v $(PYTHON) >/dev/null || { echo "Clary needs $(PYTHON): apt-get install python3.11 python3.11-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3.11-venv is missing: apt-get install python3.11-venv"; exit 1; }
	@echo "Installing Clary into $(VENV) (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[images,dev,postgres]'
	@touch $@

include clients.mk

demo: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" ./examples/demo.sh

test: $(STAMP) clients
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL)

test-slow: $(STAMP) clients
	$(BIN)/python -m pytest -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

compatibility: $(STAMP)
	$(BIN)/python -m clary.services.compatibility > docs/compatibility.md

clean:
	rm -rf $(VENV) .cache
