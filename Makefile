PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUNTIME := $(VENV)/.runtime
SSHD := /usr/sbin/sshd

help:  ## Show the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

SECONDS ?= 600
TABLES := README.md docs/index.md docs/accuracy.md
DEMO ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)

demo: $(RUNTIME)  ## Train, convert, verify and time a small network on real data; ends with an HTML report.
	$(BIN)/lq-fda run --output $(DEMO)

# Those of Android and of the documents need what `make android` and `make docs` build, and run there.
test: $(RUNTIME) $(SSHD)  ## Run the tests.
	$(BIN)/python -m pytest --ignore tests/android --ignore tests/docs

lint: $(READY)  ## Check style and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/lq-fda results --check $(TABLES) --plots docs/images

bench: $(RUNTIME)  ## Time 1-bit networks against LCE's interpreter and their int8 and float twins.
	$(BIN)/lq-fda peers resnet20 resnet18 resnet18_imagenet@224 mobile@224 --rounds 60 --profile

native:  ## Run the runtime's C++ tests, also under sanitizers and on emulated ARM machines.
	export/runtime/check.sh all

fuzz: $(RUNTIME)  ## Fuzz the runtime: options, graphs, and damaged models in LiteRT; BUNDLE's too. Each for SECONDS.
	export/runtime/check.sh fuzz $(SECONDS)
	export/runtime/check.sh models $(SECONDS) $(BIN)/python $(if $(BUNDLE),$(BUNDLE)/model.tflite)

matrix: $(RUNTIME)  ## Run BUNDLE in every interpreter that the delegate serves, on x86-64 and on emulated ARM machines.
	$(BIN)/python export/runtime/matrix.py $(BUNDLE)

android: $(READY)  ## Build and test the Android library and app; BUNDLE goes into the app.
	$(BIN)/pip install --quiet $$($(BIN)/python android_demo/tools/versions.py requirements)
	$(BIN)/python android_demo/tools/build.py all $(if $(BUNDLE),--bundle $(BUNDLE))
	$(BIN)/python -m pytest tests/android

notebooks: $(RUNTIME)  ## Run the notebooks.
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,notebooks]'
	$(BIN)/python -m pytest --nbmake --nbmake-timeout 180 --timeout 300 notebooks

docs: $(RUNTIME)  ## Build the documentation's site in build/docs; a broken link or an undocumented name fails.
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	$(BIN)/python -m pytest tests/docs

tables: $(READY)  ## Write the documents' measured tables and figures from results/.
	$(BIN)/lq-fda results $(TABLES) --plots docs/images

lock: $(READY)  ## Renew constraints.txt from pyproject.toml.
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.10 --all-extras --no-header --no-annotate --upgrade \
		--quiet --output-file constraints.txt pyproject.toml

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

# The runtime's wheel: a C++ library, built by the machine's compiler or, where there is none, by one from PyPI.
$(RUNTIME): $(READY) $(shell find export/runtime -type f -not -path '*/build/*' -not -path '*/__pycache__/*')
	$(BIN)/pip install --quiet --force-reinstall --no-deps ./export/runtime
	touch $(RUNTIME)

# Benchmarks on devices are tested against a real ssh server, which no package from PyPI brings.
$(SSHD):
	@[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
		{ echo "Debian's package openssh-server is missing. Install it: sudo apt-get install openssh-server" >&2; exit 1; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openssh-server >/dev/null

.PHONY: help demo test lint bench native fuzz matrix android notebooks docs tables lock
