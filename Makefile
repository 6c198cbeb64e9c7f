# Shopbell. `make run` serves the demo shop, `make test` proves that everything works.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PORT ?= 8080
WORKERS ?= 2
PYTEST_ARGS ?=
BENCH_NAME ?= latest

VENV := .venv
BIN := $(VENV)/bin
TOOLS := tests/tools
CODE = $(wildcard server agent_ui widget knowledge_base tests)
JSCONFIGS = $(wildcard widget/jsconfig.json agent_ui/static/js/jsconfig.json)

# Through the environment the pins hold in pip's build environments too; a relative path, because
# pip would split one that has a space in it.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1
# Where it is set, each of the hundreds of processes of the suite compiles the program for itself.
unexport PYTHONDONTWRITEBYTECODE

say = @printf '\n\033[1m== %s\033[0m\n' $(1)

.PHONY: help run test lint format bench clean pins test-tools

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/installed-run ## serve the demo shop on PORT (default 8080); a second run keeps its data
	@exec $(BIN)/shopbell demo --port $(PORT)

test: test-tools ## install what the suite needs, check the code, run every test
	@$(MAKE) --no-print-directory lint
	$(call say,"Tests")
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: $(VENV)/installed-test $(TOOLS)/node_modules/installed ## style, types of Python and JavaScript, import rules
	$(call say,"Style: ruff")
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	$(call say,"Types: mypy")
	@$(BIN)/mypy $(CODE)
	$(call say,"Types: tsc --checkJs")
	@if [ -z "$(JSCONFIGS)" ]; then echo "no jsconfig.json: nothing to check"; fi
	@for config in $(JSCONFIGS); do \
		if [ -x $(TOOLS)/node_modules/.bin/tsc ]; then \
			echo "$$config"; $(TOOLS)/node_modules/.bin/tsc --noEmit -p "$$config" || exit 1; \
		elif [ "$$CI" = true ]; then echo "$$config: tsc is not installed" >&2; exit 1; \
		else echo "$$config: skipped, tsc is not installed"; fi; \
	done
	$(call say,"Import rules")
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_architecture.py

format: $(VENV)/installed-test ## put the Python code in its one form
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

bench: test-tools ## measure into docs/benchmarks/latest; never fails on time
	@test -d tests/benchmarks || { echo "there are no benchmarks in tests/benchmarks" >&2; exit 1; }
	@SHOPBELL_TEST_FRESH=1 SHOPBELL_BENCH_NAME=$(BENCH_NAME) $(BIN)/python -m pytest -q -s -o python_files='bench_*.py' -o timeout=0 tests/benchmarks $(PYTEST_ARGS)

clean: ## remove what was installed and cached; the demo shop's data stays
	rm -rf $(VENV) $(TOOLS)/node_modules build dist htmlcov test-results .coverage
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- installation: each stamp is older than what it was made from only when something changed ---

$(VENV)/ready:
	@python=$$($(TOOLS)/find_python.sh) || exit 1; \
	printf '\n\033[1m== Making %s with %s\033[0m\n' '$(VENV)' "$$("$$python" --version)"; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && touch $@

$(VENV)/installed-run: $(VENV)/ready pyproject.toml constraints.txt
	$(call say,"Installing Shopbell (a minute the first time)")
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed-run
	$(call say,"Installing what the tests need from Python")
	@$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(TOOLS)/node_modules/installed: $(TOOLS)/package.json $(TOOLS)/package-lock.json
	$(call say,"Installing what the tests need from Node")
	@$(TOOLS)/node_packages.sh

test-tools: $(VENV)/installed-test
	$(call say,"Browser - fonts - PostgreSQL - Redis - Node")
	@$(TOOLS)/system_packages.sh $(BIN)/python
	@$(MAKE) --no-print-directory $(TOOLS)/node_modules/installed

pins: ## write constraints.txt anew from the newest versions that pyproject.toml allows
	@python=$$($(TOOLS)/find_python.sh) || exit 1; $(TOOLS)/pins.sh "$$python"
