# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# On a fresh machine two commands are enough, `make demo` and `make test`: each sets up what it needs
# in .venv. Needed beforehand: Python 3.11 or newer with venv, g++, make, git.

PYTHON ?= python3
VENV ?= .venv
# Where pip may look for torch besides PyPI, whose build is a CUDA one of several gigabytes; for the
# small one: make test TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# A compile takes up to 1.5 GB: no more of them at once than there are cores.
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)
export CXX_LAUNCHER ?= $(shell command -v ccache)

BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
export PATH := $(BIN):$(PATH)

# All that the wheel is made of.
SOURCES := CMakeLists.txt pyproject.toml README.md LICENSE \
  $(shell find dialects lib python tools/pconv-opt tools/pconv-lsp-server -type f -not -name '*.pyc')

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint lit pytest docs docs-check bench format clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- Setting up. A file in .venv marks each step that is done. ------------------------------------

$(VENV)/toolchain: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing what the build needs (about 340 MB to download)"
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' > $(VENV)/build-requires.txt
	$(PIP) install -r $(VENV)/build-requires.txt
	@touch $@

# Without build isolation the build folder can be kept, so a second build is incremental.
$(VENV)/package: $(VENV)/toolchain $(SOURCES)
	@echo "Building and installing the package (minutes the first time)"
	$(PIP) install --no-build-isolation --config-settings=build-dir=build/wheel .
	@touch $@

$(VENV)/with-%: $(VENV)/package
	$(PIP) install 'pconv-mlir[$*]'
	@touch $@

$(VENV)/with-torch-if-possible: $(VENV)/package
	@$(PIP) install $(addprefix --extra-index-url=,$(TORCH_INDEX)) 'pconv-mlir[torch]' \
	  || echo "torch cannot be installed here: the tests that need it will be skipped"
	@touch $@

setup: $(VENV)/package ## Build the package and install it into .venv

# --- Using it -------------------------------------------------------------------------------------

demo: $(VENV)/with-demo ## Compile and run the networks that come with the project
	$(BIN)/pconv demo

bench: $(VENV)/with-onnx $(VENV)/with-bench ## Time a pruned VGG-16 against the other engines
	$(BIN)/pconv bench vgg16-conv --scheme pattern:8+connectivity:3.6 --against onnxruntime,openvino,mnn

# --- Checking it ----------------------------------------------------------------------------------

test: lint lit pytest ## Run all checks and tests; print what was skipped and why

lint: $(VENV)/with-dev docs-check ## Check style, types, dead tests and the generated pages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	git ls-files '*.cpp' '*.h' | xargs $(BIN)/clang-format --dry-run -Werror
	$(BIN)/python tools/dev/check_dead_tests.py test
	$(BIN)/python tools/dev/check_examples.py docs/Dialect.md docs/Passes.md

lit: $(VENV)/with-test ## Run the .mlir tests, with both FileChecks
	$(BIN)/lit -s --show-unsupported --param filecheck=python test
	$(BIN)/lit -s --show-unsupported --param filecheck=llvm test

pytest: $(VENV)/with-test $(VENV)/with-torch-if-possible ## Run the Python tests
	$(BIN)/python -m pytest -q

format: $(VENV)/with-dev ## Rewrite all files in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	git ls-files '*.cpp' '*.h' | xargs $(BIN)/clang-format -i

docs: $(VENV)/package ## Write the reference pages anew
	$(BIN)/python tools/dev/generate_docs.py

docs-check: $(VENV)/package ## Compare the reference pages with what would be written
	$(BIN)/python tools/dev/generate_docs.py --check

clean: ## Remove all that was made
	rm -rf $(VENV) build .demo
