# The two commands of this project: `make run` and `make test`. Each installs what it needs into .venv first, once:
# `make run` Keras alone, `make test` all; what is there already is not installed again.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
KERAS := $(VENV)/installed-keras
PEERS := .venv-peers

.PHONY: run test notebooks docs wheel-test chronos zero-shot-test soak lint speed peers clean

run: $(if $(wildcard $(STAMP)),$(STAMP),$(KERAS))
	$(BIN)/python -m bench run --backend keras

# loadgroup: the tests of one backend share one child process, and so one core
test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# the documents as a site, in build/site; a link that leads nowhere is an error
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict -f .mkdocs/mkdocs.yml
	@echo 'build/site/start.html'

# half a minute: the notebooks of docs in a Jupyter kernel, and docs/examples.py
notebooks: $(STAMP)
	$(BIN)/python tests/notebooks.py

# the wheel in fresh environments: EXTRAS="torch report" for others than the bare one
wheel-test:
	$(PYTHON) tests/wheel.py $(EXTRAS)

chronos: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[chronos]' -c constraints.txt

# the method `checkpoint` with chronos-forecasting, which the other tests replace by a stand-in
zero-shot-test: chronos
	$(BIN)/python -m pytest -n 0 tests/implementations/methods/test_checkpoint.py

# the long ones, about half an hour: fuzzing, 100 kills of a campaign, 1,000 runs with faults, a store that flaps
soak: $(STAMP)
	FUZZ=10000 $(BIN)/python -m pytest --timeout 0 tests/faults/test_fuzz.py
	FUZZ=10000 $(BIN)/python -m pytest --timeout 0 tests/bench/records/test_readers.py
	$(BIN)/python tests/soak.py kills --kills 100
	$(BIN)/python tests/soak.py soak --runs 1000
	$(BIN)/python tests/soak.py store --runs 30

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

# then, for one: $(BIN)/asv continuous main HEAD
speed: $(STAMP)
	$(BIN)/asv machine --machine here --yes > /dev/null
	$(BIN)/asv check -E existing

peers: $(PEERS)/installed

clean:
	rm -rf $(VENV) $(PEERS) .asv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# compiled here: containers often tell Python to keep no compiled files, and then each start makes them anew
define install
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, got {v[0]}.{v[1]}: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'installing into $(VENV): some minutes, once'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(1)]' -c constraints.txt
	$(BIN)/python -m compileall -q bench implementations
endef

$(STAMP): pyproject.toml constraints.txt
	$(call install,all)
	touch $@

# without TensorFlow's C++ headers, 430 MB that only compilers of new operations read
$(KERAS): pyproject.toml constraints.txt
	$(call install,keras)
	rm -rf $(VENV)/lib/python3.*/site-packages/tensorflow/include
	touch $@

# other libraries, to measure speed against: see docs/performance.md
$(PEERS)/installed: bench/speed/peers/requirements.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo 'installing into $(PEERS): some minutes, once'
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@
