# Installs into the active virtual environment, or into .venv if none is active.
VENV := $(or $(VIRTUAL_ENV),.venv)
BIN := $(VENV)/bin
PACKAGES := . plugins/semcore_channels plugins/semcore_image plugins/semcore_llm plugins/semcore_video
MANIFESTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)

.PHONY: demo docs test test-slow lint bench-channels install help
help:
	@echo "make demo       captions over a 28 GHz link beside conventional transmission, with a report"
	@echo "make docs       the pages of docs/reference, from the source, and the figures"
	@echo "make test       the test suite (minutes)"
	@echo "make test-slow  the tests that take longer"
	@echo "make lint       ruff and mypy"
	@echo "make bench-channels  the channels beside plain Sionna scripts of the same links"

install: $(VENV)/.semcore
$(VENV)/.semcore: $(MANIFESTS)
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(foreach package,$(PACKAGES),-e '$(package)')
	touch $@

$(VENV)/.semcore-dev: $(VENV)/.semcore
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: install
	$(BIN)/semcore run examples/llm_image_uma.yaml --jobs 2 --out runs/demo

docs: install
	$(BIN)/python docs/make_reference
	$(BIN)/python docs/make_figures.py

bench-channels: install
	$(BIN)/python plugins/semcore_channels/benchmarks/bench_channels.py

test: $(VENV)/.semcore-dev
	$(BIN)/python -m pytest -m "not slow" -n auto

test-slow: $(VENV)/.semcore-dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.semcore-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
