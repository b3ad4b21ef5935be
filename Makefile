# The commands of this project. `make help` lists them; tools/setup makes the environment that they need.
.DEFAULT_GOAL := help
.PHONY: help demo chaos test check lint fuzz faults mutations outage test-browser test-burst test-odoo bench bench-odoo bench-tables

ARGS ?=
SECONDS ?= 60
MINUTES ?= 10
SEEDS ?= 1-200
HOURS ?= 72
BIN := .venv/bin
CODE := sparkplug ruleset state odoo_adapter bridge
ODOO_VARIABLES := UNS_BRIDGE_ODOO_URL UNS_BRIDGE_ODOO_DB UNS_BRIDGE_ODOO_USER UNS_BRIDGE_ODOO_KEY UNS_BRIDGE_ODOO_ADMIN_KEY

help: ## say what the commands are
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 21

demo: ## run a simulated plant, the bridge and an Odoo simulator; options in ARGS="--for 60s"
	@tools/setup demo
	@$(BIN)/uns-bridge demo $(ARGS)

chaos: ## let the demonstration be killed, cut off, paused and filled up for MINUTES=10, round after round; options in ARGS
	@tools/setup demo
	@$(BIN)/uns-bridge demo --chaos --minutes $(MINUTES) --for 90s --kills 20 --headless $(ARGS)

test: ## run every test, against a real broker and a real Redis; options in ARGS
	@tools/setup test
	@tools/setup foreign
	@$(BIN)/python -m pytest $(ARGS)

check: lint ## everything a change is judged by: format, lint, types, imports, fast tests
	@$(BIN)/python -m pytest -m "not slow" $(ARGS)

lint: ## format, lint, types and imports only
	@tools/setup test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(CODE) tests bench
	@$(BIN)/lint-imports --no-cache

fuzz: ## send generated inputs to the Sparkplug host for a minute, or SECONDS=900; atheris leads them where it is installed
	@tools/setup test
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

faults: ## play SEEDS=1-200 schedules of crashes, lost answers and outages against the whole bridge in virtual time
	@tools/setup test
	@$(BIN)/python -m tests.faults --seeds $(SEEDS) $(ARGS)

mutations: ## take each guard of the promise out of a copy of the code, and demand that its test fails; two minutes
	@tools/setup test
	@$(BIN)/python -m tests.mutations $(ARGS)

outage: ## let a plant of forty machines go on for HOURS=72 without Odoo, in virtual time, until all is there; ten minutes
	@tools/setup test
	@$(BIN)/python -m tests.outage --hours $(HOURS) $(ARGS)

test-browser: ## run the tests of the console in a Chromium, which this installs where it is missing; options in ARGS
	@tools/setup browser
	@$(BIN)/python -m pytest tests/console_browser $(ARGS)

test-burst: ## let 500 edge nodes come back to the bridge at once, on a real broker; options in ARGS
	@tools/setup test
	@$(BIN)/python -m pytest tests/burst $(ARGS)

test-odoo: ## run the tests against the Odoo that UNS_BRIDGE_ODOO_URL, _DB, _USER, _KEY and _ADMIN_KEY name; it writes there
	@for name in $(ODOO_VARIABLES); do \
		eval "value=\$${$$name:-}"; [ -n "$$value" ] || { echo "make test-odoo: set $$name" >&2; missing=1; }; \
	done; [ -z "$$missing" ]
	@tools/setup test
	@$(BIN)/python -m pytest tests/live_odoo $(ARGS)

bench: ## what a message costs, beside others and stage by stage, and a backtest beside a plain run; options in ARGS="--profile"
	@tools/setup bench
	@$(BIN)/python -m bench path $(ARGS)
	@$(BIN)/python -m bench backtest

bench-odoo: ## postings a second, on the Odoo simulator or where UNS_BRIDGE_ODOO_URL says
	@tools/setup bench
	@$(BIN)/python -m bench odoo $(ARGS)

bench-tables: ## put the figures of the last `make bench` and `make bench-odoo` into docs/benchmark.md
	@tools/setup bench
	@$(BIN)/python -m bench report --write docs/benchmark.md
