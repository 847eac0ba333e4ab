# The two commands of the README, and what they are made of.
# `make run` needs Python 3.11 or newer and nothing else; `make test` also uses apt where it may.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DATA_DIR ?= var
SEED ?= 1

export PORT DATA_DIR

.PHONY: run test lint shots chaos benchmark lock messages clean

run: $(VENV)/.runtime
	@$(BIN)/python manage.py messages --compile
	@$(BIN)/python manage.py studio

test: $(VENV)/.dev
	@sh bin/browser-and-broker
	@$(BIN)/python manage.py messages --compile
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n 2 --dist loadscope

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

shots: $(VENV)/.dev
	@sh bin/browser-and-broker
	@$(BIN)/python manage.py shots

chaos: $(VENV)/.dev
	@$(BIN)/python -m tests.faults.chaos --seeds $(SEED)

benchmark: $(VENV)/.dev
	@$(BIN)/python manage.py benchmark

messages: $(VENV)/.dev
	@$(BIN)/python manage.py messages

# Resolves the two .in files again; the lock files name no registry.
lock: $(VENV)/.dev
	@$(BIN)/pip install --quiet uv
	@for name in requirements requirements-dev; do \
	  $(BIN)/uv pip compile $$name.in --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --output-file $$name.lock; done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Loyalty Studio needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	@echo "Installing what the studio runs on …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what the studio and its tests run on …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) $(DATA_DIR)
