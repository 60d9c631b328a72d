# Everything a developer runs. Nothing is left outside this folder but the package manager's cache.

PYTHON ?= python3
WORKERS ?= 2
CORE := .venv
TEST := .venv-test
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Programs keep their caches, settings and temporary files inside the checkout.
CACHE := $(CURDIR)/.cache
RUN := env HOME="$(CACHE)/home" TMPDIR="$(CACHE)/tmp" \
	XDG_CACHE_HOME="$(CACHE)/xdg/cache" XDG_CONFIG_HOME="$(CACHE)/xdg/config" \
	XDG_DATA_HOME="$(CACHE)/xdg/data" XDG_STATE_HOME="$(CACHE)/xdg/state" \
	NUMBA_CACHE_DIR="$(CACHE)/numba" MPLCONFIGDIR="$(CACHE)/matplotlib" \
	HYPOTHESIS_STORAGE_DIRECTORY="$(CACHE)/hypothesis" IPYTHONDIR="$(CACHE)/ipython" \
	JUPYTER_CONFIG_DIR="$(CACHE)/jupyter/config" JUPYTER_DATA_DIR="$(CACHE)/jupyter/data" \
	JUPYTER_RUNTIME_DIR="$(CACHE)/jupyter/runtime"
# $(call inside,VENV,COMMAND): run a command of that environment, and show the command alone.
inside = @echo "$(2)"; $(RUN) $(1)/bin/$(2)
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test test-long bench evidence check lint format types imports constraints clean clean-all

help: ## list what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(CORE)/.installed | $(CACHE)/tmp ## from nothing to a report: install the core, run the demonstration
	$(call inside,$(CORE),backtest demo demo)

test: check | $(CACHE)/tmp ## install everything, then all checks and the quick tests
	$(call inside,$(TEST),pytest -n $(WORKERS) -m 'not long')

test-long: $(TEST)/.installed | $(CACHE)/tmp ## the tests that take minutes
	$(call inside,$(TEST),pytest -n $(WORKERS) -m long)

check: lint types imports ## lint, types and imports, without the tests

lint: $(TEST)/.installed ## ruff: lint and format
	$(call inside,$(TEST),ruff check .)
	$(call inside,$(TEST),ruff format --check .)

bench: $(TEST)/.installed | $(CACHE)/tmp ## the benchmarks, on generated data
	$(call inside,$(TEST),python benchmarks/import_speed.py)

evidence: $(TEST)/.installed | $(CACHE)/tmp ## count false alarms on simulated markets: docs/evidence.md
	$(call inside,$(TEST),python -m calibration --workers $(WORKERS))

format: $(TEST)/.installed ## let ruff rewrite what it can
	$(call inside,$(TEST),ruff check --fix .)
	$(call inside,$(TEST),ruff format .)

types: $(TEST)/.installed ## mypy, strict
	$(call inside,$(TEST),mypy)

imports: $(TEST)/.installed ## the one-way flow between packages
	$(call inside,$(TEST),lint-imports --cache-dir .cache/import-linter --no-logo)

constraints: ## resolve anew and write constraints.txt
	rm -rf "$(CACHE)/resolve"
	$(PYTHON) -m venv "$(CACHE)/resolve"
	"$(CACHE)/resolve/bin/python" -m pip install --quiet --editable '.[test]'
	{ sed -n '/^#/p' constraints.txt; \
	  "$(CACHE)/resolve/bin/python" -m pip freeze --exclude-editable; } > "$(CACHE)/constraints.txt"
	mv "$(CACHE)/constraints.txt" constraints.txt
	rm -rf "$(CACHE)/resolve"

clean: ## remove caches and what the demo wrote
	rm -rf .cache demo dist .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find backtest calibration db strategies tests -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean ## remove the virtual environments as well
	rm -rf $(CORE) $(TEST)

$(CACHE)/tmp:
	@mkdir -p "$(CACHE)/tmp" "$(CACHE)/home"

# The stamps are younger than what they were made from, or the installation is done again.
$(CORE)/.installed: pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory venv-$(CORE)
	$(CORE)/bin/python $(PIP_INSTALL) --editable .
	@touch $@

$(TEST)/.installed: pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory venv-$(TEST)
	$(TEST)/bin/python $(PIP_INSTALL) --editable '.[test]'
	@touch $@

venv-%:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), Python 3.11 or newer is needed. Name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@test -x $*/bin/python || $(PYTHON) -m venv $*
