# Every target is self-explaining: make help.
# A machine needs Python 3.11 or later and make; the rest is set up here.

SHELL := /bin/sh
BIN := .venv/bin
PORT ?= 8080
# Options for pytest, as in: make test ARGS="-k wishes"
ARGS ?=
SBOM ?= var/sbom.json

.DEFAULT_GOAL := help
.PHONY: help setup system demo test check bench faults fuzz sbom audit pictures serve lock

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Create .venv and keep it in step with requirements/ (does nothing when it is)
	@.ci/setup

system: setup
	@.ci/system

demo: setup ## One whole search in two minutes, then pages to click through. ONCE=1 ends after the transcript; PORT=8080
	@$(BIN)/trait-union demo --port $(PORT) $(if $(filter-out 0 no,$(ONCE)),--once)

test: system ## All tests, on SQLite and PostgreSQL, with a browser. ARGS="-k wishes" for some of them
	@$(BIN)/python -m pytest -n auto --dist worksteal --durations 10 --durations-min 5 -m "not bench" $(ARGS)

check: setup ## What a machine can say of the code: ruff, its formatter, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## How fast, as ratios within one run; writes the table of the README. ARGS="-k memory" for some of it
	@$(BIN)/python -m pytest -m bench -p no:randomly -s tests/bench $(ARGS)

faults: setup ## 200 faults over 500 searches: kills, sleeps, a database and a relay that go away; then checks what is left
	@$(BIN)/python -m tests.faults $(ARGS)

fuzz: setup ## Over 10,000 made-up requests against the served OpenAPI, with every role's key. ARGS="--seed 1"
	@$(BIN)/python -m tests.fuzz $(ARGS)

sbom: setup ## What the service is made of, as CycloneDX JSON, from the lock: SBOM=var/sbom.json
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/cyclonedx-py requirements requirements/base.txt --pyproject pyproject.toml --short-PURLs \
		--output-reproducible --of JSON --output-file $(SBOM)
	@echo "$(SBOM)"

audit: setup ## Known weaknesses of what is locked (pip-audit; needs the network, and says so where it has none)
	@.ci/audit

pictures: setup ## The pictures of docs/images and of /aide, taken anew from the service itself
	@$(BIN)/python -m tests.browser.pictures

serve: setup ## The service on Vénissieux, with a SQLite file and keys under var/. PORT=8080
	@$(BIN)/trait-union init --territory config/territories/venissieux
	@$(BIN)/trait-union serve --port $(PORT)

lock: ## Compile requirements/*.txt again from pyproject.toml (needs the network)
	@.ci/lock
