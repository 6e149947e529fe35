# Two commands do everything: `make demo` and `make test`. The others are their parts.
.PHONY: demo test bench setup setup-dev lint format clean help
.DEFAULT_GOAL := help

CLIENT := static/client
BUILT := $(CLIENT)/dist/.built
CLIENT_SOURCES := $(shell find $(CLIENT) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
INTEROP := tests/interop/node_modules/.installed
PORT ?= 8080
PYTEST_ARGS ?= -n 2 --dist loadfile

demo: setup  ## a furnished demo on http://localhost:8080 (PORT=... for another)
	@exec .venv/bin/twinspace demo --port $(PORT)

test: setup-dev lint  ## everything: lint, types, unit, interop, faults, browser
	@tools/programs
	@tools/tests $(PYTEST_ARGS)
	cd $(CLIENT) && ../../tools/with-node npm run --silent test

bench: .venv/.dev $(BUILT)  ## side by side with other servers, about 20 minutes: load/report/ (BENCH_ARGS=... for a part)
	.venv/bin/python -m load bench $(BENCH_ARGS)
	$(if $(BENCH_ARGS),,.venv/bin/python -m load browser)

setup: .venv/.runtime $(BUILT)  ## .venv with the server, and the built client; nothing more

setup-dev: .venv/.dev $(BUILT) $(INTEROP)  ## the same and what the tests need

lint: setup-dev  ## format check, lint and types, Python and TypeScript
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	cd $(CLIENT) && ../../tools/with-node npm run --silent lint

format: .venv/.dev  ## let ruff rewrite what it can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:  ## remove everything that setup, tests and builds made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	rm -rf $(CLIENT)/dist $(CLIENT)/node_modules tests/interop/node_modules tests/.artifacts load/report
	rm -rf load/peers/node_modules load/peers/*/node_modules load/peers/*/.venv
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.runtime: requirements.txt pyproject.toml
	@tools/venv requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@tools/venv requirements-dev.txt
	@touch $@

$(CLIENT)/node_modules/.installed: $(CLIENT)/package-lock.json | .venv/.runtime
	@echo "==> installing the client's packages"
	@cd $(CLIENT) && ../../tools/with-node npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUILT): $(CLIENT)/node_modules/.installed $(CLIENT_SOURCES)
	@echo "==> building the client"
	@cd $(CLIENT) && ../../tools/with-node npm run --silent build
	@touch $@

$(INTEROP): tests/interop/package-lock.json | .venv/.runtime
	@echo "==> installing stock clients for the interop tests"
	@cd tests/interop && ../../tools/with-node npm ci --no-audit --no-fund --loglevel=error
	@touch $@
