# `make` lists the targets. Each one does all its own set-up: Python 3.11 or newer, make and git are enough.

PYTHON ?= python3
BIN := .venv/bin
STUBS := micropython-esp32-stubs==1.29.0.post1 micropython-stdlib-stubs==1.29.0.post2
PAYLOAD := host/tinyseal_host/payload/manifest.json
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help setup demo test board-test attack faults powercut conformance bench size boards frozen mip lint clean

help: ## list the targets
	@grep -E '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/ready $(PAYLOAD) ## make .venv with the tinyseal command and all that tests need

.venv/ready: pyproject.toml Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(PIP) install --editable '.[sim,dev]'
	$(PIP) install --no-deps --upgrade --target .venv/stubs $(STUBS)
	touch $@

$(PAYLOAD): .venv/ready firmware/payload.py firmware/package_sources.py firmware/dot_generator.py firmware/main.py $(wildcard firmware/app/*.py firmware/tinyseal/*.py firmware/tinyseal/plain/*.py boards/*/board.json)
	$(BIN)/python firmware/payload.py

demo: setup ## the main job, from a .tflite to classified frames, on the virtual board
	$(BIN)/python -m tinyseal_host.demo

test: lint ## lint, types and all tests
	ESPPORT= $(BIN)/pytest -n 2

board-test: setup ## the tests of tests/device on a board: PORT=/dev/ttyACM0, or PORT=sim for a virtual one
	$(BIN)/pytest -n 0 --port=$(or $(PORT),$(error PORT names no board)) tests/device

attack: setup ## every flip, cut and lie that a sealed file and its engines can tell, and a search for what is left in RAM
	PYTHONPATH=tests $(BIN)/python -m attack

powercut: setup ## boards that lose their power at every write to flash and NVS, and cables that fail
	PYTHONPATH=tests $(BIN)/python -m powercut

faults: setup ## faults of sensors put into the example's test frames: what the gate refuses, what misleads the network
	PYTHONPATH=tests $(BIN)/python -m faults

conformance: setup ## TensorFlow Lite Micro's bytes, for the models in TINYSEAL_MODELS and for thousands of random files
	PYTHONPATH=tests $(BIN)/python -m conformance

bench: setup ## instructions counted in emulation, memory measured on the VM; answers checked
	PYTHONPATH=tests $(BIN)/python -m bench

size: setup ## bytes of the firmware on a board, module by module, and what a model loads of it
	PYTHONPATH=tests $(BIN)/python -m bench.size

boards: setup ## every hardened board definition, held against what is known of ESP-IDF and MicroPython
	PYTHONPATH=tests $(BIN)/python -m boards_check

frozen: setup ## the package as a build of MicroPython freezes it, in build/frozen; ARCH=rv32imc for that architecture alone
	$(BIN)/python firmware/frozen.py $(ARCH)

mip: setup ## what mip installs the package from, in build/mip, a folder an architecture
	$(BIN)/python firmware/mip.py

lint: setup ## ruff, and mypy for the host and for the firmware
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy host/tinyseal_host tests/emulation
	$(BIN)/mypy --config-file firmware/mypy.ini firmware/tinyseal firmware/app firmware/main.py

clean: ## remove all that make and the tools have made
	rm -rf .venv build dist host/tinyseal_host/payload .pytest_cache .mypy_cache .ruff_cache .hypothesis
