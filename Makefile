# The first target that needs it makes .venv from requirements.lock (hashes checked, no URLs).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=
B      ?= latency

.PHONY: demo test check bench lock clean

demo: $(STAMP)
	$(BIN)/eseal demo $(ARGS)

# Most of the time is waiting for processes and sockets: three workers share two cores well.
test: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# make bench B=latency [QUICK=1]: the last line printed is one JSON object.
bench: $(STAMP)
	$(BIN)/python -m benchmarks.$(B) $(if $(QUICK),--quick) $(ARGS)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Needs uv; run after a change of the dependencies in pyproject.toml. Extras stay: a requirement that
# another package makes of coverage[toml] would else be met by whatever version is the newest.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
