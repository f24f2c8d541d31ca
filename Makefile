# Two commands do everything on a machine with make and Python 3.11 or newer: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.installed-demo

PORT ?= 8081
PROVIDER_PORT ?= 0
DEMO_FLAGS ?=
PYTEST_FLAGS ?=
# The slow tests wait half of their time, so there is one process more than there are cores.
TEST_PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')

# The tests start hundreds of processes, and each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

COMPILED := build/compiled
COMPILED_STAMP := $(COMPILED)/.installed
COMPILED_TESTS ?= tests/inja tests/proxy tests/cli tests/examples tests/install/test_compiled.py tests/chart/test_built_image.py

# A file at a time for each process, in the order of tests/conftest.py.
SHARED = -n $(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder

PURE := api inja ir snapshot store translate wire proxy/core
PURE_COVERAGE := 98
COVERAGE := 92

empty :=
space := $(empty) $(empty)
comma := ,
PURE_FILES := $(subst $(space),$(comma),$(foreach package,$(PURE),operator/wardgate/$(package)/* operator/wardgate/$(package).py))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: docs help demo test test-fast test-compiled release-check chart-check e2e e2e-node e2e-tests cluster-up cluster-down cluster-shell wheel lint format install lock crds golden clean bench bench-check bench-propagation bench-requests bench-start soak differential house binaries

help: ## Show this list
	@echo "Wardgate. Start with 'make demo' or 'make test'."
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(DEMO_STAMP) ## Run the lab with a stand-in provider, and print what to try (PORT=8081)
	@echo "==> The lab: a stand-in provider and the gateway"
	@$(BIN)/python -u examples/demo --port $(PORT) --provider-port $(PROVIDER_PORT) $(DEMO_FLAGS)

test: lint binaries ## Check style, types and layers, run every test, and check the coverage
	@echo "==> All tests, with branch coverage"
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest $(SHARED) --cov --cov-report= --durations=10 $(PYTEST_FLAGS)
	@echo "==> Coverage of everything: at least $(COVERAGE) %"
	$(BIN)/python -m coverage report --fail-under=$(COVERAGE)
	@echo "==> Coverage of the pure packages: at least $(PURE_COVERAGE) %"
	$(BIN)/python -m coverage report --fail-under=$(PURE_COVERAGE) --include='$(PURE_FILES)'

test-fast: install ## Run the tests that start no process
	@echo "==> Tests that start no process"
	$(BIN)/python -m pytest $(SHARED) -m "not slow" $(PYTEST_FLAGS)

test-compiled: install $(COMPILED_STAMP) ## Run the tests of the data plane and of the image with the modules compiled (a C compiler is needed)
	@echo "==> Tests of the data plane and of the image, compiled: $(COMPILED_TESTS)"
	TESTED_FORM=compiled $(COMPILED)/bin/python -m pytest $(SHARED) -p no:cacheprovider $(COMPILED_TESTS) $(PYTEST_FLAGS)

# On any cluster: KUBECONFIG names it, E2E_LOAD loads an image archive into it, and E2E_IMAGE is such an archive.
E2E_LOAD ?= kind load image-archive
E2E_IMAGE ?= build/image/docker.tar
E2E_NAME := wardgate.dev/wardgate:e2e
E2E_TESTS ?= tests/e2e_pods
NODE_IMAGE := build/image/node.tar

e2e: install binaries ## Run the tests on real pods of the cluster that KUBECONFIG names (kind and Docker, or E2E_LOAD and E2E_IMAGE)
	@test $(origin E2E_IMAGE) != file || { echo "==> The image, by docker" && mkdir -p $(dir $(E2E_IMAGE)) && \
	  docker build -t $(E2E_NAME) . && docker save -o $(E2E_IMAGE) $(E2E_NAME); }
	@$(MAKE) --no-print-directory e2e-tests E2E_LOAD="$(E2E_LOAD)" E2E_IMAGE="$(E2E_IMAGE)"

e2e-node: install ## The same on a node of its own, from Debian's packages, without Docker (Linux, root; about ten minutes)
	@$(BIN)/python -m tests.node need || exit $$(( $$? == 3 ? 0 : 1 )); \
	  $(MAKE) --no-print-directory $(NODE_IMAGE) && echo "==> The node" && \
	  E2E_API_SERVER="$(abspath $(BIN))/python -m tests.node api-server" $(BIN)/python -m tests.node run \
	    $(MAKE) --no-print-directory e2e-tests E2E_LOAD="$(BIN)/python -m tests.node load" E2E_IMAGE=$(NODE_IMAGE)

e2e-tests:
	@echo "==> Tests on real pods: $(E2E_TESTS)"
	@E2E_LOAD="$(E2E_LOAD)" E2E_IMAGE="$(abspath $(E2E_IMAGE))" \
	  $(BIN)/python -m pytest -q -p no:cacheprovider $(E2E_TESTS) $(PYTEST_FLAGS)

$(NODE_IMAGE): Dockerfile $(COMPILED_STAMP) locks/run.txt
	@echo "==> The image, by the Dockerfile's steps on a base of debootstrap"
	@$(BIN)/python -m tests.node.image $(NODE_IMAGE) $(COMPILED)/dist/*.whl

cluster-up: install ## Bring up one Kubernetes node with real pods, for playing (Linux, root)
	@$(BIN)/python -m tests.node up

cluster-down: install ## Take it down, and remove all of it
	@$(BIN)/python -m tests.node down

cluster-shell: install ## A shell inside the node, with kubectl and helm
	@$(BIN)/python -m tests.node shell

# checkov needs a hundred packages, some in versions that the tests do not take: an environment of its own.
CHART_TOOLS := build/chart-check
CHART_STAMP := $(CHART_TOOLS)/.installed
PROMTOOL ?= promtool

chart-check: binaries $(CHART_STAMP) ## Let Kubernetes' schemas, checkov and promtool judge the chart (PROMTOOL=promtool, of Debian's prometheus)
	@echo "==> The chart, judged by other tools"
	@$(BIN)/python -m tests.chart.judges --tools $(CHART_TOOLS)/bin --promtool "$$(command -v $(PROMTOOL))"

$(CHART_STAMP): locks/chart.txt
	@echo "==> Packages of locks/chart.txt, by their hashes, in $(CHART_TOOLS)"
	@rm -rf $(CHART_TOOLS)
	@$(PYTHON) -m venv $(CHART_TOOLS)
	@$(CHART_TOOLS)/bin/python locks/pip_install.py --no-deps --require-hashes -r locks/chart.txt
	@$(CHART_TOOLS)/bin/python -m pip check --disable-pip-version-check
	@touch $(CHART_STAMP)

binaries: install ## Build the real Kubernetes and Helm that the tests run (once; about six minutes)
	@echo "==> Kubernetes API server, etcd, kubectl and Helm for the tests (built once, kept in .cache)"
	@$(BIN)/python -m tests.cluster.binaries

lint: install ## Check style, types and layers
	@echo "==> Style"
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@echo "==> Types"
	$(BIN)/mypy --num-workers auto
	MYPYPATH=examples/provider $(BIN)/mypy examples/provider
	MYPYPATH=examples/demo $(BIN)/mypy examples/demo
	$(BIN)/mypy -p benchmarks
	$(BIN)/mypy locks/pip_install.py hatch_build.py
	$(BIN)/mypy -p release
	@echo "==> Layers"
	$(BIN)/lint-imports

format: install ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

install: $(STAMP) ## Make the virtual environment, from the lock

BROKEN := $(if $(shell $(BIN)/python -c 1 2>/dev/null && echo works),,broken-environment)

# Only a changed lock or pyproject.toml leads here again; so does an environment whose Python is gone.
$(STAMP): pyproject.toml locks/dev.txt $(BROKEN)
	$(make-environment)
	@echo "==> Packages of locks/dev.txt, by their hashes (a minute or two the first time)"
	@$(BIN)/python locks/pip_install.py --no-deps --require-hashes -r locks/dev.txt
	$(install-wardgate)
	@touch $(DEMO_STAMP) $(STAMP)

# The lab needs no tools and no tests. Its lock is a part of locks/dev.txt, so that either may be installed over the other.
$(DEMO_STAMP): pyproject.toml locks/demo.txt $(BROKEN)
	$(make-environment)
	@echo "==> Packages of locks/demo.txt, by their hashes (half a minute the first time)"
	@$(BIN)/python locks/pip_install.py --no-deps --require-hashes -r locks/demo.txt
	$(install-wardgate)
	@touch $(DEMO_STAMP)

define make-environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Wardgate needs Python 3.11 or newer; name one with make PYTHON=python3.12 ..."; exit 1; }
	@echo "==> Virtual environment in $(VENV)"
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || \
	  { echo "This Python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
endef

# A lock is complete: pip resolves nothing (--no-deps), and "pip check" tells if a package lacks another.
define install-wardgate
	@echo "==> Wardgate itself, editable"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check --disable-pip-version-check
endef

.PHONY: broken-environment
broken-environment:

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: ## Write the locks anew from pyproject.toml (needs uv)
	$(LOCK) pyproject.toml --group dev -o locks/dev.txt
	$(LOCK) pyproject.toml --group demo --group editable -c locks/dev.txt -o locks/demo.txt
	$(LOCK) pyproject.toml -c locks/dev.txt -o locks/run.txt
	$(LOCK) --group pyproject.toml:build -c locks/dev.txt -o locks/build.txt
	$(LOCK) --group pyproject.toml:chart -o locks/chart.txt
	$(LOCK) --group pyproject.toml:docs -o locks/docs.txt
	$(LOCK) --group pyproject.toml:release -c locks/dev.txt -o locks/release.txt

wheel: install ## Build two wheels into dist/: one for every machine, and one compiled for this one (a C compiler is needed)
	@echo "==> The wheel for every machine: plain Python"
	@$(BIN)/python -m hatchling build -t wheel -d dist
	@echo "==> The wheel for this machine: compiled"
	@HATCH_BUILD_HOOKS_ENABLE=true $(BIN)/python -m hatchling build -t wheel -d dist

# An environment beside the other: the compiled wheel, and the other's packages. The source tree stays free of extensions.
$(COMPILED_STAMP): $(STAMP) hatch_build.py $(shell find operator/wardgate -name '*.py' 2>/dev/null)
	@echo "==> A compiled wheel, in an environment of its own ($(COMPILED); two minutes on an idle core)"
	@rm -rf $(COMPILED)
	@HATCH_BUILD_HOOKS_ENABLE=true $(BIN)/python -m hatchling build -t wheel -d $(COMPILED)/dist
	@$(BIN)/python -m venv --without-pip $(COMPILED)
	@$(BIN)/python -m pip --python $(COMPILED)/bin/python install --quiet --disable-pip-version-check --no-deps --no-index $(COMPILED)/dist/*.whl
	@$(COMPILED)/bin/python -c 'import sys, sysconfig; print(sys.argv[1], file=open(sysconfig.get_path("purelib") + "/packages.pth", "w"))' \
	  "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@touch $(COMPILED_STAMP)

release-check: install ## Do what a release does and publish nothing: version, wheel, chart, plugin, workflows (Go is fetched if there is none)
	@$(BIN)/python -u -m tests.release.rehearsal build/release

crds: install ## Write crds/ and the chart's copies anew from the models
	$(BIN)/wardgate crds --output-dir crds
	$(BIN)/wardgate crds --output-dir charts/wardgate/crds

bench-check: install ## Measure how long `wardgate check` takes over 500 generated objects
	$(BIN)/python -m benchmarks.check

bench-propagation: install ## Measure how long a write takes until two proxies enforce it (BENCH_FLAGS=--samples=50)
	$(BIN)/python -m benchmarks.propagation $(BENCH_FLAGS)

bench: install $(COMPILED_STAMP) ## Measure both forms beside Envoy, HAProxy and nginx (BENCH_FLAGS="--case get"; see docs/performance.md)
	@$(BIN)/python -m benchmarks.gateways --compiled $(COMPILED) $(BENCH_FLAGS)

bench-start: install ## Measure a proxy's start until its first answer (BENCH_FLAGS="--core 1")
	@$(BIN)/python -m benchmarks.start $(BENCH_FLAGS)

PEER ?=
bench-requests: install ## Measure the CPU of a request beside another checkout (PEER=../other; install that first)
	$(BIN)/python -m benchmarks.requests --peer $(PEER) $(BENCH_FLAGS)

soak: install ## Try restarts, changes, deaths and large bodies under load, for half an hour (SOAK_FLAGS="restarts --restarts 20")
	$(BIN)/python -m benchmarks.soak $(SOAK_FLAGS)

differential: install ## Run the corpus of oddities with nginx, HAProxy, aiohttp, uvicorn and gunicorn behind the gateway
	$(BIN)/python -m tests.proxy.differential

house: install ## Count folders, circles, modules, memory and steps (HOUSE_FLAGS="--checkout ../other --checkout .")
	$(BIN)/python -m benchmarks.house $(HOUSE_FLAGS)

# An environment of its own: nothing else needs a site's tools.
DOCS := build/docs
DOCS_STAMP := $(DOCS)/.installed
$(DOCS_STAMP): locks/docs.txt
	@echo "==> Packages of locks/docs.txt, by their hashes"
	@$(PYTHON) -m venv --clear $(DOCS)
	@$(DOCS)/bin/python locks/pip_install.py --quiet --no-deps --require-hashes -r locks/docs.txt
	@$(DOCS)/bin/python -m pip check --disable-pip-version-check
	@touch $(DOCS_STAMP)

docs: install $(DOCS_STAMP) ## Build the site of the documents into build/docs-html; a warning is an error
	@$(BIN)/python docs/site/assemble.py build/site
	@NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(DOCS)/bin/mkdocs build --strict --config-file docs/site/mkdocs.yml
	@$(BIN)/python docs/site/self_contained.py build/docs-html
	@echo "==> build/docs-html/index.html"

.PHONY: examples-check
examples-check: binaries ## Validate the examples for GitOps and EKS against the schemas that Argo CD, Flux, External Secrets and cert-manager publish
	@echo "==> The examples' objects of other tools, against the schemas of these tools (80 MB of sources, once)"
	$(BIN)/python -m pytest -q tests/gitops/published_schemas.py

golden: install ## Write the golden files anew; read the diff
	WARDGATE_GOLDEN=write $(BIN)/python -m pytest -q tests/translate/test_golden.py tests/cli tests/corpus -m "not slow"
	@echo "==> Read the diff: git diff tests/golden"

clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) .cache .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist htmlcov
