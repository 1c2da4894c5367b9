# Clary's set-up, tests and benchmarks. `make demo` and `make test` create what they need.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV := $(VENV)/.dev
CONSTRAINTS := constraints/clary.txt
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS)
# A file's tests stay together: they share what they set up. Two processes, since more would wait for the same disk.
PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo images test test-algorithms test-ray test-slow soak lint types compatibility clean
.DEFAULT_GOAL := demo

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@command -v $(PYTHON) >/dev/null || { echo "Clary needs $(PYTHON): apt-get install python3.11 python3.11-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3.11-venv is missing: apt-get install python3.11-venv"; exit 1; }
	@echo "Installing Clary into $(VENV) (about a minute)"
	@$(INSTALL) -e .
	@touch $@

$(DEV): $(STAMP)
	@echo "Installing what tests need into $(VENV)"
	@$(INSTALL) -e '.[dev,docker,postgres]'
	@touch $@

include clients.mk

# The framework images that tests run, in the user's cache: jobs would pull them as well, each at its first use.
TEST_IMAGES := sagemaker-scikit-learn:1.2-1 sagemaker-xgboost:1.7-1 xgboost:0.90-2 sagemaker-xgboost:latest

images: $(STAMP)
	@$(BIN)/clary images pull $(TEST_IMAGES)

demo: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" ./examples/demo.sh

test: $(DEV) clients images
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL)

# All of what runs on a Ray cluster; `make test` runs a short form of it.
test-ray: $(DEV) images
	$(BIN)/python -m pytest tests/engines/ray

# Every built-in algorithm through the SDK, from data to predictions; `make test` walks three so, and runs all without it.
test-algorithms: $(DEV) clients images
	$(BIN)/python -m pytest tests/algorithms

test-slow: $(DEV) clients images
	$(BIN)/python -m pytest -m slow

# A hundred jobs, and a hundred times `kill -9` of platform or agents meanwhile; `make test` runs a short form of it.
soak: $(DEV) images
	$(BIN)/python -m pytest -m slow tests/test_soak.py

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

compatibility: $(STAMP)
	$(BIN)/python -m clary.services.compatibility > docs/compatibility.md

clean:
	rm -rf $(VENV) .cache
