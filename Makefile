SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: help run setup test check bench drill clean
help:
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

$(STAMP): requirements/dev.txt pyproject.toml
	@echo "setup: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setup: installing pinned packages (requirements/dev.txt, checked by hash)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@echo "setup: installing tadamun itself"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(STAMP)
	@echo "setup: done"

setup: $(STAMP) ## make .venv with everything pinned

run: $(STAMP) ## three invented organisations on this machine, ready in the browser
	@$(BIN)/tadamun demo

test: $(STAMP) ## all tests that need only Python; what is missing is skipped and listed
	@echo "test: running the tests"
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -q

check: $(STAMP) ## ruff, mypy --strict, import-linter
	@echo "check: ruff" && $(BIN)/ruff check node tests
	@echo "check: mypy --strict" && $(BIN)/mypy
	@echo "check: import-linter" && $(BIN)/lint-imports

bench: $(STAMP) ## rates and CPU time per activity, on this machine
	@$(BIN)/python -m tests.bench

drill: $(STAMP) ## the long drills (kill loop; network drills need root and say so)
	@$(BIN)/python -m pytest -m drill -p no:randomly

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
