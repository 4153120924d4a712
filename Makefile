# Every target sets up what it needs. Nothing has to be installed or started by hand.
VENV ?= .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--no-deps --no-build-isolation --editable .
# What the demo runs in: everything, where it is there; else what a server has.
PRODUCT := $(if $(wildcard $(READY)),$(READY),$(VENV)/.product)

.DEFAULT_GOAL := help
.PHONY: help setup demo test crash check bench soak docs pictures format lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s%s\n", $$1, $$2 }' Makefile

setup: $(READY)  ## create the virtual environment with the locked dependencies

$(LOCKED): requirements/dev.lock tools/setup.sh
	@tools/setup.sh $(VENV) requirements/dev.lock
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(INSTALL)
	@touch $@

$(VENV)/.product: requirements/server.lock requirements/build.lock pyproject.toml tools/setup.sh
	@tools/setup.sh $(VENV) requirements/server.lock requirements/build.lock
	@$(INSTALL)
	@touch $@

demo: $(PRODUCT)  ## run the whole loop on a real shop's orders, and on a club's subscriptions
	@$(BIN)/rekindle demo

test: $(READY)  ## run the tests a change waits for
	@tools/tests.sh $(BIN)

crash: $(READY)  ## kill workers at random moments; KILLS=200
	@KILLS=$(or $(KILLS),200) $(BIN)/python -m pytest -q -s tests/runtime/test_crashes.py \
		-k killed_at_random_moments

check: $(READY)  ## run everything that has to hold before a change is merged
	@tools/check.sh $(BIN)

bench: $(READY)  ## measure the speed; ONLY=name for one benchmark
	@$(BIN)/python -m bench $(ONLY)

soak: $(READY)  ## run what a check leaves out, and fresh drawn worlds for MINUTES=10, or one SEED=7 on BOOK=memory, files, clubs or ways
	@$(if $(SEED)$(BOOK),:,tools/tests.sh $(BIN) soak)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--minutes $(or $(MINUTES),1)) \
		$(if $(filter files clubs ways,$(BOOK)),--$(BOOK),$(if $(BOOK),--book $(BOOK)))

docs: $(READY)  ## regenerate the reference pages and the JSON Schemas
	@$(BIN)/python -m tools.reference

pictures: $(READY)  ## take the pictures of the documentation, by chromium
	@$(BIN)/python -m tools.pictures

format: $(READY)  ## format the code and mend what can be mended by machine
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

lock:  ## resolve pyproject.toml into the hash-locked requirements
	@tools/lock.sh

clean:  ## remove the virtual environment, caches and demo output
	@rm -rf $(VENV) build dist demo bench/work .*_cache .hypothesis
	@find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
