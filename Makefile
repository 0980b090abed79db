# `make run` and `make test` are the two commands; `make` lists the others.
# Settings come from the environment (PORT, HOST, JWT_SECRET, ...), which make passes on.

PYTHON = python3
BIN = .venv/bin
RUN = .venv/.stamp-run
DEV = .venv/.stamp-dev
TESTED = .venv/.stamp-tested
SOURCES := $(shell find chat plugins static tests docs deploy server.py setup.py setup.cfg pyproject.toml $(wildcard *.md) \
	-type f -not -path '*/node_modules/*' -not -path '*/__pycache__/*' 2>/dev/null)

# Ends a test that hangs. For a debugger, call pytest without it.
PYTEST = $(BIN)/python -m pytest --timeout=60
# The tests of one file share a server, so they run in one process. Files are dealt out in their order:
# by default those with the fewest tests come last, and these are the browser's, which take the longest.
THREE_AT_A_TIME = --numprocesses=3 --dist=loadfile --no-loadscope-reorder

.PHONY: help run test lint check lock property fuzz suites specs bench bench-crowd bench-growth bench-floor bench-delivery bench-slow-plugin bench-memory-attacks bench-floods

help:
	@echo 'make run                   start the server, on http://127.0.0.1:3000 unless HOST and PORT say otherwise'
	@echo 'make test                  run all tests; some of them: make test ARGS="tests/unit -k rooms"'
	@echo 'make lint                  check formatting, style, types and layers'
	@echo 'make check                 make lint, all tests and their coverage'
	@echo 'make property              test the promise of delivery with 500 random histories'
	@echo 'make fuzz                  compare a million frames with wsproto, send 5 x 50,000 bad ones; ARGS="--seeds 1"'
	@echo "make suites DIR=...        run the protocols' own test suites from their clones; see CONTRIBUTING.md"
	@echo 'make specs                 let schemathesis ask a server for five minutes what /openapi.json describes'
	@echo 'make bench                 measure the work per CPU second beside Node; 20 minutes; ARGS="--works fan10 --reps 7"'
	@echo 'make bench-crowd           measure 10,000 idle connections, and messages to all of them; 4 minutes'
	@echo 'make bench-growth          plot the cost of a delivery as rooms and connections grow; 10 minutes'
	@echo 'make bench-floor           measure what the kernel takes for a send on this machine; seconds'
	@echo 'make bench-delivery        measure catch-up in a chat of 200,000 messages; 3 minutes'
	@echo 'make bench-slow-plugin     measure how a slow plugin delays the others and the stop; a minute'
	@echo 'make bench-memory-attacks  measure the memory that one user can make the server hold; 5 minutes'
	@echo 'make bench-floods          measure what floods of one user, or five, cost the others; 8 minutes'
	@echo 'make lock                  write requirements*.txt from setup.cfg; newest versions: make lock UPGRADE=--upgrade'
	@echo 'The first command that needs .venv creates it; PYTHON=python3.12 says with which Python.'

run: $(RUN)
	@exec $(BIN)/python server.py serve

$(RUN): requirements.txt tools/setup
	@PYTHON='$(PYTHON)' sh tools/setup requirements.txt
	@touch $@

# requirements-dev.txt contains requirements.txt, so `make run` needs no further installation.
$(DEV): requirements-dev.txt tools/setup
	@PYTHON='$(PYTHON)' sh tools/setup requirements-dev.txt
	@touch $(RUN) $@

ifdef ARGS
test: $(DEV)
	@sh tools/node-packages
	@$(PYTEST) $(ARGS)
else
test: $(DEV)
	@sh tools/node-packages
	@rm -f $(TESTED) && touch $(TESTED).begun
	@$(PYTEST) $(THREE_AT_A_TIME) --cov --cov-report= --cov-fail-under=0
	@mv $(TESTED).begun $(TESTED)
endif

# `make check` right after `make test` repeats no test: no source is newer than the stamp.
$(TESTED): $(DEV) $(SOURCES)
	@$(MAKE) --no-print-directory test ARGS=

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint $(TESTED)
	$(BIN)/coverage report

lock: $(DEV)
	UPGRADE='$(UPGRADE)' sh tools/lock $(BIN)

property: $(DEV)
	PROPERTY_RUNS=500 $(BIN)/python -m pytest tests/property --timeout=900

fuzz: $(DEV)
	$(BIN)/python -m tools.fuzz $(ARGS)

suites: $(DEV)
	@$(BIN)/python -m tests.protocol $(DIR)

specs: $(DEV)
	SCHEMATHESIS_SECONDS=300 $(BIN)/python -m pytest tests/contract/test_schemathesis.py

bench: $(DEV)
	@$(BIN)/python -m benchmarks.wire $(ARGS)

bench-crowd: $(DEV)
	@$(BIN)/python -m benchmarks.wire.crowd

bench-growth: $(DEV)
	@$(BIN)/python -m benchmarks.wire.growth
	@$(BIN)/python -m benchmarks.plot

bench-floor: $(DEV)
	@$(BIN)/python -m benchmarks.floor

bench-delivery: $(DEV)
	PYTHONPATH=. $(BIN)/python benchmarks/delivery.py

bench-slow-plugin: $(DEV)
	@PYTHONPATH=. $(BIN)/python benchmarks/slow_plugin.py $(ARGS)

bench-memory-attacks: $(DEV)
	@PYTHONPATH=. $(BIN)/python -m benchmarks.memory_attacks $(ARGS)

bench-floods: $(DEV)
	@PYTHONPATH=. $(BIN)/python benchmarks/floods.py $(ARGS)
