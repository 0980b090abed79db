# `make run` and `make test` are the two commands; `make` alone lists the others.
# Settings come from the environment (PORT, HOST, JWT_SECRET, ...), which make hands on as it is.

PYTHON = python3
BIN = .venv/bin
RUN = .venv/.stamp-run
DEV = .venv/.stamp-dev
TESTED = .venv/.stamp-tested
SOURCES := $(shell find chat plugins static tests docs deploy server.py setup.cfg $(wildcard *.md) -type f \
	-not -path '*/node_modules/*' -not -path '*/__pycache__/*' 2>/dev/null)

# A test that hangs is ended after so many seconds; by hand, in a debugger, there is no limit.
PYTEST = $(BIN)/python -m pytest --timeout=60
# Files and not tests are dealt out: the tests of a file share a server.
THREE_AT_A_TIME = --numprocesses=3 --dist=loadfile

.PHONY: help run test lint check lock property fuzz suites bench bench-crowd bench-growth bench-floor bench-delivery bench-slow-plugin bench-memory-attacks bench-floods

help:
	@echo 'make run      start the server, on http://127.0.0.1:3000 unless HOST and PORT say else'
	@echo 'make test     all tests; make test ARGS="tests/unit -k rooms" for some'
	@echo 'make check    formatting, lint, types, floors, all tests, coverage'
	@echo 'make property        the promise of delivery, tried 500 times'
	@echo 'make fuzz            a million streams beside wsproto, 5 x 50,000 bad frames; ARGS="--seeds 1", see --help'
	@echo "make suites DIR=...   the protocols' own test suites, from clones of theirs; see CONTRIBUTING.md"
	@echo 'make bench           work per CPU-second beside Node; 20 minutes; ARGS="--works fan10 --reps 7"'
	@echo 'make bench-crowd     10,000 idle connections, and messages to all of them; 2 minutes'
	@echo 'make bench-growth    what a delivery costs as rooms and connections grow, plotted; 10 minutes'
	@echo 'make bench-floor     what the kernel alone takes for a send on this machine'
	@echo 'make bench-delivery  what catch-up costs in a chat of 200,000 messages; minutes'
	@echo 'make bench-slow-plugin  how late a slow plugin makes the others and the stop; a minute'
	@echo 'make bench-memory-attacks  what one user makes the server and the store hold; 5 minutes; ARGS="--checkout DIR"'
	@echo 'make bench-floods    what one user, or five, can cost all others by floods; 8 minutes; ARGS="--seconds 3"'
	@echo 'make lock     write requirements*.txt anew from setup.cfg; UPGRADE=--upgrade for newer ones'
	@echo 'The first one sets up .venv; PYTHON=python3.12 names the Python to make it with.'

run: $(RUN)
	@exec $(BIN)/python server.py serve

$(RUN): requirements.txt tools/setup
	@PYTHON='$(PYTHON)' sh tools/setup requirements.txt
	@touch $@

# The test lock holds the other one, so what it sets up serves `make run` too.
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

# `make check` right after `make test` runs no test twice: nothing is newer than what was tested.
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
