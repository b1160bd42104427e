# Everything beyond Python 3.10+ and make is set up by these targets themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
JS_SOURCES := $(shell find js -path js/node_modules -prune -o -path js/dist -prune -o -type f -print 2>/dev/null)
BUNDLE := jupyter_streamchat/static/sources.sha256

.PHONY: help setup js browser demo test test-js test-py lint format bench bench-load bench-markdown bench-feel schema screenshots clean

help:
	@echo "make demo         JupyterLab on the quickstart notebook, with the built-in demo model"
	@echo "make test         everything: JavaScript, Python, real servers, real browser"
	@echo "make setup        virtual environment, node, JavaScript, browser"
	@echo "make lint         ruff, mypy, tsc, import-linter, generated files"
	@echo "make bench        what the README's numbers come from; make bench-markdown  docs/markdown.md's; make bench-feel  how a chat feels"
	@echo "make bench-load   10,000 sockets, 1,000 streams, readers that stall; docs/performance.md's"
	@echo "make screenshots  the README's pictures, and those that the tests compare with"

$(INSTALLED): pyproject.toml hatch_build.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[test,lint]"
	touch $@

$(BUNDLE): $(INSTALLED) $(JS_SOURCES)
	$(BIN)/python hatch_build.py
	$(BIN)/python scripts/link_plugin.py
	touch $@

js: $(BUNDLE)

browser: $(INSTALLED)
	scripts/browser

setup: $(INSTALLED) $(BUNDLE) browser

demo: $(BUNDLE)
	$(BIN)/python scripts/demo.py

test: test-js test-py

test-js: $(BUNDLE)
	$(BIN)/python hatch_build.py test

test-py: $(BUNDLE) browser
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(PYTEST_FLAGS)

lint: $(BUNDLE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m streamchat_relay.protocol.schema --check
	$(BIN)/python hatch_build.py run typecheck

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(INSTALLED)
	$(BIN)/python -m streamchat_relay.protocol.schema

bench: $(BUNDLE) browser
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	$(BIN)/python -m bench $(BENCH_FLAGS)

bench-load: $(BUNDLE)
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	$(BIN)/python -m bench --load --write $(BENCH_FLAGS)

bench-feel: $(BUNDLE) browser
	$(BIN)/python -m bench.feel

bench-markdown: $(BUNDLE) browser
	$(BIN)/python -m bench.markdown $(BENCH_FLAGS)

screenshots: $(BUNDLE) browser
	$(BIN)/python scripts/screenshots.py

clean:
	rm -rf $(VENV) js/node_modules js/dist jupyter_streamchat/static jupyter_streamchat/labextension build dist
