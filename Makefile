# make demo    set up, and replay the shipped capture through the router of examples/router.yaml
# make test    set up, and run all tests            (make test ARGS="tests/pcap -k gzip" runs a part)
# make lint    ruff, mypy --strict, the layers of the architecture
# make bench   clocks per packet of the IPv4 nodes
#
# Everything happens in .venv and build; `make clean` removes them. Needs Python 3.11 or later with its venv module.

PYTHON ?= python3
ARGS ?=
# the virtual environment; every target uses the Python in it
VENV := .venv
BIN := $(VENV)/bin
# the packages as they are installed, made of links, for tools that do not follow an editable install
TREE := build/tree

.PHONY: demo test quick lint bench clean setup setup-dev kernels
.DEFAULT_GOAL := demo

demo: setup
	$(BIN)/vectorplane replay examples/captures/lan.pcap --config examples/router.yaml --out out

test: setup-dev kernels
	$(BIN)/python -m pytest -n 2 $(ARGS)

quick: setup-dev kernels
	$(BIN)/python -m pytest -n 2 -m "not slow" $(ARGS)

# Compiling first, in two processes, is faster than having every test process compile the same kernels.
kernels: setup
	$(BIN)/python -m vectorplane.jit.prepare

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf $(TREE) && mkdir -p $(TREE)/vectorplane
	cp -rs $(CURDIR)/vectorplane/. $(TREE)/vectorplane/
	for folder in bench control backends graph_nodes dataplane pcap; do cp -rs $(CURDIR)/$$folder $(TREE)/vectorplane/; done
	MYPYPATH=$(TREE) $(BIN)/mypy
	cd $(TREE) && $(CURDIR)/$(BIN)/lint-imports --config $(CURDIR)/pyproject.toml

bench: setup
	$(BIN)/vectorplane bench ip4 $(ARGS)

setup: $(VENV)/installed
setup-dev: $(VENV)/installed-dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "vectorplane needs Python 3.11 or later; $$($(PYTHON) --version) is too old (make PYTHON=python3.12)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) has no venv module. On Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml setup.py CMakeLists.txt $(wildcard backends/engine/dpdk/shim/*)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build out dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
